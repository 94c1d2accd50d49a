"""Accepting what is there: the edits of the source that would declare it, and what has to be edited by hand.

Only literals are rewritten; everything around them stays as it is. A literal that makes several instances is rewritten
only when all of them drifted to the same value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from twinfra.config.model import Configuration
from twinfra.decode import Decoder
from twinfra.decode.places import Written
from twinfra.diagnostics import SourceRange
from twinfra.engine.changes import ResourceChange
from twinfra.engine.consistency import path_text
from twinfra.engine.providers import Providers
from twinfra.engine.scope import table_key
from twinfra.environments.drift.detection import value_at
from twinfra.environments.drift.finding import CHANGED, AttributeDrift, Finding
from twinfra.lang.formatter import format_source
from twinfra.lang.functions.hcl_writing import is_identifier, write_expression
from twinfra.lang.nodes import (
    Expression,
    Literal,
    ObjectExpression,
    Parentheses,
    TupleExpression,
    Unary,
)
from twinfra.lang.references import References
from twinfra.state.model import State
from twinfra.values.marks import unmark_deep
from twinfra.values.value import Index, Path, Value

Place: TypeAlias = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Edit:
    """A stretch of the source that gets another text."""

    range: SourceRange
    text: str

    @property
    def place(self) -> Place:
        """What tells it from edits elsewhere."""
        return (self.range.filename, self.range.start, self.range.end)


@dataclass(frozen=True, slots=True)
class Advice:
    """A value that must be accepted by hand. `reason` is a sentence on why, and what to change."""

    address: str
    path: str
    reason: str
    range: SourceRange | None


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What accepting comes to. `settled`: addresses of which everything is accepted by the edits."""

    edits: tuple[Edit, ...]
    advice: tuple[Advice, ...]
    settled: tuple[str, ...]


def accept(
    findings: Iterable[Finding],
    drift: Iterable[ResourceChange],
    configuration: Configuration,
    providers: Providers,
    state: State,
) -> Acceptance:
    """How the source would have to change to declare what is there now."""
    findings = list(findings)
    run = _Run(configuration, providers, state, {one.address: one for one in drift})
    for finding in findings:
        run.take(finding)
    return run.result(findings)


class _Run:
    def __init__(
        self,
        configuration: Configuration,
        providers: Providers,
        state: State,
        drift: Mapping[object, ResourceChange],
    ) -> None:
        self._program = providers.program(configuration)
        self._drift = drift
        self._edits: dict[Place, list[tuple[Finding, AttributeDrift, Edit]]] = {}
        self._advice: list[tuple[Finding, Advice]] = []
        self._instances = self._count(state)

    def _count(self, state: State) -> Counter[tuple[str, int]]:
        """How many objects each block of the source makes: a module called twice makes its objects twice."""
        found: Counter[tuple[str, int]] = Counter()
        for address, resource in state.resources.items():
            own = address.resource
            node = self._program.resource(address.module.path, table_key(own.mode, own.type, own.name))
            if node is not None:
                found[node.config.range.filename, node.config.range.start] += len(resource.instances)
        return found

    def take(self, finding: Finding) -> None:
        """Work out the edits for one object."""
        if finding.kind != CHANGED:
            self._by_hand(finding, (), "It is gone: remove its block, or let a repair make it again.", None)
            return
        own = finding.address.resource
        node = self._program.resource(finding.address.module.path, table_key(own.mode, own.type, own.name))
        after, _ = unmark_deep(self._drift[finding.address].after)
        for part in finding.attributes:
            if part.echo:
                continue
            if part.declared is None:
                if part.restored:
                    self._by_hand(
                        finding,
                        part.difference.path,
                        "Nothing declares it, and an apply would remove it: write it into the block.",
                        node.config.range if node is not None else None,
                    )
                continue
            assert node is not None
            assert node.decoder is not None
            edit = _edit(part, part.declared, after, node.decoder)
            if isinstance(edit, Edit):
                self._edits.setdefault(edit.place, []).append((finding, part, edit))
            else:
                self._by_hand(finding, part.difference.path, edit, part.declared.range)

    def _by_hand(self, finding: Finding, path: Path, reason: str, range: SourceRange | None) -> None:
        text = path_text(path) if path else ""
        self._advice.append((finding, Advice(str(finding.address), text, reason, range)))

    def result(self, findings: list[Finding]) -> Acceptance:
        """All edits that every object they concern agrees with, the widest where one holds another."""
        edits: list[Edit] = []
        for made in self._edits.values():
            finding, _, edit = made[0]
            agreed = {one.text for _, _, one in made}
            total = self._total(finding)
            drifted = len({one.address for one, _, _ in made})
            if len(agreed) == 1 and drifted >= total:
                edits.append(edit)
                continue
            for one, part, _ in made:
                self._by_hand(
                    one,
                    part.difference.path,
                    f"The literal makes {total} objects, and not all of them are so now: make the value differ "
                    "by each.key or count.index.",
                    edit.range,
                )
        unsettled = {one.address for one, _ in self._advice}
        settled = [str(one.address) for one in findings if one.address not in unsettled]
        return Acceptance(
            tuple(_outermost(edits)), tuple(advice for _, advice in self._advice), tuple(settled)
        )

    def _total(self, finding: Finding) -> int:
        own = finding.address.resource
        node = self._program.resource(finding.address.module.path, table_key(own.mode, own.type, own.name))
        assert node is not None
        return self._instances[node.config.range.filename, node.config.range.start]


