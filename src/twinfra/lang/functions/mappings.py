"""Functions on maps and objects."""

from __future__ import annotations

from collections.abc import Sequence

from twinfra.lang.functions.declaration import FunctionError, function, parameter
from twinfra.lang.functions.sequences import as_list, elements
from twinfra.values.convert import ConversionError, convert, type_of
from twinfra.values.marks import mark, unmark, unmark_deep
from twinfra.values.types import (
    DYNAMIC,
    STRING,
    ListType,
    MapType,
    ObjectType,
    TupleType,
    Type,
    describe,
)
from twinfra.values.unknowns import contains_unknown
from twinfra.values.value import (
    EMPTY_MARKS,
    UNKNOWN,
    List,
    Map,
    Set,
    Unknown,
    Value,
    is_null,
    read_element,
    stored_element,
)


def _require_map(kind: Type, name: str, argument: int | None = 0) -> None:
    if kind != DYNAMIC and not isinstance(kind, MapType | ObjectType):
        raise FunctionError(f'"{name}" must be a map or object, not a {describe(kind)}', argument)


def members(mapping: Value) -> dict[str, Value]:
    """The elements of a known map or object in order of their keys, nulls with their types."""
    if type(mapping) is Map:
        return {key: read_element(mapping[key], mapping.element) for key in sorted(mapping)}
    return {key: mapping[key] for key in sorted(mapping)}


def _keys_type(arguments: Sequence[Value]) -> Type:
    kind = type_of(arguments[0])
    _require_map(kind, "inputMap")
    if isinstance(kind, ObjectType):
        return TupleType((STRING,) * len(kind.attributes))
    return ListType(STRING) if isinstance(kind, MapType) else DYNAMIC


@function(
    "keys",
    "The keys of a map, in order: a list; of an object the names of its attributes: a tuple.",
    parameter("inputMap", DYNAMIC, "the map or object", allow_unknown=True, allow_marked=True),
    returns=_keys_type,
)
def keys(mapping: Value) -> Value:
    """In order of code points. The keys of an object are known even where it is not."""
    mapping, marks = unmark(mapping)
    kind = _keys_type((mapping,))
    if type(mapping) is Unknown:
        if isinstance(mapping.type, ObjectType):
            return mark(tuple(sorted(mapping.type.attributes)), marks)
        return mark(Unknown(kind), marks)
    found = sorted(mapping)
    return mark(List(found, STRING) if isinstance(kind, ListType) else tuple(found), marks)


def _values_type(arguments: Sequence[Value]) -> Type:
    kind = type_of(arguments[0])
    _require_map(kind, "mapping", None)
    if isinstance(kind, ObjectType):
        return TupleType(tuple(kind.attributes[name] for name in sorted(kind.attributes)))
    return ListType(kind.element) if isinstance(kind, MapType) else DYNAMIC


@function(
    "values",
    "The elements of a map, in order of their keys: a list; of an object those of its attributes: a tuple.",
    parameter("mapping", DYNAMIC, "the map or object", allow_marked=True),
    returns=_values_type,
)
def values(mapping: Value) -> Value:
    """In the order that `keys` has."""
    mapping, marks = unmark(mapping)
    _require_map(type_of(mapping), "mapping", None)
    found = members(mapping).values()
    return mark(as_list(found, mapping.element) if type(mapping) is Map else tuple(found), marks)


def _lookup_type(arguments: Sequence[Value]) -> Type:
    mapping, key, *rest = arguments
    if len(rest) > 1:
        raise FunctionError("two or three arguments are needed: map, key and default")
    kind = type_of(mapping)
    if isinstance(kind, ObjectType):
        if type(key) is Unknown:
            return DYNAMIC
        if key in kind.attributes:
            return kind.attributes[key]
        if rest:
            return type_of(rest[0])
        raise FunctionError(f'the object has no attribute "{key}", and there is no default', 0)
    if isinstance(kind, MapType):
        if rest:
            _as_element(rest[0], kind.element)
        return kind.element
    raise FunctionError(f'"inputMap" must be a map or object, not a {describe(kind)}', 0)


def _as_element(default: Value, element: Type) -> Value:
    try:
        return convert(default, element)
    except ConversionError as failed:
        raise FunctionError(
            f"the default must be of the same type as the elements of the map: {failed.reason}", 2
        ) from None


@function(
    "lookup",
    "An element of a map, or a default where the map has no such key.",
    parameter("inputMap", DYNAMIC, "the map or object", allow_marked=True),
    parameter("key", STRING, "the key", allow_marked=True),
    variadic=parameter(
        "default",
        DYNAMIC,
        "what to give where there is no such key",
        allow_null=True,
        allow_unknown=True,
        allow_marked=True,
    ),
    returns=_lookup_type,
    refine_not_null=False,
)
def lookup(mapping: Value, key: Value, *default: Value) -> Value:
    """Without a default, a missing key is an error."""
    mapping, marks = unmark(mapping)
    key, more = unmark(key)
    marks |= more
    kind = _lookup_type((unmark_deep(mapping)[0], key, *(unmark_deep(one)[0] for one in default)))
    if contains_unknown(mapping) and type(mapping) is Unknown:
        return mark(Unknown(kind), marks)
    if key in mapping:
        found = mapping[key]
        return mark(read_element(found, mapping.element) if type(mapping) is Map else found, marks)
    if not default:
        raise FunctionError(f'the map has no key "{key}", and there is no default')
    return mark(_as_element(default[0], kind), marks)


