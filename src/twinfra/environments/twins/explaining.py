"""Why what is deployed differs: the differences that the code makes, and texts that are made of their values."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from twinfra.environments.twins.report import Cause, Entry, Kind, Report

_KEY = re.compile(r"\[(?:\d+|\"(?:[^\"\\]|\\.)*\")\]")
_SHORTEST = 3
"""Texts shorter than this are no sign that one was made of the other."""


@dataclass(frozen=True, slots=True)
class Explained:
    """What explains a difference; nothing where it has no causes. `follows`: the place whose value it is made of."""

    causes: tuple[Cause, ...] = ()
    together: bool = False
    allowed: bool = False
    reasons: tuple[str, ...] = ()
    follows: str = ""


_UNEXPLAINED = Explained()


class Explanations:
    """The differences of a comparison of code, found again by place and by text."""

    def __init__(self, configured: Report) -> None:
        entries = [*configured.outfits, *configured.findings]
        self._by_place = {one.place: one for one in entries}
        self._gone = {
            one.address: one for one in entries if one.kind in (Kind.MODULE, Kind.RESOURCE, Kind.INSTANCE)
        }
        self._texts: dict[str, list[tuple[str, str, Entry]]] = {}
        for one in entries:
            pair = _texts(one)
            if pair is not None:
                for place in (one.address, ""):
                    self._texts.setdefault(place, []).append((*pair, one))

    def of_object(self, address: str) -> Explained:
        """Why only one side has an object."""
        for form in _forms(address):
            found = self._gone.get(form)
            if found is not None:
                return _explained(found)
        steps = address.split(".")
        for end in range(2, len(steps), 2):
            found = self._gone.get(".".join(steps[:end]))
            if found is not None:
                return _explained(found)
        return _UNEXPLAINED

    def of_value(self, address: str, path: str, first: Any, second: Any) -> Explained:
        """Why a value differs: the code makes it so, or it is made of others that differ, in the same object first."""
        for form in _forms(address):
            found = self._place(form, path)
            if found is not None:
                return _explained(found)
        if isinstance(first, str) and isinstance(second, str):
            for form in (*_forms(address), ""):
                entry = _made_of(first, second, self._texts.get(form, ()))
                if entry is not None:
                    explained = _explained(entry)
                    return Explained(
                        explained.causes,
                        explained.together,
                        explained.allowed,
                        explained.reasons,
                        entry.place,
                    )
        return _UNEXPLAINED

    def _place(self, address: str, path: str) -> Entry | None:
        """The difference of this place, or of what is around it."""
        while path:
            dot = "" if path.startswith("[") else "."
            found = self._by_place.get(f"{address}{dot}{path}")
            if found is not None:
                return found
            cut = max(path.rfind("."), path.rfind("["))
            path = path[:cut] if cut > 0 else ""
        return self._by_place.get(address) if address.startswith("output.") else None


def _forms(address: str) -> Iterable[str]:
    """The address, and those under which any instance goes."""
    yield address
    keys = list(_KEY.finditer(address))
    if keys:
        last = keys[-1]
        yield f"{address[: last.start()]}[*]{address[last.end() :]}"
        yield _KEY.sub("[*]", address)


def _explained(entry: Entry) -> Explained:
    return Explained(entry.causes, entry.together, entry.allowed, entry.reasons, entry.derived_from)


def _texts(entry: Entry) -> tuple[str, str] | None:
    """The two texts of a difference of strings; of those known in part, what is known."""
    found = []
    for value in entry.values:
        text = value.data.get("value", value.data.get("prefix"))
        if not isinstance(text, str) or len(text) < _SHORTEST:
            return None
        found.append(text)
    return found[0], found[1]


def _made_of(first: str, second: str, pairs: Iterable[tuple[str, str, Entry]]) -> Entry | None:
    """The difference by which one text becomes the other, where its two texts stand in them."""
    for one, two, entry in pairs:
        if one in first and first.replace(one, two) == second:
            return entry
    return None
