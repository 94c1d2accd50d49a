"""What each environment gives to the parameters of the twins, side by side. Secrets are not shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from twinfra.environments.twins.inputs import REGION, WORKSPACE, Inputs, parameter_text, path_text
from twinfra.environments.twins.report import Report, Shown
from twinfra.environments.twins.rules import Rules
from twinfra.environments.twins.showing import shown
from twinfra.report.estate import Parameter
from twinfra.values.marks import unmark
from twinfra.values.secrets import hide, secrets_in
from twinfra.values.value import EPHEMERAL, SENSITIVE, GetAttr, Index, Map, Path, Value

_MOST_PARTS = 8
"""An object of more members is shown as a whole."""


def parameters(
    rules: Rules, inputs: Mapping[str, Inputs], reports: Iterable[Report]
) -> tuple[Parameter, ...]:
    """The declared parameters, and after them the inputs that differ without being declared.

    `inputs` has what each environment is given, by its name.
    """
    undeclared = {
        one.input.parameter: None for report in reports for one in report.inputs if not one.declared
    }
    names = [*rules.parameters, *(one for one in undeclared if one not in rules.parameters)]
    secrets = {environment: secrets_in(*one.variables.values()) for environment, one in inputs.items()}
    found = []
    for name in names:
        given = {
            environment: hide(_given(name, one), secrets[environment])
            for environment, one in inputs.items()
            if name in one.variables or name in (WORKSPACE, REGION)
        }
        for path, values in _parts(list(given.values()), ()):
            texts: dict[str, Shown] = dict(zip(given, map(shown, values), strict=True))
            found.append(Parameter(parameter_text(name) + path_text(path), name in rules.parameters, texts))
    return tuple(found)


def _given(name: str, inputs: Inputs) -> Value:
    if name == WORKSPACE:
        return inputs.workspace
    return inputs.region if name == REGION else inputs.variables[name]


def _parts(values: Sequence[Value], path: Path) -> Iterator[tuple[Path, Sequence[Value]]]:
    """The values by the members that all of them have, where they are objects of the same few."""
    bare = [unmark(one)[0] for one in values]
    first = bare[0] if bare else None
    if (
        isinstance(first, dict)
        and 0 < len(first) <= _MOST_PARTS
        and all(isinstance(one, dict) and one.keys() == first.keys() for one in bare)
        and not any(SENSITIVE in unmark(one)[1] or EPHEMERAL in unmark(one)[1] for one in values)
    ):
        for name in first:
            step = Index(name) if type(first) is Map else GetAttr(name)
            yield from _parts([one[name] for one in bare], (*path, step))
    elif values:
        yield path, values
