"""What the console prints for a value: the notation of the language, with the type told where it matters."""

from __future__ import annotations

from twinfra.diagnostics import DiagnosticError, error
from twinfra.values.convert import type_of
from twinfra.values.marks import has_marks
from twinfra.values.numbers import format_number
from twinfra.values.sets import quoted
from twinfra.values.types import (
    BOOL,
    DYNAMIC,
    NUMBER,
    STRING,
    ListType,
    MapType,
    ObjectType,
    SetType,
    TupleType,
    Type,
    describe,
)
from twinfra.values.value import (
    EPHEMERAL,
    SENSITIVE,
    TYPE,
    List,
    Map,
    Marked,
    Set,
    Unknown,
    Value,
    is_null,
    read_element,
)

_UNKNOWN = "(known after apply)"


def render(value: Value) -> str:
    """The text of a value; sensitive and ephemeral ones are not shown, unknown ones are said to be.

    Raises `DiagnosticError` where the answer of `type` is part of something else.
    """
    if has_marks(value, TYPE):
        inner = value
        while type(inner) is Marked:
            inner = inner.value
        if type(inner) is not str:
            raise DiagnosticError(
                error(
                    "Type inside of something else",
                    "The answer of the function type can only be shown, not be part of another value.",
                    mend="Ask for one type at a time: type(x).",
                )
            )
        return inner
    return _render(value, 0)


def _render(value: Value, indent: int) -> str:
    kind = type(value)
    if kind is str:
        return _string(value, indent)
    if kind is bool:
        return "true" if value else "false"
    if kind is Marked:
        if type(value.value) is Unknown:
            return _UNKNOWN
        if SENSITIVE in value.marks:
            return "(sensitive value)"
        return "(ephemeral value)" if EPHEMERAL in value.marks else _render(value.value, indent)
    if kind is Unknown:
        return _UNKNOWN
    if is_null(value):
        return _null(type_of(value))
    if kind is dict:
        return _members(value, indent)
    if kind is Map:
        return f"tomap({_members(value, indent)})"
    if kind is tuple:
        return _items(value, indent)
    if kind is List:
        return f"tolist({_items([read_element(one, value.element) for one in value], indent)})"
    if kind is Set:
        return f"toset({_items([read_element(one, value.element) for one in value], indent)})"
    return format_number(value)


def _null(type: Type) -> str:
    if type in (STRING, NUMBER, BOOL):
        return f"to{type}(null)"
    if isinstance(type, ListType | SetType | MapType):
        function = {ListType: "tolist", SetType: "toset", MapType: "tomap"}[type.__class__]
        element = "dynamic" if type.element == DYNAMIC else describe(type.element)
        return f"{function}(null) /* of {element} */"
    if isinstance(type, ObjectType | TupleType):
        return f"null /* {describe(type)} */"
    return "null"


def _string(text: str, indent: int) -> str:
    """In quotes, or as a heredoc where there are several lines."""
    if "\n" not in text:
        return quoted(text)
    lines = text.split("\n")
    marker = "EOT"
    taken = {line.strip() for line in lines}
    while marker in taken:
        marker += "_"
    margin = " " * indent
    opening = "<<-" if indent else "<<"
    return "\n".join([opening + marker, *(margin + line for line in lines), margin + marker])


def _items(items: Value, indent: int) -> str:
    if not items:
        return "[]"
    inner = indent + 2
    lines = [f"{' ' * inner}{_render(one, inner)},\n" for one in items]
    return f"[\n{''.join(lines)}{' ' * indent}]"


def _members(members: Value, indent: int) -> str:
    if not members:
        return "{}"
    inner = indent + 2
    pad = " " * inner
    element = members.element if type(members) is Map else None
    lines = []
    for key in sorted(members):
        value = members[key] if element is None else read_element(members[key], element)
        lines.append(f"{pad}{_string(key, inner)} = {_render(value, inner)}\n")
    return f"{{\n{''.join(lines)}{' ' * indent}}}"


# -- types


def type_value(type: Type) -> Value:
    """What the function `type` answers."""
    return Marked(type_text(type), frozenset((TYPE,)))


def type_of_type() -> Value:
    """What the function `type` answers of what it answers."""
    return Marked("type", frozenset((TYPE,)))


def type_text(type: Type, indent: int = 0) -> str:
    """A type as the console prints it, over several lines where it is an object or tuple."""
    if isinstance(type, ListType | SetType | MapType):
        function = {ListType: "list", SetType: "set", MapType: "map"}[type.__class__]
        if isinstance(type.element, ObjectType | TupleType):
            inner = type_text(type.element, indent + 4)
            return f"{function}(\n{' ' * (indent + 4)}{inner},\n{' ' * indent})"
        return f"{function}({type_text(type.element, indent)})"
    pad = " " * (indent + 4)
    if isinstance(type, ObjectType):
        lines = [
            f"{pad}{name}: {type_text(kind, indent + 4)},\n" for name, kind in sorted(type.attributes.items())
        ]
        return f"object({{\n{''.join(lines)}{' ' * indent}}})" if lines else "object({})"
    if isinstance(type, TupleType):
        lines = [f"{pad}{type_text(kind, indent + 4)},\n" for kind in type.elements]
        return f"tuple([\n{''.join(lines)}{' ' * indent}])" if lines else "tuple([])"
    return str(type)
