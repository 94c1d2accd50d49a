"""The provider as the engine sees it: settings, schemas, and each operation handed to `lifecycle`."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from twinfra.diagnostics import Diagnostic, error, nearest
from twinfra.providers.aws import catalog, importing, lifecycle, planning, validation
from twinfra.providers.aws.access import Access
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.explained import Explained, guarded
from twinfra.providers.aws.failures import ApiError
from twinfra.providers.aws.mapping import bare_nulls, shape, type_of
from twinfra.providers.aws.resource import Attributes, DataSource, Resource
from twinfra.providers.aws.schemas import data_schema, resource_schema
from twinfra.providers.aws.session import Session
from twinfra.providers.aws.settings import Settings, provider_block, take
from twinfra.providers.permitted import Permitted
from twinfra.providers.protocol import (
    OPERATION_TOKEN,
    UNCONFIRMED,
    Change,
    Imported,
    Object,
    Planned,
    Progress,
    Proposal,
    ProviderError,
    Stored,
    silent,
)
from twinfra.schema import ProviderSchema, ResourceSchema
from twinfra.values.value import GetAttr

_READERS = 32
"""How many instances are read at a time within `read_many`, where the API reads them one by one."""


class AwsProvider:
    """Amazon Web Services, by botocore.

    `environment`: variables to heed instead of the process's own; with an AWS_ENDPOINT_URL in it, every call
    goes there, with the credentials in it, whatever the provider block says (the sandbox is used this way).
    `permitted`: the accounts and regions that it may act in; before anything else it looks whether it would.
    """

    def __init__(
        self, environment: Mapping[str, str] | None = None, permitted: Permitted | None = None
    ) -> None:
        self._environment = environment
        self._permitted = permitted
        self._take(Settings())
        self._readers: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()

    def schema(self) -> ProviderSchema:
        """All types; each one's schema is made when it is first looked at."""
        return ProviderSchema(
            provider_block(), catalog.Schemas(_resource_schema), catalog.Schemas(_data_schema)
        )

    def configure(self, config: Object) -> None:
        """Take the provider block's values; no call is made."""
        self._take(take(bare_nulls(config), self._environment))

    def look_for_credentials(self) -> None:
        """Refuse to begin without credentials; no call to AWS is made."""
        if not self._settings.skip_credentials_check and not self._settings.unknown:
            with Explained("looking for credentials"):
                self.session.look_for_credentials()

    def _take(self, settings: Settings) -> None:
        self._settings = settings
        self.session = Session(settings, self._environment)
        self._access = Access(self.session, self._environment, self._permitted)

    def identity(self) -> dict[str, str]:
        """Account, partition, region and kind of cloud (`aws`, `sandbox` or `custom`)."""
        return self._access.identity()

    # Resources

    def validate(self, kind: str, config: Object) -> Sequence[Diagnostic]:
        """Check a resource's configuration."""
        resource = _resource(kind)
        config = bare_nulls(config)
        return [*validation.validate(kind, resource.all_fields(), config), *_bad_timeouts(resource, config)]

    def validate_data(self, kind: str, config: Object) -> Sequence[Diagnostic]:
        """Check a data source's configuration."""
        source = _data_source(kind)
        config = bare_nulls(config)
        return [*validation.validate(kind, source.all_fields(), config), *_bad_timeouts(source, config)]

    def plan(self, kind: str, proposal: Proposal) -> Planned:
        """Plan from the declaration; no call is made."""
        resource = _resource(kind)
        with Explained(f"planning {kind}"):
            region = self.session.region if resource.regional else ""
        config = bare_nulls(proposal.config)
        plain = Proposal(
            None if proposal.prior is None else _bare(proposal.prior),
            config,
            config if proposal.proposed is proposal.config else bare_nulls(proposal.proposed),
        )
        planned = planning.plan(resource, plain, self._settings, region)
        where = planned.planned.get("region") if planned.planned is not None and resource.regional else ""
        if isinstance(where, str):
            self._access.check_region(where)
        return planned

    def read(self, kind: str, current: Stored, progress: Progress = silent) -> Stored | None:
        """The instance as it is now, or None when it is gone."""
        self._access.permit()
        resource = _resource(kind)
        current = _bare(current)
        context = self._context(resource, current.attributes, progress)
        with Explained(f"reading {kind}"):
            found = lifecycle.read(resource, context, current.attributes)
        return None if found is None else self._tidied(kind, Stored(found, current.private))

    def read_many(self, kind: str, currents: Sequence[Stored]) -> Sequence[Stored | ProviderError | None]:
        """Read all of them: with list calls where the API has one that serves, side by side where not."""
        self._access.permit()
        resource = _resource(kind)
        if not lifecycle.is_batched(resource):
            return self._side_by_side(lambda one: self.read(kind, one), currents)
        currents = list(map(_bare, currents))
        results: list[Stored | ProviderError | None] = [None] * len(currents)
        for places in _by_region(currents).values():
            chosen = [currents[at] for at in places]
            for at, result in zip(places, self._read_batch(kind, resource, chosen), strict=True):
                results[at] = result
        return results

    def _read_batch(
        self, kind: str, resource: Resource, currents: Sequence[Stored]
    ) -> Sequence[Stored | ProviderError | None]:
        context = self._context(resource, currents[0].attributes, silent)
        try:
            with Explained(f"reading {kind}"):
                found = lifecycle.find_many(resource, context, [one.attributes for one in currents])
        except ProviderError as problem:
            return [problem] * len(currents)

        def finish(pair: tuple[Stored, Any]) -> Stored | None:
            current, api = pair
            if api is None:
                return None
            with Explained(f"reading {kind}"):
                try:
                    if resource.extend is not None:
                        api = resource.extend(context, current.attributes, api)
                except ApiError as problem:
                    if problem.code in resource.not_found:
                        return None
                    raise
                refreshed = lifecycle.refreshed(resource, context, api, current.attributes)
            return self._tidied(kind, Stored(refreshed, current.private))

        pairs = list(zip(currents, found, strict=True))
        if resource.extend is not None:
            return self._side_by_side(finish, pairs)
        return [guarded(finish, pair) for pair in pairs]

    def _tidied(self, kind: str, stored: Stored) -> Stored:
        """Without the trace of a create that was interrupted between its result and its confirmation."""
        if UNCONFIRMED not in stored.private:
            return stored
        try:
            return self.confirm(kind, stored)
        except ProviderError:
            # Nobody sees the trace but us, and the next one who may remove it will.
            return stored

    def _side_by_side(self, action: Any, items: Sequence[Any]) -> Sequence[Stored | ProviderError | None]:
        if len(items) < 2:
            return [guarded(action, item) for item in items]
        with self._lock:
            if self._readers is None:
                self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="aws-read")
        return list(self._readers.map(lambda item: guarded(action, item), items))

    def apply(self, kind: str, change: Planned, progress: Progress = silent) -> Stored | None:
        """Create, update or delete, and wait until done."""
        self._access.permit()
        resource = _resource(kind)
        change = _bare_change(change)
        if change.planned is None:
            assert change.prior is not None
            context = self._context(resource, change.prior.attributes, progress)
            with Explained(f"deleting {kind}"):
                lifecycle.delete(resource, context, change.prior.attributes)
            return None
        private = dict(change.private)
        token = str(private.pop(OPERATION_TOKEN, ""))
        context = self._context(resource, change.planned, progress, token)
        context.unstored = {
            name: (change.config or {}).get(name)
            for name, field in resource.all_fields().items()
            if field.write_only
        }
        if change.prior is not None:
            with Explained(f"updating {kind}", change.prior.private):
                return Stored(
                    lifecycle.update(resource, context, change.prior.attributes, change.planned), private
                )
        if resource.confirm is not None and token:
            private[UNCONFIRMED] = token
        with Explained(f"creating {kind}", private):
            return Stored(lifecycle.create(resource, context, change.planned), private)

    def import_(self, kind: str, id: str) -> Sequence[Imported]:
        """Take the id apart; `read` looks whether there is such a thing."""
        resource = _resource(kind)
        try:
            attributes, region = importing.imported(resource, id)
        except ValueError:
            forms = (resource.import_id,) if isinstance(resource.import_id, str) else resource.import_id
            form = " or ".join(forms).replace("{", "<").replace("}", ">")
            raise ProviderError(
                error(
                    "Invalid import id", f'"{id}" does not identify an {kind}.', mend=f"Its form is {form}."
                )
            ) from None
        if resource.regional:
            with Explained(f"importing {kind}"):
                attributes["region"] = region or self.session.region
        if resource.imported is not None:
            self._access.permit()
            context = self._context(resource, attributes, silent)
            with Explained(f"importing {kind}"):
                attributes = resource.imported(context, attributes)
        return [Imported(kind, Stored(attributes))]

    def recover(self, kind: str, change: Planned, token: str) -> Stored | None:
        """Find what an interrupted create made, or None where it made nothing."""
        self._access.permit()
        resource = _resource(kind)
        change = _bare_change(change)
        if change.planned is None or change.prior is not None:
            return None
        context = self._context(resource, change.planned, silent, token)
        with Explained(f"looking for an interrupted {kind}"):
            found = lifecycle.recover(resource, context, change.planned)
        if found is None:
            return None
        return Stored(found, {UNCONFIRMED: token} if resource.confirm is not None else {})

    def confirm(self, kind: str, stored: Stored) -> Stored:
        """Remove the trace that `recover` would have found it by."""
        token = stored.private.get(UNCONFIRMED)
        if not token:
            return stored
        resource = _resource(kind)
        stored = _bare(stored)
        if resource.confirm is not None:
            context = self._context(resource, stored.attributes, silent, str(token))
            with Explained(f"confirming {kind}"):
                resource.confirm(context, stored.attributes, str(token))
        return Stored(
            stored.attributes, {name: one for name, one in stored.private.items() if name != UNCONFIRMED}
        )

    def upgrade(self, kind: str, version: int, attributes: dict[str, Any]) -> dict[str, Any]:
        """Stored attributes of an older version, or of another engine's provider, in the current form."""
        from twinfra.providers.aws.upgrading import upgrade

        return upgrade(_resource(kind), version, attributes)

    def changes_of(self, kind: str, stored: Stored) -> Sequence[Change]:
        """Who changed an object, as CloudTrail remembers it."""
        from twinfra.providers.aws import trail

        self._access.permit()
        resource = _resource(kind)
        attributes = _bare(stored).attributes
        region = _region_of(attributes, resource.regional) or self.session.region
        context = Context(self.session, "cloudtrail", trail.region_of(resource.service, region))
        with Explained(f"asking who changed {kind}"):
            return trail.changes_of(context, resource.service, attributes)

    # Data sources

    def reads_offline(self, kind: str) -> bool:
        """Whether a data source calls nobody."""
        return _data_source(kind).offline

    def sources(self, kind: str, name: str) -> tuple[Sequence[str], Sequence[str]] | None:
        """What the plan makes an attribute from which is not written."""
        declared = _resource(kind).planned_from.get(name, ())
        if name == "tags_all":
            return ("tags", *declared), ("default_tags", "ignore_tags")
        if name == "region":
            return (), ("region", "profile", "shared_config_files")
        return (declared, ()) if declared else None

    def read_data(self, kind: str, config: Object, progress: Progress = silent) -> Object:
        """Read a data source."""
        source = _data_source(kind)
        if not source.offline:
            self._access.permit()
        region = _region_of(config, source.regional)
        if not source.offline:
            self._access.check_region(region)
        context = Context(self.session, source.service, region, progress)
        context.limits = lifecycle.limits_of(config)
        config = bare_nulls(config)
        with Explained(f"reading data {kind}"):
            found = source.read(context, config)
            result: Object = {}
            for name, field in source.all_fields().items():
                value = found[name] if name in found else config.get(name)
                result[name] = shape(value, type_of(field))
            if source.regional:
                result["region"] = context.region
            if source.timeouts:
                result["timeouts"] = config.get("timeouts")
        return result

    def close(self) -> None:
        """Let go of connections and threads."""
        if self._readers is not None:
            self._readers.shutdown(wait=False)
        self.session.close()

    def _context(
        self, resource: Resource, attributes: Attributes, progress: Progress, token: str = ""
    ) -> Context:
        region = _region_of(attributes, resource.regional)
        self._access.check_region(region)
        context = Context(self.session, resource.service, region, progress, token, resource.not_found)
        context.limits = lifecycle.limits_of(attributes)
        return context


