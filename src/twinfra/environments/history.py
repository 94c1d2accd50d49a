"""The history of an environment: entries of its ledger, each joined with the commit whose code it ran."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

from twinfra.dataclass import dataclass
from twinfra.environments.git import Commit, read_commits
from twinfra.state.ledger.entries import Entry
from twinfra.state.ledger.log import Ledger

RECEIPTS = ("apply", "destroy", "refresh", "rollback", "promote")
"""The kinds of entries that are receipts: all that had a plan and an outcome."""

_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Happening:
    """An entry and what is known around it.

    `commit` is None where the entry names none, or the repository here lacks it (`missing`). `clock` says in words
    what is wrong with its time; empty where nothing is.
    """

    entry: Entry
    commit: Commit | None
    missing: bool
    clock: str

    @property
    def when(self) -> str:
        """When it ended, else when it began: RFC 3339 in UTC."""
        body = self.entry.body
        return str(body.get("finished") or body.get("started") or self.entry.time)

    @property
    def commit_id(self) -> str:
        """The full ID of the commit, empty where there is none."""
        return str(self.entry.body.get("commit") or "")

    @property
    def why(self) -> str:
        """The first line of the commit's message: of the repository, else as it was recorded."""
        return self.commit.subject if self.commit is not None else str(self.entry.body.get("subject") or "")

    def document(self) -> dict[str, Any]:
        """As JSON: the entry's fields and body in one, with what the commit says."""
        entry, body = self.entry, dict(self.entry.body)
        commit = {
            "id": body.pop("commit", ""),
            "branch": body.pop("branch", ""),
            "subject": body.pop("subject", ""),
            "dirty": body.pop("dirty", False),
        }
        if self.commit is not None:
            said = self.commit
            commit |= {"author": said.author, "email": said.email, "time": said.time, "message": said.message}
        commit["present"] = self.commit is not None
        about = {"n": entry.n, "kind": entry.kind, "when": self.when, "who": entry.who, "host": entry.host}
        more = {"clock": self.clock} if self.clock else {}
        return {**about, **body, "commit": commit if commit["id"] else None, **more}


def history(ledger: Ledger, directory: Path, most: int = 0) -> list[Happening]:
    """What happened, the newest first; only the newest `most` unless that is 0.

    `directory` lies in the repository whose commits are meant; outside of one, what was recorded must do. Raises
    `DiagnosticError`.
    """
    # One more, to compare the oldest one's clock with.
    entries = list(islice(ledger.newest(), most + 1)) if most else list(ledger.newest())
    joined = join(entries, directory)
    return joined[:most] if most else joined


def join(entries: Iterable[Entry], directory: Path) -> list[Happening]:
    """Entries (the newest first) with their commits. Raises `DiagnosticError`."""
    found = list(entries)
    commits = read_commits(directory, (str(one.body.get("commit") or "") for one in found))
    behind = {
        newer.n: f"entry {older.n} before it has a later time ({older.time}, by the clock of {older.host})"
        for newer, older in pairwise(found)
        if newer.time < older.time
    }
    return [_happening(one, commits, behind.get(one.n, "")) for one in found]


def _happening(entry: Entry, commits: dict[str, Commit], behind: str) -> Happening:
    id = str(entry.body.get("commit") or "")
    commit = commits.get(id)
    if not behind and commit is not None and _time(commit.time) - _time(entry.time) > _SKEW:
        behind = f"its commit says that it was made later ({commit.time})"
    return Happening(entry, commit, bool(id) and commit is None, behind)


def _time(text: str) -> datetime:
    """A time that somebody has written: in UTC where it does not say, the first of all where it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
