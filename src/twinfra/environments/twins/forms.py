"""Canonical forms of what states hold, side by side: where they differ, and how that is shown without secrets."""

from __future__ import annotations

from re import findall
from typing import Any

from twinfra.environments.fingerprint.canonical import HASHED, canonical
from twinfra.environments.fingerprint.state import stored_type
from twinfra.environments.twins.report import Shown
from twinfra.environments.twins.showing import NOTHING, SECRET
from twinfra.values.types import (
    DYNAMIC,
    DynamicType,
    ListType,
    MapType,
    ObjectType,
    SetType,
    TupleType,
    Type,
)
from twinfra.values.value import GetAttr, Index, Path

LACKING: Any = object()
"""Stands for "there is none on this side"."""


class FormWalk:
    """Two canonical forms, gone through by their type; `found` are the places where they differ."""

    def __init__(self) -> None:
        self.found: list[tuple[Path, Any, Any]] = []

    def compare(self, one: Any, two: Any, type: Type, path: Path) -> None:
        """Note where two forms differ, as far down as both have something."""
        if one is two or (one.__class__ is two.__class__ and one == two):
            return
        if isinstance(type, DynamicType) and _is_typed(one) and _is_typed(two) and one["type"] == two["type"]:
            self.compare(one["value"], two["value"], stored_type(one["type"]), path)
            return
        if isinstance(one, dict) and isinstance(two, dict) and not (HASHED in one or HASHED in two):
            for name in sorted(one.keys() | two.keys()):
                inner, step = _member(type, name)
                self.compare(one.get(name, LACKING), two.get(name, LACKING), inner, (*path, step))
            return
        if isinstance(one, list) and isinstance(two, list) and _is_paired(one, two, type):
            for at in range(max(len(one), len(two))):
                first, second = (side[at] if at < len(side) else LACKING for side in (one, two))
                self.compare(first, second, _element(type, at), (*path, Index(at)))
            return
        if text_of_form(one) != text_of_form(two):
            self.found.append((path, one, two))


def text_of_form(value: Any) -> str:
    """The canonical text of a form; empty where there is none."""
    return "" if value is LACKING else canonical(value)


def _is_typed(value: Any) -> bool:
    """Whether it is a value of an attribute of any type, which has its type with it."""
    return isinstance(value, dict) and value.keys() == {"value", "type"}


def _is_paired(one: list[Any], two: list[Any], type: Type) -> bool:
    """Whether elements are compared by position."""
    return not isinstance(type, SetType) and (len(one) == len(two) or _of_objects(one) or _of_objects(two))


def _of_objects(value: list[Any]) -> bool:
    return bool(value) and all(isinstance(one, dict) for one in value)


def _member(type: Type, name: str) -> tuple[Type, GetAttr | Index]:
    if isinstance(type, MapType):
        return type.element, Index(name)
    return (type.attributes.get(name, DYNAMIC) if isinstance(type, ObjectType) else DYNAMIC), GetAttr(name)


def _element(type: Type, at: int) -> Type:
    if isinstance(type, TupleType) and at < len(type.elements):
        return type.elements[at]
    return type.element if isinstance(type, ListType | SetType) else DYNAMIC


def references(value: Any) -> list[str]:
    """The places that a form refers to."""
    # What is in a base64 text is looked at, not the text as such.
    text = canonical(value).replace("$$", "").replace("${base64:", "")
    return sorted(findall(r"\$\{((?:[^{}]|\{[^{}]*\})*)\}", text))


def shown_forms(one: Any, two: Any, hidden: frozenset[str]) -> tuple[Shown, Shown]:
    """Both forms as they may be shown; `hidden` are texts that must not be."""
    return shown_form(one, hidden), shown_form(two, hidden)


def shown_form(value: Any, hidden: frozenset[str]) -> Shown:
    """A form as it may be shown."""
    if value is LACKING:
        return NOTHING
    if _has_secret(value):
        return SECRET
    text = canonical(value)
    plain = text.replace("$$", "$")
    if any(one in plain or canonical(one)[1:-1] in plain for one in hidden):
        return SECRET
    return Shown(text, {"value": value})


def _has_secret(value: Any) -> bool:
    if isinstance(value, dict):
        return HASHED in value or any(map(_has_secret, value.values()))
    return isinstance(value, list) and any(map(_has_secret, value))
