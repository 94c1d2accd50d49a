"""What each of two environments is given, where that differs, and the traces by which it is followed.

An input is one value inside a root variable, as far down as both sides have it, or `terraform.workspace`, or the
region that an environment declares.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from twinfra.addresses import quote
from twinfra.dataclass import dataclass
from twinfra.diagnostics import DiagnosticError
from twinfra.engine.evaluation import Evaluation
from twinfra.engine.nodes import VariableNode
from twinfra.engine.program import Program
from twinfra.lang.scope import EvaluationContext
from twinfra.values.equality import identical
from twinfra.values.marks import Trace, has_marks, mark, unmark
from twinfra.values.value import SENSITIVE, GetAttr, Index, List, Map, Path, Value

WORKSPACE = "terraform.workspace"
REGION = "environment.region"
TIMESTAMP = "2000-01-01T00:00:00Z"
"""What `plantimestamp` is on both sides, so that no difference comes from the clock."""

_MOST_PARTS = 8
"""In how many places a variable may differ before it counts as one input."""


@dataclass(frozen=True, slots=True)
class Side:
    """One environment: its name, the root variables given to it, and the name of its workspace.

    `region`: where it is, for providers whose block does not say so; empty where nobody does.
    """

    name: str
    inputs: Mapping[str, Value]
    workspace: str = "default"
    region: str = ""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a side is given, as the configuration takes it, or what is made of that with traces on it."""

    variables: Mapping[str, Value]
    workspace: Value
    region: Value


@dataclass(frozen=True, slots=True)
class Input:
    """An input that differs: the variable's name (or `WORKSPACE` or `REGION`), where inside it, and both values.

    `number` is its position among all that differ.
    """

    number: int
    parameter: str
    path: Path
    values: tuple[Value, Value]
    sensitive: bool = False

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """As an expression of the root module would read it."""
        return parameter_text(self.parameter) + path_text(self.path)


class Cause(Trace):
    """The mark of what comes from an input, as one side has it."""

    __slots__ = ("number", "side")
    number: int
    side: int

    @staticmethod
    def of(side: int, number: int) -> Cause:
        """The mark of this input on side 0 or 1."""
        made = Cause(f"{'ab'[side]}{number}")
        made.side, made.number = side, number
        return made


class Origin(Trace):
    """The mark of what only the cloud can tell: the place whose value it is."""

    __slots__ = ()


def parameter_text(name: str) -> str:
    """A parameter as people read it."""
    return name if name in (WORKSPACE, REGION) else f"var.{name}"


def path_text(path: Path) -> str:
    """A path as an expression goes on after a name: `.tags["a"][0]`."""
    shown = ""
    for step in path:
        if isinstance(step, GetAttr):
            shown += f".{step.name}"
        elif isinstance(step.key, str):
            shown += "[*]" if step.key == "*" else f"[{quote(step.key)}]"
        else:
            shown += f"[{step.key}]"
    return shown


def accepted(program: Program, side: Side) -> Inputs:
    """The inputs as the configuration takes them: variables converted, checked, with defaults.

    Raises `DiagnosticError` where it refuses them.
    """
    context = EvaluationContext(program.configuration.root_directory, TIMESTAMP, planning=True)
    evaluation = Evaluation(program, side.inputs, context, side.workspace)
    for node in program.nodes:
        if isinstance(node, VariableNode) and not node.path:
            evaluation.variable(node)
    if evaluation.diagnostics.has_errors:
        raise DiagnosticError(evaluation.diagnostics.errors)
    return Inputs(evaluation.root.variables, side.workspace, side.region or None)


def differing(first: Inputs, second: Inputs, with_workspace: bool) -> list[Input]:
    """The inputs that differ; `with_workspace`: whether any expression asks for the workspace's name."""
    found: list[Input] = []
    for name, value in first.variables.items():
        other = second.variables[name]
        places = list(_places(value, other, (), False))
        if len(places) > _MOST_PARTS:
            secret = has_marks(value, SENSITIVE) or has_marks(other, SENSITIVE)
            places = [((), value, other, secret)]
        for path, one, two, secret in places:
            found.append(Input(len(found), name, path, (one, two), secret))
    if with_workspace and first.workspace != second.workspace:
        found.append(Input(len(found), WORKSPACE, (), (first.workspace, second.workspace)))
    if first.region != second.region:
        found.append(Input(len(found), REGION, (), (first.region, second.region)))
    return found


def _places(
    first: Value, second: Value, path: Path, secret: bool
) -> Iterable[tuple[Path, Value, Value, bool]]:
    one, marks = unmark(first)
    two, more = unmark(second)
    secret = secret or SENSITIVE in marks or SENSITIVE in more
    kind = type(one)
    if kind is type(two):
        if (kind is dict or kind is Map) and one.keys() == two.keys():
            for name in one:
                step = GetAttr(name) if kind is dict else Index(name)
                yield from _places(one[name], two[name], (*path, step), secret)
            return
        if (kind is tuple or kind is List) and len(one) == len(two):
            for at, pair in enumerate(zip(one, two, strict=True)):
                yield from _places(*pair, (*path, Index(at)), secret)
            return
    if not identical(one, two):
        yield path, one, two, secret or has_marks(one, SENSITIVE) or has_marks(two, SENSITIVE)


def traced(own: Inputs, inputs: Iterable[Input], side: int, swapped: frozenset[int] = frozenset()) -> Inputs:
    """The inputs of a side with a trace on each that differs; those `swapped` come from the other side."""
    variables = dict(own.variables)
    special = {WORKSPACE: own.workspace, REGION: own.region}
    for one in inputs:
        source = 1 - side if one.number in swapped else side
        taken = mark(one.values[source], (Cause.of(source, one.number),))
        if one.parameter in special:
            special[one.parameter] = taken
            continue
        if one.sensitive:
            taken = mark(taken, (SENSITIVE,))
        variables[one.parameter] = _put(variables[one.parameter], one.path, taken)
    return Inputs(variables, special[WORKSPACE], special[REGION])


def _put(value: Value, path: Path, new: Value) -> Value:
    """The value with another one at a path."""
    bare, marks = unmark(value)
    if not path:
        return mark(new, marks)
    step = path[0]
    key = step.name if isinstance(step, GetAttr) else step.key
    inner = _put(bare[key], path[1:], new)
    made: Value
    if type(bare) is dict:
        made = {**bare, key: inner}
    elif type(bare) is Map:
        made = Map({**bare, key: inner}, bare.element)
    else:
        items = [inner if at == key else one for at, one in enumerate(bare)]
        made = List(items, bare.element) if type(bare) is List else tuple(items)
    return mark(made, marks)
