"""Accepting what is there: the edits of the source that would declare it, and what has to be edited by hand.

Only literals are rewritten (`literals` says what must change in them, `edits` how the text changes); all around them
stays as it is. A literal that makes several instances is rewritten only when all of them drifted to the same value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import field

from twinfra.config.model import Configuration
from twinfra.dataclass import dataclass
from twinfra.decode import Decoder
from twinfra.decode.places import Written
from twinfra.diagnostics import SourceRange
from twinfra.engine.changes import Action, ResourceChange
from twinfra.engine.consistency import path_text
from twinfra.engine.providers import Providers
from twinfra.engine.scope import table_key
from twinfra.environments.drift.detection import value_at
from twinfra.environments.drift.edits import Edit, edits_of
from twinfra.environments.drift.finding import CHANGED, AttributeDrift, Finding
from twinfra.environments.drift.literals import (
    Identity,
    Wish,
    added,
    bare,
    is_heredoc,
    reconcile,
    removed,
)
from twinfra.lang.nodes import Expression, ObjectExpression
from twinfra.lang.references import References
from twinfra.state.model import State
from twinfra.values.marks import unmark_deep
from twinfra.values.value import GetAttr, Path, Value, is_null


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


@dataclass(slots=True)
class _Wished:
    """One change of the source, and for which values of which objects it is wished."""

    wish: Wish
    texts: set[str] = field(default_factory=set)
    parts: list[tuple[Finding, AttributeDrift]] = field(default_factory=list)


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
        self._wishes: dict[Identity, _Wished] = {}
        self._advice: dict[tuple[object, ...], tuple[Finding, Advice]] = {}
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
        """Work out what accepting one object needs."""
        own = finding.address.resource
        node = self._program.resource(finding.address.module.path, table_key(own.mode, own.type, own.name))
        if finding.kind != CHANGED:
            # What is neither there nor declared is only to be taken out of the state.
            if finding.repair is not Action.NO_OP:
                self._by_hand(
                    finding, (), "It is gone: remove its block, or let a repair make it again.", None
                )
            return
        if finding.repair is Action.DELETE:
            self._by_hand(
                finding, (), "It is not declared any more: apply that, or write its block again.", None
            )
            return
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
            wishes = _wishes(part, part.declared, after, node.decoder)
            if isinstance(wishes, str):
                self._by_hand(finding, part.difference.path, wishes, part.declared.range)
                continue
            for wish in wishes:
                wished = self._wishes.setdefault(wish.identity, _Wished(wish))
                wished.texts.add(wish.text)
                wished.parts.append((finding, part))

    def _by_hand(self, finding: Finding, path: Path, reason: str, range: SourceRange | None) -> None:
        text = path_text(path) if path else ""
        key = (finding.address, text, reason)
        self._advice.setdefault(key, (finding, Advice(str(finding.address), text, reason, range)))

    def result(self, findings: list[Finding]) -> Acceptance:
        """All changes that every object they concern agrees with."""
        agreed: list[Wish] = []
        for wished in self._wishes.values():
            finding, part = wished.parts[0]
            total = self._total(finding)
            drifted = len({one.address for one, _ in wished.parts})
            if len(wished.texts) == 1 and drifted >= total:
                agreed.append(wished.wish)
                continue
            for finding, part in wished.parts:
                assert part.declared is not None
                self._by_hand(finding, part.difference.path, _shared(finding, total), part.declared.range)
        unsettled = {finding.address for finding, _ in self._advice.values()}
        return Acceptance(
            tuple(edits_of(agreed)),
            tuple(advice for _, advice in self._advice.values()),
            tuple(str(one.address) for one in findings if one.address not in unsettled),
        )

    def _total(self, finding: Finding) -> int:
        own = finding.address.resource
        node = self._program.resource(finding.address.module.path, table_key(own.mode, own.type, own.name))
        assert node is not None
        return self._instances[node.config.range.filename, node.config.range.start]


def _shared(finding: Finding, total: int) -> str:
    differ = (
        "let the value differ by each.key or count.index"
        if finding.address.key is not None
        else "make the value a variable of the module"
    )
    return f"The literal makes {total} objects, which do not all have the same value now: {differ}."


def _wishes(part: AttributeDrift, written: Written, after: Value, decoder: Decoder) -> list[Wish] | str:
    """What the source needs to declare a value, or why that is for a person to do."""
    difference, expression = part.difference, written.expression
    if difference.sensitive:
        return "It is sensitive, and is not written into the source: change what gives its value."
    if written.range.filename.endswith(".json"):
        return "It is written in JSON syntax: change it there."
    if written.dynamic:
        return "A dynamic block makes it: change what its for_each goes through."
    if expression is None:
        return "It is a block: add, change or remove the block."
    if is_heredoc(expression):
        return "It is a heredoc: change the text there."
    own = difference.path[: len(difference.path) - len(written.rest)]
    entry = _entry(part, written, own, decoder)
    if entry is not None:
        holder, name = entry
        if not is_null(difference.after):
            return [added(holder, name, difference.after)]
        gone = removed(holder, name)
        return _origin(expression) if gone is None else [gone]
    wishes = None if written.rest else reconcile(expression, value_at(after, own))
    return _origin(expression) if wishes is None else wishes


def _entry(
    part: AttributeDrift, written: Written, own: Path, decoder: Decoder
) -> tuple[ObjectExpression, str] | None:
    """Where an entry of a map came or went: the object that is written for the map, and the entry's key."""
    difference = part.difference
    if difference.element or not difference.path:
        return None
    step = difference.path[-1]
    key = step.name if isinstance(step, GetAttr) else step.key
    if not isinstance(key, str):
        return None
    holder: Written | None = None
    if is_null(difference.before) and written.rest == (step,):
        holder = written
    elif is_null(difference.after) and not written.rest and len(own) > 1:
        holder = decoder.written_at(own[:-1])
    if holder is None or holder.expression is None or (holder is not written and holder.rest):
        return None
    inner = bare(holder.expression)
    return (inner, key) if isinstance(inner, ObjectExpression) else None


def _origin(expression: Expression) -> str:
    """Which expression makes a value that is no literal."""
    text = " ".join(expression.range.text.split())
    shown = text if len(text) <= 60 else f"{text[:60]}..."
    names = list(dict.fromkeys(map(str, References(expression).found)))
    where = f", which depends on {', '.join(names)}" if names and names != [shown] else ""
    return f"It is made by an expression: change {shown}{where}."
