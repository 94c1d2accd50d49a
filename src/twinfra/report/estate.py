"""What is told of an estate: facts only, for people and machines alike. No secret is in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date
from typing import Any

from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, Severity
from twinfra.environments.declaration import Environment
from twinfra.environments.history import Happening
from twinfra.environments.twins.report import Report, Shown
from twinfra.releases.timeline import Timeline
from twinfra.state.ledger.verification import Finding, Head


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something is not told, or a warning. `part`: `inputs`, `state`, `history` or `drift` of an environment,
    `twins` of two, `code` of all.
    """

    part: str
    diagnostic: Diagnostic

    @property
    def is_error(self) -> bool:
        """Whether something is missing for it."""
        return self.diagnostic.severity is Severity.ERROR


@dataclass(frozen=True, slots=True)
class StateFacts:
    """What a state holds. `label`: how people know it. `kinds`: resource types with their objects, most first."""

    label: str
    serial: int
    objects: int
    kinds: tuple[tuple[str, int], ...]
    tainted: int = 0


@dataclass(frozen=True, slots=True)
class Day:
    """How many receipts of a day ended well, and how many did not."""

    done: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """Something that happened, and in a few words what it was about."""

    happening: Happening
    words: str


@dataclass(frozen=True, slots=True)
class Past:
    """What a ledger says.

    `entries` counts all; `findings` is what is wrong with it; `newest` are as many as are shown, the newest first.
    `last` is the last receipt but refreshes. `serial` is what the last entry left in the state, None where none says.
    `timeline`: releases, and when they were in force. `waiting` counts receipts that are not in it yet.
    """

    entries: int
    head: Head | None
    findings: tuple[Finding, ...]
    newest: tuple[Told, ...]
    last: Told | None
    days: Mapping[date, Day]
    serial: int | None
    timeline: Timeline = field(default_factory=Timeline)
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Looked:
    """One look for drift, in numbers. `time` is RFC 3339."""

    time: str
    checked: int
    drifted: int
    gone: int
    violations: int
    ignored: int


@dataclass(frozen=True, slots=True)
class Drift:
    """What is known of drift. `document`: the whole report where somebody looked just now, as `drift -json` has it.

    `trend`: all looks of which numbers were kept, the oldest first; the last is this one.
    """

    last: Looked
    document: Mapping[str, Any] | None
    trend: tuple[Looked, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """An environment as it stands; what could not be found out is None, and a problem says why."""

    environment: Environment
    state: StateFacts | None = None
    past: Past | None = None
    drift: Drift | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def name(self) -> str:
        """Its name."""
        return self.environment.name

    @property
    def unrecorded(self) -> bool:
        """Whether the state was written by something that left no receipt."""
        state, past = self.state, self.past
        if state is None or past is None or past.serial is None or past.waiting:
            return False
        return state.serial != past.serial


@dataclass(frozen=True, slots=True)
class Parameter:
    """An input, and what each environment gives it (by name); one whose inputs are not known is not in it.

    `declared`: the twins may differ in it.
    """

    name: str
    declared: bool
    values: Mapping[str, Shown]

    @property
    def differs(self) -> bool:
        """Whether it is not the same everywhere."""
        return len({repr(one.data) for one in self.values.values()}) > 1


@dataclass(frozen=True, slots=True)
class Pair:
    """Two environments that are to be twins; `report` is None where they could not be compared."""

    names: tuple[str, str]
    report: Report | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Estate:
    """All of it. `made`: when, RFC 3339; `commit`, `branch` and `dirty` are of the working directory."""

    title: str
    made: str
    version: str
    commit: str = ""
    branch: str = ""
    dirty: bool = False
    parameters: tuple[Parameter, ...] = ()
    standings: tuple[Standing, ...] = ()
    pairs: tuple[Pair, ...] = ()
    problems: tuple[Problem, ...] = field(default=())
