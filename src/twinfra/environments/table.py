"""Reads a table of `twinfra.toml`: each value by its name and type, errors with their place, unknown keys refused.

A section's owner makes no checks of types of its own: it asks for what it takes, then calls `finish`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any, TypeVar

from twinfra.diagnostics import Diagnostics, SourceRange, error, nearest
from twinfra.environments.places import Path

T = TypeVar("T")


class Table:
    """One table. What is wrong is added to `found`, which all tables of a section share; nothing is raised.

    `path` leads to it from the top of the file, and `places` has where each key stands. `given`: whether it is
    written at all; one that is not reads as empty.
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        path: Path,
        places: Mapping[Path, SourceRange],
        found: Diagnostics,
        given: bool = True,
    ) -> None:
        self.values = values
        self.path = path
        self.places = places
        self.found = found
        self.given = given
        self._asked: dict[str, None] = {}

    @property
    def title(self) -> str:
        """How people know it: `[environments.staging]`."""
        return f"[{_dotted(self.path)}]" if self.path else "the file"

    def __contains__(self, name: str) -> bool:
        """Whether a key is written in it."""
        return name in self.values

    def place(self, name: str = "", *further: str | int) -> SourceRange | None:
        """Where a key of it stands (or something within its value); without a name, the table itself."""
        path = (*self.path, name, *further) if name else self.path
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path)

    def fail(self, summary: str, detail: str, name: str = "", *further: str | int, mend: str = "") -> None:
        """Add an error about a key, or about the table."""
        self.found.add(error(summary, detail, self.place(name, *further), mend=mend))

    def text(self, name: str, default: str = "", *, required: bool = False) -> str:
        """A string that is not empty; `default` where it is not written."""
        value = self._one(name, lambda one: isinstance(one, str), "a string", default, required)
        if self.values.get(name) == "":
            self.fail("Unsuitable value", f"{name} is empty.", name, mend="Give it a value, or remove it.")
        return value

    def choice(self, name: str, choices: Iterable[str], default: str = "") -> str:
        """One of a few words."""
        known = list(choices)
        found = self.text(name, default)
        if name in self.values and found and found not in known:
            listed = ", ".join(f'"{one}"' for one in known)
            self.fail(
                "Unsuitable value",
                f'{name} is one of {listed}, not "{found}".',
                name,
                mend=nearest(found, known),
            )
            return default
        return found

    def texts(self, name: str, *, required: bool = False) -> tuple[str, ...]:
        """A list of strings; one string stands for a list of it."""
        value = self._one(name, _is_texts, "a string or a list of strings", (), required)
        return (value,) if isinstance(value, str) else tuple(value)

    def flag(self, name: str, default: bool = False) -> bool:
        """true or false."""
        return self._one(name, lambda one: isinstance(one, bool), "true or false", default, False)

    def number(self, name: str, default: int = 0, *, least: int | None = None) -> int:
        """A whole number, no less than `least`."""
        found = self._one(name, _is_number, "a whole number", default, False)
        if name in self.values and least is not None and found < least:
            self.fail("Unsuitable value", f"{name} is at least {least}, not {found}.", name)
            return default
        return found

    def date(self, name: str, *, required: bool = False) -> date | None:
        """A date, written without quotes: 2026-12-31."""
        return self._one(name, _is_date, "a date such as 2026-12-31, without quotes", None, required)

    def mapping(self, name: str) -> dict[str, Any]:
        """A table of whatever keys, in plain Python; empty where it is not written."""
        return dict(self.table(name).values)

    def table(self, name: str) -> Table:
        """A table within this one; one that is not written is empty, and not `given`."""
        nothing: dict[str, Any] = {}
        value = self._one(name, lambda one: isinstance(one, dict), "a table", nothing, False)
        given = isinstance(self.values.get(name), dict)
        return Table(value, (*self.path, name), self.places, self.found, given)

    def tables(self, name: str) -> list[Table]:
        """The tables of an array of tables (`[[section.name]]`), in their order."""
        nothing: list[dict[str, Any]] = []
        value = self._one(name, _is_tables, f"an array of tables, written as [[{name}]]", nothing, False)
        path = (*self.path, name)
        return [Table(one, (*path, at), self.places, self.found) for at, one in enumerate(value)]

    def named(self) -> dict[str, Table]:
        """All that this table holds as tables by their names (`[environments.NAME]`); others are errors."""
        return {name: self.table(name) for name in self.values}

    def finish(self) -> None:
        """Refuse the keys that nobody asked for."""
        for name in self.values:
            if name not in self._asked:
                self.fail(
                    "Unknown key",
                    f'{self.title[:1].upper()}{self.title[1:]} has no key "{name}".',
                    name,
                    mend=nearest(name, self._asked) or _known(self._asked),
                )

    def _one(
        self, name: str, fits: Callable[[Any], bool], wanted: str, default: T, required: bool
    ) -> T | Any:
        self._asked[name] = None
        if name not in self.values:
            if required:
                self.fail(
                    "Missing key", f'{self.title} needs the key "{name}".', mend=f"Add {name}: {wanted}."
                )
            return default
        value = self.values[name]
        if not fits(value):
            self.fail("Wrong type", f"{name} is {wanted}, not {_kind(value)}.", name, mend="Correct it.")
            return default
        return value


def _is_texts(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(one, str) for one in value))


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_date(value: Any) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) for one in value)


def _kind(value: Any) -> str:
    """What a value is, in the words of TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'the string "{value}"' if len(value) <= 40 else "a string"
    if isinstance(value, int):
        return f"the number {value}"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    return "a date or time" if isinstance(value, date) else "a number"


def _dotted(path: Path) -> str:
    return ".".join(str(step) for step in path if isinstance(step, str))


def _known(names: Iterable[str]) -> str:
    return "There are: " + ", ".join(sorted(names)) + "."
