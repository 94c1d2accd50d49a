"""Hypothesis strategies for types and values of the language."""

from __future__ import annotations

from typing import Any
from unicodedata import normalize

from hypothesis import strategies as st

from twinfra.values import numbers
from twinfra.values.sets import make_set
from twinfra.values.types import (
    BOOL,
    NUMBER,
    STRING,
    ListType,
    MapType,
    ObjectType,
    SetType,
    TupleType,
    Type,
)
from twinfra.values.value import List as ListValue
from twinfra.values.value import Map as MapValue
from twinfra.values.value import Null, Unknown, Value, stored_element

NAMES = st.sampled_from(["a", "b", "c", "name", "é", "x y"])
TEXTS = st.text(max_size=8).map(lambda text: normalize("NFC", text))
WHOLE = st.integers() | st.integers(-(10**4), 10**4)
DECIMALS = st.builds(
    lambda whole, fraction: numbers.parse_number(f"{whole}.{fraction}"),
    st.integers(-999, 999),
    st.integers(0, 99999),
)
NUMBERS = WHOLE.map(numbers.normalise) | DECIMALS

PRIMITIVE_TYPES: st.SearchStrategy[Type] = st.sampled_from([STRING, NUMBER, BOOL])
TYPES: st.SearchStrategy[Type] = st.recursive(
    PRIMITIVE_TYPES,
    lambda inner: (
        inner.map(ListType)
        | inner.map(SetType)
        | inner.map(MapType)
        | st.lists(inner, max_size=3).map(lambda found: TupleType(tuple(found)))
        | st.dictionaries(NAMES, inner, max_size=3).map(ObjectType)
    ),
    max_leaves=5,
)


def values(kind: Type, nulls: bool = True, unknowns: bool = False) -> st.SearchStrategy[Value]:
    """Values of a type: null or unknown here and there, where wanted."""
    found = _known(kind, nulls, unknowns)
    if nulls:
        found = found | st.just(Null(kind))
    if unknowns:
        found = found | st.just(Unknown(kind))
    return found


def _known(kind: Type, nulls: bool, unknowns: bool) -> st.SearchStrategy[Value]:
    if kind == STRING:
        return TEXTS
    if kind == NUMBER:
        return NUMBERS
    if kind == BOOL:
        return st.booleans()
    if isinstance(kind, TupleType):
        return st.tuples(*(values(one, nulls, unknowns) for one in kind.elements))
    if isinstance(kind, ObjectType):
        parts: dict[Any, Any] = {name: values(one, nulls, unknowns) for name, one in kind.attributes.items()}
        return st.fixed_dictionaries(parts)
    assert isinstance(kind, ListType | SetType | MapType)
    element = kind.element
    inner = values(element, nulls, unknowns).map(stored_element)
    if isinstance(kind, ListType):
        return st.lists(inner, max_size=4).map(lambda items: ListValue(items, element))
    if isinstance(kind, SetType):
        return st.lists(inner, max_size=4).map(lambda items: make_set(items, element))
    return st.dictionaries(NAMES, inner, max_size=3).map(lambda items: MapValue(items, element))


def typed_values(nulls: bool = True, unknowns: bool = False) -> st.SearchStrategy[tuple[Type, Value]]:
    """A type with a value of it."""
    return TYPES.flatmap(lambda kind: st.tuples(st.just(kind), values(kind, nulls, unknowns)))
