"""From the path of a value to the place in the source where it is written."""

from __future__ import annotations

from twinfra.decode.parts import Nested, Part
from twinfra.diagnostics import SourceRange
from twinfra.lang.nodes import Expression, Literal, ObjectExpression, Parentheses, TupleExpression
from twinfra.values.value import GetAttr, Index, Path


def place_of(part: Part, path: Path) -> SourceRange | None:
    """Where the value at a path is written: the innermost expression or block header that is sure to hold it."""
    if not path:
        return part.range
    step, rest = path[0], path[1:]
    if not isinstance(step, GetAttr):
        return part.range
    attribute = part.attributes.get(step.name)
    if attribute is not None:
        return _inside(attribute.expression, rest)
    nested = part.nested.get(step.name)
    return None if nested is None else _among(nested, rest)


def _among(nested: Nested, path: Path) -> SourceRange | None:
    """Where the value at a path that begins below all blocks of a kind is written."""
    occurrences = nested.occurrences
    if not occurrences:
        return None
    chosen = occurrences[0] if len(occurrences) == 1 else None
    if path and isinstance(path[0], Index):
        key = path[0].key
        if isinstance(key, int) and all(one.dynamic is None for one in occurrences[: key + 1]):
            chosen = occurrences[key] if key < len(occurrences) else None
        elif isinstance(key, str):
            chosen = next((one for one in occurrences if one.label == key and one.dynamic is None), chosen)
        path = path[1:]
    if chosen is None:
        return occurrences[0].range
    if not path:
        return chosen.range
    return place_of(chosen.part, path) or chosen.range


def _inside(expression: Expression, path: Path) -> SourceRange:
    """The range of the part of an expression that makes the value at a path, as far as it is written out."""
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
    return expression.range
