"""The types of the language: what a value may be, never a value itself.

Primitive types are singletons; the others are immutable and compare by structure. `DYNAMIC` stands for "not
known yet" (of an unknown or null) and for "any type" (in a constraint). The rules follow the public language
specification (https://developer.hashicorp.com/terraform/language/expressions/types).
"""

from __future__ import annotations

from dataclasses import dataclass, field


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
EMPTY_OBJECT = ObjectType({})
EMPTY_TUPLE = TupleType(())
