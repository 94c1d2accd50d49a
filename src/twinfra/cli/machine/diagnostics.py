"""Diagnostics in the public JSON form (`validate -json`, and events of type `diagnostic`)."""

from __future__ import annotations

import re
from typing import Any

from twinfra.cli.render.redaction import covered
from twinfra.diagnostics import Diagnostic, Position, SourceRange

_HEADER = re.compile(r'([A-Za-z][\w-]*(?:[ \t]+(?:"[^"]*"|[\w-]+))*)[ \t]*\{')
"""The header of a block at column 1, and its opening brace."""


def diagnostic_json(diagnostic: Diagnostic) -> dict[str, Any]:
    """One diagnostic with its range and a snippet of the source."""
    detail = "\n\n".join(part for part in (diagnostic.detail, diagnostic.mend) if part)
    result: dict[str, Any] = {
        "severity": diagnostic.severity.value,
        "summary": diagnostic.summary,
        "detail": detail,
    }
    if diagnostic.address:
        result["address"] = diagnostic.address
    if diagnostic.subject is not None:
        result["range"] = {
            "filename": diagnostic.subject.filename,
            "start": _position(diagnostic.subject.first),
            "end": _position(diagnostic.subject.last),
        }
        result["snippet"] = _snippet(diagnostic, diagnostic.subject)
    return result


def _position(position: Position) -> dict[str, int]:
    return {"line": position.line, "column": position.column, "byte": position.byte}


def _snippet(diagnostic: Diagnostic, subject: SourceRange) -> dict[str, Any]:
    shown = diagnostic.context or subject
    first, last = min(shown.first.line, subject.first.line), max(shown.last.line, subject.last.line)
    lines = [subject.source.line(number) for number in range(first, last + 1)]
    code = "\n".join(map(covered, lines))
    offset = sum(len(line) + 1 for line in lines[: subject.first.line - first]) + subject.first.column - 1
    snippet: dict[str, Any] = {
        "context": _enclosing(subject),
        "code": code,
        "start_line": first,
        "highlight_start_offset": max(0, offset),
        "highlight_end_offset": max(0, min(offset + max(1, subject.end - subject.start), len(code))),
        "values": [
            {"traversal": traversal, "statement": statement} for traversal, statement in diagnostic.values
        ],
    }
    if diagnostic.function:
        snippet["function_call"] = _function_call(diagnostic.function)
    return snippet


def _function_call(name: str) -> dict[str, Any]:
    """How a function was called, and its signature where there is such a function."""
    from twinfra.lang.functions.catalog import lookup
    from twinfra.lang.functions.document import brief_signature

    function = lookup(name)
    return {"called_as": name, **({"signature": brief_signature(function)} if function is not None else {})}


def _enclosing(subject: SourceRange) -> str | None:
    """The header of the top-level block around it, as text: of one on the same line, else the last line above that
    starts a block at column 1; None for what starts a line itself.
    """
    if subject.first.column == 1:
        return None
    first = _HEADER.match(subject.source.line(subject.first.line))
    if first is not None and first.end() <= subject.first.column:
        return first[1]
    for number in range(subject.first.line, 0, -1):
        line = subject.source.line(number)
        if line[:1].isalpha() and line.rstrip().endswith("{"):
            return line.rstrip()[:-1].rstrip()
        if line.startswith("}") and number < subject.first.line:
            return None
    return None
