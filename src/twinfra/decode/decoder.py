"""A prepared body: evaluated once per instance, and asked where in the source something stands."""

from __future__ import annotations

from typing import Any

from twinfra.decode.parts import Part
from twinfra.decode.places import Written, place_of, written_at
from twinfra.diagnostics import Diagnostic, DiagnosticError, SourceRange
from twinfra.lang.scope import Reference, Scope
from twinfra.values.value import Path


class Decoder:
    """A body bound to a schema."""

    __slots__ = ("_certain", "_part", "_references")

    def __init__(self, part: Part) -> None:
        self._part = part
        self._references: tuple[Reference, ...] | None = None
        self._certain: tuple[Reference, ...] | None = None

    @property
    def references(self) -> tuple[Reference, ...]:
        """What its expressions refer to, in no particular order."""
        if self._references is None:
            self._references = tuple(self._part.references())
        return self._references

    @property
    def certain_references(self) -> tuple[Reference, ...]:
        """Those that are followed whatever the values: all but what stands in the content of `dynamic` blocks."""
        if self._certain is None:
            self._certain = tuple(self._part.references(made=False))
        return self._certain

    def evaluate(self, scope: Scope) -> dict[str, Any]:
        """Its value, an object of the schema's type: null (as None) where nothing is written.

        Marks stay on what carried them. Where it is not known how many blocks a `dynamic` block makes, the
        collection of them is unknown. Raises `DiagnosticError` with all that is wrong.
        """
        found: list[Diagnostic] = []
        value = self._part.evaluate(scope, None, found)
        if found:
            raise DiagnosticError(found)
        return value

    def range_of(self, path: Path) -> SourceRange | None:
        """Where the value at a path is written, as closely as the source tells; None where it is not."""
        return place_of(self._part, path)

    def written_at(self, path: Path) -> Written | None:
        """What makes the value at a path; None where nothing is written that could."""
        return written_at(self._part, path)
