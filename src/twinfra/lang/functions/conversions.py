"""Functions that convert values to a type, and that tell or change what is sensitive or ephemeral about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from twinfra.lang.functions.declaration import FunctionError, function, parameter
from twinfra.lang.scope import EvaluationContext
from twinfra.values.console import type_of_type, type_value
from twinfra.values.convert import ConversionError, convert, type_of
from twinfra.values.marks import has_marks, mark, unmark
from twinfra.values.types import (
    BOOL,
    DYNAMIC,
    NUMBER,
    STRING,
    ListType,
    MapType,
    SetType,
    Type,
)
from twinfra.values.unify import can_convert
from twinfra.values.value import (
    EPHEMERAL,
    SENSITIVE,
    TYPE,
    List,
    Map,
    Marked,
    Unknown,
    Value,
    null_of,
    read_element,
    stored_element,
)

_ANY = parameter("v", DYNAMIC, "the value to convert", allow_null=True, allow_unknown=True, allow_marked=True)
_VALUE = parameter("value", DYNAMIC, "the value", allow_null=True, allow_unknown=True, allow_marked=True)


def _converter(wanted: Type) -> Callable[[Value], Value]:
    def implementation(value: Value) -> Value:
        bare, marks = unmark(value)
        if type(bare) is Unknown and can_convert(bare.type, wanted):
            return mark(Unknown(wanted), marks)
        try:
            return convert(value, wanted)
        except ConversionError as failed:
            if has_marks(value, SENSITIVE):
                raise FunctionError("this sensitive value cannot be converted", 0) from None
            raise FunctionError(f'"v": {failed.reason}', 0) from None

    return implementation


def _return_type(wanted: Type) -> Callable[[Sequence[Value]], Type]:
    def returns(arguments: Sequence[Value]) -> Type:
        return type_of(_converter(wanted)(Unknown(type_of(arguments[0]))))

    return returns


@function("tostring", "Converts a value to a string.", _ANY, returns=STRING, refine_not_null=False)
def tostring(value: Value) -> Value:
    """Numbers and bools become their texts."""
    return _converter(STRING)(value)


@function("tonumber", "Converts a value to a number.", _ANY, returns=NUMBER, refine_not_null=False)
def tonumber(value: Value) -> Value:
    """A string must write a number in decimal."""
    return _converter(NUMBER)(value)


@function("tobool", "Converts a value to a bool.", _ANY, returns=BOOL, refine_not_null=False)
def tobool(value: Value) -> Value:
    """A string must be `true` or `false`."""
    return _converter(BOOL)(value)


@function(
    "tolist",
    "Converts a value to a list.",
    _ANY,
    returns=_return_type(ListType(DYNAMIC)),
    refine_not_null=False,
)
def tolist(value: Value) -> Value:
    """The elements of a tuple must have one type that all can be converted to."""
    return _converter(ListType(DYNAMIC))(value)


@function(
    "toset", "Converts a value to a set.", _ANY, returns=_return_type(SetType(DYNAMIC)), refine_not_null=False
)
def toset(value: Value) -> Value:
    """Of equal elements one is left."""
    return _converter(SetType(DYNAMIC))(value)


@function(
    "tomap", "Converts a value to a map.", _ANY, returns=_return_type(MapType(DYNAMIC)), refine_not_null=False
)
def tomap(value: Value) -> Value:
    """The attributes of an object must have one type that all can be converted to."""
    return _converter(MapType(DYNAMIC))(value)


@function(
    "type",
    "The type of a value, for people to read; only in the console.",
    _VALUE,
    returns=DYNAMIC,
    refine_not_null=False,
    needs_context=True,
)
def type_(context: EvaluationContext, value: Value) -> Value:
    """Its answer can be shown, and nothing else."""
    if not context.console:
        raise FunctionError("the function type is there only in the console")
    return type_of_type() if has_marks(value, TYPE) else type_value(type_of(value))


def _same_type(arguments: Sequence[Value]) -> Type:
    return type_of(arguments[0])


@function(
    "sensitive",
    "Marks a value as sensitive: it is not shown, and neither is what is made from it.",
    _VALUE,
    returns=_same_type,
    refine_not_null=False,
)
def sensitive(value: Value) -> Value:
    """A value that is sensitive already stays as it is."""
    return mark(value, (SENSITIVE,))


@function(
    "nonsensitive",
    "Takes the sensitive mark off a value, so that it is shown.",
    _VALUE,
    returns=_same_type,
    refine_not_null=False,
)
def nonsensitive(value: Value) -> Value:
    """Marks deeper inside stay, as do other marks."""
    bare, marks = unmark(value)
    return mark(bare, marks - {SENSITIVE})


@function("issensitive", "Whether a value is marked as sensitive.", _VALUE, returns=BOOL)
def issensitive(value: Value) -> Value:
    """Marks deeper inside do not count. What is unknown may yet turn out to be sensitive."""
    bare, marks = unmark(value)
    if SENSITIVE in marks:
        return True
    return Unknown(BOOL) if type(bare) is Unknown else False


@function(
    "ephemeralasnull",
    "The value with null in place of everything ephemeral, at any depth.",
    _VALUE,
    returns=_same_type,
    refine_not_null=False,
)
def ephemeralasnull(value: Value) -> Value:
    """So that values which hold something ephemeral can be kept."""
    return _without_ephemeral(value) if has_marks(value, EPHEMERAL) else value


def _without_ephemeral(value: Value) -> Value:
    kind = type(value)
    if kind is Marked:
        if EPHEMERAL in value.marks:
            return mark(null_of(type_of(value.value)), value.marks - {EPHEMERAL})
        return mark(_without_ephemeral(value.value), value.marks)
    if kind is dict:
        return {name: _without_ephemeral(inner) for name, inner in value.items()}
    if kind is tuple:
        return tuple(map(_without_ephemeral, value))
    if kind is Map:
        members = {
            key: _without_ephemeral(read_element(inner, value.element)) for key, inner in value.items()
        }
        return Map({key: stored_element(inner) for key, inner in members.items()}, value.element)
    if kind is List:
        items = [_without_ephemeral(read_element(inner, value.element)) for inner in value]
        return List(map(stored_element, items), value.element)
    return value
