"""`twinfra ci`: files that are generated and generated anew, and what the steps of a pipeline call."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Directory
from tests.cli.test_protection import commit, git
from tests.pipelines.forge_server import TOKEN, ForgeServer
from tests.planted import PLANTED
from tests.state.backends.http_server import StateServer

MAIN = """
variable "env" {
  type = string
}

variable "password" {
  type      = string
  default   = ""
  sensitive = true
}

resource "terraform_data" "node" {
  input = "${var.env}"
}
"""

PROJECT = """
[environments.staging]
variables = { env = "staging" }

[environments.production]
variables = { env = "production" }
approval = true
twin_of = "staging"

[twins]
parameters = ["env"]
"""

IGNORED = "*.tfstate*\nterraform.tfstate.d/\n.terraform/\n.twinfra/\n*.key\n"


@pytest.fixture
def project(twinfra: Directory, monkeypatch: pytest.MonkeyPatch) -> Directory:
    for name in os.environ:
        if name.startswith(("GITHUB_", "CI_", "GITLAB_", "JENKINS_")):
            monkeypatch.delenv(name)
    git(twinfra.path, "init", "-q", "-b", "main")
    twinfra.write(main_tf=MAIN, twinfra_toml=PROJECT)
    (twinfra.path / ".gitignore").write_text(IGNORED)
    twinfra.ok("key", "new", "ci")
    commit(twinfra.path, "One")
    return twinfra


@pytest.fixture
def forge() -> Any:
    server = ForgeServer()
    yield server
    server.stop()


def workflow(project: Directory) -> Path:
    return project.path / ".github" / "workflows" / "twinfra.yml"


def outcome(project: Directory, environment: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((project.path / ".twinfra/ci" / f"{environment}.json").read_text())
    return found


def said(text: str) -> str:
    return " ".join(text.replace("│", " ").split())


# -- files


def test_a_new_file_says_what_is_to_be_done_once(project: Directory) -> None:
    ran = project.ok("ci", "github")
    assert "twinfra key new twinfra-ci" in ran.out
    assert workflow(project).exists()
    assert "is what would be generated" in project.ok("ci", "github", "-check").out


def test_a_check_of_a_file_that_differs_exits_with_2_and_writes_nothing(project: Directory) -> None:
    assert project("ci", "github", "-check").code == 2
    assert not workflow(project).exists()
    project.ok("ci", "github")
    project.write(twinfra_toml=PROJECT + '[ci]\nnightly = "03:00"\n')
    before = workflow(project).read_text()
    ran = project("ci", "github", "-check", "-json")
    assert (ran.code, json.loads(ran.out)["status"]) == (2, "changed")
    assert workflow(project).read_text() == before
    project.ok("ci", "github")
    assert "cron: 0 3 * * *" in workflow(project).read_text()


def test_own_jobs_stay_when_the_file_is_made_anew(project: Directory) -> None:
    project.ok("ci", "github")
    own = "  own-job:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: make own\n"
    workflow(project).write_text(workflow(project).read_text() + own)
    project.write(twinfra_toml=PROJECT.replace('twin_of = "staging"', "") + '[ci]\norder = ["staging"]\n')
    project.ok("ci", "github")
    text = workflow(project).read_text()
    assert text.endswith(own)
    assert "apply-production" not in text


def test_an_edited_region_is_told_and_overwritten_only_by_force(project: Directory) -> None:
    project.ok("ci", "github")
    edited = workflow(project).read_text().replace("fetch-depth: 0", "fetch-depth: 1", 1)
    workflow(project).write_text(edited)
    ran = project("ci", "github")
    assert ran.code == 1
    assert 'The region "checks"' in said(ran.err)
    assert workflow(project).read_text() == edited
    assert project("ci", "github", "-check").code == 2
    assert 'The region "checks"' in said(project.ok("ci", "github", "-force").err)
    assert "fetch-depth: 1" not in workflow(project).read_text()


def test_a_file_of_somebody_else_is_not_overwritten(project: Directory) -> None:
    (project.path / ".gitlab-ci.yml").write_text("mine: true\n")
    for options in ((), ("-force",)):
        ran = project("ci", "gitlab", *options)
        assert ran.code == 1
        assert "-out=FILE" in said(ran.err)
    project.ok("ci", "gitlab", "-out=ci/twinfra.yml")
    assert (project.path / "ci/twinfra.yml").exists()


def test_jenkins_needs_to_know_the_repository(project: Directory) -> None:
    assert "[ci.jenkins] repository" in said(project("ci", "jenkins").err)
    project.write(twinfra_toml=PROJECT + '[ci.jenkins]\nrepository = "a/b"\n')
    project.ok("ci", "jenkins")
    project.ok("ci", "jenkins", "-check")


def test_outside_of_a_repository_and_without_a_project_that_is_told(twinfra: Directory) -> None:
    assert "twinfra.toml" in twinfra("ci", "github").err
    twinfra.write(twinfra_toml=PROJECT)
    assert "Git repository" in said(twinfra("ci", "github").err)


# -- what is touched


def test_what_a_change_touches_is_told_with_its_reasons(project: Directory) -> None:
    git(project.path, "tag", "base")
    project.write(twinfra_toml=PROJECT.replace('env = "production"', 'env = "live"'))
    commit(project.path, "Two")
    assert "twinfra.toml (the declaration of production)" in project.ok("ci", "changed", "base").out
    document = json.loads(project.ok("ci", "changed", "base", "-json").out)
    assert [one["name"] for one in document["environments"]] == ["production"]
    assert json.loads(project.ok("ci", "changed", "base", "-names").out) == ["production"]
    assert json.loads(project.ok("ci", "changed", "HEAD", "-names").out) == []


# -- planning


def test_a_plan_is_kept_signed_with_what_is_told_of_it(project: Directory) -> None:
    project.ok("ci", "plan", "-env=staging", "-sign=ci.key")
    told = outcome(project, "staging")
    assert (told["status"], told["counts"]["add"]) == ("planned", 1)
    assert "terraform_data.node" in told["text"]
    project.ok("apply", "-env=staging", "-verify-key=ci.pub", ".twinfra/ci/staging.plan")


def test_a_plan_that_fails_is_told_too(project: Directory) -> None:
    project.write(main_tf=MAIN + '\nresource "terraform_data" "b" {\n  input = var.nothing\n}\n')
    assert project("ci", "plan", "-env=staging").code == 1
    told = outcome(project, "staging")
    assert told["status"] == "failed"
    assert "var.nothing" in told["problems"]


def test_an_environment_that_is_not_touched_is_not_planned(project: Directory) -> None:
    assert "not touched" in project.ok("ci", "plan", "-env=staging", "-since=HEAD").out
    assert outcome(project, "staging")["status"] == "untouched"
    assert not (project.path / ".twinfra/ci/staging.plan").exists()


def test_a_plan_of_a_public_repository_is_refused_unless_it_is_encrypted(
    project: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI_PROJECT_VISIBILITY", "public")
    ran = project("ci", "plan", "-env=staging")
    assert ran.code == 1
    assert "Plans would be public" in said(ran.err)
    passphrase = 'key_provider "pbkdf2" "k" {\n  passphrase = "a long passphrase of this test"\n}\n'
    method = 'method "aes_gcm" "m" {\n  keys = key_provider.pbkdf2.k\n}\n'
    monkeypatch.setenv("TF_ENCRYPTION", passphrase + method + "plan {\n  method = method.aes_gcm.m\n}\n")
    project.ok("ci", "plan", "-env=staging")


def test_an_outcome_is_printed_as_json_and_nothing_else(project: Directory) -> None:
    told = json.loads(project.ok("ci", "plan", "-env=staging", "-sign=ci.key", "-json").out)
    assert told == outcome(project, "staging")
    project.write(main_tf="nonsense")
    ran = project("ci", "plan", "-env=staging", "-json")
    assert (ran.code, json.loads(ran.out)["status"]) == (1, "failed")
    project.write(main_tf=MAIN)
    ran = project("ci", "prepare", "-env=production", "-json")
    assert (ran.code, json.loads(ran.out)["status"]) == (2, "waiting")


def test_secrets_of_the_job_are_in_no_outcome(project: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "tok-staging-1")
    project.write(twinfra_toml=PROJECT.replace('env = "staging"', 'env = "tok-staging-1"'))
    project.ok("ci", "plan", "-env=staging")
    told = json.dumps(outcome(project, "staging"))
    assert "tok-staging-1" not in told
    assert "(redacted)" in told


def test_sensitive_values_are_in_no_outcome(project: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_VAR_password", PLANTED)
    project.write(main_tf=MAIN.replace("${var.env}", "${var.env} ${var.password}"))
    project.ok("ci", "plan", "-env=staging")
    assert PLANTED not in json.dumps(outcome(project, "staging"))


@pytest.mark.parametrize("name", ["plan", "prepare", "fetch"])
def test_an_environment_is_needed(project: Directory, name: str) -> None:
    ran = project("ci", name)
    assert ran.code == 1
    assert f"twinfra ci {name} -env NAME" in ran.err


# -- after a merge


def reviewed(project: Directory, environment: str) -> Path:
    """A plan of today, as fetched from the job that kept it."""
    project.ok("ci", "plan", f"-env={environment}", "-sign=ci.key")
    path = project.path / ".twinfra/ci/reviewed" / f"{environment}.plan"
    path.parent.mkdir(exist_ok=True)
    (project.path / ".twinfra/ci" / f"{environment}.plan").rename(path)
    return path


def prepare(project: Directory, environment: str, code: int = 0) -> str:
    ran = project("ci", "prepare", f"-env={environment}", "-sign=ci.key", "-verify-key=ci.pub")
    assert ran.code == code, ran.all
    return ran.all


def apply(project: Directory, environment: str) -> None:
    plan = f".twinfra/ci/{environment}.plan"
    project.ok("apply", f"-env={environment}", "-verify-key=ci.pub", plan)


def test_a_reviewed_plan_is_taken_as_it_is_byte_by_byte(project: Directory) -> None:
    path = reviewed(project, "production")
    assert "exactly as it is" in prepare(project, "production")
    assert (project.path / ".twinfra/ci/production.plan").read_bytes() == path.read_bytes()
    apply(project, "production")


def test_what_is_applied_already_is_not_planned(project: Directory) -> None:
    reviewed(project, "production")
    prepare(project, "production")
    apply(project, "production")
    assert "up to date" in prepare(project, "production")
    assert outcome(project, "production")["status"] == "nothing"
    assert not (project.path / ".twinfra/ci/production.plan").exists()


def test_other_code_than_reviewed_waits_where_approval_is_asked_for(project: Directory) -> None:
    reviewed(project, "production")
    project.write(main_tf=MAIN.replace('"${var.env}"', '"another ${var.env}"'))
    commit(project.path, "Two")
    ran = prepare(project, "production", code=2)
    assert "terraform_data.node gets other values" in ran
    told = outcome(project, "production")
    assert told["status"] == "waiting"
    assert told["plan"] in ran


def test_other_code_than_reviewed_is_planned_again_where_no_approval_is_asked_for(project: Directory) -> None:
    reviewed(project, "staging")
    project.write(main_tf=MAIN.replace('"${var.env}"', '"another ${var.env}"'))
    commit(project.path, "Two")
    assert "needs no approval" in prepare(project, "staging")
    apply(project, "staging")


def test_other_values_of_variables_than_reviewed_are_planned_again(project: Directory) -> None:
    reviewed(project, "production")
    project.write(twinfra_toml=PROJECT.replace('env = "production"', 'env = "live"'))
    commit(project.path, "Two")
    assert "values of variables" in prepare(project, "production", code=2)


def test_what_nobody_reviewed_waits_where_approval_is_asked_for(project: Directory) -> None:
    assert "Nobody has reviewed" in prepare(project, "production", code=2)


def test_an_unsigned_plan_is_refused(project: Directory) -> None:
    path = reviewed(project, "production")
    project.ok("ci", "plan", "-env=production")
    (project.path / ".twinfra/ci/production.plan").rename(path)
    ran = project("ci", "prepare", "-env=production", "-verify-key=ci.pub")
    assert ran.code == 1
    assert outcome(project, "production")["status"] == "failed"
    assert not (project.path / ".twinfra/ci/production.plan").exists()


def test_a_plan_of_another_environment_is_refused(project: Directory) -> None:
    path = reviewed(project, "staging")
    path.rename(path.with_name("production.plan"))
    ran = project("ci", "prepare", "-env=production", "-verify-key=ci.pub")
    assert ran.code == 1
    assert 'made in the environment "staging"' in said(ran.err)


def test_a_late_job_of_an_older_commit_does_nothing(project: Directory) -> None:
    reviewed(project, "staging")
    older = git(project.path, "rev-parse", "HEAD").strip()
    project.write(main_tf=MAIN.replace('"${var.env}"', '"newer ${var.env}"'))
    commit(project.path, "Two")
    prepare(project, "staging")
    apply(project, "staging")
    git(project.path, "checkout", "-q", older)
    assert "nothing is applied" in prepare(project, "staging")
    assert not (project.path / ".twinfra/ci/staging.plan").exists()


def test_a_backend_without_history_is_warned_about_and_plans_each_time(project: Directory) -> None:
    server = StateServer()
    try:
        project.write(
            backend_tf=f'terraform {{\n  backend "http" {{\n    address = "{server.url}/s"\n  }}\n}}\n'
        )
        project.write(
            twinfra_toml=PROJECT.replace(
                "[environments.staging]", '[environments.staging]\nworkspace = "default"'
            )
        )
        commit(project.path, "Two")
        reviewed(project, "staging")
        assert "No receipt is kept" in said(prepare(project, "staging"))
        apply(project, "staging")
        assert "does nothing that was not reviewed" in prepare(project, "staging")
    finally:
        server.stop()


def test_a_forge_that_refuses_is_told_without_the_token(
    project: Directory, forge: ForgeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_github(monkeypatch, forge, project.path, 0)
    forge.failures = [403]
    ran = project("ci", "comment", "-env=staging")
    assert ran.code == 1
    assert "The forge refused" in said(ran.err)
    assert TOKEN not in ran.all


# -- comments


def at_github(monkeypatch: pytest.MonkeyPatch, forge: ForgeServer, path: Path, number: int) -> None:
    event = path / ".twinfra" / "event.json"
    event.parent.mkdir(exist_ok=True)
    event.write_text(json.dumps({"pull_request": {"number": number}} if number else {}))
    for name, value in {
        "GITHUB_REPOSITORY": "acme/infra",
        "GITHUB_API_URL": forge.url,
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_EVENT_PATH": str(event),
    }.items():
        monkeypatch.setenv(name, value)


def test_a_comment_tells_what_was_planned_and_what_was_not(
    project: Directory, forge: ForgeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_github(monkeypatch, forge, project.path, 4)
    project.ok("ci", "plan", "-env=staging", "-sign=ci.key")
    project.ok("ci", "comment", '-expect=["staging", "production"]')
    (body,) = forge.bodies(4)
    assert "| **staging** | 1 to add |" in body
    assert "| **production** | failed |" in body
    document = json.loads(project.ok("ci", "comment", "-json").out)
    assert (document["pull_request"], document["new"]) == (4, False)
    assert len(forge.bodies(4)) == 1


def test_the_end_of_an_apply_is_told_on_the_merged_pull_request(
    project: Directory, forge: ForgeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_github(monkeypatch, forge, project.path, 0)
    project.ok("ci", "plan", "-env=staging", "-sign=ci.key")
    assert "nothing is said" in project.ok("ci", "comment", "-env=staging").out
    forge.merged[git(project.path, "rev-parse", "HEAD").strip()] = (4, "head")
    prepare(project, "staging")
    project.ok("ci", "comment", "-env=staging", "-exit-code=1")
    assert "run the job again" in forge.bodies(4)[0]
    project.ok("ci", "comment", "-env=staging", "-exit-code=0")
    assert "| **staging** | applied: 1 to add |" in forge.bodies(4)[0]


def test_a_dry_run_of_a_comment_calls_nobody(project: Directory) -> None:
    project.ok("ci", "plan", "-env=staging")
    text = project.ok("ci", "comment", "-dry-run").out
    assert "### staging: 1 to add" in text
    shown = json.loads(project.ok("ci", "comment", "-dry-run", "-json").out)["text"]
    assert shown.splitlines() == text.splitlines()


def test_what_is_wrong_with_a_comment_is_told(project: Directory) -> None:
    assert "JSON list" in project("ci", "comment", "-expect=staging", "-dry-run").err
    expected = project("ci", "comment", '-expect=["stagng"]', "-dry-run")
    assert (expected.code, 'Did you mean "staging"?' in expected.err) == (1, True)
    assert "give -env NAME" in project("ci", "comment", "-exit-code=0").err
    assert "No forge" in project("ci", "comment").err
    (project.path / ".twinfra/ci").mkdir(parents=True)
    (project.path / ".twinfra/ci/staging.json").write_text("{}")
    assert "No outcome of a plan" in project("ci", "comment", "-dry-run").err


@pytest.mark.parametrize("name", ["plan", "prepare", "fetch"])
def test_a_directory_that_cannot_be_made_is_told(project: Directory, name: str) -> None:
    ran = project("ci", name, "-env=staging", "-dir=main.tf/ci")
    assert (ran.code, "Cannot write plans" in ran.err) == (1, True)


def test_fetching_tells_where_the_plan_comes_from(
    project: Directory, forge: ForgeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_github(monkeypatch, forge, project.path, 0)
    assert "no pull request" in project.ok("ci", "fetch", "-env=staging").out
    forge.merged[git(project.path, "rev-parse", "HEAD").strip()] = (4, "head")
    document = json.loads(project.ok("ci", "fetch", "-env=staging", "-json").out)
    assert document == {"found": False, "pull_request": 4, "plan": None}
