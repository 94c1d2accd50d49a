"""Telling a provider that what it created is safely recorded, so that it can remove the trace of the create.

See `providers.protocol.Recoverable`. What an earlier run did not come to confirm is confirmed when an apply
starts the provider.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from twinfra.addresses import Instance, ProviderConfig
from twinfra.diagnostics import Diagnostic, DiagnosticError, SourceRange, as_warnings
from twinfra.engine.bodies import locate
from twinfra.engine.objects import decode_object, encode_object, marked, stored_marks
from twinfra.engine.redaction import hidden_texts
from twinfra.engine.scheduler import Call
from twinfra.providers.protocol import UNCONFIRMED, Provider, ProviderError, Stored
from twinfra.state.model import InstanceObject, State

if TYPE_CHECKING:
    from twinfra.engine.applier import Applier


def to_confirm(provider: Provider, stored: Stored) -> bool:
    """Whether the provider waits to hear that this result of a create is safe."""
    return UNCONFIRMED in stored.private and hasattr(provider, "confirm")


def confirm_call(provider: Any, kind: str, stored: Stored) -> Call:
    """The call that tells it; its result is what to store from now on."""
    return Call(lambda: provider.confirm(kind, stored))


def not_confirmed(
    failed: ProviderError, address: Instance, place: SourceRange | None, hidden: Sequence[str]
) -> list[Diagnostic]:
    """Warnings for a confirmation that failed: the next apply tries again. `hidden`: as in `bodies.locate`."""
    return as_warnings(locate(one, None, place, str(address), hidden) for one in failed.diagnostics)


class Unconfirmed:
    """The objects of a state, by provider configuration, that an earlier run did not confirm."""

    def __init__(self, run: Applier, state: State) -> None:
        self._run = run
        self._found: dict[ProviderConfig, list[tuple[Instance, InstanceObject]]] = {}
        for base, resource in state.resources.items():
            for key, instance in resource.instances.items():
                if instance.current is not None and UNCONFIRMED in instance.current.private:
                    found = self._found.setdefault(resource.provider, [])
                    found.append((base.instance(key), instance.current))

    def confirm(self, config: ProviderConfig, provider: Provider) -> Generator[Any, Any, None]:
        """Confirm those of one provider configuration; part of an operation of the walk."""
        objects = self._found.pop(config, ())
        calls = list(self._calls(config, provider, objects))
        if not calls:
            return
        outcomes = yield [call for *_, call in calls]
        for (address, stored, hidden, _), outcome in zip(calls, outcomes, strict=True):
            if isinstance(outcome, ProviderError):
                self._run.diagnostics.extend(not_confirmed(outcome, address, None, hidden))
            elif isinstance(outcome, BaseException):
                raise outcome
            else:
                self._run.put(address, config, self._confirmed(config, address, stored, outcome))

    def _calls(
        self, config: ProviderConfig, provider: Provider, objects: Iterable[tuple[Instance, InstanceObject]]
    ) -> Iterator[tuple[Instance, InstanceObject, list[str], Call]]:
        for address, stored in objects:
            kind = address.resource.type
            facts = self._run.program.facts(config, address.resource)
            if facts is None or not hasattr(provider, "confirm"):
                continue
            try:
                value = decode_object(stored, kind, facts, provider, address)
            except DiagnosticError as refused:
                self._run.diagnostics.extend(as_warnings(refused.diagnostics))
                continue
            hidden = hidden_texts(marked(value, facts, stored_marks(stored)))
            yield address, stored, hidden, confirm_call(provider, kind, Stored(value, stored.private))

    def _confirmed(
        self, config: ProviderConfig, address: Instance, stored: InstanceObject, result: Stored
    ) -> InstanceObject:
        facts = self._run.program.facts(config, address.resource)
        assert facts is not None
        made = encode_object(
            result,
            facts,
            stored_marks(stored),
            tainted=stored.tainted,
            dependencies=stored.dependencies,
            create_before_destroy=stored.create_before_destroy,
        )
        return replace(made, extra=stored.extra)
