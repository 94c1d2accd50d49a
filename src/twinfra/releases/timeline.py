"""What ran when: the entries of a ledger folded into releases, the periods they were in force, and what is unfinished.

The order is that of the ledger, whatever the clocks said. One pass, linear in the entries.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import field, replace

from twinfra.dataclass import dataclass
from twinfra.diagnostics import DiagnosticError, error, nearest
from twinfra.environments.history import RECEIPTS
from twinfra.releases.record import REGISTERED, RELEASE, ROLLBACK, Model, Release, release_of
from twinfra.state.ledger.entries import Entry


@dataclass(frozen=True, slots=True)
class Period:
    """A time during which a release was in force. `by`: the entry that began it; `ended`: the one that ended it."""

    release: Release
    by: Entry
    ended: Entry | None = None

    @property
    def back(self) -> bool:
        """Whether a rollback brought it back."""
        return self.by.kind == ROLLBACK


@dataclass(slots=True)
class Timeline:
    """All of it, for one state.

    `releases` by name, the oldest first. `changes`: receipts and other entries that changed the state since the
    release in force began. `last`: the last receipt but refreshes. `unfinished`: the last rollback to a release,
    where it did not come to a good end and nothing came after it.
    """

    releases: dict[str, Release] = field(default_factory=dict)
    periods: list[Period] = field(default_factory=list)
    changes: list[Entry] = field(default_factory=list)
    last: Entry | None = None
    unfinished: Entry | None = None
    registered: set[tuple[str, str]] = field(default_factory=set)

    @property
    def current(self) -> Release | None:
        """The release in force, None where there is none."""
        period = self.period
        return period.release if period is not None else None

    @property
    def period(self) -> Period | None:
        """Its period."""
        return self.periods[-1] if self.periods and self.periods[-1].ended is None else None

    def find(self, name: str, where: str) -> Release:
        """The release of this name. Raises `DiagnosticError`. `where`: how people know the state."""
        found = self.releases.get(name)
        if found is None:
            listed = list(self.releases)[-5:]
            known = (
                f"There are: {', '.join(listed)}." if listed else "There is none yet: twinfra release create"
            )
            raise DiagnosticError(
                error(
                    "No such release",
                    f'{where} has no release "{name}".',
                    mend=nearest(name, self.releases) or known,
                )
            )
        return found

    def named(self, name: str | None, where: str) -> Release:
        """The release of this name; where none is given, the one in force. Raises `DiagnosticError`."""
        if name is not None:
            return self.find(name, where)
        found = self.current
        if found is None:
            raise DiagnosticError(
                error(
                    "No release is in force",
                    f"{where} runs no release.",
                    mend="Name one (twinfra release list), or make one: twinfra release create",
                )
            )
        return found

    def waiting(self, release: Release) -> list[str]:
        """The registries that do not know of a release yet."""
        return [one for one in release.registries if (release.name, one) not in self.registered]

    def all_waiting(self) -> list[Release]:
        """Releases that some registry does not know of yet, the oldest first."""
        return [one for one in self.releases.values() if self.waiting(one)]

    def periods_of(self, model: Model) -> Iterator[Period]:
        """When a version of a model was in force, the oldest first."""
        return (one for one in self.periods if model in one.release.models)


def read_timeline(entries: Iterable[Entry]) -> Timeline:
    """Fold entries, the oldest first."""
    found = Timeline()
    for entry in entries:
        _take(found, entry)
    return found


def _take(found: Timeline, entry: Entry) -> None:
    body = entry.body
    if entry.kind == RELEASE:
        release = release_of(entry)
        found.releases[release.name] = release
        _begin(found, release, entry)
    elif entry.kind == REGISTERED:
        found.registered.add((str(body.get("release")), str(body.get("registry"))))
    elif entry.kind == ROLLBACK:
        _went_back(found, entry)
    elif entry.kind in RECEIPTS:
        if body.get("mode") == "refresh-only":
            return
        found.last = entry
        found.changes.append(entry)
        if body.get("mode") == "destroy" and body.get("complete"):
            _end(found, entry)
        if not body.get("attempt"):
            found.unfinished = None
    elif body.get("serial_before") is not None and body.get("serial") != body.get("serial_before"):
        found.changes.append(entry)


def _went_back(found: Timeline, entry: Entry) -> None:
    body = entry.body
    target = found.releases.get(str(body.get("release")))
    if body.get("outcome") == "done" and target is not None:
        _begin(found, target, entry)
        return
    steps = body.get("steps") or {}
    found.unfinished = entry
    if steps.get("restored") == "done":
        # What was is there again: neither direction is a change that nobody released.
        found.changes = [one for one in found.changes if one.body.get("attempt") != body.get("attempt")]
        if steps.get("pointed_back", "done") == "done":
            found.unfinished = None


def _begin(found: Timeline, release: Release, entry: Entry) -> None:
    _end(found, entry)
    found.periods.append(Period(release, entry))
    found.changes = []
    found.unfinished = None


def _end(found: Timeline, entry: Entry) -> None:
    if found.periods and found.periods[-1].ended is None:
        found.periods[-1] = replace(found.periods[-1], ended=entry)
