"""`twinfra promote`: an environment is planned at exactly the code that another one runs, or it is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Directory, hold_lock_once
from tests.cli.test_protection import commit, git

MAIN = """
variable "env" {}
variable "nodes" { default = 1 }
resource "terraform_data" "node" {
  count = var.nodes
  input = "one of ${var.env}"
}
"""

PROJECT = """
[environments.staging]
variables = { env = "staging" }

[environments.production]
variables = { env = "production", nodes = 2 }
twin_of = "staging"
"""


@pytest.fixture
def project(twinfra: Directory) -> Directory:
    git(twinfra.path, "init", "-q", "-b", "main")
    twinfra.write(main_tf=MAIN, twinfra_toml=PROJECT)
    (twinfra.path / ".gitignore").write_text("*.tfstate*\n.terraform/\n*.bin\n")
    commit(twinfra.path, "One")
    return twinfra


def move_on(project: Directory) -> None:
    """The next commit: other code, which is in no environment yet."""
    project.write(main_tf=MAIN.replace("one of", "two of"))
    commit(project.path, "Two")


def inputs(project: Directory, environment: str = "production") -> list[str]:
    path = project.path / "terraform.tfstate.d" / environment / "terraform.tfstate"
    if not path.exists():
        return []
    resources = json.loads(path.read_text())["resources"]
    return [one["attributes"]["input"]["value"] for one in resources[0]["instances"]]


def refused(project: Directory, *options: str) -> str:
    ran = project("promote", "staging", "production", *options)
    assert ran.code == 1, ran.all
    assert inputs(project) == []
    return " ".join(ran.err.replace("│", " ").split())


def last_receipt(project: Directory) -> dict[str, Any]:
    document = json.loads(project.ok("history", "-env=production", "-json").out)
    found: dict[str, Any] = document["entries"][0]
    return found


def test_promoting_plans_and_changes_nothing(project: Directory) -> None:
    project.ok("apply", "-auto-approve", "-env=staging")
    ran = project("promote", "staging", "production", "-detailed-exitcode")
    assert ran.code == 2
    assert "production at the code that staging runs" in ran.out
    assert '"one of production"' in ran.out
    assert inputs(project) == []


def test_what_to_do_with_the_plan_is_told(project: Directory) -> None:
    project.ok("apply", "-auto-approve", "-env=staging")
    assert "Use -out=FILE" in project.ok("promote", "staging", "production").out


def test_the_code_is_that_of_the_source_though_the_directory_has_moved_on(project: Directory) -> None:
    project.ok("apply", "-auto-approve", "-env=staging")
    move_on(project)
    ran = project.ok("promote", "staging", "production", "-auto-approve")
    assert '("One")' in ran.out
    assert inputs(project) == ["one of production"] * 2
    assert (project.path / "main.tf").read_text().count("two of") == 1
    assert "worktree" not in git(project.path, "worktree", "list").replace(str(project.path), "")


def test_the_receipt_says_where_the_code_came_from(project: Directory) -> None:
    project.ok("apply", "-auto-approve", "-env=staging")
    first = git(project.path, "rev-parse", "HEAD").strip()
    move_on(project)
    project.ok("promote", "staging", "production", "-auto-approve")
    receipt = last_receipt(project)
    assert (receipt["kind"], receipt["promoted_from"], receipt["promoted_entry"]) == ("promote", "staging", 1)
    assert (receipt["commit"]["id"], receipt["complete"]) == (first, True)


def test_both_run_the_same_code_afterwards(project: Directory) -> None:
    project.ok("apply", "-auto-approve", "-env=staging")
    move_on(project)
    project.ok("promote", "staging", "production", "-auto-approve")
    staging = json.loads(project.ok("history", "-env=staging", "-json").out)["entries"][0]
    assert last_receipt(project)["code"] == staging["code"]


def test_a_saved_plan_of_it_is_applied_later(project: Directory) -> None:
    project.ok("apply", "-auto-approve", "-env=staging")
    move_on(project)
    project.ok("promote", "staging", "production", "-out=plan.bin")
    project.ok("apply", "-env=production", "plan.bin")
    assert inputs(project) == ["one of production"] * 2
    receipt = last_receipt(project)
    assert (receipt["promoted_from"], receipt["commit"]["subject"]) == ("staging", "One")


def test_applying_asks_first(project: Directory) -> None:
    project.ok("apply", "-auto-approve", "-env=staging")
    ran = project("promote", "staging", "production", "-apply", stdin="no\n")
    assert (ran.code, inputs(project)) == (1, [])
    assert "Bring production to the code of staging?" in ran.out
    project.ok("promote", "staging", "production", "-apply", stdin="yes\n")
    assert len(inputs(project)) == 2


def test_options_for_variables_are_for_the_target(project: Directory) -> None:
    project.ok("apply", "-auto-approve", "-env=staging")
    move_on(project)
    project.ok("promote", "staging", "production", "-auto-approve", "-var", "nodes=1")
    assert inputs(project) == ["one of production"]


def test_a_source_that_was_never_applied_is_refused(project: Directory) -> None:
    assert "has no receipt of an apply" in refused(project)


def test_a_source_of_which_only_a_part_was_applied_is_refused(project: Directory) -> None:
    project.ok("apply", "-auto-approve", "-env=staging", "-target=terraform_data.node[0]")
    assert "only a part was applied (entry 1" in refused(project)


def test_a_part_of_newer_code_is_not_all_of_it(project: Directory) -> None:
    project.ok("apply", "-auto-approve", "-env=staging")
    move_on(project)
    project.ok("apply", "-auto-approve", "-env=staging", "-target=terraform_data.node")
    assert "only a part was applied (entry 2" in refused(project)


def test_a_source_whose_last_apply_failed_is_refused(project: Directory) -> None:
    project.write(
        main_tf=MAIN
        + 'resource "terraform_data" "bad" {\n  provisioner "local-exec" {\n    command = "exit 3"\n  }\n}\n'
    )
    commit(project.path)
    assert project("apply", "-auto-approve", "-env=staging").code == 1
    assert "did not come to its end: failed" in refused(project)


def test_a_source_that_was_destroyed_is_refused(project: Directory) -> None:
    project.ok("apply", "-auto-approve", "-env=staging")
    project.ok("destroy", "-auto-approve", "-env=staging")
    assert "was destroyed (entry 2" in refused(project)


def test_a_source_whose_state_was_changed_by_hand_is_refused(project: Directory) -> None:
    project.ok("apply", "-auto-approve", "-env=staging")
    project.ok("state", "rm", "terraform_data.node", "-env=staging")
    assert "would still change something: terraform_data.node[0]" in refused(project)


def test_code_that_was_never_committed_and_is_gone_is_refused(project: Directory) -> None:
    project.write(main_tf=MAIN.replace("one of", "draft of"))
    project.ok("apply", "-auto-approve", "-env=staging")
    git(project.path, "checkout", "-q", "main.tf")
    told = refused(project)
    assert "with changes that were not committed" in told
    assert "does not give the code it runs" in told


def test_a_source_that_drifted_is_refused(
    twinfra: Directory, aws: Callable[..., Any], tmp_path: Path
) -> None:
    git(twinfra.path, "init", "-q", "-b", "main")
    twinfra.write(
        main_tf='variable "env" {}\nprovider "aws" {}\nresource "aws_s3_bucket" "it" {\n'
        '  bucket = "promoted-${var.env}"\n  tags = { a = "b" }\n}\n',
        twinfra_toml=PROJECT.replace(", nodes = 2", ""),
    )
    commit(twinfra.path)
    twinfra.ok("apply", "-auto-approve", "-env=staging")
    twinfra.ok("promote", "staging", "production")
    tags = {"TagSet": [{"Key": "a", "Value": "changed"}]}
    aws("s3").put_bucket_tagging(Bucket="promoted-staging", Tagging=tags)
    told = refused(twinfra)
    assert "has drifted" in told
    assert "aws_s3_bucket.it" in told


def test_two_environments_with_one_state_are_refused(project: Directory) -> None:
    project.write(twinfra_toml=PROJECT + 'workspace = "staging"\n')
    commit(project.path)
    project.ok("apply", "-auto-approve", "-env=staging")
    assert "both have their state in terraform.tfstate.d/staging" in refused(project, "-auto-approve")


def test_a_drift_rule_holds_for_the_source_too(twinfra: Directory, aws: Callable[..., Any]) -> None:
    git(twinfra.path, "init", "-q", "-b", "main")
    twinfra.write(
        main_tf='variable "env" {}\nprovider "aws" {}\nresource "aws_s3_bucket" "it" {\n'
        '  bucket = "promoted-quietly-${var.env}"\n  tags = { a = "b" }\n}\n',
        twinfra_toml=PROJECT.replace(", nodes = 2", "")
        + '[[drift.ignore]]\naddress = "aws_s3_bucket.*"\nattribute = "tags*"\nreason = "Scanned"\n'
        "expires = 2099-12-31\n",
    )
    commit(twinfra.path)
    twinfra.ok("apply", "-auto-approve", "-env=staging")
    tags = {"TagSet": [{"Key": "a", "Value": "changed"}]}
    aws("s3").put_bucket_tagging(Bucket="promoted-quietly-staging", Tagging=tags)
    twinfra.ok("promote", "staging", "production")


def test_the_targets_protection_holds(project: Directory) -> None:
    project.ok("apply", "-auto-approve", "-env=staging")
    project.write(twinfra_toml=PROJECT + "plan_file = true\n")
    assert "twinfra promote staging production -out=FILE" in refused(project, "-auto-approve")
    project.write(twinfra_toml=PROJECT + "approval = true\n")
    assert "Approval is required" in refused(project, "-auto-approve")
    project.write(twinfra_toml=PROJECT + "clean_commit = true\n")
    assert "Not committed: twinfra.toml" in refused(project, "-auto-approve")


def test_a_saved_plan_of_a_commit_of_the_branch_may_be_applied_though_the_directory_has_moved_on(
    project: Directory,
) -> None:
    project.write(twinfra_toml=PROJECT + 'clean_commit = true\nbranch = "main"\nplan_file = true\n')
    commit(project.path)
    project.ok("apply", "-auto-approve", "-env=staging")
    move_on(project)
    project.ok("promote", "staging", "production", "-out=plan.bin")
    project.ok("apply", "-env=production", "plan.bin")
    assert inputs(project) == ["one of production"] * 2


def test_programs_get_events(project: Directory) -> None:
    project.ok("apply", "-auto-approve", "-env=staging")
    ran = project.ok("promote", "staging", "production", "-json")
    events = [json.loads(line) for line in ran.out.splitlines()]
    assert [one["changes"]["add"] for one in events if one["type"] == "change_summary"] == [2]


def test_while_another_holds_the_lock_of_the_source_that_is_an_event(
    project: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.ok("apply", "-auto-approve", "-env=staging")
    hold_lock_once(monkeypatch)
    ran = project.ok("promote", "staging", "production", "-json", "-lock-timeout=10s")
    events = [json.loads(line) for line in ran.out.splitlines()]
    assert [one["type"] for one in events].count("version") == 1
    assert "Waiting for the lock of the state." in [one["@message"] for one in events]


def test_a_refusal_is_an_event_too(project: Directory) -> None:
    ran = project("promote", "staging", "production", "-json")
    events = [json.loads(line) for line in ran.out.splitlines()]
    assert (ran.code, events[-1]["diagnostic"]["summary"]) == (1, "Not known what runs")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("staging", "stagin"), 'Did you mean "staging"?'),
        (("staging", "staging"), "cannot be promoted to itself"),
        (("staging", "production", "-env=staging"), "it is production that is planned"),
        (("staging", "production", "-out=x", "-auto-approve"), "give one"),
        (("staging", "production", "-sign=k"), "give -out=FILE too"),
        (("staging", "production", "-json", "-apply"), "-json cannot ask"),
    ],
)
def test_wrong_usage_is_explained(project: Directory, arguments: tuple[str, ...], told: str) -> None:
    ran = project("promote", *arguments)
    said = ran.out if "-json" in arguments else ran.err
    assert (ran.code, told in " ".join(said.replace("│", " ").split())) == (1, True)
