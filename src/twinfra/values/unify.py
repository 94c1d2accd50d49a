"""Which types convert to which, and the one type that several can all become.

Only types are looked at here; `convert` applies the same rules to values. A conversion is safe when it cannot
fail for any value (number to string) and unsafe when it can (string to number); the language uses unsafe ones
nearly everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

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
)


@lru_cache(maxsize=8192)
def can_convert(source: Type, target: Type, unsafe: bool = True) -> bool:
    """Whether there is a conversion between two types; an unsafe one may still fail for some values."""
    if isinstance(target, DynamicType):
        return True
    if isinstance(source, DynamicType):
        return unsafe
    if isinstance(target, PrimitiveType):
        return isinstance(source, PrimitiveType) and (
            source == target or target == STRING or (unsafe and source == STRING)
        )
    if isinstance(target, ObjectType):
        return _can_become_object(source, target, unsafe)
    if isinstance(target, TupleType):
        return (
            isinstance(source, TupleType)
            and len(source.elements) == len(target.elements)
            and all(
                _same_or_convert(*pair, unsafe) for pair in zip(source.elements, target.elements, strict=True)
            )
        )
    if isinstance(target, MapType):
        if isinstance(source, MapType):
            return _same_or_convert(source.element, target.element, unsafe)
        return isinstance(source, ObjectType) and _all_become(
            source.attributes.values(), target.element, unify, unsafe
        )
    if isinstance(target, ListType | SetType):
        if isinstance(source, TupleType):
            return _all_become(source.elements, target.element, common_element, unsafe)
        if isinstance(source, ListType) and isinstance(target, SetType) and not unsafe:
            return False
        return isinstance(source, ListType | SetType) and _same_or_convert(
            source.element, target.element, unsafe
        )
    return False


def _same_or_convert(source: Type, target: Type, unsafe: bool) -> bool:
    return source == target or can_convert(source, target, unsafe)


def _can_become_object(source: Type, target: ObjectType, unsafe: bool) -> bool:
    if isinstance(source, ObjectType):
        for name, wanted in target.attributes.items():
            given = source.attributes.get(name)
            if given is None:
                if name not in target.optional:
                    return False
            elif not _same_or_convert(given, wanted, unsafe):
                return False
        return True
    return (
        unsafe
        and isinstance(source, MapType)
        and all(
            name in target.optional or _same_or_convert(source.element, wanted, unsafe)
            for name, wanted in target.attributes.items()
        )
    )


def _all_become(
    sources: Iterable[Type],
    element: Type,
    common: Callable[[Sequence[Type], bool], Type | None],
    unsafe: bool,
) -> bool:
    """Whether elements of these types can be those of one collection.

    Where its element type is left open (`DYNAMIC`), `common` finds one.
    """
    distinct = tuple(dict.fromkeys(sources))
    if not distinct:
        return True
    if isinstance(element, DynamicType):
        found = common(distinct, unsafe)
        if found is None:
            return False
        element = found
    return all(_same_or_convert(source, element, unsafe) for source in distinct)


def common_element(types: Iterable[Type], unsafe: bool = True) -> Type | None:
    """The element type for a collection of elements with these types, or None where there is none."""
    distinct = tuple(dict.fromkeys(types))
    found = unify(distinct, unsafe)
    if isinstance(found, DynamicType) and any(kind != DYNAMIC for kind in distinct):
        return None
    return found


def unify(types: Sequence[Type], unsafe: bool = True) -> Type | None:
    """The type that values of all these types can be converted to, or None where there is none (or no type).

    `DYNAMIC` as the result of unlike types says that it cannot be told before all types are known.
    """
    distinct = tuple(dict.fromkeys(types))
    if len(distinct) < 2:
        return distinct[0] if distinct else None
    return _unify_distinct(distinct, unsafe)


@lru_cache(maxsize=4096)
def _unify_distinct(types: tuple[Type, ...], unsafe: bool) -> Type | None:
    kinds = {type(one) for one in types}
    dynamic = DynamicType in kinds
    kinds.discard(DynamicType)
    if kinds == {PrimitiveType}:
        return _unify_primitives(types, dynamic, unsafe)
    if PrimitiveType in kinds:
        # Nothing converts between primitive types and others; only a type not known yet can stand for both.
        return DYNAMIC if dynamic and not {ObjectType, TupleType} <= kinds else None
    if len(kinds) == 1:
        if dynamic:
            # What it will be depends on types that are not known yet.
            return DYNAMIC
        return _UNIFY_ALIKE[kinds.pop()](types, unsafe)
    if kinds == {MapType, ObjectType}:
        found = _unify_as(ObjectType, _objects_to_map, types, unsafe)
        if isinstance(found, MapType):
            return found
    elif kinds == {ListType, TupleType}:
        found = _unify_as(TupleType, _tuples_to_list, types, unsafe)
        if isinstance(found, ListType):
            return found
    elif {ObjectType, TupleType} <= kinds:
        return None
    return _preferred(types, unsafe)


def _unify_primitives(types: tuple[Type, ...], dynamic: bool, unsafe: bool) -> Type | None:
    known = [one for one in types if one != DYNAMIC]
    if dynamic and not unsafe:
        return DYNAMIC
    if len(known) == 1:
        return known[0]
    if STRING in known:
        return STRING
    return DYNAMIC if dynamic else None


def _unify_as(
    kind: type[Type],
    merged: Callable[[tuple[Type, ...], bool], Type | None],
    types: tuple[Type, ...],
    unsafe: bool,
) -> Type | None:
    """Unify with the types of one kind (tuples, objects) replaced by the collection they can all become."""
    collection = merged(tuple(one for one in types if isinstance(one, kind)), unsafe)
    if collection is None:
        return None
    return unify([collection if isinstance(one, kind) else one for one in types], unsafe)


def _unify_lists(types: tuple[Type, ...], unsafe: bool) -> Type | None:
    element = unify([one.element for one in types if isinstance(one, ListType)], unsafe)
    return _if_all_convert(types, None if element is None else ListType(element), unsafe)


def _unify_sets(types: tuple[Type, ...], unsafe: bool) -> Type | None:
    element = unify([one.element for one in types if isinstance(one, SetType)], unsafe)
    return _if_all_convert(types, None if element is None else SetType(element), unsafe)


def _unify_maps(types: tuple[Type, ...], unsafe: bool) -> Type | None:
    element = unify([one.element for one in types if isinstance(one, MapType)], unsafe)
    return _if_all_convert(types, None if element is None else MapType(element), unsafe)


def _unify_objects(types: tuple[Type, ...], unsafe: bool) -> Type | None:
    objects = [one for one in types if isinstance(one, ObjectType)]
    names = objects[0].attributes.keys()
    if any(one.attributes.keys() != names for one in objects):
        return _objects_to_map(types, unsafe)
    attributes: dict[str, Type] = {}
    for name in names:
        found = unify([one.attributes[name] for one in objects], unsafe)
        if found is None:
            return None
        attributes[name] = found
    return _if_all_convert(types, ObjectType(attributes), unsafe) or _objects_to_map(types, unsafe)


def _objects_to_map(types: tuple[Type, ...], unsafe: bool) -> Type | None:
    element = unify(
        [
            one.attributes[name]
            for one in types
            if isinstance(one, ObjectType)
            for name in sorted(one.attributes)
        ],
        unsafe,
    )
    return _if_all_convert(types, None if element is None else MapType(element), unsafe)


def _unify_tuples(types: tuple[Type, ...], unsafe: bool) -> Type | None:
    tuples = [one for one in types if isinstance(one, TupleType)]
    length = len(tuples[0].elements)
    if any(len(one.elements) != length for one in tuples):
        return _tuples_to_list(types, unsafe)
    elements: list[Type] = []
    for at in range(length):
        found = unify([one.elements[at] for one in tuples], unsafe)
        if found is None:
            return None
        elements.append(found)
    return _if_all_convert(types, TupleType(tuple(elements)), unsafe) or _tuples_to_list(types, unsafe)


def _tuples_to_list(types: tuple[Type, ...], unsafe: bool) -> Type | None:
    element = unify([inner for one in types if isinstance(one, TupleType) for inner in one.elements], unsafe)
    return _if_all_convert(types, None if element is None else ListType(element), unsafe)


_UNIFY_ALIKE: dict[type[Type], Callable[[tuple[Type, ...], bool], Type | None]] = {
    ListType: _unify_lists,
    SetType: _unify_sets,
    MapType: _unify_maps,
    ObjectType: _unify_objects,
    TupleType: _unify_tuples,
}


def _if_all_convert(types: Iterable[Type], target: Type | None, unsafe: bool) -> Type | None:
    if target is None or not all(_same_or_convert(one, target, unsafe) for one in types):
        return None
    return target


def _preferred(types: tuple[Type, ...], unsafe: bool) -> Type | None:
    """The most general of the types themselves that all others convert to."""
    for wanted in _by_generality(types):
        if _if_all_convert(types, wanted, unsafe) is not None:
            return wanted
    return None


def _by_generality(types: tuple[Type, ...]) -> list[Type]:
    """The types so that a more general one comes before a less general one; else in the order given."""
    below: list[list[int]] = [[] for _ in types]
    waiting = [0] * len(types)
    for one in range(len(types)):
        for two in range(one + 1, len(types)):
            order = compare_types(types[one], types[two])
            if order:
                first, second = (one, two) if order < 0 else (two, one)
                below[first].append(second)
                waiting[second] += 1
    queue = [at for at, count in enumerate(waiting) if not count]
    for at in queue:
        for next_one in below[at]:
            waiting[next_one] -= 1
            if not waiting[next_one]:
                queue.append(next_one)
    return [types[at] for at in queue]


def compare_types(first: Type, second: Type) -> int:
    """Below zero when `first` is the more general type, above when `second` is, zero when neither."""
    if first == DYNAMIC or second == DYNAMIC:
        return (first == DYNAMIC) - (second == DYNAMIC)
    if isinstance(first, PrimitiveType) and isinstance(second, PrimitiveType):
        return (second == STRING) - (first == STRING)
    for kind in (ListType, SetType, MapType):
        if isinstance(first, kind) and isinstance(second, kind):
            return compare_types(first.element, second.element)
    rank_first, rank_second = _rank(first), _rank(second)
    if rank_first and rank_second and rank_first[0] == rank_second[0] and rank_first != rank_second:
        return -1 if rank_first[1] < rank_second[1] else 1
    if isinstance(first, ObjectType) and isinstance(second, ObjectType):
        if first.attributes.keys() != second.attributes.keys():
            return 0
        return _agreed(
            compare_types(kind, second.attributes[name]) for name, kind in sorted(first.attributes.items())
        )
    if isinstance(first, TupleType) and isinstance(second, TupleType):
        if len(first.elements) != len(second.elements):
            return 0
        return _agreed(map(compare_types, first.elements, second.elements))
    return 0


_RANKS: dict[type[Type], tuple[str, int]] = {
    ListType: ("sequence", 0),
    TupleType: ("sequence", 1),
    SetType: ("sequence", 2),
    MapType: ("mapping", 0),
    ObjectType: ("mapping", 1),
}


def _rank(one: Type) -> tuple[str, int] | None:
    """Among sequences a list is more general than a tuple, and both than a set; a map is than an object."""
    return _RANKS.get(type(one))


def _agreed(orders: Iterable[int]) -> int:
    found = set(orders) - {0}
    return found.pop() if len(found) == 1 else 0


__all__ = ["BOOL", "NUMBER", "can_convert", "common_element", "compare_types", "unify"]
