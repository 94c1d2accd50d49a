"""A drift report for people: each object with what changed, where that is declared, who did it, and what mends it."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Any

from twinfra.cli.render.style import Style
from twinfra.cli.render.values import SENSITIVE_TEXT, value_lines
from twinfra.engine.changes import Action
from twinfra.engine.consistency import path_text
from twinfra.environments.drift.accepting import Acceptance
from twinfra.environments.drift.differences import Difference, differences
from twinfra.environments.drift.edits import edited
from twinfra.environments.drift.finding import GONE, AttributeDrift, Finding, Report
from twinfra.providers.protocol import Change
from twinfra.values.numbers import parse_number
from twinfra.values.value import GetAttr, Value, is_null

_REPAIRS = {
    Action.CREATE: "An apply would create it again.",
    Action.UPDATE: "An apply would put it back.",
    Action.DELETE: "An apply would destroy it: it is not declared any more.",
    Action.DELETE_THEN_CREATE: "An apply would replace it: destroy it, then create it anew.",
    Action.CREATE_THEN_DELETE: "An apply would replace it: create it anew, then destroy this one.",
    Action.FORGET: "An apply would forget it.",
}
_LONGEST = 8


def render_drift(report: Report, style: Style) -> Iterator[str]:
    """The report, line by line."""
    for finding in report.findings:
        yield from _finding(finding, style)
        yield ""
    yield style(_headline(report), "bold")
    if report.ignored:
        yield f"{_number(report.ignored, 'difference')} left out by the rules of twinfra.toml."


def _headline(report: Report) -> str:
    checked = _number(report.checked, "object")
    if not report.findings and not report.checked:
        return "Nothing was applied here yet, so there is no drift."
    if not report.findings:
        return f"No drift: {checked} looked at."
    gone = sum(1 for one in report.findings if one.kind == GONE)
    parts = [f"{len(report.findings) - gone} changed", f"{gone} gone"]
    told = f"Drift: {', '.join(parts)}, of {checked}."
    return f"{told} {_number(report.violations, 'declared value')} violated."


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _finding(finding: Finding, style: Style) -> Iterator[str]:
    mark, colour = ("-", "red") if finding.kind == GONE else ("~", "yellow")
    id = f" [id={finding.id}]" if finding.id else ""
    gone = " is gone" if finding.kind == GONE else ""
    yield f"{style(mark, colour)} {style(str(finding.address), 'bold')}{id}{gone}"
    for part in finding.attributes:
        if not part.echo:
            yield from _attribute(part, style)
    for change in finding.changes[:3]:
        yield from _wrapped(f"by {_change(change)}", 4, style)
    yield from _wrapped(_repair(finding), 4, style)


def _attribute(part: AttributeDrift, style: Style) -> Iterator[str]:
    difference = part.difference
    name = path_text(difference.path)
    if difference.sensitive:
        yield f"    {name}: {SENSITIVE_TEXT}, changed"
    elif difference.element:
        yield from _one(difference, style)
    else:
        yield from _changed(difference, style)
    yield from _wrapped(_declared(part), 6, style)


def _changed(difference: Difference, style: Style) -> Iterator[str]:
    """A value that became another one; of JSON texts, what differs in them."""
    name = path_text(difference.path)
    before, after = difference.before, difference.after
    old_document, new_document = _document(before), _document(after)
    if old_document is not None and new_document is not None:
        inside = list(differences(old_document, new_document))
        yield f"    {name}: (JSON)"
        for one in inside[:_LONGEST]:
            step = replace(one, path=one.path or (GetAttr(name),))
            yield from (f"  {line}" for line in _one(step, replace(style, width=style.width - 2)))
        if len(inside) > _LONGEST:
            yield f"      ... {len(inside) - _LONGEST} more differences"
        return
    yield from _one(difference, style)


def _one(difference: Difference, style: Style) -> Iterator[str]:
    name = path_text(difference.path)
    before, after = difference.before, difference.after
    line = f"    {name}: {_one_line(before)} -> {_one_line(after)}"
    if not difference.element and len(line) <= style.width:
        yield line
        return
    if not difference.element or before is not None:
        yield from _value("-", "red", name, before, style)
    if not difference.element or before is None:
        yield from _value("+", "green", name, after, style)


def _document(value: Value) -> Value:
    """What a text says that holds a JSON object or array; None for all else."""
    if not isinstance(value, str) or value.strip()[:1] not in ("{", "["):
        return None
    try:
        return _typed(json.loads(value))
    except (ValueError, RecursionError):
        return None


def _typed(value: Any) -> Value:
    if isinstance(value, dict):
        return {key: _typed(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return tuple(map(_typed, value))
    return parse_number(repr(value)) if isinstance(value, float) else value


def _value(sign: str, colour: str, name: str, value: Value, style: Style) -> Iterator[str]:
    lines = value_lines(_filled(value), 6)
    # Measured without the colour of the sign, which takes no room.
    yield f"    {style(sign, colour)} {_cut(f'{name}: {lines[0]}', style.width - 6)}"
    yield from (_cut(line, style.width) for line in lines[1:_LONGEST])
    if len(lines) > _LONGEST:
        rest = len(lines) - _LONGEST
        yield f"        ... {rest} more line{'' if rest == 1 else 's'}"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."


def _filled(value: Value) -> Value:
    """An object without what is not set in it."""
    if type(value) is dict:
        return {
            name: inner for name, inner in value.items() if not is_null(inner) and inner not in ((), {}, "")
        }
    return value


def _one_line(value: Value) -> str:
    return " ".join(" ".join(line.split()) for line in value_lines(value, 0))


def _declared(part: AttributeDrift) -> str:
    if part.declared is not None:
        first = part.declared.range.first
        where = f"{part.declared.range.filename}:{first.line}"
        if part.restored:
            return f"violates {where}"
        if part.changed:
            return f"violates {where}, which is not as it was applied last"
        return f"declared at {where}; an apply would leave it"
    if part.restored or part.changed:
        return "nobody declared it; an apply would remove it"
    return "nobody declared it; an apply would leave it"


def _change(change: Change) -> str:
    # The rest of what a client says of itself is for machines: it is in the JSON.
    via = f" with {change.via.split()[0]}" if change.via.strip() else ""
    address = f" from {change.address}" if change.address else ""
    return f"{change.who} at {change.time} ({change.what}){via}{address}"


def _repair(finding: Finding) -> str:
    if finding.repair is Action.NO_OP:
        if finding.kind == GONE:
            return "It is not declared any more: an apply would take it out of the state."
        return "An apply would change nothing about it: accept it (-accept), or declare it."
    return _REPAIRS.get(finding.repair, "")


def _wrapped(text: str, indent: int, style: Style) -> list[str]:
    pad = " " * indent
    return textwrap.wrap(
        text, max(style.width, 40), initial_indent=pad, subsequent_indent=pad, break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


def _rewritten(name: str, before: list[str], after: list[str], style: Style) -> Iterator[str]:
    """The lines of a file that change, also where only their layout does."""
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for kind, start, stop, first, last in matcher.get_opcodes():
        if kind == "equal":
            continue
        yield style(f"{name}:{start + 1}", "bold")
        lines = [*before[start:stop], *after[first:last]]
        indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
        for line in before[start:stop]:
            yield f"  {style('-', 'red')} {_cut(line[indent:], style.width - 4)}"
        for line in after[first:last]:
            yield f"  {style('+', 'green')} {_cut(line[indent:], style.width - 4)}"


def render_acceptance(acceptance: Acceptance, style: Style) -> Iterator[str]:
    """What accepting would write, and what is left to be done by hand."""
    for name, (before, after) in sorted(edited(acceptance.edits).items()):
        yield from _rewritten(name, before.splitlines(), after.splitlines(), style)
    for advice in acceptance.advice:
        where = f" ({advice.range.filename}:{advice.range.first.line})" if advice.range is not None else ""
        yield from _wrapped(f"By hand: {advice.address} {advice.path}{where}".rstrip(), 0, style)
        yield from _wrapped(advice.reason, 2, style)
