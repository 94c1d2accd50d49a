"""From a state, a ledger and a drift report to the facts of an environment. Reads what it is given, changes nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from twinfra.addresses import DATA
from twinfra.environments.drift.document import document, summary
from twinfra.environments.drift.finding import Report
from twinfra.environments.history import RECEIPTS, Happening, join
from twinfra.releases.record import REGISTERED, RELEASE
from twinfra.releases.timeline import read_timeline
from twinfra.report.estate import Day, Drift, Looked, Past, StateFacts, Told
from twinfra.state.files import file_problem
from twinfra.state.ledger.entries import Entry
from twinfra.state.ledger.log import Ledger
from twinfra.state.ledger.verification import verify
from twinfra.state.model import State

_OTHERS = (RELEASE, REGISTERED, "audit seal", "force-unlock", "workspace delete")
"""Kinds of entries that leave the state beside them as it is."""

_NUMBERS = ("checked", "drifted", "gone", "violations", "ignored")


def state_facts(label: str, state: State | None) -> StateFacts:
    """What a state holds; one that is not there yet holds nothing."""
    kinds: Counter[str] = Counter()
    tainted = 0
    for address, resource in (state.resources if state is not None else {}).items():
        if address.resource.mode == DATA:
            continue
        for instance in resource.instances.values():
            if instance.current is not None:
                kinds[address.resource.type] += 1
                tainted += instance.current.tainted
    ordered = tuple(sorted(kinds.items(), key=lambda one: (-one[1], one[0])))
    return StateFacts(label, state.serial if state is not None else 0, kinds.total(), ordered, tainted)


def past_of(
    ledger: Ledger, directory: Path, most: int, words: Callable[[Entry], str], waiting: int = 0
) -> Past:
    """What a ledger says, every entry of it checked; the newest `most` are shown, all where that is 0.

    `directory` lies in the repository whose commits are meant; `words` says what an entry is about. Raises
    `DiagnosticError` where it cannot be read.
    """
    verified = verify(ledger)
    newest = verified.entries[::-1]
    # One more, to compare the oldest one's clock with.
    joined = join(newest[: most + 1] if most else newest, directory)
    last = _last(newest, joined, directory)
    return Past(
        len(newest),
        verified.head,
        tuple(verified.findings),
        tuple(Told(one, words(one.entry)) for one in (joined[:most] if most else joined)),
        Told(last, words(last.entry)) if last is not None else None,
        _days(newest),
        _serial(newest),
        read_timeline(verified.entries),
        waiting,
    )


def is_receipt(entry: Entry) -> bool:
    """Whether it tells of an apply that meant to change something."""
    return entry.kind in RECEIPTS and entry.body.get("mode") != "refresh-only"


def _last(newest: Sequence[Entry], joined: Sequence[Happening], directory: Path) -> Happening | None:
    last = next(filter(is_receipt, newest), None)
    if last is None:
        return None
    found = next((one for one in joined if one.entry.n == last.n), None)
    return found or join([last], directory)[0]


def _days(entries: Iterable[Entry]) -> dict[date, Day]:
    done: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for entry in filter(is_receipt, entries):
        (done if entry.body.get("outcome") == "done" else failed)[entry.time[:10]] += 1
    days = {}
    for text in sorted({*done, *failed}):
        try:
            days[date.fromisoformat(text)] = Day(done[text], failed[text])
        except ValueError:
            # A ledger that was tampered with is told of as such.
            continue
    return days


def _serial(newest: Iterable[Entry]) -> int | None:
    """What the last entry that is about the state left there; None also where it could not say, as after a kill."""
    entry = next((one for one in newest if one.kind not in _OTHERS), None)
    found = entry.body.get("serial") if entry is not None else None
    return found if type(found) is int else None


# -- drift


def drift_now(report: Report, environment: str, time: str, trend: Sequence[Looked]) -> Drift:
    """What somebody who looked just now has found."""
    last = _looked(summary(report, environment, time))
    return Drift(last, document(report, environment), (*trend, last))


def drift_known(trend: Sequence[Looked]) -> Drift | None:
    """What is known where nobody looks: what the last look has left, None where none has."""
    return Drift(trend[-1], None, tuple(trend)) if trend else None


def read_trend(path: Path) -> dict[str, list[Looked]]:
    """The looks that `drift -summary` has kept in a file, by environment, the oldest first; empty without the file.

    Lines that are none of its are left out. Raises `DiagnosticError` where it cannot be read.
    """
    try:
        lines = path.read_text("utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return {}
    except OSError as reason:
        raise file_problem(reason, "read the summary of drift", path) from None
    found: dict[str, list[Looked]] = {}
    for line in lines:
        try:
            fields = json.loads(line)
            environment, look = str(fields["environment"] or ""), _looked(fields)
        except (ValueError, LookupError, TypeError, OverflowError, RecursionError):
            continue
        found.setdefault(environment, []).append(look)
    return found


def _looked(fields: Mapping[str, Any]) -> Looked:
    return Looked(str(fields["time"]), **{name: int(fields[name]) for name in _NUMBERS})
