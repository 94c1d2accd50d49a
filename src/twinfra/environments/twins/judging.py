"""Differences against rules: which spring from declared parameters alone, and what the rules say in vain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from twinfra.diagnostics import DiagnosticError, error, nearest
from twinfra.engine.program import Program
from twinfra.environments.twins.inputs import REGION, WORKSPACE, Input, parameter_text
from twinfra.environments.twins.patterns import covers
from twinfra.environments.twins.report import Entry, Note
from twinfra.environments.twins.rules import Rules

Numbers = frozenset[int]


class Judge:
    """The rules, applied to the inputs that differ."""

    def __init__(self, rules: Rules, inputs: Sequence[Input]) -> None:
        self._rules = rules
        self._inputs = inputs
        declared = frozenset(rules.parameters)
        self._limited = frozenset(name for one in rules.allow for name in one.parameters)
        self._undeclared = frozenset(one.number for one in inputs if one.parameter not in declared)
        self._limits = frozenset(
            one.number for one in inputs if one.parameter in declared and one.parameter in self._limited
        )
        self._used: set[int] = set()
        self._covering: dict[str, tuple[int, ...]] = {}

    def barred(self, place: str) -> Numbers:
        """The inputs that must make no difference at a place."""
        if not self._limits:
            return self._undeclared
        allowed = {name for at in self._covers(place) for name in self._rules.allow[at].parameters}
        return self._undeclared | frozenset(
            one for one in self._limits if self._inputs[one].parameter not in allowed
        )

    def allows(self, place: str, causes: Iterable[int]) -> bool:
        """Whether all causes may make a difference at a place."""
        barred = self.barred(place)
        return all(one not in barred for one in causes)

    def reasons(self, place: str, causes: Iterable[int]) -> tuple[str, ...]:
        """The reasons of the exceptions by which these causes may make a difference here."""
        names = {self._inputs[one].parameter for one in causes}
        found: dict[str, None] = {}
        for at in self._covers(place):
            if not names.isdisjoint(self._rules.allow[at].parameters):
                self._used.add(at)
                found[self._rules.allow[at].reason] = None
        return tuple(found)

    def _covers(self, place: str) -> tuple[int, ...]:
        if not self._rules.allow:
            return ()
        found = self._covering.get(place)
        if found is None:
            found = tuple(at for at, one in enumerate(self._rules.allow) if covers(one.path, place))
            self._covering[place] = found
        return found

    def notes(self, program: Program, entries: Sequence[Entry]) -> Iterator[Note]:
        """What is worth knowing of rules and inputs, though it makes no difference."""
        used = {cause.input.parameter for entry in entries for cause in entry.causes}
        differing = dict.fromkeys(one.parameter for one in self._inputs)
        for name in differing:
            if name in self._rules.parameters:
                continue
            effect = "" if name in used else ", without any effect"
            yield Note(
                "undeclared", name, f"{parameter_text(name)} differs, and is no declared parameter{effect}."
            )
        for name in self._rules.parameters:
            if name not in differing:
                yield Note("unused", name, f"The parameter {name} is declared, and is the same in both.")
            elif name not in used:
                yield Note(
                    "unused", name, f"The parameter {name} is declared and differs, without any effect."
                )
        for at, one in enumerate(self._rules.allow):
            if at not in self._used:
                yield Note("unused_allow", one.path, f"The exception for {one.path} is not used.")


def check_names(rules: Rules, program: Program) -> None:
    """Refuse parameters that the configuration does not have. Raises `DiagnosticError`."""
    known = [*program.modules[()].variables, WORKSPACE, REGION]
    problems = [
        error(
            "Unknown parameter",
            f"The configuration has no variable {name}.",
            rules.places.get(name),
            mend=nearest(name, known) or "Remove it, or declare the variable.",
        )
        for name in rules.parameters
        if name not in known
    ]
    if problems:
        raise DiagnosticError(problems)
