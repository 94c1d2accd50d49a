"""The way between attributes and API members: requests out of attributes, attributes out of the API's
objects.

Attributes are the language's values (`List`, `Set`, `Map`, `None`, ...); requests and answers are botocore's
plain Python.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from twinfra.providers.aws.comparison import is_empty, same
from twinfra.providers.aws.fields import Field
from twinfra.providers.aws.resource import Api, Attributes, Const, Source
from twinfra.providers.aws.waiting import dig
from twinfra.schema import Nesting
from twinfra.values.types import BOOL, NUMBER, STRING, ListType, MapType, ObjectType, SetType, Type
from twinfra.values.value import List, Map, Null, Set, Unknown

if TYPE_CHECKING:
    from twinfra.providers.aws.context import Context


@cache
def type_of(field: Field) -> Type:
    """The type of a field's value, nested fields included."""
    if field.fields is None:
        return field.type
    inner = ObjectType({name: type_of(one) for name, one in field.fields.items()})
    if field.nesting is Nesting.SINGLE or field.nesting is Nesting.GROUP:
        return inner
    return SetType(inner) if field.nesting is Nesting.SET else ListType(inner)


def shape(value: Any, kind: Type) -> Any:
    """Plain Python (lists, dicts, dates, floats, text for numbers) as a value of the type `kind`.

    Attributes that an object lacks become None. `Unknown`s stay.
    """
    if value is None or type(value) is Unknown:
        return value
    if kind is STRING:
        return _text(value)
    if kind is BOOL:
        return value.strip().lower() in ("true", "enabled", "1") if isinstance(value, str) else bool(value)
    if kind is NUMBER:
        return _number(value)
    if isinstance(kind, ListType):
        return List((shape(one, kind.element) for one in value), kind.element)
    if isinstance(kind, SetType):
        from twinfra.values.sets import make_set

        return make_set([shape(one, kind.element) for one in value], kind.element)
    if isinstance(kind, MapType):
        return Map({str(key): shape(one, kind.element) for key, one in _pairs(value).items()}, kind.element)
    if isinstance(kind, ObjectType):
        return {name: shape(value.get(name), inner) for name, inner in kind.attributes.items()}
    return value


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.datetime):
        return timestamp(value)
    if isinstance(value, bytes):
        return value.decode()
    return str(value)


def timestamp(value: datetime.datetime) -> str:
    """A time as RFC 3339 in UTC, to the second."""
    if value.tzinfo is not None:
        value = value.astimezone(datetime.UTC)
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")


