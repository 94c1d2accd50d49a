"""Diagnostics as people read them: what, where with the source line underlined, why, and what to do next."""

from __future__ import annotations

from twinfra.cli.render.redaction import covered
from twinfra.cli.render.style import Style
from twinfra.diagnostics import Diagnostic, Severity, SourceRange

MAX_LINES = 8


def render_diagnostic(diagnostic: Diagnostic, style: Style) -> str:
    """One diagnostic as text that ends in a line feed."""
    is_error = diagnostic.severity is Severity.ERROR
    colour = "red" if is_error else "yellow"
    bar = style("│", colour)
    title = style("Error:" if is_error else "Warning:", colour, "bold")
    lines = [f"{title} {style(diagnostic.summary, 'bold')}"]
    if diagnostic.address or diagnostic.subject:
        lines.append("")
    if diagnostic.address:
        lines.append(f"  with {diagnostic.address}")
    if diagnostic.subject is not None:
        lines += _snippet(diagnostic.subject, style, colour)
    for expression, statement in diagnostic.values:
        room = max(10, style.width - len(expression) - 9)
        shown = statement if len(statement) <= room else statement[: room - 1] + "…"
        lines.append(f"    {style('├', 'dim')} {style(expression, 'bold')} {shown}")
    for paragraph in (diagnostic.detail, diagnostic.mend):
        if paragraph:
            lines.append("")
            lines += _wrapped(paragraph, style.width - 2)
    head = style("╷", colour)
    tail = style("╵", colour)
    return "\n".join([head, *(f"{bar} {line}".rstrip() for line in lines), tail]) + "\n"


def _snippet(subject: SourceRange, style: Style, colour: str) -> list[str]:
    """The source lines it lies in, the stretch itself underlined below the first."""
    first, last = subject.first, subject.last
    lines = [f"  on {subject.filename} line {first.line}:"]
    final = max(first.line, last.line - 1 if last.column == 1 and last.line > first.line else last.line)
    number_width = len(str(final))
    source = subject.source
    for number in range(first.line, min(final, first.line + MAX_LINES - 1, source.lines) + 1):
        text = covered(source.line(number))
        shown = text if len(text) <= 400 else text[:400] + "…"
        lines.append(f"  {str(number).rjust(number_width)}: {shown.replace(chr(9), ' ')}")
        if number == first.line:
            start = first.column - 1
            end = last.column - 1 if last.line == first.line else len(text)
            width = max(1, min(end, 400) - start)
            if start <= 400:
                marker = "^" * width
                lines.append(" " * (4 + number_width + start) + style(marker, colour))
    if final > first.line + MAX_LINES - 1:
        lines.append(f"  {'…'.rjust(number_width)}")
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    import textwrap

    lines: list[str] = []
    for line in text.rstrip("\n").split("\n"):
        if line.startswith((" ", "\t")) or not line:
            lines.append(line)
        else:
            lines += textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False) or [""]
    return lines