def _bare(stored: Stored) -> Stored:
    """With nulls as the declarations here expect them."""
    return Stored(bare_nulls(stored.attributes), stored.private)


def _bare_change(change: Planned) -> Planned:
    return replace(
        change,
        prior=None if change.prior is None else _bare(change.prior),
        config=bare_nulls(change.config),
        planned=bare_nulls(change.planned),
    )


def _resource(kind: str) -> Resource:
    found = catalog.resource(kind)
    if found is None:
        raise ProviderError(
            error(
                "Unknown resource type",
                f'The AWS provider has no resource type "{kind}".',
                mend=nearest(kind, catalog.files()),
            )
        )
    return found


def _data_source(kind: str) -> DataSource:
    found = catalog.data_source(kind)
    if found is None:
        raise ProviderError(
            error(
                "Unknown data source",
                f'The AWS provider has no data source "{kind}".',
                mend=nearest(kind, catalog.files()),
            )
        )
    return found


def _resource_schema(kind: str) -> ResourceSchema | None:
    found = catalog.resource(kind)
    return None if found is None else resource_schema(found)


def _data_schema(kind: str) -> ResourceSchema | None:
    found = catalog.data_source(kind)
    return None if found is None else data_schema(found)


def _region_of(attributes: Mapping[str, Any], regional: bool) -> str:
    region = attributes.get("region") if regional else None
    return region if isinstance(region, str) else ""


def _by_region(currents: Sequence[Stored]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for at, one in enumerate(currents):
        found.setdefault(_region_of(one.attributes, True), []).append(at)
    return found


def _bad_timeouts(resource: Resource | DataSource, config: Object) -> list[Diagnostic]:
    from twinfra.providers.aws.checks import duration

    given = config.get("timeouts") if resource.timeouts else None
    if not isinstance(given, dict):
        return []
    return [
        error("Invalid value", f"{name}: {problem}", path=(GetAttr("timeouts"), GetAttr(name)))
        for name, value in given.items()
        if isinstance(value, str) and (problem := duration(value))
    ]
