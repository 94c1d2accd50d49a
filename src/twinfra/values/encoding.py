"""Values and types as JSON: the text that `jsonencode` writes, and the plain Python that states and plans hold.

Plain Python here is what `json` knows, with every number exact: `int` where whole, `decimal.Decimal` otherwise.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeAlias
from unicodedata import normalize

from twinfra.values.numbers import NumberError, format_number, is_number, parse_number
from twinfra.values.sets import make_set
from twinfra.values.types import (
    BOOL,
    DYNAMIC,
    NUMBER,
    STRING,
    DynamicType,
    ListType,
    MapType,
    ObjectType,
    PrimitiveType,
    SetType,
    TupleType,
    Type,
    describe,
)
from twinfra.values.value import List, Map, Marked, Null, Set, Unknown, Value, null_of, stored_element

Json: TypeAlias = Any
"""What `json.loads` gives, with numbers as `int` and `Decimal`."""


class EncodingError(ValueError):
    """Why a value has no such form, or a text is none of a value; `reason` is in words for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


# -- JSON text

_ESCAPED = re.compile('[\x00-\x1f"\\\\<>&\u2028\u2029]')
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def encode_json(value: Value) -> str:
    """A wholly known value without marks as JSON in one line, keys in order.

    Characters with a meaning in HTML are escaped, as `jsonencode` has it. Raises `EncodingError` for infinities.
    """
    parts: list[str] = []
    _write(value, parts.append)
    return "".join(parts)


def _quoted(text: str) -> str:
    return f'"{_ESCAPED.sub(_escape, text)}"'


def _escape(found: re.Match[str]) -> str:
    char = found[0]
    return _SHORT.get(char) or f"\\u{ord(char):04x}"


def _write(value: Value, put: Callable[[str], None]) -> None:
    kind = type(value)
    if kind is str:
        put(_quoted(value))
    elif kind is bool:
        put("true" if value else "false")
    elif kind is int:
        put(_number_text(value))
    elif value is None or kind is Null:
        put("null")
    elif kind is dict or kind is Map:
        separator = "{"
        for key in sorted(value):
            put(f"{separator}{_quoted(key)}:")
            _write(value[key], put)
            separator = ","
        put("}" if value else "{}")
    elif kind is tuple or kind is List or kind is Set:
        separator = "["
        for item in value:
            put(separator)
            _write(item, put)
            separator = ","
        put("]" if value else "[]")
    elif is_number(value):
        put(_number_text(value))
    else:
        raise EncodingError("a value that is not known yet, or marked, has no JSON form")


def _number_text(number: Value) -> str:
    try:
        text = format_number(number)
    except NumberError as failed:
        raise EncodingError(failed.reason) from None
    if text.endswith("Inf"):
        raise EncodingError("infinity has no JSON form")
    return text


def decode_json(text: str) -> Value:
    """The value of a JSON document: objects, tuples, strings, numbers, bools and untyped nulls.

    Numbers keep all their digits; of equal keys the last one counts. Raises `EncodingError`.
    """
    try:
        value = json.loads(
            text,
            parse_float=_number,
            parse_int=_number,
            parse_constant=_no_constant,
            object_pairs_hook=_object,
        )
    except json.JSONDecodeError as failed:
        raise EncodingError(f"{_problem(failed)} at line {failed.lineno}, column {failed.colno}") from None
    except NumberError as failed:
        raise EncodingError(failed.reason) from None
    return _decoded(value)


_PROBLEMS = {
    "Expecting value": "a value is missing",
    "Extra data": "there is more after the end of the document",
    "Expecting property name enclosed in double quotes": "the name of a member, in double quotes, is missing",
    "Expecting ':' delimiter": "a colon is missing",
    "Expecting ',' delimiter": "a comma is missing",
    "Illegal trailing comma before end of object": "a comma with nothing after it",
    "Illegal trailing comma before end of array": "a comma with nothing after it",
    "Invalid control character at": "a control character inside a string, which must be escaped,",
    "Unterminated string starting at": "a string without an end starts",
}


def _problem(failed: json.JSONDecodeError) -> str:
    if not failed.doc.strip(" \t\r\n"):
        return "there is no value"
    return _PROBLEMS.get(failed.msg, "something that JSON does not have")


