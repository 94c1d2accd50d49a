"""Releases as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twinfra.releases.comparison import Difference
from twinfra.releases.record import Release
from twinfra.releases.timeline import Timeline
from twinfra.state.ledger.entries import Entry

_LEFT_OUT = ("release", "models", "registries", "moves")


def release_document(release: Release) -> dict[str, Any]:
    """A release by itself."""
    entry = release.entry
    body = {name: value for name, value in entry.body.items() if name not in _LEFT_OUT}
    return {
        "name": release.name,
        "n": entry.n,
        "time": entry.time,
        "who": entry.who,
        "models": [{"name": one.name, "version": one.version} for one in release.models],
        **body,
    }


def shown_document(release: Release, timeline: Timeline) -> dict[str, Any]:
    """A release, and how it stands."""
    periods = [
        {
            "from": one.by.time,
            "until": one.ended.time if one.ended is not None else None,
            "by_rollback": one.back,
        }
        for one in timeline.periods
        if one.release.name == release.name
    ]
    return {
        **release_document(release),
        "in_force": timeline.current is not None and timeline.current.name == release.name,
        "periods": periods,
        "registries": {one: one not in timeline.waiting(release) for one in release.registries},
    }


def list_document(environment: str, timeline: Timeline, most: int) -> dict[str, Any]:
    """The releases of one environment, the newest first."""
    found = list(reversed(timeline.releases.values()))
    return {
        "environment": environment or None,
        "in_force": timeline.current.name if timeline.current is not None else None,
        "changed_since": [_entry(one) for one in timeline.changes] if timeline.current is not None else [],
        "releases": [shown_document(one, timeline) for one in (found[:most] if most else found)],
        "more": bool(most) and len(found) > most,
    }


def running_document(environment: str, timeline: Timeline) -> dict[str, Any]:
    """What an environment runs now."""
    current, last, unfinished = timeline.current, timeline.last, timeline.unfinished
    return {
        "environment": environment or None,
        "release": shown_document(current, timeline) if current is not None else None,
        "applied": None
        if last is None
        else {
            **_entry(last),
            **{name: last.body.get(name) for name in ("commit", "subject", "outcome", "complete")},
        },
        "changed_since": [_entry(one) for one in timeline.changes] if current is not None else [],
        "unfinished_rollback": None
        if unfinished is None
        else {
            **_entry(unfinished),
            "release": unfinished.body.get("release"),
            "steps": unfinished.body.get("steps"),
        },
    }


def difference_document(before: Release, after: Release, found: Iterable[Difference]) -> dict[str, Any]:
    """What differs between two releases."""
    return {
        "before": before.name,
        "after": after.name,
        "differences": [
            {"part": one.part, "name": one.name or None, "before": one.before, "after": one.after}
            for one in found
        ],
    }


def _entry(entry: Entry) -> dict[str, Any]:
    return {"n": entry.n, "kind": entry.kind, "time": entry.time, "who": entry.who}
