"""The report of an estate as JSON; its form is described in docs/report.md."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from twinfra.cli.env import environment_documents
from twinfra.cli.machine.diagnostics import diagnostic_json
from twinfra.cli.machine.text import dumps
from twinfra.cli.machine.twins import twins_document
from twinfra.releases.documents import running_document, shown_document
from twinfra.report.cards import verdict
from twinfra.report.estate import Drift, Estate, Pair, Parameter, Past, Problem, Standing

FORMAT_VERSION = "1.0"


def report_text(estate: Estate) -> str:
    """The document as text."""
    return dumps(report_document(estate), indent=2)


def report_document(estate: Estate) -> dict[str, Any]:
    """All of it."""
    declared = environment_documents(one.environment for one in estate.standings)
    return {
        "format_version": FORMAT_VERSION,
        "title": estate.title,
        "made": estate.made,
        "version": estate.version,
        "commit": estate.commit or None,
        "branch": estate.branch or None,
        "dirty": estate.dirty,
        "environments": [
            {**document, **_standing(one)} for document, one in zip(declared, estate.standings, strict=True)
        ],
        "parameters": [_parameter(one) for one in estate.parameters],
        "twins": [_pair(one) for one in estate.pairs],
        "problems": _problems(estate.problems),
    }


def _standing(standing: Standing) -> dict[str, Any]:
    state, past, drift = standing.state, standing.past, standing.drift
    return {
        "verdict": verdict(standing)[0],
        "state": None
        if state is None
        else {
            "label": state.label,
            "serial": state.serial,
            "objects": state.objects,
            "tainted": state.tainted,
            "kinds": dict(state.kinds),
            "unrecorded": standing.unrecorded,
        },
        "ledger": None if past is None else _ledger(past),
        "last": past.last.happening.document() if past is not None and past.last is not None else None,
        "releases": None
        if past is None
        else {
            **running_document(standing.name, past.timeline),
            "all": [shown_document(one, past.timeline) for one in reversed(past.timeline.releases.values())],
        },
        "history": [] if past is None else [one.happening.document() for one in past.newest],
        "drift": None if drift is None else _drift(drift),
        "problems": _problems(standing.problems),
    }


def _ledger(past: Past) -> dict[str, Any]:
    return {
        "entries": past.entries,
        "intact": not past.findings,
        "head": str(past.head) if past.head is not None else None,
        "findings": [
            {"kind": one.kind, "n": one.n or None, "place": one.place, "text": one.text}
            for one in past.findings
        ],
        "waiting": past.waiting,
        "days": {day.isoformat(): {"done": one.done, "failed": one.failed} for day, one in past.days.items()},
    }


def _drift(drift: Drift) -> dict[str, Any]:
    return {
        "last": asdict(drift.last),
        "report": drift.document,
        "trend": [asdict(one) for one in drift.trend],
    }


def _parameter(one: Parameter) -> dict[str, Any]:
    values = {environment: value.data for environment, value in one.values.items()}
    return {"name": one.name, "declared": one.declared, "differs": one.differs, "values": values}


def _pair(pair: Pair) -> dict[str, Any]:
    return {
        "environments": list(pair.names),
        "report": twins_document(pair.report) if pair.report is not None else None,
        "problems": _problems(pair.problems),
    }


def _problems(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    return [{"part": one.part, **diagnostic_json(one.diagnostic)} for one in problems]