def _number(text: str) -> Value:
    return parse_number(text)


def _no_constant(text: str) -> Value:
    raise EncodingError(f"{text} is no value of JSON")


def _object(members: list[tuple[str, Value]]) -> Value:
    made: dict[str, Value] = {}
    for name, inner in members:
        if not name.isascii():
            clean = _text(name)
            if clean != name and clean in made:
                raise EncodingError(f'two members have the name "{clean}"')
            name = clean
        made[name] = inner
    return made


def _text(text: str) -> str:
    if text.isascii():
        return text
    return normalize("NFC", _LONE_SURROGATE.sub("\ufffd", text))


def _decoded(value: Any) -> Value:
    kind = type(value)
    if kind is str:
        return _text(value)
    if kind is dict:
        return {name: _decoded(inner) for name, inner in value.items()}
    if kind is list:
        return tuple([_decoded(inner) for inner in value])
    return value


# -- types

_PRIMITIVES: dict[str, Type] = {"string": STRING, "number": NUMBER, "bool": BOOL, "dynamic": DYNAMIC}
_COLLECTIONS: dict[str, type[ListType] | type[SetType] | type[MapType]] = {
    "list": ListType,
    "set": SetType,
    "map": MapType,
}


def type_to_json(type: Type) -> Json:
    """A type in the notation of states and plans: `"string"`, `["list", "string"]`, `["object", {...}]`."""
    if isinstance(type, ListType):
        return ["list", type_to_json(type.element)]
    if isinstance(type, SetType):
        return ["set", type_to_json(type.element)]
    if isinstance(type, MapType):
        return ["map", type_to_json(type.element)]
    if isinstance(type, TupleType):
        return ["tuple", [type_to_json(one) for one in type.elements]]
    if isinstance(type, ObjectType):
        attributes = {name: type_to_json(kind) for name, kind in sorted(type.attributes.items())}
        return ["object", attributes, sorted(type.optional)] if type.optional else ["object", attributes]
    return "dynamic" if isinstance(type, DynamicType) else str(type)


def type_from_json(form: Json) -> Type:
    """The type of a notation. Raises `EncodingError` for anything else."""
    if isinstance(form, str) and form in _PRIMITIVES:
        return _PRIMITIVES[form]
    if isinstance(form, list) and len(form) in (2, 3) and isinstance(form[0], str):
        name, inner, *rest = form
        if name in _COLLECTIONS and not rest:
            return _COLLECTIONS[name](type_from_json(inner))
        if name == "tuple" and isinstance(inner, list) and not rest:
            return TupleType(tuple(map(type_from_json, inner)))
        if name == "object" and isinstance(inner, dict):
            optional = rest[0] if rest else []
            if isinstance(optional, list) and set(optional) <= inner.keys():
                attributes = {key: type_from_json(kind) for key, kind in inner.items()}
                return ObjectType(attributes, frozenset(optional))
    raise EncodingError(f"{json.dumps(form, default=str)} is not a type")


# -- values of a known type


def value_to_json(value: Value, type: Type) -> Json:
    """A wholly known value without marks, of the type given, as plain Python.

    Where the type is `DYNAMIC` the form is `{"value": ..., "type": ...}`, and None for a null, as in states.
    Raises `EncodingError` for unknown and marked values and infinities.
    """
    kind = value.__class__
    if kind is str or kind is bool or kind is int:
        if isinstance(type, DynamicType):
            return {"value": value, "type": type_to_json(_type_of(value))}
        return value
    if value is None or kind is Null:
        return _typed_null(value) if isinstance(type, DynamicType) else None
    if kind is Unknown or kind is Marked:
        raise EncodingError("a value that is not known yet, or marked, has no JSON form")
    if isinstance(type, DynamicType):
        found = _type_of(value)
        return {"value": value_to_json(value, found), "type": type_to_json(found)}
    if kind is dict:
        if isinstance(type, ObjectType):
            attributes = type.attributes
            return {name: value_to_json(value[name], attributes[name]) for name in sorted(value)}
        return {name: value_to_json(value[name], DYNAMIC) for name in sorted(value)}
    if kind is tuple:
        if isinstance(type, TupleType):
            return [value_to_json(inner, one) for inner, one in zip(value, type.elements, strict=True)]
        return [value_to_json(inner, DYNAMIC) for inner in value]
    if kind is List or kind is Set or kind is Map:
        element = value.element
        if isinstance(type, ListType | SetType | MapType) and isinstance(type.element, DynamicType):
            element = DYNAMIC
        if kind is Map:
            return {name: value_to_json(value[name], element) for name in sorted(value)}
        return [value_to_json(inner, element) for inner in value]
    return Decimal(_number_text(value))


