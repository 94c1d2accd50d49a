"""`rollback`: the code of an earlier commit against today's state, from real repositories."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Directory
from tests.environments.repositories import Repository, new_repository

IGNORED = "*.tfstate*\n.terraform/\nsecret.auto.tfvars\n"
VARIABLE = 'variable "size" {\n  type    = number\n  default = 0\n}\n'


def main(size: object, more: str = "") -> str:
    return f'{VARIABLE}resource "terraform_data" "a" {{\n  input = {size}\n}}\n{more}'


@pytest.fixture
def project(twinfra: Directory) -> Directory:
    twinfra.write(twinfra_toml="[environments.staging]\n", _gitignore=IGNORED)
    return twinfra


@pytest.fixture
def repository(project: Directory) -> Repository:
    return new_repository(project.path)


def inputs(path: Path) -> dict[str, Any]:
    state = json.loads(path.read_text())
    return {
        one["name"]: one["instances"][0]["attributes"]["input"]["value"]
        for one in state["resources"]
        if one["mode"] == "managed"
    }


def newest(project: Directory, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(project.ok("history", "-json", "-n=1", *arguments).out)["entries"][0]
    return found


def test_where_the_commit_is_checked_out_there_is_nothing_to_revert(
    project: Directory, repository: Repository
) -> None:
    repository.commit("One", main_tf=main(1))
    told = project.ok("rollback", "-to", "HEAD", "-auto-approve").out
    assert "What runs is as" in told
    assert "revert it" not in told


def test_what_runs_goes_back_and_the_files_stay(project: Directory, repository: Repository) -> None:
    first = repository.commit("Small", main_tf=main(1))
    project.ok("apply", "-auto-approve")
    second = repository.commit("Large", main_tf=main(2, 'resource "terraform_data" "b" {\n  input = 9\n}\n'))
    project.ok("apply", "-auto-approve")
    ran = project.ok("rollback", "-to", "HEAD~1", "-auto-approve")
    assert f'Commit {first[:12]}: "Small"' in ran.out
    assert "terraform_data.b will be destroyed" in ran.out
    assert f"The code here is still that of {second[:12]}" in " ".join(ran.out.split())
    assert inputs(project.path / "terraform.tfstate") == {"a": 1}
    assert "input = 2" in (project.path / "main.tf").read_text()
    assert repository.git("worktree", "list").count("\n") == 0
    receipt = newest(project)
    assert (receipt["kind"], receipt["outcome"], receipt["to"]) == ("rollback", "done", "HEAD~1")
    assert (receipt["commit"]["id"], receipt["source_commit"]) == (first, second)
    assert receipt["commit"]["dirty"] is False
    assert project.ok("rollback", "-to", first, "-dry-run").out.count("No changes") == 1


def test_the_digests_of_a_rollback_are_those_of_the_earlier_apply(
    project: Directory, repository: Repository
) -> None:
    first = repository.commit("Small", main_tf=main(1))
    project.ok("apply", "-auto-approve")
    before = newest(project)
    repository.commit("Large", main_tf=main(2))
    project.ok("apply", "-auto-approve")
    project.ok("rollback", "-to", first, "-auto-approve")
    after = newest(project)
    for name in ("code", "inputs", "state"):
        assert after[name] == before[name]


def test_it_asks_and_does_nothing_without_a_yes(project: Directory, repository: Repository) -> None:
    repository.commit("Small", main_tf=main(1))
    project.ok("apply", "-auto-approve")
    repository.commit("Large", main_tf=main(2))
    project.ok("apply", "-auto-approve")
    ran = project("rollback", "-to", "HEAD^", stdin="no\n")
    assert ran.code == 1
    assert "Nothing was done." in ran.out
    assert inputs(project.path / "terraform.tfstate") == {"a": 2}
    assert project("rollback", "-to", "HEAD^", stdin="yes\n").code == 0
    assert inputs(project.path / "terraform.tfstate") == {"a": 1}


def test_a_dirty_tree_plays_no_part_and_is_kept(project: Directory, repository: Repository) -> None:
    repository.commit("Small", main_tf=main(1))
    project.ok("apply", "-auto-approve")
    repository.commit("Large", main_tf=main(2))
    project.write(main_tf="this is { not even valid", new_tf='resource "terraform_data" "new" {}\n')
    ran = project.ok("rollback", "-to", "HEAD^", "-auto-approve")
    assert "What is not committed here plays no part." in ran.out
    assert inputs(project.path / "terraform.tfstate") == {"a": 1}
    assert (project.path / "main.tf").read_text() == "this is { not even valid"


def test_a_configuration_in_a_subdirectory_with_its_modules(
    project: Directory, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = 'resource "terraform_data" "m" {{\n  input = {}\n}}\n'
    call = 'module "m" {\n  source = "../modules/m"\n}\n'
    repository.commit("One", **{"infra/main_tf": call, "modules/m/main_tf": module.format(1)})
    monkeypatch.chdir(project.path / "infra")
    project.ok("apply", "-auto-approve")
    repository.commit("Two", **{"modules/m/main_tf": module.format(2)})
    project.ok("apply", "-auto-approve")
    assert inputs(project.path / "infra" / "terraform.tfstate") == {"m": 2}
    project.ok("rollback", "-to", "HEAD^", "-auto-approve")
    assert inputs(project.path / "infra" / "terraform.tfstate") == {"m": 1}
    assert Path.cwd() == project.path / "infra"


def test_variables_are_those_of_the_commit_but_what_is_not_in_git_is_todays(
    project: Directory, repository: Repository
) -> None:
    text = main("[var.size, var.secret]", 'variable "secret" {}\n')
    repository.commit("One", main_tf=text, terraform_tfvars="size = 1\n")
    project.write(**{"secret.auto_tfvars": "secret = 5\n"})
    project.ok("apply", "-auto-approve")
    repository.commit("Two", terraform_tfvars="size = 2\n")
    project.write(**{"secret.auto_tfvars": "secret = 6\n"})
    project.ok("apply", "-auto-approve")
    ran = project.ok("rollback", "-to", "HEAD^", "-auto-approve")
    assert "secret.auto.tfvars is not in Git" in ran.out
    assert inputs(project.path / "terraform.tfstate") == {"a": [1, 6]}


def test_files_of_variables_that_are_named_are_found_from_where_the_command_was_started(
    project: Directory, repository: Repository
) -> None:
    repository.commit("One", main_tf=main("var.size"))
    project.ok("apply", "-auto-approve", "-var", "size=1")
    repository.commit("Two", main_tf=main("var.size + 1"))
    project.write(now_tfvars="size = 7\n")
    project.ok("rollback", "-to", "HEAD^", "-auto-approve", "-var-file", "now.tfvars")
    assert inputs(project.path / "terraform.tfstate") == {"a": 7}
    project.ok("rollback", "-to", "HEAD^", "-auto-approve", "-var-file", "now.tfvars", "-var", "size=8")
    assert inputs(project.path / "terraform.tfstate") == {"a": 8}


def test_an_environment_goes_back_to_the_inputs_it_had(project: Directory, repository: Repository) -> None:
    toml = "[environments.staging]\nvariables = {{ size = {} }}\n"
    repository.commit("One", main_tf=main("var.size"), twinfra_toml=toml.format(1))
    project.ok("apply", "-auto-approve", "-env", "staging")
    repository.commit("Two", twinfra_toml=toml.format(2))
    project.ok("apply", "-auto-approve", "-env", "staging")
    project.ok("rollback", "-to", "HEAD^", "-auto-approve", "-env", "staging")
    state = project.path / "terraform.tfstate.d" / "staging" / "terraform.tfstate"
    assert inputs(state) == {"a": 1}
    receipt = newest(project, "-env", "staging")
    assert (receipt["kind"], receipt["environment"]) == ("rollback", "staging")


def test_a_commit_from_before_the_project_file_still_leaves_a_receipt(
    project: Directory, repository: Repository
) -> None:
    toml = (project.path / "twinfra.toml").read_text()
    (project.path / "twinfra.toml").unlink()
    repository.commit("One", main_tf=main(1))
    project.ok("apply", "-auto-approve")
    repository.commit("Two", main_tf=main(2), twinfra_toml=toml)
    project.ok("rollback", "-to", "HEAD^", "-auto-approve")
    assert newest(project)["kind"] == "rollback"


def test_states_of_others_are_read_from_where_they_are_today(
    project: Directory, repository: Repository
) -> None:
    other = project.path / "other.tfstate"
    output = '{"version":4,"serial":1,"lineage":"x","outputs":{"v":{"value":"theirs","type":"string"}},"resources":[]}'
    other.write_text(output)
    data = (
        'data "terraform_remote_state" "o" {\n  backend = "local"\n  config = { path = "other.tfstate" }\n}\n'
    )
    repository.commit("One", main_tf=main("data.terraform_remote_state.o.outputs.v", data))
    repository.commit("Two", main_tf=main(2))
    project.ok("rollback", "-to", "HEAD^", "-auto-approve")
    assert inputs(project.path / "terraform.tfstate") == {"a": "theirs"}


def test_a_rollback_that_fails_half_way_says_what_to_do_and_is_recorded(
    project: Directory, repository: Repository
) -> None:
    failing = (
        'resource "terraform_data" "f" {\n  input = 1\n  lifecycle {\n    postcondition {\n'
        '      condition = self.output > 5\n      error_message = "no"\n    }\n  }\n}\n'
    )
    repository.commit("One", main_tf=main(1, failing))
    repository.commit("Two", main_tf=main(2))
    project.ok("apply", "-auto-approve")
    ran = project("rollback", "-to", "HEAD^", "-auto-approve")
    assert ran.code == 1
    assert "The rollback is not complete" in ran.out
    receipt = newest(project)
    assert (receipt["kind"], receipt["outcome"], receipt["complete"]) == ("rollback", "failed", False)
    project.ok("apply", "-auto-approve")
    assert inputs(project.path / "terraform.tfstate") == {"a": 2}


def test_a_protected_environment_is_rolled_back_to_commits_of_its_branch_only(
    project: Directory, repository: Repository
) -> None:
    toml = '[environments.staging]\nbranch = "main"\nclean_commit = true\napproval = true\nplan_file = true\n'
    repository.commit("One", main_tf=main(1), twinfra_toml=toml)
    repository.git("switch", "-q", "-c", "side")
    repository.commit("Side", main_tf=main(5))
    repository.git("switch", "-q", "main")
    repository.commit("Two", main_tf=main(2))
    options = ("-env", "staging")
    assert "Approval is required" in project("rollback", "-to", "HEAD^", "-auto-approve", *options).err
    assert "Not on the declared branch" in project("rollback", "-to", "side", *options, stdin="yes\n").err
    project.ok("rollback", "-to", "HEAD^", *options, stdin="yes\n")
    assert newest(project, *options)["commit"]["subject"] == "One"


def test_a_missing_commit_is_told_with_what_fetches_it(project: Directory, repository: Repository) -> None:
    repository.commit("One", main_tf=main(1))
    ran = project("rollback", "-to", "v9", "-auto-approve")
    assert ran.code == 1
    assert "No such commit" in ran.err
    assert "git fetch --all --tags" in ran.err


def test_without_a_commit_or_a_repository_it_is_refused(project: Directory) -> None:
    project.write(main_tf=main(1))
    assert "-to=COMMIT" in project("rollback").err
    assert "Not in a Git repository" in project("rollback", "-to", "HEAD").err
    assert project("rollback", "-to", "HEAD", "-json").code == 1


def test_a_configuration_that_asks_where_it_lies_is_warned_about(
    project: Directory, repository: Repository
) -> None:
    repository.commit("One", main_tf=main("path.cwd"))
    ran = project.ok("rollback", "-to", "HEAD", "-dry-run")
    assert "The configuration asks where it lies" in ran.err


def test_as_json_every_line_is_an_event(project: Directory, repository: Repository) -> None:
    repository.commit("One", main_tf=main(1))
    ran = project.ok("rollback", "-to", "HEAD", "-json", "-auto-approve")
    events = [json.loads(line) for line in ran.out.splitlines()]
    assert {"change_summary", "planned_change"} <= {one["type"] for one in events}
