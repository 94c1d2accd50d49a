"""Environment variables that say how commands are called."""

from __future__ import annotations

import json

import pytest
from tests.cli.conftest import Directory

TEXT = 'variable "name" {}\noutput "name" {\n  value = var.name\n}\n'


def test_arguments_of_a_command_come_from_the_environment(
    twinfra: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    twinfra.write(main_tf=TEXT)
    monkeypatch.setenv("TF_CLI_ARGS_apply", "-auto-approve '-var=name=a b'")
    twinfra.ok("apply")
    assert twinfra.ok("output", "-raw", "name").out == "a b"


def test_what_is_typed_comes_after_what_the_environment_adds(
    twinfra: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    twinfra.write(main_tf=TEXT)
    monkeypatch.setenv("TF_CLI_ARGS", "-no-color -var=name=everywhere")
    monkeypatch.setenv("TF_CLI_ARGS_apply", "-auto-approve -var=name=command")
    twinfra.ok("apply", "-var=name=typed")
    monkeypatch.delenv("TF_CLI_ARGS")
    assert twinfra.ok("output", "-raw", "name").out == "typed"


def test_arguments_of_a_subcommand_come_after_it(twinfra: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    twinfra.write(main_tf='resource "terraform_data" "x" {}\n')
    twinfra.ok("apply", "-auto-approve")
    monkeypatch.setenv("TF_CLI_ARGS_state_list", "-id=none")
    assert twinfra.ok("state", "list").out == ""


def test_the_version_takes_arguments_from_the_environment_too(
    twinfra: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_CLI_ARGS_version", "-json")
    assert json.loads(twinfra.ok("version").out)["terraform_version"] == "1.11.4"


def test_quotes_that_do_not_match_are_told_with_the_variable(
    twinfra: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_CLI_ARGS_plan", "'-var")
    ran = twinfra("plan")
    assert ran.code == 1
    assert "TF_CLI_ARGS_plan" in ran.err


@pytest.mark.parametrize("no", ["0", "false", "F"])
def test_nobody_is_asked_where_the_environment_forbids_it(
    twinfra: Directory, monkeypatch: pytest.MonkeyPatch, no: str
) -> None:
    twinfra.write(main_tf=TEXT)
    monkeypatch.setenv("TF_INPUT", no)
    ran = twinfra("apply", "-var=name=x", stdin="yes\n")
    assert ran.code == 1
    assert "Nobody can be asked" in ran.err


def test_a_pipeline_is_not_told_what_to_type_next(
    twinfra: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    twinfra.write(main_tf=TEXT)
    assert "twinfra apply" in twinfra.ok("plan", "-var=name=x", "-out=p").out
    monkeypatch.setenv("TF_IN_AUTOMATION", "1")
    assert "twinfra apply" not in twinfra.ok("plan", "-var=name=x", "-out=p").out
    assert "-out=FILE" not in twinfra.ok("plan", "-var=name=x").out
