"""What is told of two environments: facts only, for people and machines alike. No secret is in it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from twinfra.dataclass import dataclass
from twinfra.environments.twins.inputs import Input


class Kind(StrEnum):
    """What kind of a difference it is; all but `VALUE` are of structure: only one side has it."""

    MODULE = "module"
    RESOURCE = "resource"
    INSTANCE = "instance"
    BLOCK = "block"
    ARGUMENT = "argument"
    DEPENDENCY = "dependency"
    VALUE = "value"


@dataclass(frozen=True, slots=True)
class Shown:
    """One side's value as it may be shown: `text` for people, on one line; `data` for machines (see docs/twins.md)."""

    text: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Hop:
    """An expression on the way from a difference back to an input: its name, and where it stands."""

    name: str
    place: str


@dataclass(frozen=True, slots=True)
class Cause:
    """An input that a difference comes from, and the expressions on the way, from the difference to the input."""

    input: Input
    through: tuple[Hop, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A difference: `address` of the object, `path` inside it, both sides' values.

    `block`: the block's address, without keys. `together`: some causes have an effect only with others.
    `allowed`: it springs from declared parameters alone; `reasons` are those of the exceptions that say so.
    `derived_from`: the place of a written value, the same on both sides, from which the provider made this one.
    """

    kind: Kind
    address: str
    block: str
    path: str
    values: tuple[Shown, Shown]
    causes: tuple[Cause, ...] = ()
    together: bool = False
    allowed: bool = False
    reasons: tuple[str, ...] = ()
    derived_from: str = ""

    @property
    def place(self) -> str:
        """Address and path."""
        return (
            f"{self.address}.{self.path}"
            if self.path and not self.path.startswith("[")
            else self.address + self.path
        )


@dataclass(frozen=True, slots=True)
class Given:
    """An input that differs, as it may be shown; `effects`: how many differences come from it."""

    input: Input
    values: tuple[Shown, Shown]
    declared: bool
    effects: int


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth knowing that is no difference: `kind` for machines, `text` for people."""

    kind: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """The comparison of two environments. They are twins where there are no `findings`.

    `compared` counts the instances that both have, `differing` those of them that differ in something.
    """

    names: tuple[str, str]
    deployed: bool
    inputs: tuple[Given, ...]
    outfits: tuple[Entry, ...]
    findings: tuple[Entry, ...]
    notes: tuple[Note, ...] = ()
    compared: int = 0
    differing: int = 0

    @property
    def twins(self) -> bool:
        """Whether all differences spring from declared parameters."""
        return not self.findings
