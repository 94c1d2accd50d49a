"""The difference of two values as text lines, each with the symbol of what happens to it.

`+` is added, `-` removed, `~` changed; what stays the same is counted, not shown. Costs grow with the size of
the two values. Sensitive values are never shown, only whether they change.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from twinfra.cli.render.style import Style
from twinfra.cli.render.values import (
    SENSITIVE_TEXT,
    UNKNOWN_TEXT,
    is_map,
    key_names,
    scalar_text,
    value_lines,
)
from twinfra.values.value import (
    SENSITIVE,
    GetAttr,
    Index,
    List,
    Map,
    Marked,
    Null,
    Path,
    Set,
    Unknown,
    Value,
)

COLOURS = {"+": "green", "-": "red", "~": "yellow"}
FORCES = "# forces replacement"


def sensitive(value: Value) -> bool:
    """Whether the value itself is marked sensitive."""
    return type(value) is Marked and SENSITIVE in value.marks


def bare(value: Value) -> Value:
    """The value without its own marks; typed nulls become None."""
    if type(value) is Marked:
        value = value.value
    return None if type(value) is Null else value


def same(before: Value, after: Value) -> bool:
    """Whether nothing would change: equal, of the same kind, and known."""
    before, after = bare(before), bare(after)
    if before is after:
        return type(after) is not Unknown
    if type(after) is Unknown or type(before) is Unknown:
        return False
    if isinstance(before, dict) and isinstance(after, dict):
        return before.keys() == after.keys() and all(same(before[key], after[key]) for key in before)
    if isinstance(before, tuple) and isinstance(after, tuple):
        return len(before) == len(after) and all(map(same, before, after))
    if type(before) is bool or type(after) is bool:
        return before is after
    return bool(before == after)


class Differ:
    """Renders differences in one style. `replace` are the paths that force a replacement."""

    def __init__(self, style: Style, replace: Sequence[Path] = ()) -> None:
        self.style = style
        self.replace = frozenset(replace)
        self.lines: list[str] = []

    def symbol(self, mark: str) -> str:
        """A symbol in its colour, or a space."""
        return self.style(mark, COLOURS[mark]) if mark in COLOURS else " "

    def line(self, indent: int, mark: str, text: str, path: Path = ()) -> None:
        """Add one line: the symbol stands two columns left of `indent`."""
        forced = f" {self.style(FORCES, 'red')}" if path and path in self.replace else ""
        self.lines.append(f"{' ' * (indent - 2)}{self.symbol(mark)} {text}{forced}")

    def raw(self, indent: int, mark: str, lines: list[str], path: Path) -> None:
        """Add lines of which the first carries the symbol and the others are indented already."""
        self.line(indent, mark, lines[0], path)
        self.lines.extend(lines[1:])

    def entry(self, indent: int, label: str, before: Value, after: Value, path: Path, tail: str = "") -> None:
        """Add `label` with the change from `before` to `after`; both None-able, at least one present."""
        if sensitive(before) or sensitive(after):
            self._sensitive(indent, label, before, after, path, tail)
            return
        before, after = bare(before), bare(after)
        if before is None:
            self._whole(indent, "+", label, after, path, tail)
        elif after is None:
            self._removed(indent, label, before, path, tail)
        elif type(after) is Unknown:
            self._removed(indent, label, before, path, tail, mark="~", end=f" -> {UNKNOWN_TEXT}")
        elif type(before) is Unknown:
            self._whole(indent, "+", label, after, path, tail)
        elif type(before) is str and type(after) is str:
            self._text(indent, label, before, after, path, tail)
        elif isinstance(before, dict) and isinstance(after, dict):
            self.line(indent, "~", f"{label}{{", path)
            self.mapping(indent + 4, before, after, path)
            self.lines.append(f"{' ' * indent}}}{tail}")
        elif isinstance(before, tuple) and isinstance(after, tuple):
            self.line(indent, "~", f"{label}[", path)
            self.sequence(indent + 4, before, after, path)
            self.lines.append(f"{' ' * indent}]{tail}")
        else:
            old, new = scalar_text(before), scalar_text(after)
            if old is None or new is None:
                self._removed(indent, label, before, path, tail)
                self._whole(indent, "+", label, after, path, tail)
            else:
                self.line(indent, "~", f"{label}{old} -> {new}{tail}", path)

    def _sensitive(self, indent: int, label: str, before: Value, after: Value, path: Path, tail: str) -> None:
        note = ""
        if bare(before) is None:
            mark = "+"
        elif bare(after) is None:
            mark = "-"
        else:
            mark = "~"
            if sensitive(after) != sensitive(before) and same(before, after):
                becomes = "becomes" if sensitive(after) else "is no longer"
                note = f" # {becomes} sensitive; the value stays the same"
        self.line(indent, mark, f"{label}{SENSITIVE_TEXT}{tail}{note}", path)

    def _whole(self, indent: int, mark: str, label: str, value: Value, path: Path, tail: str) -> None:
        """A value that appears whole."""
        text = scalar_text(value)
        if type(value) is str and (document := _document(value)) is not None:
            self.line(indent, mark, f"{label}jsonencode(", path)
            self._marked_lines(indent + 4, mark, value_lines(document, indent + 6))
            self.lines.append(f"{' ' * indent}){tail}")
            return
        if text is not None and not (type(value) is str and "\n" in value):
            self.line(indent, mark, f"{label}{text}{tail}", path)
            return
        if type(value) is str:
            lines = value_lines(value, indent)
            self.raw(indent, mark, _with_tail([label + lines[0], *lines[1:]], tail), path)
            return
        opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
        if not value:
            self.line(indent, mark, f"{label}{opening}{closing}{tail}", path)
            return
        self.line(indent, mark, f"{label}{opening}", path)
        self._inside(indent + 4, mark, value, path)
        self.lines.append(f"{' ' * indent}{closing}{tail}")

    def _inside(self, indent: int, mark: str, value: Value, path: Path) -> None:
        if isinstance(value, dict):
            names = key_names(sorted(value), is_map(value))
            width = max(map(len, names.values()))
            for key, name in names.items():
                inner = value[key]
                if mark == "+":
                    if bare(inner) is None and type(value) is dict:
                        continue
                    self.entry(indent, f"{name.ljust(width)} = ", None, inner, (*path, GetAttr(key)))
                else:
                    self._removed(indent, f"{name.ljust(width)} = ", inner, (*path, GetAttr(key)), "")
        else:
            for number, inner in enumerate(value):
                step = (*path, Index(number))
                if bare(inner) is None:
                    self.line(indent, mark, "null,")
                elif mark == "+":
                    self.entry(indent, "", None, inner, step, ",")
                else:
                    self._removed(indent, "", inner, step, ",")

    def _removed(
        self, indent: int, label: str, value: Value, path: Path, tail: str, mark: str = "-", end: str = ""
    ) -> None:
        """A value that goes away whole, or becomes unknown (`mark` `~` with `end`)."""
        if sensitive(value):
            self.line(indent, mark, f"{label}{SENSITIVE_TEXT}{end}{tail}", path)
            return
        value = bare(value)
        if value is None:
            if mark == "-":
                return
            value_text: str | None = "null"
        else:
            value_text = scalar_text(value)
        if value_text is not None:
            if type(value) is str and "\n" in value:
                lines = value_lines(value, indent)
                self.raw(indent, mark, _with_tail([label + lines[0], *lines[1:]], end + tail), path)
                return
            gone = " -> null" if mark == "-" and label else ""
            self.line(indent, mark, f"{label}{value_text}{end or gone}{tail}", path)
            return
        opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
        gone = " -> null" if mark == "-" and label else ""
        if not value:
            self.line(indent, mark, f"{label}{opening}{closing}{end or gone}{tail}", path)
            return
        self.line(indent, mark, f"{label}{opening}", path)
        self._inside(indent + 4, "-", value, path)
        self.lines.append(f"{' ' * indent}{closing}{end or gone}{tail}")

    def _marked_lines(self, indent: int, mark: str, lines: list[str]) -> None:
        self.line(indent, mark, lines[0])
        self.lines.extend(lines[1:])

    def _text(self, indent: int, label: str, before: str, after: str, path: Path, tail: str) -> None:
        old, new = _document(before), _document(after)
        if old is not None and new is not None and isinstance(old, dict) == isinstance(new, dict):
            if same(old, new):
                self.line(
                    indent, "~", f"{label}jsonencode(...) # only whitespace or order changes{tail}", path
                )
                return
            self.line(indent, "~", f"{label}jsonencode(", path)
            self.entry(indent + 4, "", old, new, ())
            self.lines.append(f"{' ' * indent}){tail}")
            return
        if "\n" in before or "\n" in after:
            self.line(indent, "~", f"{label}<<-EOT", path)
            for mark, text in _line_difference(before.split("\n"), after.split("\n")):
                self.line(indent + 4, mark, text)
            self.lines.append(f"{' ' * indent}EOT{tail}")
            return
        self.line(indent, "~", f"{label}{scalar_text(before)} -> {scalar_text(after)}{tail}", path)

    def mapping(self, indent: int, before: Value, after: Value, path: Path) -> None:
        """The entries of two objects or maps that differ, and how many do not."""
        keys = sorted(before.keys() | after.keys())
        changed = [key for key in keys if not same(before.get(key), after.get(key))]
        if changed:
            names = key_names(changed, is_map(before) or is_map(after))
            width = max(map(len, names.values()))
            for key, name in names.items():
                step = Index(key) if is_map(after) else GetAttr(key)
                self.entry(indent, f"{name.ljust(width)} = ", before.get(key), after.get(key), (*path, step))
        hidden = sum(1 for key in keys if bare(before.get(key)) is not None) - sum(
            1 for key in changed if bare(before.get(key)) is not None
        )
        self.hidden(indent, hidden, "element" if is_map(after) else "attribute")

    def sequence(self, indent: int, before: Sequence[Value], after: Sequence[Value], path: Path) -> None:
        """The elements of two sequences or sets that differ, and how many do not."""
        if isinstance(before, Set) or isinstance(after, Set):
            removed, added = _set_difference(before, after)
            for element in removed:
                self._removed(indent, "", element, path, ",")
            for element in added:
                self.entry(indent, "", None, element, path, ",")
            self.hidden(indent, len(before) - len(removed), "element")
            return
        hidden = 0
        for old, new in _pairs(before, after):
            if old is not _ABSENT and new is not _ABSENT and same(old, new):
                hidden += 1
            elif new is _ABSENT:
                self._removed(indent, "", old, path, ",")
            elif old is _ABSENT:
                self.entry(indent, "", None, new, path, ",")
            else:
                self.entry(indent, "", old, new, path, ",")
        self.hidden(indent, hidden, "element")

    def hidden(self, indent: int, count: int, what: str) -> None:
        """Say how many were left out."""
        if count > 0:
            plural = "" if count == 1 else "s"
            self.lines.append(
                " " * indent + self.style(f"# ({count} unchanged {what}{plural} hidden)", "dim")
            )


_ABSENT = object()


def _with_tail(lines: list[str], tail: str) -> list[str]:
    return [*lines[:-1], lines[-1] + tail]


def _document(text: str) -> Value | None:
    """The value of a text that holds a JSON object or array, as language values; None for any other text."""
    if text[:1] not in "{[" or text[-1:] not in "}]" or len(text) < 2:
        return None
    try:
        return _typed(json.loads(text))
    except (ValueError, RecursionError):
        return None


def _typed(value: object) -> Value:
    if isinstance(value, dict):
        return (
            Map({key: _typed(inner) for key, inner in value.items()})
            if not value
            else {key: _typed(inner) for key, inner in value.items()}
        )
    if isinstance(value, list):
        return List([_typed(inner) for inner in value])
    if isinstance(value, float):
        from twinfra.values.numbers import parse_number

        return parse_number(repr(value))
    return value


def fingerprint(value: Value) -> str:
    """A text that is equal for equal values, whatever order their keys are in."""
    value = bare(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}={fingerprint(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, tuple):
        return "[" + ",".join(map(fingerprint, value)) + "]"
    return f"{type(value).__name__}:{value!r}"


def _set_difference(before: Sequence[Value], after: Sequence[Value]) -> tuple[list[Value], list[Value]]:
    old = {fingerprint(element) for element in before}
    new = {fingerprint(element) for element in after}
    return (
        [element for element in before if fingerprint(element) not in new],
        [element for element in after if fingerprint(element) not in old],
    )


def _pairs(before: Sequence[Value], after: Sequence[Value]) -> list[tuple[Value, Value]]:
    """Elements side by side: equal ones aligned, objects in the same gap paired, the rest removed or added."""
    from difflib import SequenceMatcher

    old, new = [fingerprint(one) for one in before], [fingerprint(one) for one in after]
    pairs: list[tuple[Value, Value]] = []
    if len(old) * len(new) > 250_000:
        return _aligned_ends(before, after, old, new)
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            pairs += zip(before[i1:i2], after[j1:j2], strict=True)
        else:
            pairs += _gap(before[i1:i2], after[j1:j2])
    return pairs


def _gap(before: Sequence[Value], after: Sequence[Value]) -> list[tuple[Value, Value]]:
    paired = min(len(before), len(after))
    return (
        list(zip(before[:paired], after[:paired], strict=True))
        + [(old, _ABSENT) for old in before[paired:]]
        + [(_ABSENT, new) for new in after[paired:]]
    )


def _aligned_ends(
    before: Sequence[Value], after: Sequence[Value], old: list[str], new: list[str]
) -> list[tuple[Value, Value]]:
    """For long sequences: what both begin and end with, and all between as one gap. Linear."""
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    head = list(zip(before[:start], after[:start], strict=True))
    middle = _gap(before[start : len(before) - end], after[start : len(after) - end])
    tail = list(zip(before[len(before) - end :], after[len(after) - end :], strict=True)) if end else []
    return head + middle + tail


def _line_difference(before: list[str], after: list[str]) -> list[tuple[str, str]]:
    """Lines with their symbols; unchanged ones have a space."""
    from difflib import SequenceMatcher

    lines: list[tuple[str, str]] = []
    if len(before) * len(after) > 250_000:
        return [("-", line) for line in before] + [("+", line) for line in after]
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            lines += [(" ", line) for line in before[i1:i2]]
        else:
            lines += [("-", line) for line in before[i1:i2]]
            lines += [("+", line) for line in after[j1:j2]]
    return lines
