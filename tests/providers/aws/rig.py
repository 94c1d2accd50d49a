"""Drives the provider as the engine does, from plain Python configurations, and holds it to the engine's
rules.
"""

from __future__ import annotations

from typing import Any

from twinfra.providers.aws import AwsProvider
from twinfra.providers.aws.catalog import resource
from twinfra.providers.aws.comparison import exact, has_unknown
from twinfra.providers.aws.mapping import plain, same_field, shape
from twinfra.providers.protocol import (
    OPERATION_TOKEN,
    UNCONFIRMED,
    Planned,
    Proposal,
    ProviderError,
    Stored,
    new_token,
)
from twinfra.schema import Block, NestedBlock, Nesting
from twinfra.values.value import Unknown

REGION = "us-east-1"


class Rig:
    """One configured provider against one emulator. `client(service)` is boto3, which shares no code with
    ours.
    """

    def __init__(self, endpoint: str, settings: dict[str, Any] | None = None) -> None:
        self.endpoint = endpoint
        self.provider = AwsProvider(
            {
                "AWS_ENDPOINT_URL": endpoint,
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_REGION": REGION,
            }
        )
        self.schema = self.provider.schema()
        self.provider.configure(value_of(self.schema.provider, settings or {}))

    def client(self, service: str, region: str = REGION) -> Any:
        """A boto3 client for the same emulator."""
        import boto3

        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def close(self) -> None:
        """Let go of connections."""
        self.provider.close()

    def config(self, kind: str, given: dict[str, Any]) -> dict[str, Any]:
        """A configuration as the engine decodes it."""
        return value_of(self.schema.resources[kind].block, given)

    def problems(self, kind: str, given: dict[str, Any]) -> list[str]:
        """What validation says, as 'summary: detail'."""
        found = self.provider.validate(kind, self.config(kind, given))
        return [f"{one.summary}: {one.detail}" for one in found]

    def plan(self, kind: str, given: dict[str, Any], prior: Stored | None = None) -> Planned:
        """Validate and plan, and check what the engine would."""
        config = self.config(kind, given)
        problems = list(self.provider.validate(kind, config))
        if problems:
            raise ProviderError(problems)
        proposed = propose(
            self.schema.resources[kind].block, config, None if prior is None else prior.attributes
        )
        planned = self.provider.plan(kind, Proposal(prior, config, proposed))
        assert planned.planned is not None
        check_planned(self.schema.resources[kind].block, config, planned.planned, prior)
        return planned

    def apply(self, kind: str, given: dict[str, Any], prior: Stored | None = None) -> Stored:
        """Plan and apply (replacing where planned so); the result must be what was planned, and plan no
        change.
        """
        change = self.plan(kind, given, prior)
        if change.replace and prior is not None:
            self.destroy(kind, prior)
            change, prior = self.plan(kind, given), None
        if prior is None:
            change.private[OPERATION_TOKEN] = new_token()
        result = self.provider.apply(kind, change)
        assert result is not None
        assert change.planned is not None
        for name, value in change.planned.items():
            if not has_unknown(value):
                assert exact(result.attributes[name], value), (name, result.attributes[name], value)
        assert result.attributes.keys() == self.schema.resources[kind].block.type.attributes.keys()
        assert not has_unknown(result.attributes)
        if UNCONFIRMED in result.private:
            try:
                result = self.provider.confirm(kind, result)
            except ProviderError:
                # No more than a warning to the engine, which calls it again at its next start.
                result = self.provider.confirm(kind, result)
            assert UNCONFIRMED not in result.private
        return result

    def read(self, kind: str, current: Stored) -> Stored | None:
        """Refresh, one by one and as a batch, which must agree."""
        one = self.provider.read(kind, current)
        many = self.provider.read_many(kind, [current])[0]
        assert not isinstance(many, ProviderError), many
        assert (one is None) == (many is None)
        if one is not None and many is not None:
            assert exact(one.attributes, many.attributes)
        return one

    def differences(self, kind: str, given: dict[str, Any], stored: Stored) -> dict[str, tuple[Any, Any]]:
        """What a refresh and a plan of the same configuration would change: name to (before, after)."""
        fresh = self.read(kind, stored)
        assert fresh is not None, "it is gone"
        change = self.plan(kind, given, fresh)
        assert change.planned is not None
        return {
            name: (plain(fresh.attributes.get(name)), _shown(value))
            for name, value in change.planned.items()
            if has_unknown(value) or not exact(value, fresh.attributes.get(name))
        }

    def drift(self, kind: str, stored: Stored) -> dict[str, tuple[Any, Any]]:
        """What a refresh alone changes: name to (before, after)."""
        fresh = self.read(kind, stored)
        assert fresh is not None, "it is gone"
        return {
            name: (plain(stored.attributes.get(name)), plain(value))
            for name, value in fresh.attributes.items()
            if not exact(value, stored.attributes.get(name))
        }

    def destroy(self, kind: str, stored: Stored) -> None:
        """Delete it."""
        self.provider.apply(kind, Planned(stored, None, None))

    def imported(self, kind: str, id: str) -> Stored | None:
        """Import and read, as the engine does."""
        (found,) = self.provider.import_(kind, id)
        return self.provider.read(found.kind, found.stored)

    def recover(self, kind: str, given: dict[str, Any], token: str) -> Stored | None:
        """What recovery finds for a create of this configuration with this token."""
        return self.provider.recover(kind, self.plan(kind, given), token)

    def data(self, kind: str, given: dict[str, Any] | None = None) -> dict[str, Any]:
        """Read a data source, in plain Python."""
        block = self.schema.data_sources[kind].block
        config = value_of(block, given or {})
        problems = list(self.provider.validate_data(kind, config))
        if problems:
            raise ProviderError(problems)
        found = self.provider.read_data(kind, config)
        assert found.keys() == block.type.attributes.keys()
        shown: dict[str, Any] = plain(found)
        return shown

    def check(
        self, kind: str, given: dict[str, Any], *, import_id: str | None = None, kept: tuple[str, ...] = ()
    ) -> Stored:
        """Create it, see no drift and no further change, import it back to the same attributes; returns it.

        `kept`: attributes that no API tells, so that an import lacks them. Without `import_id` the id is
        taken.
        """
        stored = self.apply(kind, given)
        drift = self.drift(kind, stored)
        assert drift == {}, drift
        differences = self.differences(kind, given, stored)
        assert differences == {}, differences
        taken = self.imported(kind, import_id or stored.attributes["id"])
        assert taken is not None
        fields = resource(kind).all_fields()  # type: ignore[union-attr]
        different = {
            name: (stored.attributes[name], taken.attributes[name]) for name, field in fields.items()
            if name not in kept and not same_field(field, taken.attributes[name], stored.attributes[name])
        }  # fmt: skip
        assert different == {}, different
        return stored


