"""What functions can tell while an argument is unknown. The answers were seen with stock Terraform."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from twinfra.lang.functions import lookup
from twinfra.lang.functions.call import call
from twinfra.lang.functions.declaration import FunctionError
from twinfra.lang.scope import EvaluationContext
from twinfra.values.types import BOOL, DYNAMIC, NUMBER, STRING, ListType, ObjectType, SetType, TupleType, Type
from twinfra.values.value import UNKNOWN, List, Map, Refinement, Unknown

SOME = Unknown(STRING, Refinement(not_null=True))


def text(prefix: str) -> Unknown:
    return Unknown(STRING, Refinement(not_null=True, prefix=prefix))


def run(name: str, *arguments: Any) -> Any:
    function = lookup(name)
    assert function is not None
    return call(function, list(arguments), EvaluationContext(Path("."), "2020-01-01T00:00:00Z"))


@pytest.mark.parametrize(
    ("prefix", "wanted", "answer"),
    [
        ("ab", "a", True),
        ("ab", "ab", True),
        ("ab", "b", False),
        ("ab", "abc", None),
        ("", "", True),
        ("", "a", None),
    ],
)
def test_a_known_start_may_tell_whether_a_string_starts_with_another(
    prefix: str, wanted: str, answer: bool | None
) -> None:
    result = run("startswith", text(prefix), wanted)
    assert result is answer if answer is not None else result == Unknown(BOOL, Refinement(not_null=True))


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        ("[1, ", DYNAMIC),
        ('"a', STRING),
        (' "a', STRING),
        ("tr", BOOL),
        ("12", NUMBER),
        ("-1", NUMBER),
        ("nu", DYNAMIC),
        ("{", DYNAMIC),
        ("", DYNAMIC),
    ],
)
def test_the_start_of_a_json_document_tells_its_type(start: str, kind: Type) -> None:
    assert run("jsondecode", text(start)).type == kind


def test_what_cannot_become_json_is_an_error_at_once() -> None:
    with pytest.raises(FunctionError) as caught:
        run("jsondecode", text("xx"))
    assert caught.value.argument == 0


@pytest.mark.parametrize(
    ("value", "start"),
    [
        ({"a": SOME}, "{"),
        (Map({"a": SOME}, STRING), "{"),
        ((1, SOME), "["),
        (List([SOME], STRING), "["),
        (SOME, '"'),
        (Unknown(ListType(STRING), Refinement(not_null=True)), "["),
    ],
)
def test_json_of_something_unknown_has_a_known_start(value: Any, start: str) -> None:
    result = run("jsonencode", value)
    assert result.type == STRING
    assert result.refinement.prefix == start


def test_json_of_what_may_be_null_has_no_known_start() -> None:
    assert run("jsonencode", Unknown(STRING)) == Unknown(STRING)


def test_a_format_is_known_up_to_its_first_verb() -> None:
    result = run("format", "ab%d-%s", 1, SOME)
    assert result.type == STRING
    assert run("startswith", result, "a") is True


def test_a_format_with_an_argument_of_unknown_type_has_no_type() -> None:
    assert run("format", "%s", UNKNOWN) == UNKNOWN
    assert run("format", "%s", None) == UNKNOWN
    assert run("formatlist", "%s", UNKNOWN) == UNKNOWN


def test_format_does_not_check_verbs_while_an_argument_is_unknown() -> None:
    assert type(run("format", "%z %s", 1, SOME)) is Unknown


def test_formatlist_knows_each_element_on_its_own() -> None:
    assert run("formatlist", "%s", (SOME, "a")) == List((SOME, "a"), STRING)
    assert run("formatlist", "%s-%s", SOME, ("x", "y")) == List((SOME, SOME), STRING)
    assert run("formatlist", "%s", Unknown(ListType(STRING))).type == ListType(STRING)


def test_a_list_with_something_unknown_joins_to_something_unknown() -> None:
    assert run("join", ",", List(("a", SOME), STRING)) == SOME
    assert run("join", ",", Unknown(ListType(STRING))) == SOME


def test_a_null_among_them_does_not_count_yet() -> None:
    assert run("join", ",", List(("a", None), STRING), List((SOME,), STRING)) == SOME


@pytest.mark.parametrize(
    ("pattern", "kind"),
    [
        ("a", STRING),
        ("(a)(b)", TupleType((STRING, STRING))),
        ("(?P<x>a)", ObjectType({"x": STRING})),
    ],
)
def test_a_known_pattern_tells_the_type_of_its_matches(pattern: str, kind: Type) -> None:
    assert run("regex", pattern, SOME).type == kind
    assert run("regexall", pattern, SOME).type == ListType(kind)


def test_an_unknown_pattern_tells_nothing() -> None:
    assert run("regex", SOME, "a") == UNKNOWN
    assert run("regexall", SOME, "a").type == ListType(DYNAMIC)


def test_a_malformed_pattern_is_an_error_at_once() -> None:
    with pytest.raises(FunctionError) as caught:
        run("regexall", "(", SOME)
    assert caught.value.argument == 0


@pytest.mark.parametrize(
    ("name", "arguments", "kind"),
    [
        ("upper", (SOME,), STRING),
        ("split", (",", SOME), ListType(STRING)),
        ("fileset", (SOME, "*"), SetType(STRING)),
        ("fileexists", (SOME,), BOOL),
        ("timecmp", ("x", SOME), NUMBER),
        ("cidrsubnets", (SOME, 1), ListType(STRING)),
        ("csvdecode", (SOME,), DYNAMIC),
        ("yamldecode", (SOME,), DYNAMIC),
        ("yamlencode", ({"a": SOME},), STRING),
        ("provider::terraform::encode_expr", ((SOME,),), STRING),
        ("provider::terraform::encode_tfvars", ({"a": SOME},), STRING),
    ],
)
def test_an_unknown_argument_leaves_only_the_type(name: str, arguments: tuple[Any, ...], kind: Type) -> None:
    result = run(name, *arguments)
    assert type(result) is Unknown
    assert result.type == kind
