from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.environments.projects import declared, refused

from twinfra.diagnostics import DiagnosticError
from twinfra.environments.declaration import FILE, Protection, find_project, load_project

WHOLE = """
[environments.staging]
var_files = ["staging.tfvars"]
variables = { env = "staging", nodes = 3, share = 0.5, zones = ["a"], tags = { team = "ml" } }
backend = { key = "staging/terraform.tfstate" }
sandbox = true

[environments.production]
account = "123456789012"
region = ["eu-central-1", "us-east-1"]
branch = "main"
clean_commit = true
approval = true
plan_file = true
twin_of = "staging"

[twins]
parameters = ["env"]
"""


def test_a_whole_declaration_is_read(tmp_path: Path) -> None:
    project = declared(tmp_path, WHOLE)
    staging, production = project.environments.values()
    assert staging.var_files == (tmp_path / "staging.tfvars",)
    assert staging.variables["nodes"] == 3
    assert str(staging.variables["share"]) == "0.5"
    assert staging.variables["zones"] == ("a",)
    assert staging.sandbox
    assert production.accounts == ("123456789012",)
    assert production.regions == ("eu-central-1", "us-east-1")
    assert production.protection == Protection(True, True, True)
    assert (production.branch, production.twin_of) == ("main", "staging")
    assert project.section("twins").texts("parameters") == ("env",)


def test_the_workspace_is_named_for_the_environment_unless_it_has_a_backend_of_its_own(
    tmp_path: Path,
) -> None:
    project = declared(tmp_path, WHOLE)
    assert project.environment("staging").workspace == "default"
    assert project.environment("production").workspace == "production"


def test_without_a_file_there_is_no_project(tmp_path: Path) -> None:
    assert load_project(tmp_path) is None


def test_the_file_is_found_in_a_parent_within_the_same_git_work_tree(tmp_path: Path) -> None:
    below = tmp_path / "repository" / "infra" / "app"
    below.mkdir(parents=True)
    (tmp_path / "repository" / ".git").mkdir()
    (tmp_path / "repository" / FILE).write_text("")
    assert find_project(below) == tmp_path / "repository" / FILE


def test_a_file_above_the_git_root_belongs_to_somebody_else(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("")
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    assert find_project(tmp_path / "repository") is None


def test_outside_of_git_only_the_directory_itself_counts(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("")
    (tmp_path / "below").mkdir()
    assert find_project(tmp_path) == tmp_path / FILE
    assert find_project(tmp_path / "below") is None


def test_the_place_of_a_mistake_is_named_as_seen_from_the_directory(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / FILE).write_text("nothing = 1\n")
    (tmp_path / "a" / "b").mkdir(parents=True)
    with pytest.raises(DiagnosticError) as caught:
        load_project(tmp_path / "a" / "b")
    assert str(caught.value.diagnostics[0].subject) == "../../twinfra.toml:1,1"


def test_an_unknown_environment_is_told_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(DiagnosticError) as caught:
        declared(tmp_path, WHOLE).environment("stagin")
    assert caught.value.diagnostics[0].mend == 'Did you mean "staging"?'


def test_text_that_is_not_toml_is_told_with_its_place(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, "[environments.staging]\nvar_files = [\n")
    assert problem.summary == "twinfra.toml is not valid TOML"
    assert problem.subject is not None
    assert problem.subject.first.line >= 2


def test_a_number_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (found,) = refused(tmp_path, f"[environments.one]\nvariables = {{ size = {'1' * 5000} }}\n")
    assert found.detail == "It has a whole number of more digits than can be read."


def test_bytes_that_are_not_utf_8_are_told(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"\xff\xfe")
    with pytest.raises(DiagnosticError) as caught:
        load_project(tmp_path)
    assert "not UTF-8" in caught.value.diagnostics[0].detail


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("")
    (tmp_path / FILE).chmod(0)
    with pytest.raises(DiagnosticError) as caught:
        load_project(tmp_path)
    assert "Permission denied" in caught.value.diagnostics[0].detail


@pytest.mark.parametrize(
    "number",
    ["9" * 5000, "0x" + "f" * 5000, "0o" + "7" * 6000, "0b" + "1" * 20_000, "[{ b = 0x" + "f" * 4000 + " }]"],
)
@pytest.mark.parametrize("key", ["account", "variables.a"])
def test_a_whole_number_that_cannot_be_written_is_told(tmp_path: Path, key: str, number: str) -> None:
    (problem,) = refused(tmp_path, f"[environments.a]\n{key} = {number}\n")
    assert "a whole number of more digits" in problem.detail
    assert problem.subject is None or problem.subject.first.line == 2


def test_a_directory_of_the_name_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(DiagnosticError) as caught:
        load_project(tmp_path)
    assert "Is a directory" in caught.value.diagnostics[0].detail


def test_several_mistakes_are_told_at_once(tmp_path: Path) -> None:
    found = refused(
        tmp_path,
        "[environment.staging]\n"
        "[environments.production]\n"
        "sandbox = 1\n"
        'acount = "123456789012"\n'
        'account = "12"\n'
        'twin_of = "stagin"\n'
        "[environments.staging]\n"
        "variables = { since = 2026-01-01 }\n",
    )
    told = {(one.subject.first.line if one.subject else 0): f"{one.detail} {one.mend}" for one in found}
    assert told == {
        1: 'The file has no key "environment". Did you mean "environments"?',
        3: "sandbox is true or false, not the number 1. Correct it.",
        4: '[environments.production] has no key "acount". Did you mean "account"?',
        5: 'An account is 12 digits, not "12". ',
        6: 'The environment "production" is a twin of "stagin", which is not declared. Did you mean "staging"?',
        8: "The variable since gets a date or a time, which the language has no type for. "
        'Put it in quotes: since = "..."',
    }


def test_a_sandbox_is_not_in_an_account(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, '[environments.a]\nsandbox = true\naccount = "123456789012"\n')
    assert problem.summary == "Two clouds"


def test_a_name_that_is_no_path_is_refused(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, '[environments."../up"]\n')
    assert problem.summary == "Unsuitable name of an environment"


def test_twins_in_a_circle_are_told_once(tmp_path: Path) -> None:
    found = refused(
        tmp_path,
        '[environments.a]\ntwin_of = "b"\n[environments.b]\ntwin_of = "c"\n[environments.c]\ntwin_of = "b"\n',
    )
    assert [one.detail for one in found] == ["b -> c -> b: each names the next as the one it follows."]


def test_an_environment_is_not_its_own_twin(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, '[environments.a]\ntwin_of = "a"\n')
    assert problem.detail == "a -> a: each names the next as the one it follows."


def test_a_section_of_another_name_is_a_bug(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a section"):
        declared(tmp_path, "").section("twin")
