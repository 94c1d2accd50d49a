"""The values of all blocks of one kind made into one value: an object, a list, a set or a map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, SourceRange, error
from twinfra.schema import Block, NestedBlock, Nesting
from twinfra.values.sets import make_set
from twinfra.values.types import ListType, MapType, SetType, Type
from twinfra.values.value import List, Map, Set, Unknown, Value


@dataclass(frozen=True, slots=True)
class Row:
    """The value of one block, and its label where its kind has one."""

    value: dict[str, Any]
    range: SourceRange
    label: str = ""
    label_range: SourceRange | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of blocks inside a body that ends at `end`.

    `type` is that of one block's value; `empty` is what there is without any block.
    """

    name: str
    schema: NestedBlock
    type: Type
    end: SourceRange
    empty: Value


def collection_type(kind: NestedBlock, inner: Type) -> Type:
    """The type of all blocks of a kind together."""
    made = {Nesting.LIST: ListType, Nesting.SET: SetType, Nesting.MAP: MapType}.get(kind.nesting)
    return inner if made is None else made(inner)


def empty_value(kind: NestedBlock) -> Value:
    """What there is where a body has no block of a kind."""
    if kind.nesting is Nesting.SINGLE:
        return None
    if kind.nesting is Nesting.GROUP:
        return empty_object(kind.block)
    inner = kind.block.type
    if kind.nesting is Nesting.MAP:
        return Map({}, inner)
    return List((), inner) if kind.nesting is Nesting.LIST else Set((), inner)


def empty_object(block: Block) -> dict[str, Value]:
    """The value of a block in which nothing is written."""
    value: dict[str, Value] = dict.fromkeys(block.attributes)
    for name, nested in block.blocks.items():
        value[name] = empty_value(nested)
    return value


def count_problem(kind: Kind, ranges: Sequence[SourceRange], at_least: bool = True) -> Diagnostic | None:
    """What is wrong with the number of blocks of a kind; `at_least`: also whether there are too few."""
    schema, name = kind.schema, kind.name
    single = schema.nesting in (Nesting.SINGLE, Nesting.GROUP)
    most = 1 if single else schema.max_items
    count = len(ranges)
    if most and count > most:
        allowed = "one block" if most == 1 else f"{most} blocks"
        return error(
            "Too many blocks",
            f"There may be at most {allowed} of type {name} here; the first is at {ranges[0]}.",
            ranges[most],
            mend=f"Keep {'one of them' if most == 1 else f'{most} of them'}.",
        )
    least = schema.min_items if schema.nesting is not Nesting.GROUP else 0
    if at_least and count < least:
        needed = f"A block {name} is" if least == 1 else f"At least {least} blocks {name} are"
        there = "" if least == 1 else f" There {'is' if count == 1 else 'are'} {count or 'none'}."
        return error(
            "Missing block", f"{needed} required here.{there}", kind.end, mend=f"Add {name} {{ ... }}."
        )
    return None


def collect(kind: Kind, rows: Sequence[Row], known: bool, found: list[Diagnostic]) -> Value:
    """One value for all blocks; not `known`: how many there are is known only at the apply."""
    problem = count_problem(kind, [row.range for row in rows], known)
    if problem is not None:
        found.append(problem)
    if not known:
        return Unknown(collection_type(kind.schema, kind.type))
    if not rows:
        return kind.empty
    nesting = kind.schema.nesting
    if nesting is Nesting.LIST:
        return List([row.value for row in rows], kind.type)
    if nesting is Nesting.SET:
        return make_set([row.value for row in rows], kind.type)
    if nesting is not Nesting.MAP:
        return rows[0].value
    values: dict[str, Value] = {}
    for row in rows:
        if row.label in values:
            found.append(
                error(
                    "Block given twice",
                    f'There is another {kind.name} block with the label "{row.label}".',
                    row.label_range or row.range,
                    mend="Keep one of the two, or change the label.",
                )
            )
        values[row.label] = row.value
    return Map(values, kind.type)
