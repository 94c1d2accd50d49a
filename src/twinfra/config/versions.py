"""Version constraints such as `>= 1.3, < 2.0` or `~> 5.1`, and versions that fit them.

The rules are those of https://developer.hashicorp.com/terraform/language/expressions/version-constraints.
"""

from __future__ import annotations

import re

from twinfra.dataclass import dataclass

COMPATIBLE_VERSION = "1.11.4"
"""The version of the Terraform language that is read here: `required_version` is compared with it."""

_VERSION = (
    r"v?(?P<numbers>[0-9]+(?:\.[0-9]+)*)"
    r"(?:-?(?P<pre>[A-Za-z][0-9A-Za-z~-]*(?:\.[0-9A-Za-z~-]+)*)|-(?P<pre2>[0-9A-Za-z~-]+(?:\.[0-9A-Za-z~-]+)*))?"
    r"(?:\+(?P<meta>[0-9A-Za-z~-]+(?:\.[0-9A-Za-z~-]+)*))?"
)
_CONSTRAINT = re.compile(rf"\s*(?P<operator>=|!=|>=|<=|>|<|~>)?\s*{_VERSION}\s*")
_WHOLE_VERSION = re.compile(_VERSION)
_SEGMENTS = 3

Order = tuple[tuple[int, ...], tuple[int, tuple[tuple[int, int, str], ...]]]


@dataclass(frozen=True, slots=True)
class Version:
    """A version: its numbers (three at least), how many of them were written, and what follows a dash."""

    numbers: tuple[int, ...]
    written: int
    prerelease: str = ""

    @property
    def order(self) -> Order:
        """A key that sorts versions; a prerelease comes before its release."""
        numbers = self.numbers
        while len(numbers) > _SEGMENTS and numbers[-1] == 0:
            numbers = numbers[:-1]
        if not self.prerelease:
            return numbers, (1, ())
        parts = tuple(
            (0, int(part), "") if part.isdigit() else (1, 0, part) for part in self.prerelease.split(".")
        )
        return numbers, (0, parts)


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: an operator and a version."""

    operator: str
    version: Version

    def allows(self, version: Version) -> bool:
        """Whether a version fits. A prerelease fits only where its own release is named with a prerelease."""
        wanted = self.version
        operator = self.operator
        if operator == "=":
            return version.order == wanted.order
        if operator == "!=":
            return version.order != wanted.order
        if version.prerelease and (not wanted.prerelease or version.numbers != wanted.numbers):
            return False
        if operator == ">":
            return version.order > wanted.order
        if operator == ">=":
            return version.order >= wanted.order
        if operator == "<":
            return version.order < wanted.order
        if operator == "<=":
            return version.order <= wanted.order
        fixed = wanted.written - 1
        return version.numbers[:fixed] == wanted.numbers[:fixed] and version.order >= wanted.order


def parse_version(text: str) -> Version:
    """A version; raises `ValueError` for anything else."""
    found = _WHOLE_VERSION.fullmatch(text.strip())
    if found is None:
        raise ValueError(f'"{text}" is not a version')
    return _version(found)


def _version(found: re.Match[str]) -> Version:
    numbers = tuple(map(int, found["numbers"].split(".")))
    padded = numbers + (0,) * (_SEGMENTS - len(numbers))
    return Version(padded, len(numbers), found["pre"] or found["pre2"] or "")


def parse_constraint(text: str) -> tuple[Condition, ...]:
    """The conditions of a constraint, all of which must hold; raises `ValueError` for anything else.

    >>> [one.operator for one in parse_constraint(">= 1.2, ~> 1.0")]
    ['>=', '~>']
    """
    conditions = []
    for part in text.split(","):
        found = _CONSTRAINT.fullmatch(part)
        if found is None:
            raise ValueError(f'"{part.strip()}" is not a version constraint')
        conditions.append(Condition(found["operator"] or "=", _version(found)))
    return tuple(conditions)


def allows(constraint: str, version: str) -> bool:
    """Whether a version fits a constraint; raises `ValueError` where either cannot be read.

    >>> allows("~> 1.3", "1.11.4"), allows("~> 1.3.0", "1.11.4")
    (True, False)
    """
    parsed = parse_version(version)
    return all(one.allows(parsed) for one in parse_constraint(constraint))