def _edit(part: AttributeDrift, written: Written, after: Value, decoder: Decoder) -> Edit | str:
    """The edit that declares a value, or why there is none."""
    difference, expression = part.difference, written.expression
    if difference.sensitive:
        return "It is sensitive, and is not written into the source: change what gives its value."
    if written.range.filename.endswith(".json"):
        return "It is written in JSON syntax: change it there."
    if written.dynamic:
        return "A dynamic block makes it: change what its for_each goes through."
    if expression is None:
        return "It is a block: add, change or remove the block."
    own = difference.path[: len(difference.path) - len(written.rest)]
    if expression.range.text.startswith("<<"):
        return "It is a heredoc: change the text there."
    entry = _entry(part, written, own, decoder)
    if entry is not None:
        holder, name = entry
        if not _by_lines(holder):
            return _rewritten(holder, value_at(after, difference.path[:-1])) or _origin(holder)
        if difference.after is None:
            return _removed(holder, name) or _origin(holder)
        return _added(holder, name, difference.after)
    if written.rest:
        return _origin(expression)
    if not _is_literal(expression):
        return _origin(expression)
    value = value_at(after, own)
    return Edit(expression.range, write_expression(value))


def _entry(
    part: AttributeDrift, written: Written, own: Path, decoder: Decoder
) -> tuple[ObjectExpression, str] | None:
    """Where an entry of a map came or went: the object that is written for the map, and the entry's key."""
    difference = part.difference
    step = difference.path[-1]
    if difference.element or not isinstance(step, Index) or not isinstance(step.key, str):
        return None
    holder: Written | None = None
    if difference.before is None and difference.after is not None and written.rest == (step,):
        holder = written
    elif difference.after is None and not written.rest:
        holder = decoder.written_at(own[:-1])
    if holder is None or holder.expression is None or (holder is not written and holder.rest):
        return None
    inner = _without_parentheses(holder.expression)
    return (inner, step.key) if isinstance(inner, ObjectExpression) else None


def _without_parentheses(expression: Expression) -> Expression:
    while isinstance(expression, Parentheses):
        expression = expression.inner
    return expression


def _is_literal(expression: Expression) -> bool:
    """Whether it is written out, with nothing in it that is worked out."""
    expression = _without_parentheses(expression)
    if isinstance(expression, Literal):
        return True
    if isinstance(expression, Unary):
        return isinstance(expression.operand, Literal)
    if isinstance(expression, TupleExpression):
        return all(map(_is_literal, expression.elements))
    if isinstance(expression, ObjectExpression):
        return all(isinstance(one.key, Literal) and _is_literal(one.value) for one in expression.items)
    return False


