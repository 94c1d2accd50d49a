"""Folds the journal of a run that did not end well into the state, so that nothing it did is forgotten."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

from twinfra.addresses import MANAGED, Instance
from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, DiagnosticError, error
from twinfra.state.comparison import same_content, same_thing
from twinfra.state.intents import Intent
from twinfra.state.journal_format import (
    AnsweredRecord,
    Damaged,
    IdentityRecord,
    IntentRecord,
    ObjectRecord,
    Opening,
    OutputsRecord,
    Record,
    SavingRecord,
    read_lines,
)
from twinfra.state.model import State

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Found:
    """One object that the journal told of. `what`: `recorded`, `gone`, or `deposed` (see `fold`)."""

    address: Instance
    what: str
    deposed: str = ""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What came of folding a journal in.

    `state` has the serial of the stored one (saving raises it). `changed`: it differs from the stored one.
    `intents` were never answered: the engine must look for what they made before anything is planned.
    `damaged`: how many records could not be read. `moved`: the state had been written by others meanwhile.
    `journal`: its path, empty where there was none; `transfers`: what is to say of objects that were on their
    way from one state to another (see `transferring`). `looked`: it was only looked at, and nothing is stored;
    `unread`: why what is there could not be taken into account, and `running`: that an apply writes its journal just
    now, and `begun`: that a move out of the state began elsewhere, all three for those who only look.
    """

    state: State
    objects: tuple[Found, ...]
    intents: tuple[Intent, ...]
    damaged: int = 0
    changed: bool = False
    moved: bool = False
    journal: str = ""
    transfers: tuple[str, ...] = ()
    looked: bool = False
    unread: Diagnostic | None = None
    running: bool = False
    begun: Diagnostic | None = None

    @property
    def text(self) -> str:
        """All of it in words, for people; a line for each object."""
        lines = list(self.transfers)
        if lines and self.looked:
            lines.append("That is counted in here; plan and apply store it.")
        if self.journal:
            lines += self._of_the_journal()
        if self.unread is not None:
            lines.append("What an earlier run left here is not counted in, since it cannot be read.")
            lines.append(f"{self.unread.summary}. {self.unread.detail} {self.unread.mend}".rstrip())
        if self.begun is not None:
            lines.append(f"{self.begun.summary}. {self.begun.detail} {self.begun.mend}")
        if self.running:
            lines.append("An apply is running here. What it has done so far is not counted in.")
        return "\n".join(lines)

    def _of_the_journal(self) -> list[str]:
        lines = ["An earlier run ended before it could save the state."]
        if self.objects:
            now = (
                "that is counted in here; plan and apply store it"
                if self.looked
                else "that is in the state now"
            )
            lines[0] += f" Its journal tells what it had done, and {now}:"
            for found in self.objects[:_SHOWN]:
                which = f" (deposed {found.deposed})" if found.deposed else ""
                lines.append(f"  {found.address}{which}: {_WORDS[found.what]}")
            if len(self.objects) > _SHOWN:
                lines.append(f"  and {len(self.objects) - _SHOWN} more")
        elif not self.intents:
            lines[0] += " It had not changed anything that the state does not say already."
        if self.moved:
            lines.append("Somebody else has written the state since: what they recorded was left as it is.")
        if self.intents:
            lines.append("It was creating these when it ended; plan and apply look whether they exist:")
            lines.extend(f"  {intent.address}" for intent in self.intents[:_SHOWN])
            if len(self.intents) > _SHOWN:
                lines.append(f"  and {len(self.intents) - _SHOWN} more")
        if self.damaged:
            lines.append(
                f"{self.damaged} of its records could not be read: the disk lost them. What they told of may "
                "exist without being in the state."
            )
        return lines


_WORDS = {
    "recorded": "recorded as it is now",
    "gone": "recorded as destroyed",
    "deposed": "recorded as deposed, since another object has its place: the next apply destroys it",
}

_Key: TypeAlias = tuple[Instance, str]


def fold(content: bytes, stored: State | None, digest: str, place: str, journal: Path) -> Recovered | None:
    """Fold a journal's content into the stored state; None where the journal holds nothing.

    `digest` is the SHA-256 of the stored file in hex, `place` the state's name. When others have written the
    state since, only objects that it does not know are added: where another object has the address by now, as
    deposed. Raises `DiagnosticError` when the journal belongs to another state, or cannot be told to belong.
    """
    lines = list(read_lines(content))
    records = [line for line in lines if not isinstance(line, Damaged)]
    if not lines:
        return None
    opening = lines[0]
    if not isinstance(opening, Opening):
        raise DiagnosticError(
            error(
                "The journal is damaged",
                f"{journal} does not say any more which state it belongs to. {_listed(records)}".rstrip(),
                mend="Make sure that these are in the state (import what is not), then remove the journal.",
            )
        )
    damaged = len(lines) - len(records)
    base = _base(opening, stored, records, place, journal)
    start, exact = _start(opening, base, records, digest, stored is None)
    state = base.copy()
    # What was learnt of clouds holds whether or not the records are in the state already.
    for provider, identity in _learnt(opening, records).items():
        state.identities.setdefault(provider, identity)
    later = records[start:]
    objects = _replay(state, later) if exact else _merge(state, later)
    changed = stored is None or not same_content(stored, state)
    return Recovered(
        state,
        tuple(objects),
        tuple(_unanswered(records)),
        damaged,
        changed,
        moved=not exact,
        journal=str(journal),
    )


