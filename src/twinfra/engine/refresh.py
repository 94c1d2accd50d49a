"""Refresh: reads what the state says exists, many at a time, and notes what is not as it was."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from twinfra.addresses import Instance, ProviderConfig
from twinfra.diagnostics import Diagnostic, DiagnosticError, error
from twinfra.engine.bodies import locate
from twinfra.engine.changes import Action, ResourceChange
from twinfra.engine.events import Listener
from twinfra.engine.objects import Facts, decode_object, encode_object, marked, stored_marks
from twinfra.engine.redaction import hidden_texts
from twinfra.engine.scheduler import Call
from twinfra.providers.protocol import Provider, ProviderError, Stored
from twinfra.state.model import InstanceObject, State
from twinfra.values.equality import identical
from twinfra.values.marks import PathMarks
from twinfra.values.value import Value


class Existing:
    """An object of the state while planning: as recorded, and as plain values once it was read.

    `call`: the read that is under way, with this object's place in its result where it reads several.
    """

    __slots__ = ("call", "deposed", "facts", "gone", "marks", "place", "problems", "stored", "value")

    def __init__(self, stored: InstanceObject, facts: Facts, deposed: str) -> None:
        self.stored = stored
        self.facts = facts
        self.deposed = deposed
        self.value: dict[str, Value] = {}
        self.marks: PathMarks = stored_marks(stored) if stored.sensitive else []
        self.gone = False
        self.problems: Sequence[Diagnostic] = ()
        self.call: Call | None = None
        self.place = -1

    @property
    def shown(self) -> Value:
        """The object with its marks."""
        return marked(self.value, self.facts, self.marks)

    @property
    def kept(self) -> Stored:
        """The object as providers take it."""
        return Stored(self.value, self.stored.private)


def id_of(value: Any) -> str:
    """The id of an object, where it has one, for people."""
    found = value.get("id") if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""


class Refresher:
    """Reads the existing objects of one run and corrects the state by what it finds.

    `drift` are the differences found, in the order found.
    """

    BATCH = 100

    def __init__(self, state: State, listener: Listener, enabled: bool) -> None:
        self.state = state
        self.existing: dict[Instance, Existing] = {}
        self.deposed: dict[Instance, dict[str, Existing]] = {}
        self.drift: list[ResourceChange] = []
        self._listener = listener
        self._enabled = enabled
        self._started: dict[Existing, float] = {}

    def load(
        self,
        provider: Provider,
        found: Iterable[tuple[Instance, str, InstanceObject, Facts]],
        inline: bool,
    ) -> list[Call]:
        """Decode objects that one provider configuration serves, and make the calls that read them.

        The objects of an inline provider are read right here.
        """
        by_kind: dict[str, list[tuple[Instance, Existing]]] = {}
        for address, deposed, stored, facts in found:
            one = Existing(stored, facts, deposed)
            if deposed:
                self.deposed.setdefault(address, {})[deposed] = one
            else:
                self.existing[address] = one
            try:
                one.value = decode_object(stored, address.resource.type, facts, provider, address)
            except DiagnosticError as failed:
                one.problems = failed.diagnostics
                continue
            if self._enabled and inline:
                self._read_inline(provider, address.resource.type, address, one)
            elif self._enabled:
                by_kind.setdefault(address.resource.type, []).append((address, one))
        calls: list[Call] = []
        for kind, objects in by_kind.items():
            if hasattr(provider, "read_many"):
                starts = range(0, len(objects), self.BATCH)
                calls.extend(self._batch(provider, kind, objects[at : at + self.BATCH]) for at in starts)
            else:
                calls.extend(self._single(provider, kind, address, one) for address, one in objects)
        return calls

    def _read_inline(self, provider: Provider, kind: str, address: Instance, one: Existing) -> None:
        shown = id_of(one.value)
        self._listener.refresh_started(address, shown)
        kept = one.kept
        found = provider.read(kind, kept)
        self._listener.refresh_finished(address, shown, 0.0)
        if found is not kept:
            self.settle(address, one, found)

    def _single(self, provider: Provider, kind: str, address: Instance, one: Existing) -> Call:
        kept = one.kept
        call = one.call = Call(lambda: provider.read(kind, kept))
        call.begun = lambda: self._begun(((address, one),))
        return call

    def _batch(self, provider: Any, kind: str, objects: list[tuple[Instance, Existing]]) -> Call:
        kept = [one.kept for _, one in objects]
        call = Call(lambda: provider.read_many(kind, kept))
        call.begun = lambda: self._begun(objects)
        for at, (_, one) in enumerate(objects):
            one.call = call
            one.place = at
        return call

    def _begun(self, objects: Sequence[tuple[Instance, Existing]]) -> None:
        now = time.monotonic()
        for address, one in objects:
            self._started[one] = now
            self._listener.refresh_started(address, id_of(one.value))

    def collect(self, address: Instance, one: Existing) -> None:
        """Take the result of the read of an object, once its call is done."""
        if one.call is None:
            return
        outcome = self.outcome(one)
        seconds = time.monotonic() - self._started.pop(one, time.monotonic())
        self._listener.refresh_finished(address, id_of(one.value), seconds)
        if isinstance(outcome, ProviderError):
            hidden = hidden_texts(one.shown)
            one.problems = [locate(item, None, None, str(address), hidden) for item in outcome.diagnostics]
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            self.settle(address, one, outcome)

    @staticmethod
    def outcome(one: Existing) -> Stored | BaseException | None:
        """What came of the read of an object that was begun and is done; None where the object is gone."""
        call = one.call
        if call is None:
            raise ValueError("no read of this object is under way")
        one.call = None
        found: Any = call.error
        if found is None:
            found = call.result if one.place < 0 else call.result[one.place]
        return found  # type: ignore[no-any-return]

    def settle(self, address: Instance, one: Existing, found: Stored | None) -> None:
        """Compare what was read with what was recorded, and correct the state."""
        config = self.state.resources[address.of].provider
        before = one.shown
        if found is None:
            one.gone = True
            if one.deposed:
                self.deposed[address].pop(one.deposed, None)
            else:
                self.existing.pop(address, None)
            self.state.put(address, config, None, one.deposed)
            if not one.deposed:
                self._drifted(ResourceChange(address, config, Action.DELETE, before, None))
            return
        if found.attributes is one.value or identical(found.attributes, one.value):
            if found.private != one.stored.private:
                one.stored = replace(one.stored, private=found.private)
                self.state.put(address, config, one.stored, one.deposed)
            return
        stored = one.stored
        one.value = found.attributes
        one.stored = encode_object(
            found,
            one.facts,
            one.marks,
            tainted=stored.tainted,
            dependencies=stored.dependencies,
            create_before_destroy=stored.create_before_destroy,
        )
        self.state.put(address, config, one.stored, one.deposed)
        if not one.deposed:
            self._drifted(ResourceChange(address, config, Action.UPDATE, before, one.shown))

    def _drifted(self, change: ResourceChange) -> None:
        self.drift.append(change)
        self._listener.drifted(change)


def unreadable(address: Instance, config: ProviderConfig) -> Diagnostic:
    """Says that the provider which the state names for an object has no configuration (any more)."""
    return error(
        "Provider configuration is missing",
        f"{address} is in the state and belongs to {config}, which the configuration no longer has. "
        "It takes that "
        "provider to destroy it.",
        mend="Put the provider block back, destroy the object, and then remove the block.",
        address=str(address),
    )


def unsupported(address: Instance, config: ProviderConfig) -> Diagnostic:
    """Says that no provider of this version has the type of an object in the state."""
    return error(
        "Type of an object is not supported",
        f"{address} is in the state, and this version has no provider {config.provider} with a type "
        f"{address.resource.type}.",
        mend="Manage it with the program that made it, or take it out of the state (state rm).",
        address=str(address),
    )
