"""What a text in JSON syntax consists of: values that know where they stand."""

from __future__ import annotations

from typing import TypeAlias

from twinfra.dataclass import dataclass
from twinfra.diagnostics import SourceRange
from twinfra.values.value import Value


@dataclass(frozen=True, slots=True)
class JsonString:
    """A string, escapes resolved."""

    text: str
    range: SourceRange


@dataclass(frozen=True, slots=True)
class JsonLiteral:
    """A number, `true`, `false` or `null`."""

    value: Value
    range: SourceRange


@dataclass(frozen=True, slots=True)
class JsonProperty:
    """A key of an object with its value."""

    name: str
    name_range: SourceRange
    value: JsonValue


@dataclass(frozen=True, slots=True)
class JsonObject:
    """An object: its properties in order, also those whose key came before."""

    properties: tuple[JsonProperty, ...]
    range: SourceRange
    open_range: SourceRange
    close_range: SourceRange


@dataclass(frozen=True, slots=True)
class JsonArray:
    """An array."""

    values: tuple[JsonValue, ...]
    range: SourceRange
    open_range: SourceRange


@dataclass(frozen=True, slots=True)
class JsonInvalid:
    """Stands for a value with errors."""

    range: SourceRange


JsonValue: TypeAlias = JsonString | JsonLiteral | JsonObject | JsonArray | JsonInvalid


def start_range(value: JsonValue) -> SourceRange:
    """Where diagnostics about the whole of a value point: the opening bracket of an object or array."""
    return value.open_range if isinstance(value, JsonObject | JsonArray) else value.range
