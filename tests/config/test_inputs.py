"""Values for the variables of the root module."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.config.projects import Project, places

from twinfra.config.inputs import collect_inputs, missing_variables, parse_input
from twinfra.diagnostics import Diagnostics


def _collect(
    project: Project,
    files: dict[str, str],
    var: tuple[str, ...] = (),
    var_file: tuple[str, ...] = (),
    environ: dict[str, str] | None = None,
    order: tuple[tuple[str, str], ...] = (),
) -> tuple[dict[str, Any], Diagnostics]:
    configuration, found = project.load(files)
    assert not found.has_errors, list(found)
    return collect_inputs(configuration, Path(), var, var_file, environ or {}, order)


def test_later_ones_win(project: Project) -> None:
    names = ["env", "tfvars", "json", "auto_a", "auto_b", "file", "option"]
    files = {
        "main.tf": "".join(f'variable "{name}" {{}}\n' for name in names),
        "terraform.tfvars": "".join(f'{name} = "tfvars"\n' for name in names[1:]),
        "terraform.tfvars.json": "{" + ", ".join(f'"{name}": "json"' for name in names[2:]) + "}",
        "a.auto.tfvars.json": "{" + ", ".join(f'"{name}": "auto_a"' for name in names[3:]) + "}",
        "b.auto.tfvars": "".join(f'{name} = "auto_b"\n' for name in names[4:]),
        "x.tfvars": "".join(f'{name} = "file"\n' for name in names[5:]),
    }

    values, found = _collect(
        project, files, ("option=option",), ("x.tfvars",), {f"TF_VAR_{name}": "env" for name in names}
    )

    assert not found
    assert values == {name: name for name in names}


def test_options_win_in_the_order_they_are_given(project: Project) -> None:
    files = {"main.tf": 'variable "a" {}\n', "x.tfvars": 'a = "file"\n'}

    values, _ = _collect(project, files, order=(("var", "a=option"), ("var-file", "x.tfvars")))

    assert values == {"a": "file"}


@pytest.mark.parametrize(
    ("type", "text", "value"),
    [
        ("", "[1, 2]", "[1, 2]"),
        ("string", "null", "null"),
        ("string", '"quoted"', '"quoted"'),
        ("number", "5", "5"),
        ("bool", "true", "true"),
        ("any", "[1, 2]", (1, 2)),
        ("any", '"text"', "text"),
        ("list(string)", '["a"]', ("a",)),
        ("map(string)", "{ a = 1 }", {"a": 1}),
        ("object({ a = string })", '{ "a" = "b" }', {"a": "b"}),
        ("list(string)", "null", None),
    ],
)
def test_a_text_is_read_by_the_type(project: Project, type: str, text: str, value: Any) -> None:
    declared = f"  type = {type}\n" if type else ""

    values, found = _collect(project, {"main.tf": f'variable "a" {{\n{declared}}}\n'}, (f"a={text}",))

    assert not found
    assert values == {"a": value}


def test_strings_of_json_files_are_taken_as_they_are(project: Project) -> None:
    files = {"main.tf": 'variable "a" {}\n', "terraform.tfvars.json": '{"a": "${x} %{y}"}'}

    assert _collect(project, files)[0] == {"a": "${x} %{y}"}


def test_a_value_may_contain_an_equals_sign(project: Project) -> None:
    assert _collect(project, {"main.tf": 'variable "a" {}\n'}, ("a=b=c",))[0] == {"a": "b=c"}


def test_the_environment_is_not_checked(project: Project) -> None:
    values, found = _collect(project, {"main.tf": ""}, environ={"TF_VAR_nobody": "x", "TF_VARS": "y"})

    assert (values, list(found)) == ({}, [])


def test_undeclared_values_by_option_are_errors_with_the_nearest_name(project: Project) -> None:
    _, found = _collect(project, {"main.tf": 'variable "region" {\n default = 1\n}\n'}, ("regoin=x",))

    assert [(one.severity, one.mend) for one in found] == [("error", 'Did you mean "region"?')]


def test_a_value_in_a_file_must_fit_the_type(project: Project) -> None:
    files = {"main.tf": 'variable "a" {\n type = list(string)\n}\n', "terraform.tfvars": '\na = "x"\n'}

    _, found = _collect(project, files)

    assert places(found) == [("error", "terraform.tfvars", 2, 5)]


def test_a_missing_file_is_named(project: Project) -> None:
    _, found = _collect(project, {"main.tf": ""}, var_file=("nope.tfvars",))

    (one,) = found
    assert "nope.tfvars" in one.detail


def test_variables_without_value_are_known(project: Project) -> None:
    configuration, _ = project.load('variable "a" {}\nvariable "b" {\n default = 1\n}\nvariable "c" {}\n')

    assert [one.name for one in missing_variables(configuration, {"c": "x"})] == ["a"]


def test_an_answer_is_read_like_an_option(project: Project) -> None:
    root = project.root('variable "a" {\n type = list(number)\n}\n')

    value, found = parse_input(root.variables["a"], "[1, x]", "the answer to the prompt")

    assert value is None
    assert found.has_errors
    assert "the answer to the prompt" in found.items[0].detail
