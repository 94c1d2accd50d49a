"""The type of a value, and values converted to a type by the rules of the language.

The rules are those of https://developer.hashicorp.com/terraform/language/expressions/types: primitives
convert by their texts, tuples become lists and sets, objects become maps and other objects; `DYNAMIC` in the
wanted type stands for whatever one type fits. `unify` tells which types convert at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from twinfra.values.numbers import NumberError, format_number, parse_number
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
    has_dynamic,
    without_optional,
)
from twinfra.values.unify import can_convert, common_element, unify
from twinfra.values.unknowns import contains_unknown, refine
from twinfra.values.value import (
    GetAttr,
    Index,
    List,
    Map,
    Marked,
    Null,
    Path,
    Set,
    Unknown,
    Value,
    null_of,
    read_element,
    stored_element,
)

_TRUTHS = {"true": True, "1": True, "false": False, "0": False}
_MISSPELT_TRUTHS = {"True": "true", "TRUE": "true", "False": "false", "FALSE": "false"}


class ConversionError(ValueError):
    """A value that does not fit a type. `reason` says why, and where inside the value when not at its top."""

    def __init__(self, problem: str, path: Path = ()) -> None:
        self.problem = problem
        self.path = path
        self.reason = f"{_path_text(path)}: {problem}" if path else problem
        super().__init__(self.reason)

    def under(self, step: GetAttr | Index) -> ConversionError:
        """The same problem, seen from one level further out."""
        return ConversionError(self.problem, (step, *self.path))


def _path_text(path: Path) -> str:
    text = ""
    for step in path:
        if isinstance(step, GetAttr):
            text += f".{step.name}" if text else f"attribute {step.name}"
        else:
            key = f'"{step.key}"' if isinstance(step.key, str) else str(step.key)
            text += f"[{key}]" if text else f"element {key}"
    return text


def type_of(value: Value) -> Type:
    """The type of a value, marked or not; `DYNAMIC` for an untyped null or unknown."""
    kind = type(value)
    simple = _SIMPLE.get(kind)
    if simple is not None:
        return simple
    if kind is dict:
        return ObjectType({name: type_of(inner) for name, inner in value.items()})
    if kind is tuple:
        return TupleType(tuple(map(type_of, value)))
    if kind is List:
        return ListType(value.element)
    if kind is Map:
        return MapType(value.element)
    if kind is Set:
        return SetType(value.element)
    if kind is Unknown or kind is Null:
        return value.type  # type: ignore[no-any-return]
    if kind is Marked:
        return type_of(value.value)
    return NUMBER


_SIMPLE: dict[type, Type] = {str: STRING, bool: BOOL, int: NUMBER, type(None): DYNAMIC}


def convert(value: Value, wanted: Type) -> Value:
    """The value as one of the wanted type; marks stay where they are. Raises `ConversionError`."""
    kind = type(value)
    if _SIMPLE.get(kind) is wanted and value is not None:
        return value
    if kind is Marked:
        converted = convert(value.value, wanted)
        if type(converted) is Marked:
            return Marked(converted.value, converted.marks | value.marks)
        return value if converted is value.value else Marked(converted, value.marks)
    if isinstance(wanted, DynamicType):
        return value
    if value is None:
        return Null(without_optional(wanted))
    if kind is Null:
        return value if value.type == wanted else Null(_converted_type(value.type, wanted))
    if kind is Unknown:
        return _convert_unknown(value, wanted)
    return _CONVERTERS[wanted.__class__](value, wanted)


def _converted_type(source: Type, wanted: Type) -> Type:
    """The type of the result of a conversion of which only the types are known."""
    if source == wanted:
        return source
    if not can_convert(source, wanted):
        raise _unfit(source, wanted)
    return _filled(source, without_optional(wanted))


def _filled(source: Type, wanted: Type) -> Type:
    """The wanted type with each `DYNAMIC` in it replaced by what the source says stands there."""
    if not has_dynamic(wanted) or isinstance(source, DynamicType):
        return wanted
    if isinstance(wanted, DynamicType):
        return source
    if isinstance(wanted, ListType | SetType | MapType):
        return wanted.__class__(_filled_element(source, wanted.element))
    if isinstance(wanted, TupleType) and isinstance(source, TupleType):
        return TupleType(tuple(map(_filled, source.elements, wanted.elements)))
    if isinstance(wanted, ObjectType):
        if isinstance(source, ObjectType):
            given = source.attributes
            return ObjectType(
                {name: _filled(given.get(name, kind), kind) for name, kind in wanted.attributes.items()}
            )
        if isinstance(source, MapType):
            return ObjectType(
                {name: _filled(source.element, kind) for name, kind in wanted.attributes.items()}
            )
    return wanted


def _filled_element(source: Type, element: Type) -> Type:
    if isinstance(source, ListType | SetType | MapType):
        return _filled(source.element, element)
    parts: Iterable[Type] = ()
    if isinstance(source, TupleType):
        parts = source.elements
    elif isinstance(source, ObjectType):
        parts = source.attributes.values()
    found = common_element([_filled(part, element) for part in parts])
    return element if found is None else found


def _convert_unknown(value: Unknown, wanted: Type) -> Value:
    if value.type == wanted:
        return value
    result = Unknown(_converted_type(value.type, wanted))
    known = value.refinement
    low, high = _length_range(value)
    if not isinstance(wanted, ListType | SetType | MapType) or isinstance(value.type, ObjectType):
        low, high = 0, None
    elif isinstance(wanted, SetType) and not isinstance(value.type, SetType):
        low = min(low, 1)
    return refine(result, not_null=known is not None and known.not_null, min_length=low, max_length=high)


def _length_range(value: Unknown) -> tuple[int, int | None]:
    if isinstance(value.type, TupleType):
        return len(value.type.elements), len(value.type.elements)
    if value.refinement is None:
        return 0, None
    return value.refinement.min_length, value.refinement.max_length


def _unfit(source: Type, wanted: Type) -> ConversionError:
    if isinstance(wanted, ObjectType) and isinstance(source, ObjectType):
        for name in sorted(wanted.attributes.keys() - wanted.optional):
            if name not in source.attributes:
                return ConversionError(f"the attribute {name} is missing")
        for name, kind in sorted(wanted.attributes.items()):
            if name in source.attributes and not can_convert(source.attributes[name], kind):
                return _unfit(source.attributes[name], kind).under(GetAttr(name))
    if isinstance(wanted, TupleType) and isinstance(source, TupleType):
        given, needed = len(source.elements), len(wanted.elements)
        if given != needed:
            return ConversionError(f"a tuple of {needed} elements is needed, and this has {given}")
    return ConversionError(
        f"{_article(describe(wanted, True))} is needed, and this is {_article(describe(source))}"
    )


def _article(noun: str) -> str:
    return noun if noun.startswith("any ") else f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _to_primitive(value: Value, wanted: PrimitiveType) -> Value:
    kind = type(value)
    if wanted == STRING:
        if kind is bool:
            return "true" if value else "false"
        if type_of(value) == NUMBER:
            return format_number(value)
    elif kind is str and wanted == NUMBER:
        try:
            return parse_number(value)
        except NumberError:
            raise ConversionError("a number is needed, and this text is none") from None
    elif kind is str:
        if value in _TRUTHS:
            return _TRUTHS[value]
        if value in _MISSPELT_TRUTHS:
            raise ConversionError(f'a bool is needed: write "{_MISSPELT_TRUTHS[value]}", in lower case')
        raise ConversionError("a bool is needed, and this text is neither true nor false")
    elif wanted == NUMBER and type_of(value) == NUMBER:
        return value
    raise _unfit(type_of(value), wanted)


def _items(value: Value) -> list[Value]:
    """The elements of a sequence, nulls with their types."""
    if type(value) is tuple:
        return list(value)
    return [read_element(item, value.element) if _may_be_null(item) else item for item in value]


def _may_be_null(item: Value) -> bool:
    return item is None or type(item) is Marked


def _to_elements(value: Value, wanted: ListType | SetType) -> tuple[list[Value], Type]:
    """The elements converted, and the type they all have."""
    element = wanted.element
    if type(value) is tuple and isinstance(element, PrimitiveType):
        kinds = set(map(type, value))
        if len(kinds) == 1 and _SIMPLE.get(kinds.pop()) is element:
            return list(value), element
    if type(value) is tuple:
        if isinstance(element, DynamicType) and value:
            element = _one_type(common_element(map(type_of, value)))
    elif has_dynamic(element):
        element = _converted_type(value.element, element)
    converted: list[Value] = []
    for at, item in enumerate(_items(value)):
        try:
            converted.append(convert(item, element))
        except ConversionError as refused:
            raise refused.under(Index(at)) from None
    if has_dynamic(element) and converted:
        if isinstance(wanted, ListType):
            converted = _unified(converted)
        return _alike(converted)
    return converted, without_optional(element)


def _one_type(found: Type | None) -> Type:
    if found is None:
        raise ConversionError("all elements must be of one type")
    return found


def _unified(values: list[Value]) -> list[Value]:
    """The values converted once more to the type that fits them all, now that each has the type it was left to have."""
    distinct = dict.fromkeys(map(type_of, values))
    if len(distinct) == 1:
        return values
    common = _one_type(unify(tuple(distinct)))
    return [convert(value, common) for value in values]


def _alike(values: list[Value]) -> tuple[list[Value], Type]:
    """The values with the one type that all have which are not of an open type: those take that type."""
    known = [kind for kind in dict.fromkeys(map(type_of, values)) if kind != DYNAMIC]
    if not known:
        return values, DYNAMIC
    if len(known) > 1:
        raise ConversionError("all elements must be of one type")
    return [convert(value, known[0]) if type_of(value) == DYNAMIC else value for value in values], known[0]


def _is_empty_misfit(value: Value, wanted: Type) -> bool:
    """Whether no element shows that the types do not go together, although they do not."""
    return not value and type(value) in (List, Set, Map) and not can_convert(type_of(value), wanted)


def _to_list(value: Value, wanted: ListType) -> Value:
    kind = type(value)
    if kind is List and value.element == wanted.element:
        return value
    if (kind is not tuple and kind is not List and kind is not Set) or _is_empty_misfit(value, wanted):
        raise _unfit(type_of(value), wanted)
    if kind is Set and len(value) > 1 and contains_unknown(value):
        return Unknown(_converted_type(SetType(value.element), wanted))
    items, element = _to_elements(value, wanted)
    return List(map(stored_element, items), element)


def _to_set(value: Value, wanted: SetType) -> Value:
    kind = type(value)
    if kind is Set and value.element == wanted.element:
        return value
    if (kind is not tuple and kind is not List and kind is not Set) or _is_empty_misfit(value, wanted):
        raise _unfit(type_of(value), wanted)
    items, element = _to_elements(value, wanted)
    return make_set(items, element)


def _to_map(value: Value, wanted: MapType) -> Value:
    kind = type(value)
    if kind is Map and value.element == wanted.element:
        return value
    if (kind is not dict and kind is not Map) or _is_empty_misfit(value, wanted):
        raise _unfit(type_of(value), wanted)
    element = wanted.element
    names = list(value)
    items = list(value.values())
    if kind is Map:
        items = [read_element(item, value.element) if _may_be_null(item) else item for item in items]
        if has_dynamic(element):
            element = _converted_type(value.element, element)
    elif isinstance(element, DynamicType) and items:
        element = _one_type(unify(tuple(map(type_of, items))))
    converted: list[Value] = []
    for name, item in zip(names, items, strict=True):
        try:
            converted.append(convert(item, element))
        except ConversionError as refused:
            raise refused.under(Index(name)) from None
    found = without_optional(element)
    if has_dynamic(element) and converted:
        if isinstance(element, ListType | SetType | MapType | ObjectType):
            converted = _unified(converted)
        converted, found = _alike(converted)
    return Map(zip(names, map(stored_element, converted), strict=True), found)


def _to_tuple(value: Value, wanted: TupleType) -> Value:
    if type(value) is not tuple or len(value) != len(wanted.elements):
        raise _unfit(type_of(value), wanted)
    converted = []
    for at, (item, kind) in enumerate(zip(value, wanted.elements, strict=True)):
        try:
            converted.append(convert(item, kind))
        except ConversionError as refused:
            raise refused.under(Index(at)) from None
    return tuple(converted)


def _to_object(value: Value, wanted: ObjectType) -> Value:
    kind = type(value)
    if (kind is not dict and kind is not Map) or _is_empty_misfit(value, wanted):
        raise _unfit(type_of(value), wanted)
    result: dict[str, Any] = {}
    same = kind is dict and len(value) == len(wanted.attributes)
    for name, attribute in wanted.attributes.items():
        if name not in value:
            if name not in wanted.optional:
                raise ConversionError(f"the attribute {name} is missing")
            result[name] = null_of(without_optional(attribute))
            same = False
            continue
        given = value[name]
        if kind is Map and _may_be_null(given):
            given = read_element(given, value.element)
        try:
            made = result[name] = convert(given, attribute)
        except ConversionError as refused:
            raise refused.under(GetAttr(name)) from None
        same = same and made is given
    return value if same else result


_CONVERTERS: dict[type[Type], Callable[[Value, Any], Value]] = {
    PrimitiveType: _to_primitive,
    ListType: _to_list,
    SetType: _to_set,
    MapType: _to_map,
    TupleType: _to_tuple,
    ObjectType: _to_object,
}
