"""The seam between expressions and whoever evaluates them: references out, values in.

A compiled expression asks a `Scope` for each reference it meets. The engine's scope answers from its tables;
tests and the console bring their own. References are found when parsing, without evaluating.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Protocol

from twinfra.dataclass import dataclass
from twinfra.diagnostics import DiagnosticError
from twinfra.values.value import Value

if TYPE_CHECKING:
    from pathlib import Path

    from twinfra.diagnostics import SourceRange


@dataclass(frozen=True, slots=True)
class Reference:
    """What an expression refers to.

    `kind`: `var`, `local`, `each`, `count`, `path`, `terraform`, `self`, `resource`, `data`, `ephemeral` or
    `module`. `type` and `name`: `aws_vpc` and `main` of a resource; for the others only `name` (`x` of
    `var.x`, `key` of `each.key`, empty for `self`). `attribute` is, for resources and modules, the attribute
    or output read directly (`out` of `module.m[0].out`), or empty when the whole is read; `self` has one too.
    `attribute_range` is where it stands; `keyed`: a key says which instance is read, `fixed`: it is written out.
    """

    kind: str
    name: str
    range: SourceRange
    type: str = ""
    attribute: str = ""
    attribute_range: SourceRange | None = None
    keyed: bool = False
    fixed: bool = True

    def __str__(self) -> str:
        if self.kind == "resource":
            return f"{self.type}.{self.name}"
        if self.kind in ("data", "ephemeral"):
            return f"{self.kind}.{self.type}.{self.name}"
        return f"{self.kind}.{self.name}" if self.name else self.kind


@dataclass(frozen=True, slots=True)
class EvaluationContext:
    """What functions may depend on besides their arguments.

    `base_dir`: what relative file names start from. `timestamp`: the time of this run (RFC 3339, UTC; empty
    where there is none), for `plantimestamp`. `planning`: whether results that are only known at apply
    (`timestamp`, `uuid`, `bcrypt`) must be unknown now. `console`: whether people evaluate expressions by hand,
    for `type`. `now`: what `timestamp` gives (RFC 3339, UTC), the current time where empty. `providers`: the local
    names that the module declares for providers with functions, and the name under which those functions are
    declared here.
    """

    base_dir: Path
    timestamp: str
    planning: bool = False
    console: bool = False
    now: str = ""
    providers: Mapping[str, str] = field(default_factory=dict)


class UnresolvedReferenceError(DiagnosticError):
    """A reference refers to nothing at all, whatever the values: `try` and `can` do not hide that."""


class Scope(Protocol):
    """Answers references. Each method raises `DiagnosticError` when there is no answer.

    An error from `value` is taken for an `UnresolvedReferenceError`; the other methods tell the two apart,
    since a key or output that is not there is an error like any other.
    """

    context: EvaluationContext

    def value(self, reference: Reference) -> Value:
        """The value: of a resource or module its object, or all its instances as a tuple or object."""

    def instance(self, reference: Reference, key: Value) -> Value:
        """One instance of a resource or module with `count` or `for_each`: reads that row only.

        `key` may be unknown or marked.
        """

    def output(self, reference: Reference, name: str) -> Value:
        """`module.m.name` of a module call without `count` or `for_each`: reads that output only."""

    def instance_output(self, reference: Reference, key: Value, name: str) -> Value:
        """`module.m[key].name`: reads that output of that instance only."""