def _origin(expression: Expression) -> str:
    """Which expression makes a value that is no literal."""
    text = " ".join(expression.range.text.split())
    shown = text if len(text) <= 60 else f"{text[:60]}..."
    names = list(dict.fromkeys(map(str, References(expression).found)))
    where = f", which depends on {', '.join(names)}" if names and names != [shown] else ""
    return f"It is made by an expression: change {shown}{where}."


def _key(name: str) -> str:
    return name if is_identifier(name) else write_expression(name)


def _added(written: ObjectExpression, name: str, value: Value) -> Edit:
    """One more entry of an object that is written out over several lines, on a line after its last one."""
    source = written.range.source
    brace = written.range.end - 1
    line = source.text.rfind("\n", 0, brace) + 1
    first = written.items[0].key.range.start
    start = source.text.rfind("\n", 0, first) + 1
    indent = source.text[start:first]
    if indent.strip():
        indent = "  "
    return Edit(SourceRange(source, line, line), f"{indent}{_key(name)} = {write_expression(value)}\n")


def _removed(written: ObjectExpression, key: object) -> Edit | None:
    """The object without one entry, whose line is its own."""
    items = written.items
    found = [at for at, one in enumerate(items) if isinstance(one.key, Literal) and one.key.value == key]
    if len(found) != 1:
        return None
    source, text = written.range.source, written.range.source.text
    start, end = items[found[0]].key.range.start, items[found[0]].value.range.end
    line = text.rfind("\n", 0, start) + 1
    stop = text.find("\n", end)
    rest = text[end:stop].strip().removeprefix(",").lstrip()
    if text[line:start].strip() or (rest and not rest.startswith(("#", "//"))):
        return None
    return Edit(SourceRange(source, line, stop + 1), "")


def _by_lines(written: ObjectExpression) -> bool:
    """Whether entries can come and go by lines: it has some, and its closing brace stands on a line of its own."""
    text, range = written.range.source.text, written.range
    line = text.rfind("\n", 0, range.end) + 1
    return bool(written.items) and line > range.start and not text[line : range.end - 1].strip()


def _rewritten(written: ObjectExpression, after: Value) -> Edit | None:
    """An object on one line with the entries that are there now: those it had first, in their order."""
    if not isinstance(after, dict) or not _is_literal(written):
        return None
    order = [one.key.value for one in written.items if isinstance(one.key, Literal)]
    names = [name for name in dict.fromkeys([*order, *sorted(after)]) if after.get(name) is not None]
    entries = ", ".join(f"{_key(name)} = {write_expression(after[name])}" for name in names)
    return Edit(written.range, f"{{ {entries} }}" if entries else "{}")


def _outermost(edits: list[Edit]) -> list[Edit]:
    """Edits that do not overlap: of two that do, the one that holds the other says the same and more."""
    kept: list[Edit] = []
    for edit in sorted(edits, key=lambda one: (one.range.filename, one.range.start, -one.range.end)):
        last = kept[-1] if kept else None
        if (
            last is not None
            and last.range.filename == edit.range.filename
            and edit.range.start < last.range.end
        ):
            continue
        kept.append(edit)
    return kept


def edited(edits: Iterable[Edit]) -> dict[str, tuple[str, str]]:
    """The texts of the files that edits change, before and after. What was in the canonical format stays in it."""
    files: dict[str, list[Edit]] = {}
    for edit in edits:
        files.setdefault(edit.range.filename, []).append(edit)
    result: dict[str, tuple[str, str]] = {}
    for name, own in files.items():
        before = own[0].range.source.text
        parts: list[str] = []
        at = 0
        for edit in sorted(own, key=lambda one: one.range.start):
            parts += [before[at : edit.range.start], edit.text]
            at = edit.range.end
        text = "".join([*parts, before[at:]])
        result[name] = (before, format_source(text) if format_source(before) == before else text)
    return result
