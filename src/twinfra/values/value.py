"""Values: plain Python where known, thin wrappers where not.

| language | Python |
|---|---|
| string, bool | `str` (NFC), `bool` |
| number | `int` where whole (see `numbers`), else a 512-bit `gmpy2.mpfr`, also infinities and -0; never `float` |
| tuple, object | `tuple`, `dict` (exactly these classes) |
| list, set, map | `List`, `Set`, `Map`: subclasses of `tuple`, `tuple`, `dict` that carry the element type |
| null | `None` (type not known, or told by the container); `Null(type)` where a type is known |
| unknown | `Unknown(type, refinement)` |
| marked | `Marked(value, marks)`, at any depth; never directly inside another `Marked` |

Values are immutable by convention: never change a dict or Map you did not just make. Objects and maps have no
order of their own; code that iterates them sorts the keys. Elements of a `List`, `Set` or `Map` that are null
are plain `None`. A `Set` is always deduplicated and in canonical order (see `sets`), and holds no marks: marks
of its elements are on the `Marked` around it. Use `type(v) is tuple`, not `isinstance`, to tell a tuple from a
list; and test `bool` before `int`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from twinfra.dataclass import dataclass
from twinfra.values.types import DYNAMIC, Type

Value: TypeAlias = Any
"""Any value of the language, in the forms of this module's table."""

SENSITIVE = "sensitive"
EPHEMERAL = "ephemeral"
TYPE = "type"
"""The mark of what the function `type` answers: a text that only the console can show."""


class List(tuple[Value, ...]):
    """A list: elements all of type `element`."""

    element: Type

    def __new__(cls, items: Iterable[Value], element: Type = DYNAMIC) -> List:
        self = tuple.__new__(cls, items)
        self.element = element
        return self

    def __repr__(self) -> str:
        return f"List({tuple.__repr__(self)}, {self.element})"


class Set(tuple[Value, ...]):
    """A set: distinct elements of type `element` in canonical order. Build one with `sets.make_set`."""

    element: Type

    def __new__(cls, items: Iterable[Value], element: Type = DYNAMIC) -> Set:
        self = tuple.__new__(cls, items)
        self.element = element
        return self

    def __repr__(self) -> str:
        return f"Set({tuple.__repr__(self)}, {self.element})"


class Map(dict[str, Value]):
    """A map: values all of type `element` under string keys."""

    __slots__ = ("element",)
    element: Type

    def __init__(
        self, items: Mapping[str, Value] | Iterable[tuple[str, Value]], element: Type = DYNAMIC
    ) -> None:
        super().__init__(items)
        self.element = element

    def __repr__(self) -> str:
        return f"Map({dict.__repr__(self)}, {self.element})"


@dataclass(frozen=True, slots=True)
class Null:
    """A null whose type is known. Never with type `DYNAMIC`: that is plain `None`."""

    type: Type


@dataclass(frozen=True, slots=True)
class Refinement:
    """What is known about an unknown value beyond its type.

    `not_null`: it will not be null. `prefix`: a string starts so. `lower`, `upper`: bounds of a number, each
    (value, inclusive) or None. `min_length`, `max_length`: of a collection, `max_length` None when unbounded.
    """

    not_null: bool = False
    prefix: str = ""
    lower: tuple[Value, bool] | None = None
    upper: tuple[Value, bool] | None = None
    min_length: int = 0
    max_length: int | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that only the apply will tell. Its type is `DYNAMIC` when not even that is known."""

    type: Type = DYNAMIC
    refinement: Refinement | None = None


@dataclass(frozen=True, slots=True)
class Marked:
    """A value with marks (`SENSITIVE`, `EPHEMERAL`, ...) that follow it wherever it flows."""

    value: Value
    marks: frozenset[str]


UNKNOWN = Unknown()
EMPTY_MARKS: frozenset[str] = frozenset()


def is_null(value: Value) -> bool:
    """Whether it is null, typed or not; a marked null is not looked into (unmark first)."""
    return value is None or type(value) is Null


@dataclass(frozen=True, slots=True)
class GetAttr:
    """A step of a path into an attribute of an object."""

    name: str


@dataclass(frozen=True, slots=True)
class Index:
    """A step of a path to an element: an `int` of a list or tuple, a `str` of a map, a value of a set."""

    key: Value


Path: TypeAlias = tuple[GetAttr | Index, ...]
"""Where inside a value something is; the empty path is the value itself."""


def null_of(type: Type) -> Value:
    """The null of a type: plain `None` where the type is `DYNAMIC`."""
    return None if type == DYNAMIC else Null(type)


def stored_element(element: Value) -> Value:
    """What a `List`, `Set` or `Map` holds for an element: its nulls lose their type, which the collection tells."""
    kind = type(element)
    if kind is Null:
        return None
    if kind is Marked and type(element.value) is Null:
        return Marked(None, element.marks)
    return element


def read_element(element: Value, element_type: Type) -> Value:
    """An element taken out of a `List`, `Set` or `Map`: its nulls get back the type that the collection told."""
    if element is None:
        return null_of(element_type)
    if type(element) is Marked and element.value is None:
        return Marked(null_of(element_type), element.marks)
    return element
