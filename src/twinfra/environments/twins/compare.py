"""Twins as configured: from a configuration, two sides and rules to a report. Calls no cloud and reads no state."""

from __future__ import annotations

from collections.abc import Sequence

from twinfra.collector import young_only
from twinfra.config.model import Configuration
from twinfra.engine.nodes import ResourceNode
from twinfra.engine.program import Program
from twinfra.engine.providers import Providers
from twinfra.environments.twins import judging
from twinfra.environments.twins.comparison import Comparison, Difference, in_environment
from twinfra.environments.twins.deriving import derive
from twinfra.environments.twins.inputs import (
    Input,
    Inputs,
    Side,
    accepted,
    differing,
    traced,
)
from twinfra.environments.twins.naming import Named, Names
from twinfra.environments.twins.outlook import Outlook
from twinfra.environments.twins.report import Cause, Entry, Given, Report
from twinfra.environments.twins.routes import Routes
from twinfra.environments.twins.rules import Rules
from twinfra.environments.twins.settling import ABSENT
from twinfra.environments.twins.showing import NOTHING, PRESENT, kind_of, shown, shown_pair
from twinfra.environments.twins.tracing import Traced, confirm, trace
from twinfra.environments.twins.variations import Variations, rows_of, scope_of, workspace_readers
from twinfra.values.marks import mark
from twinfra.values.value import SENSITIVE


def compare(
    configuration: Configuration, first: Side, second: Side, providers: Providers, rules: Rules
) -> Report:
    """Compare two sides of one configuration.

    Raises `DiagnosticError` where the configuration is wrong or one side cannot be evaluated.
    """
    with young_only():
        return _Run(configuration, (first, second), providers, rules).run()


class _Run:
    def __init__(
        self, configuration: Configuration, sides: tuple[Side, Side], providers: Providers, rules: Rules
    ) -> None:
        self._sides = sides
        self._rules = rules
        self._providers = providers
        self._program: Program = providers.program(configuration)

    def run(self) -> Report:
        program = self._program
        program.problems.raise_errors()
        judging.check_names(self._rules, program)
        names = (self._sides[0].name, self._sides[1].name)
        given = (self._accepted(0), self._accepted(1))
        inputs = differing(*given, with_workspace=bool(workspace_readers(program)))
        outlooks = [
            Outlook(program, traced(given[at], inputs, at), self._providers.another()) for at in (0, 1)
        ]
        pair = (outlooks[0], outlooks[1])
        try:
            comparison = Comparison(program, *pair, names)
            comparison.run()
            variations = Variations(program, pair, inputs, given)
            found = trace(comparison.differences, inputs, variations)
            rules = judging.Judge(self._rules, inputs)
            names_of = Names()
            places = [names_of(one.difference.place) for one in found]
            suspects = [
                (one, rules.barred(place.whole))
                for one, place in zip(found, places, strict=True)
                if rules.allows(place.whole, one.causes)
            ]
            confirm(suspects, variations)
            routes = Routes(program, pair, inputs)
            ordered = sorted(zip(found, places, strict=True), key=lambda both: both[1].order)
            entries = [self._entry(one, place, rules, inputs, routes, pair) for one, place in ordered]
        finally:
            for side in outlooks:
                side.providers.close()
        entries = derive(entries, [one.difference.place for one, _ in ordered])
        declared = frozenset(self._rules.parameters)
        effects = [0] * len(inputs)
        for entry in entries:
            for cause in entry.causes:
                effects[cause.input.number] += 1
        return Report(
            names,
            False,
            tuple(_given(one, one.parameter in declared, effects[one.number]) for one in inputs),
            tuple(one for one in entries if one.allowed),
            tuple(one for one in entries if not one.allowed),
            tuple(rules.notes(self._program, entries)),
            comparison.counts.instances,
            comparison.counts.differing,
        )

    def _accepted(self, at: int) -> Inputs:
        with in_environment(self._sides[at].name):
            return accepted(self._program, self._sides[at])

    def _entry(
        self,
        one: Traced,
        place: Named,
        rules: judging.Judge,
        inputs: Sequence[Input],
        routes: Routes,
        sides: tuple[Outlook, Outlook],
    ) -> Entry:
        difference = one.difference
        causes = tuple(
            Cause(inputs[number], routes.route(difference.place, number)) for number in sorted(one.causes)
        )
        allowed = rules.allows(place.whole, one.causes)
        if difference.place.path is None:
            values = tuple(NOTHING if value is ABSENT else PRESENT for value in difference.values)
            pair = (values[0], values[1])
        else:
            pair = shown_pair(*difference.values)
        return Entry(
            kind_of(difference, _others(difference, sides)),
            place.address,
            place.block,
            place.inside,
            pair,
            causes,
            one.together,
            allowed,
            rules.reasons(place.whole, one.causes) if allowed else (),
        )


def _others(difference: Difference, sides: tuple[Outlook, Outlook]) -> int:
    """How many instances of its block the side has that lacks this one."""
    place = difference.place
    if place.path is not None or not isinstance(place.node, ResourceNode):
        return 0
    lacking = sides[0] if difference.values[0] is ABSENT else sides[1]
    scope = scope_of(lacking, place.module)
    return 0 if scope is None else len(rows_of(scope, place.node))


def _given(one: Input, declared: bool, effects: int) -> Given:
    first, second = (shown(mark(value, (SENSITIVE,)) if one.sensitive else value) for value in one.values)
    return Given(one, (first, second), declared, effects)
