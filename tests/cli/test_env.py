"""`twinfra env list` and `twinfra env show`."""

from __future__ import annotations

import json

import pytest
from tests.cli.conftest import Directory

PROJECT = """
[environments.staging]
sandbox = true
region = "us-east-1"
variables = { nodes = 2, password = "hidden-word", stray = "x" }

[environments.production]
var_files = ["production.tfvars"]
account = "123456789012"
backend = { path = "p.tfstate" }
branch = "main"
clean_commit = true
approval = true
plan_file = true
twin_of = "staging"
"""


@pytest.fixture
def project(twinfra: Directory) -> Directory:
    twinfra.write(
        twinfra_toml=PROJECT,
        main_tf='variable "nodes" {}\nvariable "password" { sensitive = true }\nterraform {\n  backend "local" {}\n}\n',
    )
    return twinfra


def test_environments_are_listed_in_80_columns(project: Directory) -> None:
    assert project.ok("env", "list", "-env=staging").out == (
        "* staging     sandbox in us-east-1\n"
        "  production  account 123456789012, twin of staging, branch main, clean commit,\n"
        "              approval, saved plan\n"
    )


def test_the_list_is_there_for_programs(project: Directory) -> None:
    first, second = json.loads(project.ok("env", "list", "-json").out)
    assert first["cloud"] == {"sandbox": True, "accounts": [], "regions": ["us-east-1"]}
    assert second["protection"] == {"clean_commit": True, "approval": True, "plan_file": True}
    assert (second["twin_of"], second["branch"], second["workspace"]) == ("staging", "main", "default")
    assert (second["var_files"], second["backend"]) == (["production.tfvars"], {"path": "p.tfstate"})


def test_an_environment_is_shown(project: Directory) -> None:
    assert project.ok("env", "show", "production").out == (
        "production\n"
        "  cloud         account 123456789012\n"
        "  workspace     default\n"
        "  backend path  p.tfstate\n"
        "  var file      production.tfvars\n"
        "  branch        main\n"
        "  twin of       staging\n"
        "  needs         clean commit, approval, saved plan\n"
    )


def test_only_what_is_known_to_be_no_secret_is_shown(project: Directory) -> None:
    shown = json.loads(project.ok("env", "show", "-json", "staging").out)
    assert shown["variables"] == {"nodes": 2, "password": "(sensitive)", "stray": "(sensitive)"}
    assert "hidden-word" not in project.ok("env", "show", "staging").all


def test_the_environment_in_use_is_shown_by_default(
    project: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWINFRA_ENV", "staging")
    assert project.ok("env", "show").out.startswith("staging\n")


def test_two_names_that_differ_are_refused(project: Directory) -> None:
    ran = project("env", "show", "production", "-env", "staging")
    assert (ran.code, "-env staging has no place here: it is production" in ran.err) == (1, True)
    assert project.ok("env", "show", "production", "-env", "production").out.startswith("production\n")


def test_without_a_name_there_is_nothing_to_show(project: Directory) -> None:
    ran = project("env", "show")
    assert (ran.code, "Which environment?" in ran.err) == (1, True)


def test_an_unknown_name_is_told_with_the_nearest(project: Directory) -> None:
    ran = project("env", "show", "produktion")
    assert (ran.code, 'Did you mean "production"?' in ran.err) == (1, True)


def test_without_a_project_there_is_nothing_to_show(twinfra: Directory) -> None:
    ran = twinfra("env", "show", "staging")
    assert (ran.code, "twinfra.toml" in ran.err) == (1, True)


def test_a_project_without_environments_says_so(twinfra: Directory) -> None:
    twinfra.write(twinfra_toml="")
    assert "declares no environment yet" in twinfra.ok("env", "list").out


def test_a_date_is_no_setting_of_a_backend(twinfra: Directory) -> None:
    twinfra.write(twinfra_toml="[environments.a]\nbackend = { path = 2026-01-01 }\n")
    ran = twinfra("env", "list")
    assert (ran.code, "path is a date or a time." in ran.err) == (1, True)
