"""Why what is deployed differs: the differences that the code makes, and texts that are made of their values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from twinfra.dataclass import dataclass
from twinfra.environments.twins.forms import text_of_form
from twinfra.environments.twins.report import Cause, Entry, Kind, Report

_KEY = re.compile(r"\[(?:\d+|\"(?:[^\"\\]|\\.)*\")\]")
_SHORTEST = 3
"""Texts shorter than this are no sign that one was made of the other."""


_MOST_ANYWHERE = 100
"""How many differences of other objects are tried, the longest texts first."""


@dataclass(frozen=True, slots=True)
class Explained:
    """What explains a difference; nothing where it has no causes. `follows`: the place whose value it is made of."""

    causes: tuple[Cause, ...] = ()
    together: bool = False
    allowed: bool = False
    reasons: tuple[str, ...] = ()
    follows: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A difference: its path, that within the attribute, and both forms. `made`: nobody can set it."""

    path: str
    tail: str
    one: Any
    two: Any
    made: bool = False


_UNEXPLAINED = Explained()
_Pair = tuple[str, str, Explained]
"""Two texts that differ, and why."""


class Explanations:
    """The differences of a comparison of code, found again by place and by text."""

    def __init__(self, configured: Report) -> None:
        entries = [*configured.outfits, *configured.findings]
        self._by_place = {one.place: one for one in entries}
        self._gone = {
            one.address: one for one in entries if one.kind in (Kind.MODULE, Kind.RESOURCE, Kind.INSTANCE)
        }
        self._texts: dict[str, list[_Pair]] = {}
        anywhere: dict[tuple[str, str], Explained] = {}
        for one in entries:
            pair = _texts(one)
            if pair is not None:
                why = replace(_explained(one), follows=one.derived_from or one.place)
                self._texts.setdefault(one.address, []).append((*pair, why))
                anywhere.setdefault(pair, why)
        longest = sorted(anywhere.items(), key=lambda one: -len(one[0][0]))[:_MOST_ANYWHERE]
        self._anywhere: list[_Pair] = [(*pair, why) for pair, why in longest]

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

    def of_values(self, address: str, found: Sequence[Found]) -> list[Explained]:
        """Why values of one object differ.

        The code makes it so, or they are made of others that differ: in the same object first.
        """
        explained = [self._of_place(address, each.path) for each in found]
        known = [
            (each, replace(why, follows=why.follows or _joined(address, each.path)))
            for why, each in zip(explained, found, strict=True)
            if why is not None
        ]
        own = [(each.one, each.two, why) for each, why in known if _is_sign(each.one) and _is_sign(each.two)]
        copied = {content_of(each): why for each, why in known}
        made: list[Explained] = []
        for why, each in zip(explained, found, strict=True):
            if why is None and isinstance(each.one, str) and isinstance(each.two, str):
                why = _made_of(each.one, each.two, own)
                for form in _forms(address):
                    why = why or _made_of(each.one, each.two, self._texts.get(form, ()))
                why = why or _made_of(each.one, each.two, self._anywhere)
            if why is None and each.made:
                why = copied.get(content_of(each))
            made.append(why or _UNEXPLAINED)
        return made

    def _of_place(self, address: str, path: str) -> Explained | None:
        for form in _forms(address):
            found = self._place(form, path)
            if found is not None:
                return _explained(found)
        return None

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


def content_of(found: Found) -> tuple[str, str, str]:
    """What is the same where a provider copies an attribute to another one."""
    return found.tail, text_of_form(found.one), text_of_form(found.two)


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


def _joined(address: str, path: str) -> str:
    return f"{address}{'' if not path or path.startswith('[') else '.'}{path}"


def _is_sign(text: Any) -> bool:
    """Whether a text is long enough to be found again in others."""
    return isinstance(text, str) and len(text) >= _SHORTEST


def _texts(entry: Entry) -> tuple[str, str] | None:
    """The two texts of a difference of strings; of those known in part, what is known."""
    found: list[Any] = [value.data.get("value", value.data.get("prefix")) for value in entry.values]
    return (found[0], found[1]) if all(map(_is_sign, found)) else None


def _made_of(first: str, second: str, pairs: Iterable[_Pair]) -> Explained | None:
    """Why one text becomes the other, where both texts of a known difference stand in them."""
    for one, two, why in pairs:
        if one in first and first.replace(one, two) == second:
            return why
    return None
