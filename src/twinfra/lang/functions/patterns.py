"""Functions that search strings with regular expressions, and `replace`, which can."""

from __future__ import annotations

from collections.abc import Sequence

from twinfra.lang.functions.arguments import normal_text
from twinfra.lang.functions.declaration import FunctionError, function, parameter
from twinfra.lang.functions.expressions import Match, Pattern, PatternError, compile_pattern
from twinfra.values.types import DYNAMIC, STRING, ListType, ObjectType, TupleType, Type
from twinfra.values.value import List, Null, Unknown, Value

_NULL_STRING = Null(STRING)


def _compiled(pattern: str) -> Pattern:
    """The pattern, whose groups are either all named or all unnamed."""
    try:
        compiled = compile_pattern(pattern)
    except PatternError as failure:
        raise FunctionError(f"not a regular expression: {failure.reason}", 0) from failure
    if any(compiled.names) and not all(compiled.names):
        raise FunctionError("either all groups of the pattern must have names, or none", 0)
    return compiled


def _match_type(arguments: Sequence[Value]) -> Type:
    if type(arguments[0]) is Unknown:
        return DYNAMIC
    names = _compiled(arguments[0]).names
    if not names:
        return STRING
    return ObjectType(dict.fromkeys(names, STRING)) if names[0] else TupleType((STRING,) * len(names))


def _match_value(pattern: Pattern, match: Match) -> Value:
    if not pattern.names:
        return match[0]
    groups = [_NULL_STRING if one is None else one for one in match[1:]]
    return dict(zip(pattern.names, groups, strict=True)) if pattern.names[0] else tuple(groups)


@function(
    "regex",
    "Finds the first match of a regular expression: the matching text, or what its groups matched.",
    parameter("pattern", STRING, "the regular expression, in RE2 syntax"),
    parameter("string", STRING, "the string to search"),
    returns=_match_type,
)
def regex(pattern: str, text: str) -> Value:
    """A string without groups, a tuple with unnamed ones, an object with named ones. No match is an error."""
    compiled = _compiled(pattern)
    match = compiled.first(text)
    if match is None:
        raise FunctionError("the pattern matches no part of the string")
    return _match_value(compiled, match)


@function(
    "regexall",
    "Finds all matches of a regular expression, each as `regex` gives it.",
    parameter("pattern", STRING, "the regular expression, in RE2 syntax"),
    parameter("string", STRING, "the string to search"),
    returns=lambda arguments: ListType(_match_type(arguments)),
)
def regexall(pattern: str, text: str) -> Value:
    """A list, empty without a match."""
    compiled = _compiled(pattern)
    return List([_match_value(compiled, match) for match in compiled.all(text)], _match_type((pattern,)))


@function(
    "replace",
    "Replaces each occurrence of a text, or each match of a regular expression written between slashes.",
    parameter("str", STRING, "the string to search"),
    parameter("substr", STRING, "what to replace: a text, or `/pattern/`"),
    parameter("replace", STRING, "what to put instead; with a pattern, `$1` or `${name}` stand for groups"),
    returns=STRING,
)
def replace(text: str, wanted: str, replacement: str) -> str:
    """An empty text occurs before each character and at the end."""
    if len(wanted) < 2 or not (wanted.startswith("/") and wanted.endswith("/")):
        return normal_text(text.replace(wanted, replacement))
    try:
        pattern = compile_pattern(wanted[1:-1])
    except PatternError as failure:
        raise FunctionError(f'"substr" is not a regular expression: {failure.reason}') from failure
    return normal_text(pattern.replace(text, replacement))