def _base(opening: Opening, stored: State | None, records: list[Record], place: str, journal: Path) -> State:
    if stored is None:
        if opening.fresh:
            return State(opening.serial, opening.lineage)
        problem = f"the state it continues (serial {opening.serial}) is not there any more"
        mend = f"Restore {place} from a backup; or remove the journal, if these objects are of no concern."
    elif stored.lineage == opening.lineage:
        return stored
    else:
        problem = f"it belongs to another state (lineage {opening.lineage} instead of {stored.lineage})"
        mend = (
            "Put back the state that it belongs to; or import what is missing here, then remove the journal."
        )
    raise DiagnosticError(
        error(
            "The journal does not fit the state",
            f"{journal} was left by a run that did not end well, and {problem}. {_listed(records)}".rstrip(),
            mend=mend,
        )
    )


def _start(
    opening: Opening, base: State, records: list[Record], digest: str, fresh: bool
) -> tuple[int, bool]:
    """From which record on the state lacks them, and whether nobody else has written it since."""
    for at in range(len(records) - 1, -1, -1):
        record = records[at]
        if isinstance(record, SavingRecord) and record.serial == base.serial and record.digest == digest:
            return at + 1, True
    return 0, base.serial == opening.serial and opening.fresh == fresh


def _learnt(opening: Opening, records: list[Record]) -> dict[str, dict[str, str]]:
    found = dict(opening.identities)
    for record in records:
        if isinstance(record, IdentityRecord):
            found[record.provider] = record.identity
    return found


def _unanswered(records: list[Record]) -> list[Intent]:
    waiting: dict[str, Intent] = {}
    latest: dict[Instance, str] = {}
    for record in records:
        if isinstance(record, IntentRecord):
            waiting[record.intent.token] = record.intent
            latest[record.intent.address] = record.intent.token
        elif isinstance(record, ObjectRecord) and not record.deposed:
            waiting.pop(latest.pop(record.address, ""), None)
        elif isinstance(record, AnsweredRecord):
            waiting.pop(record.token, None)
    return list(waiting.values())


def _replay(state: State, records: list[Record]) -> list[Found]:
    """Do to the state what the records say, in order."""
    last: dict[_Key, Found] = {}
    for record in records:
        if isinstance(record, ObjectRecord):
            state.put(record.address, record.provider, record.value, record.deposed)
            what = "gone" if record.value is None else "recorded"
            last[record.address, record.deposed] = Found(record.address, what, record.deposed)
        elif isinstance(record, OutputsRecord):
            state.outputs = dict(record.outputs)
            state.check_results = record.check_results
    return list(last.values())


def _merge(state: State, records: list[Record]) -> list[Found]:
    """Add the objects that a state written by others does not know."""
    last: dict[_Key, ObjectRecord] = {}
    for record in records:
        if isinstance(record, ObjectRecord):
            last[record.address, record.deposed] = record
    found = []
    for (address, deposed), record in last.items():
        value = record.value
        # What is gone, the next refresh notices by itself; what is read, it reads again.
        if value is None or address.resource.mode != MANAGED:
            continue
        there = state.get(address)
        if there is None:
            state.put(address, record.provider, value, deposed)
            found.append(Found(address, "recorded", deposed))
            continue
        known = [*there.deposed.values(), *([there.current] if there.current is not None else [])]
        if deposed in there.deposed or any(same_thing(one, value) for one in known):
            continue
        if not deposed and there.current is None:
            state.put(address, record.provider, value)
            found.append(Found(address, "recorded"))
            continue
        key = deposed or os.urandom(4).hex()
        state.put(address, record.provider, value, key)
        found.append(Found(address, "deposed", key))
    return found


def _listed(records: list[Record]) -> str:
    """The objects that a journal tells of, for a message."""
    named: dict[str, None] = {}
    for record in records:
        if isinstance(record, ObjectRecord) and record.value is not None:
            named[str(record.address)] = None
        elif isinstance(record, IntentRecord):
            named[str(record.intent.address)] = None
    if not named:
        return ""
    shown = ", ".join(list(named)[:_SHOWN])
    more = f" and {len(named) - _SHOWN} more" if len(named) > _SHOWN else ""
    return f"It tells of {shown}{more}."


def interrupted(recovered: Recovered) -> Diagnostic | None:
    """An error for commands that cannot look for what unanswered creates have made; None without any."""
    if not recovered.intents:
        return None
    names = ", ".join(str(intent.address) for intent in recovered.intents[:_SHOWN])
    return error(
        "An earlier run was interrupted while it created things",
        f"Nobody knows yet whether these exist: {names}.",
        mend="Run plan or apply first: they look for them.",
    )
