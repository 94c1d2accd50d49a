"""From the path of a value to the place in the source where it is written."""

from __future__ import annotations

from twinfra.dataclass import dataclass
from twinfra.decode.parts import Nested, Part
from twinfra.diagnostics import SourceRange
from twinfra.lang.nodes import Expression, Literal, ObjectExpression, Parentheses, TupleExpression
from twinfra.values.value import GetAttr, Index, Path


@dataclass(frozen=True, slots=True)
class Written:
    """Where the value at a path is written, as closely as the source tells.

    `expression` makes it, or makes what holds it: `rest` are the steps that lead on from that expression's
    value. Without an expression a block is all that is written: `rest` is what is missing in it, and empty
    where the path is that of the block. `dynamic`: a `dynamic` block makes it.
    """

    expression: Expression | None
    rest: Path
    range: SourceRange
    dynamic: bool = False


def place_of(part: Part, path: Path) -> SourceRange | None:
    """Where the value at a path is written: the innermost expression or block header that is sure to hold it."""
    found = written_at(part, path)
    return None if found is None else found.range


def written_at(part: Part, path: Path) -> Written | None:
    """What makes the value at a path; None where nothing is written that could."""
    if not path or not isinstance(path[0], GetAttr):
        return Written(None, path, part.range)
    name, rest = path[0].name, path[1:]
    attribute = part.attributes.get(name)
    if attribute is not None:
        return inside(attribute.expression, rest)
    nested = part.nested.get(name)
    return None if nested is None else _among(nested, rest)


def _among(nested: Nested, path: Path) -> Written | None:
    """Where the value at a path that begins below all blocks of a kind is written."""
    occurrences = nested.occurrences
    if not occurrences:
        return None
    chosen = occurrences[0] if len(occurrences) == 1 else None
    rest = path
    if path and isinstance(path[0], Index):
        key = path[0].key
        if isinstance(key, int) and all(one.dynamic is None for one in occurrences[: key + 1]):
            chosen = occurrences[key] if key < len(occurrences) else None
        elif isinstance(key, str):
            chosen = next((one for one in occurrences if one.label == key and one.dynamic is None), chosen)
        rest = path[1:]
    made = next((one.dynamic for one in occurrences if one.dynamic is not None), None)
    if chosen is None:
        return Written(None, path, occurrences[0].range, made is not None)
    if not rest:
        return Written(None, (), chosen.range, chosen.dynamic is not None)
    found = written_at(chosen.part, rest) or Written(None, rest, chosen.range)
    return Written(found.expression, found.rest, found.range, found.dynamic or chosen.dynamic is not None)


def inside(expression: Expression, path: Path) -> Written:
    """The part of an expression that makes the value at a path, as far as it is written out."""
    left = path
    for step in path:
        while isinstance(expression, Parentheses):
            expression = expression.inner
        key = step.name if isinstance(step, GetAttr) else step.key
        if isinstance(expression, TupleExpression) and isinstance(key, int):
            if not 0 <= key < len(expression.elements):
                break
            expression = expression.elements[key]
        elif isinstance(expression, ObjectExpression):
            found = [
                item.value
                for item in expression.items
                if isinstance(item.key, Literal) and item.key.value == key
            ]
            if not found:
                break
            expression = found[-1]
        else:
            break
        left = left[1:]
    return Written(expression, left, expression.range)
