"""A drift report for machines: as one JSON document, and as a line of a file that keeps the trend."""

from __future__ import annotations

from collections import Counter
from typing import Any

from twinfra.decode.places import Written
from twinfra.diagnostics import Diagnostic
from twinfra.engine.consistency import path_text
from twinfra.environments.drift.finding import GONE, AttributeDrift, Finding, Report
from twinfra.providers.protocol import Change
from twinfra.values.value import Null, Value

FORMAT_VERSION = "1.0"


def document(report: Report, environment: str) -> dict[str, Any]:
    """The whole report as JSON; sensitive values are null."""
    return {
        "format_version": FORMAT_VERSION,
        "environment": environment or None,
        **_counts(report),
        "findings": list(map(_finding, report.findings)),
        "rules": list(map(_rule, report.rules)),
    }


def summary(report: Report, environment: str, time: str) -> dict[str, Any]:
    """What is kept of a report for its trend: numbers, no values. `time` is RFC 3339."""
    types = Counter(one.address.resource.type for one in report.findings)
    return {
        "time": time,
        "environment": environment or None,
        **_counts(report),
        "types": dict(sorted(types.items())),
    }


def _counts(report: Report) -> dict[str, int]:
    return {
        "checked": report.checked,
        "drifted": len(report.findings),
        "gone": sum(1 for one in report.findings if one.kind == GONE),
        "violations": report.violations,
        "ignored": report.ignored,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "address": str(finding.address),
        "type": finding.address.resource.type,
        "id": finding.id,
        "kind": finding.kind,
        "repair": finding.repair.value,
        "attributes": list(map(_attribute, finding.attributes)),
        "changes": list(map(_change, finding.changes)),
    }


def _attribute(part: AttributeDrift) -> dict[str, Any]:
    difference = part.difference
    hidden = difference.sensitive
    return {
        "path": path_text(difference.path),
        "element": difference.element,
        "before": None if hidden else _json(difference.before),
        "after": None if hidden else _json(difference.after),
        "sensitive": hidden,
        "declared": None if part.declared is None else _place(part.declared),
        "restored": part.restored,
        "violates": part.violates,
        "echo": part.echo,
    }


def _place(written: Written) -> dict[str, Any]:
    first = written.range.first
    return {"filename": written.range.filename, "line": first.line, "column": first.column}


def _change(change: Change) -> dict[str, str]:
    return {
        "time": change.time,
        "who": change.who,
        "what": change.what,
        "via": change.via,
        "address": change.address,
    }


def _rule(found: Diagnostic) -> dict[str, str]:
    return {"summary": found.summary, "detail": found.detail, "place": str(found.subject or "")}


def _json(value: Value) -> Any:
    """A known, unmarked value as JSON (numbers of the language stay numbers)."""
    if type(value) is Null:
        return None
    if isinstance(value, dict):
        return {key: _json(value[key]) for key in sorted(value)}
    if isinstance(value, tuple):
        return [_json(inner) for inner in value]
    return value
