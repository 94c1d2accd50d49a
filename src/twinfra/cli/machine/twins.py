"""The report of `twinfra twins` as JSON; its form is described in docs/twins.md."""

from __future__ import annotations

from typing import Any

from twinfra.cli.machine.text import dumps
from twinfra.environments.twins.report import Entry, Report

FORMAT_VERSION = "1.0"


def twins_text(report: Report) -> str:
    """The document as text, one difference a line: there may be thousands."""
    members = []
    for name, value in twins_document(report).items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            lines = ",\n    ".join(map(dumps, value))
            members.append(f"  {dumps(name)}: [\n    {lines}\n  ]")
        else:
            members.append(f"  {dumps(name)}: {dumps(value)}")
    return "{\n" + ",\n".join(members) + "\n}"


def twins_document(report: Report) -> dict[str, Any]:
    """The whole report."""
    return {
        "format_version": FORMAT_VERSION,
        "environments": list(report.names),
        "deployed": report.deployed,
        "twins": report.twins,
        "compared": {"objects": report.compared, "differing": report.differing},
        "inputs": [
            {
                "name": one.input.name,
                "parameter": one.input.parameter,
                "values": [value.data for value in one.values],
                "declared": one.declared,
                "effects": one.effects,
            }
            for one in report.inputs
        ],
        "findings": [_entry(one) for one in report.findings],
        "outfits": [_entry(one) for one in report.outfits],
        "notes": [{"kind": one.kind, "subject": one.subject, "text": one.text} for one in report.notes],
    }


def _entry(one: Entry) -> dict[str, Any]:
    document: dict[str, Any] = {
        "kind": one.kind.value,
        "address": one.address,
        "path": one.path,
        "values": [value.data for value in one.values],
        "causes": [
            {
                "input": cause.input.name,
                "through": [{"name": hop.name, "place": hop.place} for hop in cause.through],
            }
            for cause in one.causes
        ],
        "together": one.together,
    }
    if one.derived_from:
        document["derived_from"] = one.derived_from
    if one.allowed:
        document["reasons"] = list(one.reasons)
    return document