def value_of(block: Block, given: dict[str, Any]) -> dict[str, Any]:
    """A block's value from plain Python: what is not given is null, or empty for repeated blocks."""
    found: dict[str, Any] = {}
    unknown = given.keys() - block.attributes.keys() - block.blocks.keys()
    assert not unknown, f"no such arguments: {sorted(unknown)}"
    for name, attribute in block.attributes.items():
        found[name] = shape(given.get(name), attribute.type)
    for name, nested in block.blocks.items():
        found[name] = _nested_value(nested, given.get(name))
    return found


def _nested_value(nested: NestedBlock, value: Any) -> Any:
    if isinstance(value, Unknown):
        return value
    if nested.nesting in (Nesting.SINGLE, Nesting.GROUP):
        return None if value is None else value_of(nested.block, value)
    items = [] if value is None else [value] if isinstance(value, dict) else value
    kind = Block({}, {"x": nested}).type.attributes["x"]
    return shape([value_of(nested.block, one) for one in items], kind)


def propose(block: Block, config: dict[str, Any], prior: dict[str, Any] | None) -> dict[str, Any]:
    """The engine's proposal at the top level: prior values in computed attributes that are not given."""
    found = dict(config)
    for name, attribute in block.attributes.items():
        if attribute.computed and config.get(name) is None and prior is not None:
            found[name] = prior.get(name)
    return found


def check_planned(
    block: Block, config: dict[str, Any], planned: dict[str, Any], prior: Stored | None
) -> None:
    """The engine's rule: what is configured and not computed stays, or is the prior value."""
    assert planned.keys() == block.type.attributes.keys(), planned.keys() ^ block.type.attributes.keys()
    for name, attribute in block.attributes.items():
        if attribute.write_only:
            assert planned[name] is None
            continue
        if attribute.computed and config[name] is None:
            continue
        before = None if prior is None else prior.attributes.get(name)
        value = planned[name]
        assert _alike(value, config[name]) or exact(value, before), (name, value, config[name])


def _alike(planned: Any, config: Any) -> bool:
    """Whether equal, but for what is null in the configuration of nested objects (computed there)."""
    if config is None or isinstance(planned, Unknown) or isinstance(config, Unknown):
        return planned is None or config is None or isinstance(config, Unknown)
    if isinstance(config, dict) and isinstance(planned, dict):
        return all(config[key] is None or _alike(planned.get(key), config[key]) for key in config)
    if isinstance(config, tuple) and isinstance(planned, tuple):
        return len(config) == len(planned)
    return exact(planned, config)


def _shown(value: Any) -> Any:
    return "(unknown)" if has_unknown(value) else plain(value)