def _merge_type(arguments: Sequence[Value]) -> Type:
    kinds: list[Type] = []
    attributes: dict[str, Type] = {}
    known = True
    loose = False
    for one in arguments:
        kind = type_of(one)
        kinds.append(kind)
        if kind == DYNAMIC and not is_null(one):
            return DYNAMIC
        # After a null of no type, stock Terraform looks no more at the types, only for elements with strings as keys.
        loose = loose or kind == DYNAMIC
        if is_null(one) and (kind == DYNAMIC or isinstance(kind, MapType | ObjectType)):
            continue
        if isinstance(kind, ObjectType):
            attributes.update(kind.attributes)
        elif isinstance(kind, MapType):
            if type(one) is Unknown:
                known = False
            else:
                attributes.update(dict.fromkeys(one, kind.element))
        elif loose and isinstance(one, tuple) and (not one or _is_strings(one)):
            attributes.update(dict.fromkeys(one, STRING))
        else:
            raise FunctionError(f"maps and objects can be merged, but not a {describe(kind)}")
    if kinds and isinstance(kinds[0], MapType) and all(kind == kinds[0] for kind in kinds):
        return kinds[0]
    return ObjectType(attributes) if known else DYNAMIC


def _is_strings(value: Value) -> bool:
    """Whether a value is a set of known strings: its elements are their own keys."""
    return isinstance(value, Set) and all(type(one) is str for one in value)


@function(
    "merge",
    "One map or object with the elements of all; of those with the same key the last one counts.",
    variadic=parameter(
        "maps",
        DYNAMIC,
        "maps or objects; nulls do not count",
        allow_null=True,
        allow_unknown=True,
        allow_marked=True,
    ),
    returns=_merge_type,
)
def merge(*mappings: Value) -> Value:
    """A map when all arguments are maps of one type, else an object."""
    marks = EMPTY_MARKS
    bare: list[Value] = []
    for one in mappings:
        value, found = unmark(one)
        if not is_null(value):
            marks |= found
        bare.append(value)
    kind = _merge_type([unmark_deep(one)[0] for one in bare])
    if any(type(one) is Unknown for one in bare):
        return mark(Unknown(kind), marks)
    merged: dict[str, Value] = {}
    for one in bare:
        if not is_null(one):
            merged.update(members(one) if isinstance(one, dict) else {text: text for text in one})
    if isinstance(kind, MapType):
        return mark(Map({key: stored_element(value) for key, value in merged.items()}, kind.element), marks)
    return mark(merged, marks)


_LISTS = MapType(ListType(STRING))


@function(
    "transpose",
    "A map of lists of strings turned round: each string with the keys under which it stands.",
    parameter("values", _LISTS, "the map"),
    returns=_LISTS,
)
def transpose(mapping: Map) -> Value:
    """`transpose({ a = ["x"] })` is { x = ["a"] }."""
    if contains_unknown(mapping):
        return Unknown(_LISTS)
    turned: dict[str, list[str]] = {}
    for key in sorted(mapping):
        if mapping[key] is None:
            raise FunctionError(f'the list under "{key}" is null')
        for text in mapping[key]:
            if text is None:
                raise FunctionError(f'the list under "{key}" has a null in it')
            turned.setdefault(text, []).append(key)
    return Map({text: List(sorted(found), STRING) for text, found in turned.items()}, ListType(STRING))


def _zipmap_type(arguments: Sequence[Value]) -> Type:
    names, elements_ = arguments
    kind = type_of(elements_)
    if isinstance(kind, ListType):
        return MapType(kind.element)
    if isinstance(kind, TupleType):
        if contains_unknown(names):
            return DYNAMIC
        _check_zip(names, len(kind.elements))
        return ObjectType(dict(zip(names, kind.elements, strict=True)))
    if kind == DYNAMIC:
        return DYNAMIC
    raise FunctionError(f'"values" must be a list or tuple, not a {describe(kind)}')


def _check_zip(names: List, length: int) -> None:
    if len(names) != length:
        raise FunctionError(f"there must be as many keys as values, not {len(names)} and {length}")
    if None in names:
        raise FunctionError(f'element {names.index(None)} of "keys" is null')


@function(
    "zipmap",
    "A map from a list of keys and a list of the elements for them; an object where those are a tuple.",
    parameter("keys", ListType(STRING), "the keys", allow_marked=True),
    parameter("values", DYNAMIC, "the elements", allow_marked=True),
    returns=_zipmap_type,
)
def zipmap(names: Value, items: Value) -> Value:
    """Of equal keys the last one counts."""
    names, marks = unmark_deep(names)
    items, more = unmark(items)
    marks |= more
    kind = _zipmap_type((names, items))
    if contains_unknown(names) or type(items) is Unknown:
        return mark(Unknown(kind) if not isinstance(kind, ObjectType) else UNKNOWN, marks)
    _check_zip(names, len(items))
    pairs = dict(zip(names, elements(items), strict=True))
    if type(items) is tuple:
        return mark(pairs, marks)
    return mark(Map({key: stored_element(one) for key, one in pairs.items()}, items.element), marks)