def _number(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value
    if isinstance(value, float | str):
        from decimal import Decimal

        exact = Decimal(str(value))
        if exact == exact.to_integral_value():
            return int(exact)
        from twinfra.values.numbers import parse_number

        return parse_number(str(exact))
    return value


def _pairs(value: Any) -> Mapping[str, Any]:
    """A map from a structure, or from a list of Key (or key, Name) and Value."""
    if isinstance(value, Mapping):
        return value
    found = {}
    for one in value:
        key = one.get("Key", one.get("key", one.get("Name")))
        found[key] = one.get("Value", one.get("value"))
    return found


def plain(value: Any) -> Any:
    """A value of the language as plain Python for a request; None for what is null or unknown."""
    if value is None or type(value) is Unknown or type(value) is Null:
        return None
    if isinstance(value, str | bool | int):
        return value
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    return float(value)


def bare_nulls(value: Any) -> Any:
    """A value in which every null is plain None, whatever its type; the same object where nothing changes."""
    kind = type(value)
    if kind is Null:
        return None
    if kind is List or kind is Set:
        inner = [bare_nulls(one) for one in value]
        same_ones = all(one is other for one, other in zip(inner, value, strict=True))
        return value if same_ones else kind(inner, value.element)
    if kind is dict or kind is Map:
        changed = {key: bare for key, one in value.items() if (bare := bare_nulls(one)) is not one}
        if not changed:
            return value
        return Map({**value, **changed}, value.element) if kind is Map else {**value, **changed}
    return value


def without_unknown(attributes: Mapping[str, Any]) -> Attributes:
    """Attributes as functions of a resource get them: what is unknown yet is None."""
    return {name: _known(value) for name, value in attributes.items()}


def _known(value: Any) -> Any:
    if type(value) is Unknown:
        return None
    if type(value) is List:
        return List(map(_known, value), value.element)
    if type(value) is Set:
        return Set(map(_known, value), value.element)
    if type(value) is Map:
        return Map({key: _known(one) for key, one in value.items()}, value.element)
    if type(value) is dict:
        return {key: _known(one) for key, one in value.items()}
    return value


# Requests


def arguments(sources: Mapping[str, Source], attributes: Attributes) -> dict[str, Any]:
    """Request members from what a call declares in `args`; members that come to nothing are left out."""
    found: dict[str, Any] = {}
    for member, source in sources.items():
        value = _source(source, attributes)
        if value is not None:
            place(found, member, value)
    return found


def _source(source: Source, attributes: Attributes) -> Any:
    if isinstance(source, str):
        return plain(attributes.get(source))
    if isinstance(source, Const):
        return source.value
    if isinstance(source, list):
        inner = [one for one in (_source(each, attributes) for each in source) if one is not None]
        return inner or None
    if isinstance(source, dict):
        pairs = ((key, _source(one, attributes)) for key, one in source.items())
        return {key: one for key, one in pairs if one is not None} or None
    return plain(source(attributes))


def place(request: dict[str, Any], path: str, value: Any) -> None:
    """Put a value at a dotted member path, making structures on the way."""
    *steps, last = path.split(".")
    for step in steps:
        request = request.setdefault(step, {})
    request[last] = value


def request_of(
    fields: Mapping[str, Field],
    attributes: Attributes,
    only: Iterable[str] | None = None,
    clear: bool = False,
) -> dict[str, Any]:
    """Request members of the mapped fields that have a value (of those in `only`, if given).

    Empty strings and collections are left out, unless `clear`: then a field with none sends its `clear`
    value.
    """
    found: dict[str, Any] = {}
    names = fields if only is None else only
    for name in names:
        field = fields[name]
        target = field.writes
        value = attributes.get(name)
        if target == "" or type(value) is Unknown:
            continue
        if is_empty(value):
            if not clear or field.clear is None:
                continue
            raw = field.clear
            if callable(target):
                found |= target(raw)
                continue
        elif callable(target):
            found |= target(value)
            continue
        else:
            raw = request_value(field, value, clear)
        if isinstance(raw, dict) and "." not in target and isinstance(found.get(target), dict):
            found[target] |= raw
        else:
            place(found, target, raw)
    return found


def request_value(field: Field, value: Any, clear: bool = False) -> Any:
    """One field's value as its API member takes it: blocks written at most once are one structure."""
    if field.fields is None:
        return plain(value)
    if isinstance(value, dict):
        return request_of(field.fields, value, clear=clear)
    inner = [request_of(field.fields, one, clear=clear) for one in value if one is not None]
    return inner[0] if field.max_items == 1 and not field.listed else inner


# Objects read


def attributes_of(
    fields: Mapping[str, Field],
    found: Api,
    context: Context,
    held: Mapping[str, Any] | None = None,
    lenient: bool = False,
) -> Attributes:
    """Attributes out of the API's object; where the API never tells, what is `held` (the prior or planned
    value).

    `lenient`: the object is what a creating call answered and may lack what a read has: what a field's
    function does not find there is None.
    """
    result: Attributes = {}
    for name, field in fields.items():
        source = field.reads
        before = None if held is None else held.get(name)
        if field.write_only:
            result[name] = None
        elif source == "":
            result[name] = None if type(before) is Unknown else before
        elif callable(source):
            try:
                result[name] = shape(source(found, context), type_of(field))
            except (KeyError, IndexError, TypeError, AttributeError):
                if not lenient:
                    raise
                result[name] = None
        else:
            result[name] = read_value(field, dig(found, source), context, before)
    return result


def read_value(field: Field, raw: Any, context: Context, held: Any = None) -> Any:
    """One field's value out of what the API has at its place."""
    if field.fields is None or raw is None:
        return shape(
            [] if raw is None and field.fields is not None and not _single(field) else raw, type_of(field)
        )
    if isinstance(raw, dict):
        if _single(field):
            return attributes_of(field.fields, raw, context, held if isinstance(held, dict) else None)
        raw = [raw]
    before = held if isinstance(held, tuple) else ()
    ordered = field.nesting is Nesting.LIST
    inner = [
        attributes_of(field.fields, one, context, before[at] if ordered and at < len(before) else None)
        for at, one in enumerate(raw)
        if one is not None
    ]
    return shape(inner, type_of(field))


def _single(field: Field) -> bool:
    return field.nesting is Nesting.SINGLE or field.nesting is Nesting.GROUP


# Values that are known already


def settle(field: Field, known: Any, read: Any) -> Any:
    """What to store: the value already known (planned, or held in state) where the one read means the same.

    For nested blocks this is decided member by member where both have as many in the same order. Something
    unknown gives way to what was read.
    """
    if type(known) is Unknown:
        return read
    if same_field(field, known, read):
        return known
    if field.fields is not None and isinstance(known, dict) and isinstance(read, dict):
        return settle_all(field.fields, known, read)
    if (
        field.fields is not None
        and field.nesting is Nesting.LIST
        and isinstance(known, tuple)
        and isinstance(read, tuple)
        and len(known) == len(read)
    ):
        inner = [settle_all(field.fields, one, other) for one, other in zip(known, read, strict=True)]
        return shape(inner, type_of(field))
    if (
        field.fields is not None
        and field.nesting is Nesting.SET
        and isinstance(known, tuple)
        and isinstance(read, tuple)
    ):
        return _settle_set(field, known, read)
    return read


def _settle_set(field: Field, known: tuple[Any, ...], read: tuple[Any, ...]) -> Any:
    """Elements read that mean the same as a known one become that one."""
    assert field.fields is not None
    left = list(known)
    inner = []
    for one in read:
        for at, candidate in enumerate(left):
            if all(
                type(candidate.get(name)) is Unknown or same_field(nested, candidate.get(name), one.get(name))
                for name, nested in field.fields.items()
            ):
                inner.append(settle_all(field.fields, left.pop(at), one))
                break
        else:
            inner.append(one)
    return shape(inner, type_of(field))


def settle_all(fields: Mapping[str, Field], known: Mapping[str, Any], read: Mapping[str, Any]) -> Attributes:
    """`settle` for each field."""
    return {name: settle(field, known.get(name), read.get(name)) for name, field in fields.items()}


def same_field(field: Field, one: Any, other: Any) -> bool:
    """Whether two values of a field are no difference, nested fields each by their own meaning."""
    if field.fields is None:
        if field.type is BOOL and not field.computed and (one is None or other is None):
            # Where nothing is computed, an API that answers false says no more than one that leaves it out.
            return type(one) is not Unknown and type(other) is not Unknown and bool(one) is bool(other)
        return same(one, other, field.equal)
    if is_empty(one) or is_empty(other):
        return (is_empty(one) or _is_hollow(field, one)) and (is_empty(other) or _is_hollow(field, other))
    if type(one) is Unknown or type(other) is Unknown:
        return False
    if isinstance(one, dict):
        return all(
            same_field(nested, one.get(name), other.get(name)) for name, nested in field.fields.items()
        )
    if len(one) != len(other):
        return False
    if field.nesting is not Nesting.SET:
        return all(_same_object(field.fields, a, b) for a, b in zip(one, other, strict=True))
    left = list(other)
    for element in one:
        for at, candidate in enumerate(left):
            if _same_object(field.fields, element, candidate):
                del left[at]
                break
        else:
            return False
    return True


def _is_hollow(field: Field, value: Any) -> bool:
    return (
        field.hollow
        and isinstance(value, tuple)
        and len(value) == 1
        and all(map(is_empty, value[0].values()))
    )


def _same_object(fields: Mapping[str, Field], one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(same_field(nested, one.get(name), other.get(name)) for name, nested in fields.items())
