"""Generated configurations: the causes that they were made with are found, and no others."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.environments.twins.pairs import Pair, causes

from twinfra.config.installer import load
from twinfra.engine import api
from twinfra.state.model import State

VARIABLES = [f"v{number}" for number in range(5)]


@dataclass
class Program:
    """A configuration that grows while expressions are drawn: every value in it is a string of its own."""

    locals: list[str] = field(default_factory=list)
    modules: list[str] = field(default_factory=list)
    resources: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        variables = "".join(f'variable "{name}" {{}}\n' for name in [*VARIABLES, "same"])
        named = "".join(f"  l{at} = {one}\n" for at, one in enumerate(self.locals))
        called = "".join(
            f'module "m{at}" {{\n  source = "./part"\n  taken = {one}\n}}\n'
            for at, one in enumerate(self.modules)
        )
        return f"{variables}locals {{\n{named}}}\n{called}" + "".join(self.resources)


PART = """
variable "taken" {}
locals { made = { value = "<${var.taken}>", other = "fixed" } }
resource "terraform_data" "it" { input = local.made.value }
output "value" { value = local.made["value"] }
output "input" { value = terraform_data.it.input }
"""

Made = tuple[str, frozenset[str]]
"""An expression, and the variables that its value comes from."""


def expressions(draw: st.DrawFn, program: Program, depth: int) -> Made:
    """An expression whose value comes from known variables, all others having no part in it."""
    if depth == 0:
        name = draw(st.sampled_from([*VARIABLES, "same"]))
        return f"var.{name}", frozenset() if name == "same" else frozenset((name,))

    def inner() -> Made:
        return expressions(draw, program, depth - 1)

    one, of_one = inner()
    shape = draw(st.integers(0, 15))
    if shape == 0:
        return f'"x${{{one}}}"', of_one
    if shape == 1:
        other, of_other = inner()
        return f'"${{{one}}}/${{{other}}}"', of_one | of_other
    if shape == 2:
        other, _ = inner()
        return f'(var.same == "same" ? {one} : {other})', of_one
    if shape == 3:
        other, _ = inner()
        return f"[{other}, {one}][1]", of_one
    if shape == 4:
        other, _ = inner()
        return f'lookup({{ a = {one}, b = {other} }}, "a", "")', of_one
    if shape == 5:
        other, of_other = inner()
        return f'join("+", [for each_one in [{one}, {other}] : upper(each_one)])', of_one | of_other
    if shape == 6:
        program.locals.append(f"{{ taken = {one}, left = {inner()[0]} }}")
        return f"local.l{len(program.locals) - 1}.taken", of_one
    if shape == 7:
        program.modules.append(one)
        output = draw(st.sampled_from(["value", "input"]))
        return f"module.m{len(program.modules) - 1}.{output}", of_one
    if shape == 8:
        return f"try(var.same.nothing, {one})", of_one
    if shape == 9:
        other, of_other = inner()
        return f'format("%s-%s", {one}, {other})', of_one | of_other
    if shape == 10:
        other, _ = inner()
        return f'merge({{ k = {other} }}, {{ k = {one} }})["k"]', of_one
    if shape == 11:
        return f'"%{{ for each_one in [{one}] }}<${{each_one}}>%{{ endfor }}"', of_one
    if shape == 12:
        name = f"r{len(program.resources)}"
        program.resources.append(f'resource "terraform_data" "{name}" {{\n  input = {one}\n}}\n')
        return f"terraform_data.{name}.input", of_one
    if shape == 13:
        other, _ = inner()
        return f"element(concat([{other}], [{one}]), 1)", of_one
    if shape == 14:
        return f"jsondecode(jsonencode({{ k = {one}, l = {inner()[0]} }})).k", of_one
    other, _ = inner()
    return f'[for key, each_one in {{ a = {one}, b = {other} }} : each_one if key == "a"][0]', of_one


@st.composite
def programs(draw: st.DrawFn) -> tuple[str, dict[str, frozenset[str]]]:
    """A configuration, and where it differs because of which variables."""
    program = Program()
    expected: dict[str, frozenset[str]] = {}
    for _ in range(draw(st.integers(1, 4))):
        text, own = expressions(draw, program, draw(st.integers(0, 4)))
        name = f"r{len(program.resources)}"
        repeated = draw(st.booleans())
        key = '["k"]' if repeated else ""
        head = '  for_each = toset(["k"])\n' if repeated else ""
        program.resources.append(f'resource "terraform_data" "{name}" {{\n{head}  input = {text}\n}}\n')
        expected[f"terraform_data.{name}{key}.input"] = own
    return program.text, expected


def compared(text: str, first: dict[str, object], second: dict[str, object]) -> dict[str, list[str]]:
    with tempfile.TemporaryDirectory() as directory:
        pair = Pair(Path(directory))
        pair.write(text, part=PART)
        return causes(pair.compare(first, second))


@given(programs())
@settings(max_examples=60, deadline=None)
def test_the_causes_of_generated_configurations_are_found(
    made: tuple[str, dict[str, frozenset[str]]],
) -> None:
    text, expected = made
    first = {name: f"{name}-a" for name in VARIABLES} | {"same": "same"}
    second = {name: f"{name}-b" for name in VARIABLES} | {"same": "same"}
    found = compared(text, first, second)
    for place, own in expected.items():
        assert frozenset(found.get(place, ())) == frozenset(f"var.{one}" for one in own), text


LOGIC = st.recursive(
    st.sampled_from([f"var.{name}" for name in VARIABLES]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["&&", "||", "==", "!="]), inner).map(
            lambda parts: f"({' '.join(parts)})"
        ),
        inner.map(lambda one: f"!{one}"),
        st.tuples(inner, inner, inner).map(lambda parts: "({} ? {} : {})".format(*parts)),
    ),
    max_leaves=6,
)


@given(
    LOGIC, st.lists(st.booleans(), min_size=5, max_size=5), st.lists(st.booleans(), min_size=5, max_size=5)
)
@settings(max_examples=60, deadline=None)
def test_a_cause_is_what_changes_the_value_when_it_is_taken_over(
    expression: str, own: list[bool], other: list[bool]
) -> None:
    text = "".join(f'variable "{name}" {{}}\n' for name in VARIABLES)
    text += f'resource "terraform_data" "it" {{ input = {expression} }}'
    first, second = dict(zip(VARIABLES, own, strict=True)), dict(zip(VARIABLES, other, strict=True))
    with tempfile.TemporaryDirectory() as directory:
        pair = Pair(Path(directory))
        pair.write(text)
        found = causes(pair.compare(first, second)).get("terraform_data.it.input", [])
        check_by_trying_all(pair.directory, first, second, {one.removeprefix("var.") for one in found}, text)


def check_by_trying_all(
    directory: Path, first: dict[str, object], second: dict[str, object], found: set[str], text: str
) -> None:
    """The causes against their definition: the configuration is planned with inputs taken over."""
    configuration, _ = load(directory)

    def value(base: dict[str, object], source: dict[str, object], names: Iterable[str]) -> object:
        inputs = {**base, **{name: source[name] for name in names}}
        result = api.plan(configuration, State(), inputs, api.Providers())
        assert not result.diagnostics.has_errors
        return result.plan.changes[0].after["input"]

    def changes(names: Iterable[str]) -> bool:
        return value(first, second, names) != one or value(second, first, names) != two

    one, two = value(first, second, ()), value(second, first, ())
    if one == two:
        assert not found, text
        return
    differing = {name for name in VARIABLES if first[name] != second[name]}
    alone = {name for name in differing if changes([name])}
    whole = {
        name
        for name in differing
        if value(first, second, [name]) == two and value(second, first, [name]) == one
    }
    if len(whole) == 1:
        assert found == whole, text
    elif not alone:
        assert found, text
        assert found <= differing, text
    else:
        assert alone <= found <= differing, text
        assert (found != alone) == changes(differing - alone), text


def test_all_ways_to_differ_in_three_inputs_are_told_apart() -> None:
    text = "".join(f'variable "{name}" {{}}\n' for name in VARIABLES[:3])
    text += 'resource "terraform_data" "it" { input = "${var.v0}${var.v1}${var.v2}" }'
    for size in range(4):
        for chosen in combinations(VARIABLES[:3], size):
            first = dict.fromkeys(VARIABLES[:3], "a")
            second = {name: "b" if name in chosen else "a" for name in VARIABLES[:3]}
            found = compared(text, first, second).get("terraform_data.it.input", [])
            assert found == [f"var.{name}" for name in chosen]