def _type_of(value: Value) -> Type:
    from twinfra.values.convert import type_of

    return type_of(value)


def _typed_null(value: Value) -> Json:
    return {"value": None, "type": type_to_json(value.type)} if type(value) is Null else None


def value_from_json(raw: Json, type: Type) -> Value:
    """The value of a type that plain Python stands for.

    Numbers and bools may be written as strings and the other way round. Raises `EncodingError`.
    """
    if isinstance(type, PrimitiveType):
        return null_of(type) if raw is None else _primitive(raw, type)
    if isinstance(type, DynamicType):
        return _dynamic(raw)
    if raw is None:
        return null_of(type)
    if isinstance(type, ListType | SetType):
        if isinstance(raw, list | tuple):
            items = [stored_element(value_from_json(one, type.element)) for one in raw]
            element = _one_type(items, type.element)
            return List(items, element) if isinstance(type, ListType) else make_set(items, element)
    elif isinstance(type, MapType):
        if isinstance(raw, dict):
            members = {_text(key): value_from_json(one, type.element) for key, one in raw.items()}
            element = _one_type(members.values(), type.element)
            return Map({key: stored_element(one) for key, one in members.items()}, element)
    elif isinstance(type, TupleType):
        if isinstance(raw, list | tuple) and len(raw) == len(type.elements):
            return tuple([value_from_json(one, kind) for one, kind in zip(raw, type.elements, strict=True)])
    elif isinstance(type, ObjectType) and isinstance(raw, dict):
        for name in raw:
            if name not in type.attributes:
                raise EncodingError(f"there is an attribute {name} that is not in the type")
        return {name: value_from_json(raw.get(name), kind) for name, kind in type.attributes.items()}
    raise EncodingError(f"{describe(type)} is needed, not {_shown(raw)}")


def _one_type(items: Any, element: Type) -> Type:
    """The element type of a collection, told by the elements where the collection's type leaves it open."""
    if not isinstance(element, DynamicType):
        return element
    kinds = {_type_of(item) for item in items} - {DYNAMIC}
    return kinds.pop() if len(kinds) == 1 else DYNAMIC


def _dynamic(raw: Json) -> Value:
    if raw is None:
        return None
    if isinstance(raw, dict) and raw.keys() == {"value", "type"}:
        return value_from_json(raw["value"], type_from_json(raw["type"]))
    raise EncodingError(f"a value with its type is needed, not {_shown(raw)}")


def _primitive(raw: Json, type: PrimitiveType) -> Value:
    if type == STRING:
        if isinstance(raw, str):
            return _text(raw)
        if isinstance(raw, bool):
            return "true" if raw else "false"
        if isinstance(raw, int | float | Decimal):
            return format_number(_exact(raw))
    elif type == BOOL:
        if isinstance(raw, bool):
            return raw
        if raw in ("true", "false"):
            return raw == "true"
    elif not isinstance(raw, bool) and isinstance(raw, int | float | Decimal | str):
        return _exact(raw)
    raise EncodingError(f"{type} is needed, not {_shown(raw)}")


def _exact(raw: int | float | Decimal | str) -> Value:
    if raw.__class__ is int and -(2**512) < raw < 2**512:
        return raw
    try:
        return parse_number(repr(raw) if isinstance(raw, float) else str(raw))
    except NumberError:
        raise EncodingError(f"a number is needed, not {_shown(raw)}") from None


def _shown(raw: Json) -> str:
    """What something is, without telling what may be a secret."""
    if raw is None:
        return "null"
    if isinstance(raw, bool):
        return "a bool"
    if isinstance(raw, str):
        return "a string"
    if isinstance(raw, int | float | Decimal):
        return "a number"
    return (
        "an object" if isinstance(raw, dict) else "an array" if isinstance(raw, list) else type(raw).__name__
    )
