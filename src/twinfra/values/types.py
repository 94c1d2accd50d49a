"""The types of the language: what a value may be, never a value itself.

Primitive types are singletons; the others are immutable and compare by structure. `DYNAMIC` stands for "not
known yet" (of an unknown or null) and for "any type" (in a constraint). The rules follow the public language
specification (https://developer.hashicorp.com/terraform/language/expressions/types).
"""

from __future__ import annotations

from dataclasses import field
from functools import lru_cache

from twinfra.dataclass import dataclass


class Type:
    """Base of all types. `str(type)` is the short form used in messages, such as `list(string)`."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class PrimitiveType(Type):
    """`string`, `number` or `bool`."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class DynamicType(Type):
    """The placeholder for a type that is not known, or for any type at all."""

    def __str__(self) -> str:
        return "dynamic"


@dataclass(frozen=True, slots=True)
class ListType(Type):
    """A sequence of values of one type."""

    element: Type

    def __str__(self) -> str:
        return f"list({self.element})"


@dataclass(frozen=True, slots=True)
class SetType(Type):
    """Distinct values of one type, in no order of their own."""

    element: Type

    def __str__(self) -> str:
        return f"set({self.element})"


@dataclass(frozen=True, slots=True)
class MapType(Type):
    """Values of one type under string keys."""

    element: Type

    def __str__(self) -> str:
        return f"map({self.element})"


@dataclass(frozen=True, slots=True)
class TupleType(Type):
    """A sequence of fixed length, each element with its own type."""

    elements: tuple[Type, ...]

    def __str__(self) -> str:
        return f"tuple([{', '.join(map(str, self.elements))}])"


@dataclass(frozen=True, slots=True, eq=False)
class ObjectType(Type):
    """Named attributes, each with its own type; those in `optional` may be missing when converting to it."""

    attributes: dict[str, Type]
    optional: frozenset[str] = frozenset()
    _hash: list[int] = field(default_factory=list, repr=False)

    def __eq__(self, other: object) -> bool:
        return (
            type(other) is ObjectType
            and self.attributes == other.attributes
            and self.optional == other.optional
        )

    def __hash__(self) -> int:
        if not self._hash:
            self._hash.append(hash((frozenset(self.attributes.items()), self.optional)))
        return self._hash[0]

    def __str__(self) -> str:
        inner = ", ".join(
            f"{name}: {f'optional({kind})' if name in self.optional else kind}"
            for name, kind in sorted(self.attributes.items())
        )
        return f"object({{{inner}}})"


STRING = PrimitiveType("string")
NUMBER = PrimitiveType("number")
BOOL = PrimitiveType("bool")
DYNAMIC = DynamicType()


def element_type(type: Type) -> Type:
    """The element type of a list, set or map. Raises `TypeError` for any other type."""
    if isinstance(type, ListType | SetType | MapType):
        return type.element
    raise TypeError(f"{type} has no element type")


def is_collection(type: Type) -> bool:
    """Whether it is a list, set or map."""
    return isinstance(type, ListType | SetType | MapType)


@lru_cache(maxsize=4096)
def has_dynamic(type: Type) -> bool:
    """Whether `DYNAMIC` occurs anywhere in it."""
    if isinstance(type, PrimitiveType):
        return False
    if isinstance(type, ListType | SetType | MapType):
        return has_dynamic(type.element)
    if isinstance(type, TupleType):
        return any(map(has_dynamic, type.elements))
    if isinstance(type, ObjectType):
        return any(map(has_dynamic, type.attributes.values()))
    return True


@lru_cache(maxsize=4096)
def without_optional(type: Type) -> Type:
    """The type with no attribute optional at any depth: what a value can have."""
    if isinstance(type, ListType):
        inner = without_optional(type.element)
        return type if inner is type.element else ListType(inner)
    if isinstance(type, SetType):
        inner = without_optional(type.element)
        return type if inner is type.element else SetType(inner)
    if isinstance(type, MapType):
        inner = without_optional(type.element)
        return type if inner is type.element else MapType(inner)
    if isinstance(type, TupleType):
        elements = tuple(map(without_optional, type.elements))
        return type if elements == type.elements else TupleType(elements)
    if isinstance(type, ObjectType):
        attributes = {name: without_optional(kind) for name, kind in type.attributes.items()}
        if not type.optional and all(attributes[name] is kind for name, kind in type.attributes.items()):
            return type
        return ObjectType(attributes)
    return type


def describe(type: Type, constraint: bool = False) -> str:
    """A type in words for messages: "list of string", "object"; as a `constraint`, `DYNAMIC` is "any type"."""
    if isinstance(type, ListType | SetType | MapType):
        kind = {ListType: "list", SetType: "set", MapType: "map"}[type.__class__]
        if constraint and type.element == DYNAMIC:
            return f"{kind} of any single type"
        return f"{kind} of {describe(type.element, constraint)}"
    if isinstance(type, ObjectType):
        return "object"
    if isinstance(type, TupleType):
        return "tuple"
    if type == DYNAMIC:
        return "any type" if constraint else "value of a type not known yet"
    return str(type)
