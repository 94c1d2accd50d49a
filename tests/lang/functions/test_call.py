"""Calling functions: counts, nulls, conversion, unknown values and marks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from twinfra.lang.functions.call import ArgumentCountError, call
from twinfra.lang.functions.declaration import Function, FunctionError, parameter
from twinfra.lang.scope import EvaluationContext
from twinfra.values.types import DYNAMIC, NUMBER, STRING, ListType
from twinfra.values.value import EPHEMERAL, SENSITIVE, List, Marked, Null, Refinement, Unknown

CONTEXT = EvaluationContext(Path("."), "2020-01-01T00:00:00Z")
NOT_NULL = Refinement(not_null=True)
SECRET = frozenset((SENSITIVE,))


def declared(*parameters: Any, variadic: Any = None, returns: Any = STRING, **options: Any) -> Function:
    """A function that returns its arguments as they arrive."""

    def implementation(*arguments: Any) -> Any:
        return arguments

    return Function(
        "sample", "", parameters, variadic, returns, options.pop("run", implementation), **options
    )


def test_arguments_of_the_right_type_arrive_as_they_are() -> None:
    assert call(declared(parameter("a", STRING), parameter("b", NUMBER)), ["x", 1], CONTEXT) == ("x", 1)


def test_arguments_are_converted_to_the_type_of_their_parameter() -> None:
    function = declared(parameter("a", STRING), parameter("b", NUMBER), parameter("c", ListType(STRING)))
    assert call(function, [1, "2", (True, 3)], CONTEXT) == ("1", 2, List(("true", "3"), STRING))


def test_an_argument_that_cannot_be_converted_is_to_blame_with_the_name_of_its_parameter() -> None:
    function = declared(parameter("a", STRING), parameter("count", NUMBER))
    with pytest.raises(FunctionError, match="count") as caught:
        call(function, ["x", "y"], CONTEXT)
    assert caught.value.argument == 1


def test_a_null_is_refused_with_the_name_of_the_parameter() -> None:
    function = declared(parameter("a", STRING), parameter("b", DYNAMIC))
    for null in (None, Null(STRING), Marked(None, SECRET)):
        with pytest.raises(FunctionError, match='"b" must not be null') as caught:
            call(function, ["x", null], CONTEXT)
        assert caught.value.argument == 1


def test_a_parameter_may_allow_null() -> None:
    function = declared(parameter("a", DYNAMIC, allow_null=True), parameter("b", STRING, allow_null=True))
    assert call(function, [None, None], CONTEXT) == (None, Null(STRING))


def test_too_few_arguments_name_the_missing_one() -> None:
    with pytest.raises(ArgumentCountError, match='"b"') as caught:
        call(declared(parameter("a"), parameter("b"), variadic=parameter("c")), ["x"], CONTEXT)
    assert caught.value.missing
    assert caught.value.argument is None


def test_too_many_arguments_blame_the_first_that_is_too_many() -> None:
    with pytest.raises(ArgumentCountError) as caught:
        call(declared(parameter("a")), ["x", "y", "z"], CONTEXT)
    assert not caught.value.missing
    assert caught.value.argument == 1


def test_a_variadic_parameter_takes_all_the_rest() -> None:
    function = declared(parameter("a", STRING), variadic=parameter("b", NUMBER))
    assert call(function, ["x"], CONTEXT) == ("x",)
    assert call(function, ["x", "1", 2], CONTEXT) == ("x", 1, 2)


def test_an_unknown_argument_makes_the_result_unknown_and_not_null() -> None:
    function = declared(parameter("a", STRING), returns=NUMBER)
    assert call(function, [Unknown(STRING)], CONTEXT) == Unknown(NUMBER, NOT_NULL)


def test_what_may_be_null_is_not_refined() -> None:
    function = declared(parameter("a", STRING), returns=NUMBER, refine_not_null=False)
    assert call(function, [Unknown(STRING)], CONTEXT) == Unknown(NUMBER)


def test_a_parameter_may_allow_unknown_values() -> None:
    function = declared(parameter("a", STRING, allow_unknown=True))
    assert call(function, [Unknown(STRING)], CONTEXT) == (Unknown(STRING),)


def test_the_result_type_may_depend_on_the_arguments() -> None:
    function = declared(
        parameter("a", STRING), parameter("b", DYNAMIC), returns=lambda given: ListType(STRING)
    )
    assert call(function, [Unknown(STRING), 1], CONTEXT) == Unknown(ListType(STRING), NOT_NULL)


def test_an_argument_of_unknown_type_leaves_the_type_of_the_result_open() -> None:
    assert call(declared(parameter("a", DYNAMIC), returns=NUMBER), [Unknown()], CONTEXT) == Unknown()


def test_unknown_parts_of_an_argument_reach_the_implementation() -> None:
    assert call(declared(parameter("a", DYNAMIC)), [(1, Unknown(STRING))], CONTEXT) == ((1, Unknown(STRING)),)


def test_marks_move_from_the_arguments_to_the_result_from_any_depth() -> None:
    function = declared(parameter("a", DYNAMIC), parameter("b", STRING))
    result = call(function, [(Marked(1, SECRET), 2), Marked("x", frozenset((EPHEMERAL,)))], CONTEXT)
    assert result == Marked(((1, 2), "x"), frozenset((SENSITIVE, EPHEMERAL)))


def test_marks_move_to_unknown_results_also_from_arguments_after_the_unknown_one() -> None:
    function = declared(parameter("a", STRING), parameter("b", STRING))
    result = call(function, [Unknown(STRING), Marked("x", SECRET)], CONTEXT)
    assert result == Marked(Unknown(STRING, NOT_NULL), SECRET)


def test_a_parameter_may_deal_with_marks_itself() -> None:
    function = declared(parameter("a", DYNAMIC, allow_marked=True))
    assert call(function, [Marked(1, SECRET)], CONTEXT) == (Marked(1, SECRET),)


def test_the_reason_of_a_failure_is_hidden_where_an_argument_is_sensitive() -> None:
    def fail(text: str) -> None:
        raise FunctionError(f"{text} is wrong", 0)

    function = declared(parameter("a", STRING), run=fail)
    with pytest.raises(FunctionError, match="hunter2"):
        call(function, ["hunter2"], CONTEXT)
    with pytest.raises(FunctionError) as caught:
        call(function, [Marked("hunter2", SECRET)], CONTEXT)
    assert "hunter2" not in caught.value.reason
    assert caught.value.argument == 0


def test_the_context_comes_first_where_it_is_asked_for() -> None:
    assert call(declared(parameter("a", STRING), needs_context=True), ["x"], CONTEXT) == (CONTEXT, "x")
    assert call(declared(parameter("a", STRING), needs_context=True), [1], CONTEXT) == (CONTEXT, "1")


def test_nesting_without_end_is_a_failure_of_the_call() -> None:
    value: Any = ()
    for _ in range(100_000):
        value = (value,)
    with pytest.raises(FunctionError, match="nested too deeply"):
        call(declared(parameter("a", DYNAMIC)), [value], CONTEXT)
