"""A drift report for people: each object with what changed, where that is declared, who did it, and what mends it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from twinfra.cli.render.style import Style
from twinfra.cli.render.values import SENSITIVE_TEXT, value_lines
from twinfra.engine.changes import Action
from twinfra.engine.consistency import path_text
from twinfra.environments.drift.accepting import Acceptance
from twinfra.environments.drift.finding import GONE, AttributeDrift, Finding, Report
from twinfra.providers.protocol import Change
from twinfra.values.value import Value, is_null

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
        sign, value = ("+", difference.after) if difference.before is None else ("-", difference.before)
        yield from _value(f"    {style(sign, 'green' if sign == '+' else 'red')} {name}: ", value, style)
    else:
        old, new = _one_line(difference.before), _one_line(difference.after)
        line = f"    {name}: {old} -> {new}"
        if len(line) <= style.width:
            yield line
        else:
            yield from _value(f"    {style('-', 'red')} {name}: ", difference.before, style)
            yield from _value(f"    {style('+', 'green')} {name}: ", difference.after, style)
    yield from _wrapped(_declared(part), 6, style)


def _value(label: str, value: Value, style: Style) -> Iterator[str]:
    lines = value_lines(_filled(value), 6)
    yield (label + lines[0])[: style.width + 20]
    yield from (line[: style.width] for line in lines[1:_LONGEST])
    if len(lines) > _LONGEST:
        yield f"        ... {len(lines) - _LONGEST} more lines"


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
        return (
            f"violates {where}"
            if part.restored
            else f"declared at {where}, which an apply does not insist on"
        )
    if part.restored:
        return "nobody declared it; an apply would remove it"
    return "nobody declared it; an apply would leave it"


def _change(change: Change) -> str:
    via = f" with {change.via}" if change.via else ""
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


def render_acceptance(acceptance: Acceptance, style: Style) -> Iterator[str]:
    """What accepting would write, and what is left to be done by hand."""
    for edit in acceptance.edits:
        first = edit.range.first
        before, after = " ".join(edit.range.text.split()), " ".join(edit.text.split())
        yield style(f"{edit.range.filename}:{first.line}", "bold")
        if before:
            yield f"  {style('-', 'red')} {before}"
        if after:
            yield f"  {style('+', 'green')} {after}"
    for advice in acceptance.advice:
        where = f" ({advice.range.filename}:{advice.range.first.line})" if advice.range is not None else ""
        yield from _wrapped(f"By hand: {advice.address} {advice.path}{where}".rstrip(), 0, style)
        yield from _wrapped(advice.reason, 2, style)
