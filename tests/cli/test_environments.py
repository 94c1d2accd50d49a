"""`-env NAME` and TWINFRA_ENV: one environment's inputs, state and backend, for every command."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import pytest
from tests.cli.conftest import Directory

from twinfra.cli.command import Command, normalise
from twinfra.cli.environment import current, named, opened
from twinfra.cli.main import COMMANDS
from twinfra.diagnostics import DiagnosticError

MAIN = """
variable "env" {}
variable "nodes" { default = 1 }
resource "terraform_data" "node" {
  count = var.nodes
  input = "${var.env} in ${terraform.workspace}"
}
output "env" { value = var.env }
"""

PROJECT = """
[environments.staging]
variables = { env = "staging", nodes = 2 }

[environments.production]
var_files = ["production.tfvars"]
variables = { env = "production" }
"""

LOCAL = 'terraform {\n  backend "local" {}\n}\n'


@pytest.fixture
def project(twinfra: Directory) -> Directory:
    twinfra.write(main_tf=MAIN, twinfra_toml=PROJECT, production_tfvars='nodes = 3\nenv = "of the file"\n')
    return twinfra


def state_of(path: Path) -> list[str]:
    document = json.loads(path.read_text())
    return [one["attributes"]["input"]["value"] for one in document["resources"][0]["instances"]]


def test_each_environment_has_its_inputs_and_its_state(project: Directory) -> None:
    project.ok("apply", "-auto-approve", "-env", "staging")
    project.ok("apply", "-auto-approve", "-env=production")
    states = project.path / "terraform.tfstate.d"
    assert state_of(states / "staging" / "terraform.tfstate") == ["staging in staging"] * 2
    assert state_of(states / "production" / "terraform.tfstate") == ["production in production"] * 3
    assert not (project.path / "terraform.tfstate").exists()


def test_explicit_options_win(project: Directory) -> None:
    project.write(more_tfvars='env = "mine"\n')
    project.ok("apply", "-auto-approve", "-env=production", "-var", "nodes=1", "-var-file=more.tfvars")
    path = project.path / "terraform.tfstate.d" / "production" / "terraform.tfstate"
    assert state_of(path) == ["mine in production"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("output", "-raw", "env", "-env", "staging"),
        ("-env", "staging", "output", "-raw", "env"),
        ("-env=staging", "output", "-raw", "env"),
    ],
)
def test_the_option_stands_before_or_after_the_command(
    project: Directory, arguments: tuple[str, ...]
) -> None:
    project.ok("apply", "-auto-approve", "-env", "staging")
    assert project.ok(*arguments).out == "staging"


@pytest.mark.parametrize(
    "arguments",
    [
        ("-env", "staging", "state", "list"),
        ("state", "-env", "staging", "list"),
        ("state", "list", "-env", "staging"),
    ],
)
def test_subcommands_take_it_too(project: Directory, arguments: tuple[str, ...]) -> None:
    project.ok("apply", "-auto-approve", "-env", "staging")
    assert project.ok(*arguments).out.splitlines() == ["terraform_data.node[0]", "terraform_data.node[1]"]


def test_a_variable_of_the_environment_chooses_too(
    project: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.ok("apply", "-auto-approve", "-env", "staging")
    monkeypatch.setenv("TWINFRA_ENV", "staging")
    assert project.ok("output", "-raw", "env").out == "staging"


def test_the_option_wins_over_the_variable(project: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWINFRA_ENV", "production")
    assert project.ok("workspace", "show", "-env=staging").out == "staging\n"


def test_reading_changing_and_showing_work_in_the_environment(project: Directory) -> None:
    env = "-env=staging"
    project.ok("apply", "-auto-approve", env)
    assert "staging in staging" in project.ok("show", env).out
    assert project.ok("console", env, stdin="var.env\n").out == '"staging"\n'
    project.ok("state", "rm", "terraform_data.node[1]", env)
    assert project.ok("state", "list", env).out == "terraform_data.node[0]\n"
    project.ok("taint", "terraform_data.node[0]", env)
    assert "must be replaced" in project.ok("plan", env).out
    assert "1 destroyed" in project.ok("destroy", "-auto-approve", env).out


@pytest.mark.parametrize("options", [("-env=production",), ()])
def test_a_saved_plan_of_one_environment_is_refused_in_another(
    project: Directory, options: tuple[str, ...]
) -> None:
    # Both have a state of the same workspace, and neither has one yet.
    project.write(
        backend_tf=LOCAL,
        twinfra_toml=PROJECT.replace("variables", 'workspace = "default"\nvariables'),
    )
    planned = project.ok("plan", "-env=staging", "-out=plan")
    assert 'run: twinfra apply -env staging "plan"' in planned.out
    ran = project("apply", *options, "plan")
    assert ran.code == 1
    assert "Saved plan is for another environment" in ran.err
    assert "twinfra apply -env staging plan" in ran.err
    project.ok("apply", "-env=staging", "plan")


def test_a_saved_plan_of_no_environment_is_refused_in_one(project: Directory) -> None:
    project.ok("plan", "-var=env=plain", "-out=plan")
    ran = project("apply", "-env=staging", "plan")
    assert (ran.code, "was made in no environment" in ran.err) == (1, True)
    project.ok("apply", "plan")


def test_every_command_takes_the_option() -> None:
    def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
        if isinstance(command, click.Group):
            for inner, one in command.commands.items():
                yield from commands(one, f"{name} {inner}")
        else:
            yield name, command

    found = [
        one
        for name, (module, _) in COMMANDS.items()
        for one in commands(import_module(module).COMMANDS[name], name)
    ]
    assert len(found) > 40
    for name, command in found:
        assert isinstance(command, Command), name
        assert normalise(["-env", "staging"], command) == ["-env=staging"], name


def test_help_tells_of_the_option(project: Directory) -> None:
    for arguments in (("-help",), ("plan", "-help"), ("state", "list", "-help")):
        assert "-env NAME" in project.ok(*arguments).out


def test_environments_have_states_of_their_own_in_one_bucket(
    project: Directory, aws: Callable[..., Any]
) -> None:
    aws("s3").create_bucket(Bucket="states-of-environments")
    project.write(backend_tf='terraform {\n  backend "s3" {\n    bucket = "states-of-environments"\n  }\n}\n')
    text = PROJECT
    for name in ("staging", "production"):
        own = f'backend = {{ key = "{name}/state", region = "us-east-1" }}'
        text = text.replace(f"[environments.{name}]", f"[environments.{name}]\n{own}")
    project.write(twinfra_toml=text)
    project.ok("apply", "-auto-approve", "-env=staging")
    project.ok("apply", "-auto-approve", "-env=production")
    keys = [one["Key"] for one in aws("s3").list_objects_v2(Bucket="states-of-environments")["Contents"]]
    assert {"staging/state", "production/state"} <= set(keys)
    assert project.ok("output", "-raw", "env", "-env=staging").out == "staging"
    assert not (project.path / ".terraform" / "twinfra-backend.json").exists()


def test_an_unknown_environment_is_refused_with_the_nearest_name(project: Directory) -> None:
    ran = project("plan", "-env=stagin")
    assert (ran.code, 'Did you mean "staging"?' in ran.err) == (1, True)


def test_an_unknown_environment_is_an_event_for_programs(project: Directory) -> None:
    ran = project("plan", "-json", "-env=stagin")
    (event,) = map(json.loads, ran.out.splitlines())
    assert (ran.code, ran.err, event["diagnostic"]["summary"]) == (1, "", "No such environment")


def test_without_a_project_the_option_is_refused(twinfra: Directory) -> None:
    twinfra.write(main_tf=MAIN)
    ran = twinfra("plan", "-env=staging")
    assert (ran.code, "No twinfra.toml" in ran.err) == (1, True)


def test_a_name_given_twice_must_be_the_same(project: Directory) -> None:
    ran = project("-env=staging", "plan", "-env=production")
    assert (ran.code, "-env is given twice: staging and production" in ran.err) == (1, True)


def test_an_empty_name_is_refused(project: Directory) -> None:
    assert "-env needs the name" in project("plan", "-env=").err
    assert "-env needs" in project("plan", "-env").err


def test_a_missing_file_of_variables_is_told_where_it_is_declared(project: Directory) -> None:
    (project.path / "production.tfvars").unlink()
    ran = project("plan", "-env=production")
    assert ran.code == 1
    assert "on twinfra.toml line 6" in ran.err
    assert "There is no file production.tfvars." in ran.err


def test_a_value_that_does_not_fit_is_told_where_it_is_declared(project: Directory) -> None:
    project.write(twinfra_toml='[environments.a]\nvariables = { env = "a", nodes = [] }\n')
    project.write(main_tf='variable "env" {}\nvariable "nodes" { type = number }\n')
    ran = project("plan", "-env=a")
    assert ran.code == 1
    assert "on twinfra.toml line 2" in ran.err


def test_a_variable_that_is_not_declared_is_a_warning(project: Directory) -> None:
    project.write(twinfra_toml='[environments.a]\nvariables = { env = "a", node = 2 }\n')
    ran = project.ok("plan", "-env=a")
    assert 'gets a value by the environment "a"' in ran.all.replace("\n│ ", " ")


def test_backend_settings_are_laid_over_those_of_the_block(project: Directory) -> None:
    project.write(backend_tf=LOCAL)
    project.write(twinfra_toml=PROJECT + 'backend = { path = "there/state" }\n')
    project.ok("apply", "-auto-approve", "-env=production")
    assert state_of(project.path / "there" / "state") == ["production in default"] * 3


def test_an_unknown_setting_of_a_backend_is_told_with_its_place(project: Directory) -> None:
    project.write(backend_tf=LOCAL, twinfra_toml=PROJECT + 'backend = { pat = "x" }\n')
    ran = project("plan", "-env=production")
    assert ran.code == 1
    assert "on twinfra.toml line 8" in ran.err
    assert 'Did you mean "path"?' in ran.err


def test_settings_without_a_backend_block_are_refused(project: Directory) -> None:
    project.write(twinfra_toml=PROJECT + 'backend = { path = "x" }\n')
    ran = project("plan", "-env=production")
    assert (ran.code, "No backend block" in ran.err) == (1, True)


def test_a_backend_that_changes_is_noticed_for_that_environment_only(project: Directory) -> None:
    project.write(backend_tf=LOCAL, twinfra_toml=PROJECT + 'backend = { path = "one" }\n')
    project.ok("apply", "-auto-approve", "-env=production")
    project.write(twinfra_toml=PROJECT + 'backend = { path = "two" }\n')
    ran = project("plan", "-env=production")
    assert ran.code == 1
    assert "twinfra init -env production -migrate-state" in ran.err.replace("\n│ ", " ")
    project.ok("plan", "-env=staging")
    project.ok("init", "-env=production", "-migrate-state", "-force-copy")
    assert state_of(project.path / "two") == ["production in default"] * 3
    project.ok("plan", "-env=production")


def test_settings_of_init_win_over_those_of_the_environment(project: Directory) -> None:
    project.write(backend_tf=LOCAL, twinfra_toml=PROJECT + 'backend = { path = "one" }\n')
    project.ok("init", "-env=production", "-backend-config=path=mine")
    project.ok("apply", "-auto-approve", "-env=production")
    assert (project.path / "mine").exists()


def test_an_environment_has_no_workspace_to_select(project: Directory) -> None:
    for command in ("select", "new"):
        ran = project("workspace", command, "other", "-env=staging")
        assert (ran.code, "Workspace is given by the environment" in ran.err) == (1, True)


def test_a_workspace_of_the_shell_does_not_move_an_environment(
    project: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_WORKSPACE", "other")
    ran = project("plan", "-env=staging")
    assert (ran.code, "Two workspaces" in ran.err) == (1, True)


def test_a_project_file_changes_nothing_without_the_option(project: Directory) -> None:
    project.ok("apply", "-auto-approve", "-var", "env=plain")
    assert state_of(project.path / "terraform.tfstate") == ["plain in default"]
    assert not (project.path / "terraform.tfstate.d").exists()


def test_several_environments_are_open_at_once(project: Directory) -> None:
    project.ok("apply", "-auto-approve", "-env=staging")
    with opened(named("staging")) as staging, opened(named("production")) as production:
        assert current() is None
        assert (staging.inputs["nodes"], production.inputs["nodes"]) == (2, 3)
        assert (staging.workspace, production.workspace) == ("staging", "production")
        state = staging.state()
        assert state is not None
        assert state.outputs["env"].value == "staging"
        assert production.state() is None


def test_an_environment_opened_without_a_needed_value_is_refused(project: Directory) -> None:
    project.write(twinfra_toml="[environments.bare]\n")
    with pytest.raises(DiagnosticError) as caught, opened(named("bare")):
        pass
    assert caught.value.diagnostics[0].summary == "Variable has no value"
