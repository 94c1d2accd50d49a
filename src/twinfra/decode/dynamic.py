"""What a `dynamic` block goes through, and the labels of the blocks it makes.

https://developer.hashicorp.com/terraform/language/expressions/dynamic-blocks tells the rules.
"""

from __future__ import annotations

from collections.abc import Iterable

from twinfra.diagnostics import DiagnosticError, SourceRange, error
from twinfra.lang.iteration import pairs
from twinfra.values.convert import ConversionError, convert, type_of
from twinfra.values.marks import unmark, without_traces
from twinfra.values.types import STRING, describe
from twinfra.values.value import List, Map, Set, Unknown, Value, is_null

_ITERABLE = frozenset((tuple, dict, List, Map, Set))


def elements_of(name: str, value: Value, place: SourceRange) -> Iterable[tuple[Value, Value]] | None:
    """Keys and elements of an unmarked `for_each`; None where it is not known yet. Raises `DiagnosticError`."""
    if is_null(value):
        raise DiagnosticError(
            error(
                "Null for_each",
                f"The for_each of a dynamic {name} block is null.",
                place,
                mend="Give an empty collection where there are no blocks to make.",
            )
        )
    if type(value) is Unknown:
        return None
    if type(value) not in _ITERABLE:
        raise DiagnosticError(
            error(
                "Unsuitable for_each",
                f"A dynamic block goes through a collection, and this is a {describe(type_of(value))}.",
                place,
                mend="Put a single value in brackets: [x].",
            )
        )
    return pairs(value)


def label_of(name: str, value: Value, place: SourceRange) -> str | None:
    """The label of a block; None where it is not known yet. Raises `DiagnosticError`."""
    plain, marks = unmark(value)
    marks = without_traces(marks)
    problem = ""
    if marks:
        problem = f"it is {' and '.join(sorted(marks))}"
    elif is_null(plain):
        problem = "it is null"
    else:
        try:
            plain = convert(plain, STRING)
        except ConversionError as refused:
            problem = str(refused)
    if problem:
        raise DiagnosticError(
            error(
                "Unsuitable label",
                f"The label of a dynamic {name} block does not do: {problem}.",
                place,
                mend="Give a string.",
            )
        )
    return None if type(plain) is Unknown else plain
