"""The generated files: what their platforms' schemas and linters say, and what each platform needs in them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.environments.projects import declared
from tests.environments.repositories import new_repository

from twinfra.pipelines.generating import make_pipeline, write_pipeline
from twinfra.pipelines.settings import read_settings

PLAIN = """
[environments.only]
sandbox = true
[ci.jenkins]
repository = "acme/infra"
"""

FULL = """
[environments.staging]
account = "123456789012"
region = "eu-central-1"
[environments.production]
account = "210987654321"
region = "eu-central-1"
twin_of = "staging"
approval = true
[ci]
branch = "trunk"
nightly = "23:05"
secrets = ["TF_VAR_password"]
runner = "ubuntu-22.04"
install = "pip install 'twinfra[aws]' --index-url \\"$INDEX\\""
[ci.environments.staging]
role = "arn:aws:iam::123456789012:role/apply"
[ci.environments.production]
role = "arn:aws:iam::210987654321:role/apply"
plan_role = "arn:aws:iam::210987654321:role/plan"
runner = "ubuntu-24.04-arm"
[ci.gitlab]
audience = "https://gitlab.example.org"
[ci.jenkins]
forge = "gitlab"
repository = "acme/infra"
artifacts = "jenkins-reader"
"""


def made(directory: Path, platform: str, text: str, within: str = ".") -> Path:
    """The file of a platform for a configuration in a directory of a repository."""
    top = new_repository(directory / platform).path
    place = top / within
    place.mkdir(exist_ok=True)
    project = declared(place, text)
    pipeline = make_pipeline(platform, project, read_settings(project), place, None)
    write_pipeline(pipeline)
    return pipeline.path


CASES = pytest.mark.parametrize(
    ("text", "within"), [(PLAIN, "."), (FULL, "."), (FULL, "infra")], ids=["plain", "full", "within"]
)


def check(*command: str | Path) -> None:
    done = subprocess.run(
        [str(one) for one in command], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr


def tool(name: str) -> Path:
    return Path(sys.executable).parent / name


@CASES
def test_githubs_schema_and_actionlint_accept_the_workflow(tmp_path: Path, text: str, within: str) -> None:
    path = made(tmp_path, "github", text, within)
    check(tool("check-jsonschema"), "--builtin-schema", "vendor.github-workflows", path)
    check(tool("actionlint"), "-shellcheck=", "-pyflakes=", path)


@CASES
def test_gitlabs_schema_accepts_the_pipeline(tmp_path: Path, text: str, within: str) -> None:
    path = made(tmp_path, "gitlab", text, within)
    check(tool("check-jsonschema"), "--builtin-schema", "vendor.gitlab-ci", path)


def groovy_lint() -> str:
    """The command, or the test is skipped."""
    own = Path(__file__).parents[2] / ".ci" / "node_modules" / ".bin" / "npm-groovy-lint"
    found = str(own) if own.exists() else shutil.which("npm-groovy-lint")
    if found is None or shutil.which("java") is None:
        pytest.skip(
            "npm-groovy-lint is not installed (npm install --prefix .ci npm-groovy-lint@16.2.0), or Java is not"
        )
    return found


@pytest.mark.slow
def test_a_linter_of_jenkinsfiles_finds_no_error(tmp_path: Path) -> None:
    lint = groovy_lint()
    kept = tmp_path / "linted"
    text = made(tmp_path, "jenkins", FULL, "infra").read_text()
    for name, content in (("good", text), ("broken", "pipeline {{\n}\n")):
        (kept / name).mkdir(parents=True)
        (kept / name / "Jenkinsfile").write_text(content)
    done = subprocess.run(
        [
            lint,
            "--noserver",
            "--config",
            "recommended-jenkinsfile",
            "--files",
            "**/Jenkinsfile",
            "--output",
            "json",
        ],
        cwd=kept,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    report: dict[str, Any] = json.loads(done.stdout[done.stdout.index("{") :])
    errors = {
        Path(name).parent.name: [one for one in file["errors"] if one["severity"] == "error"]
        for name, file in report["files"].items()
    }
    assert errors.pop("broken")
    assert errors == {"good": []}


def github(directory: Path, text: str = FULL) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load(made(directory, "github", text).read_text(), yaml.BaseLoader)
    return found


def gitlab(directory: Path, text: str = FULL) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(made(directory, "gitlab", text).read_text())
    return found


def test_github_assumes_roles_with_tokens_of_the_job_and_has_no_key(tmp_path: Path) -> None:
    jobs = github(tmp_path)["jobs"]
    roles = {
        name: step["with"]["role-to-assume"].rpartition(":")[2]
        for name, job in jobs.items()
        for step in job["steps"]
        if "configure-aws-credentials" in step.get("uses", "")
    }
    assert roles == {
        "plan-staging": "role/apply",
        "plan-production": "role/plan",
        "apply-staging": "role/apply",
        "apply-production": "role/apply",
        "drift-staging": "role/apply",
        "drift-production": "role/plan",
    }
    assert {name for name, job in jobs.items() if job.get("permissions", {}).get("id-token")} == set(roles)
    assert "ACCESS_KEY" not in json.dumps(jobs)


def test_every_action_is_pinned_by_its_commit(tmp_path: Path) -> None:
    used = {
        step["uses"] for job in github(tmp_path)["jobs"].values() for step in job["steps"] if "uses" in step
    }
    assert len(used) == 5
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", one) for one in used)


def test_a_comment_tells_the_version_of_an_action(tmp_path: Path) -> None:
    text = made(tmp_path, "github", FULL).read_text()
    used = re.findall(r"^ *uses: (.*)$", text, re.MULTILINE)
    assert all(re.fullmatch(r"\S+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one) for one in used)


def test_another_action_may_be_named_with_or_without_a_comment(tmp_path: Path) -> None:
    own = '[ci.github.actions]\ncheckout = "acme/checkout@0123abc # v9"\nsetup-python = "acme/python@v2"\n'
    text = made(tmp_path, "github", FULL + own).read_text()
    assert "uses: acme/checkout@0123abc # v9\n" in text
    assert "uses: acme/python@v2\n" in text


def test_github_checks_out_whole_histories_and_submodules(tmp_path: Path) -> None:
    made(tmp_path, "github", FULL)
    (tmp_path / "github/.gitmodules").write_text("")
    step = github(tmp_path)["jobs"]["checks"]["steps"][0]
    assert step["with"] == {"fetch-depth": "0", "submodules": "recursive", "persist-credentials": "false"}


def test_environments_are_applied_in_their_order(tmp_path: Path) -> None:
    jobs = github(tmp_path)["jobs"]
    assert jobs["apply-staging"]["needs"] == "checks"
    assert jobs["apply-production"]["needs"] == "apply-staging"
    assert gitlab(tmp_path)["apply:production"]["needs"] == ["apply:staging"]
    stages = re.findall(r"stage\('Apply (\w+)'\)", made(tmp_path, "jenkins", FULL).read_text())
    assert stages == ["staging", "production"]


def test_twins_are_compared_before_the_later_one_is_applied(tmp_path: Path) -> None:
    steps = github(tmp_path)["jobs"]["apply-production"]["steps"]
    (script,) = [step["run"] for step in steps if step.get("name") == "Apply"]
    assert script.index("twinfra twins staging production") < script.index("twinfra apply -env production")


def test_it_runs_at_night_where_that_is_declared(tmp_path: Path) -> None:
    assert github(tmp_path)["on"]["schedule"] == [{"cron": "5 23 * * *"}]
    assert "TZ=Etc/UTC\\n5 23 * * *" in made(tmp_path, "jenkins", FULL).read_text()


def test_secrets_of_variables_go_to_the_jobs_that_plan_or_apply(tmp_path: Path) -> None:
    jobs = github(tmp_path)["jobs"]
    given = {name for name, job in jobs.items() if "TF_VAR_password" in job.get("env", {})}
    assert given == {name for name in jobs if name not in ("checks", "comment")}


def test_gitlab_asks_for_a_token_of_the_declared_audience(tmp_path: Path) -> None:
    job: Mapping[str, Any] = gitlab(tmp_path)["apply:production"]
    assert job["id_tokens"] == {"TWINFRA_ID_TOKEN": {"aud": "https://gitlab.example.org"}}
    assert 'AWS_ROLE_ARN="arn:aws:iam::210987654321:role/apply"' in job["script"][0]
    assert "id_tokens" not in gitlab(tmp_path, PLAIN)["apply:only"]


def test_a_configuration_below_the_top_is_worked_in_there(tmp_path: Path) -> None:
    text = made(tmp_path, "github", FULL, "infra").read_text()
    assert "working-directory: infra" in text
    assert "path: infra/.twinfra/ci\n" in text


@pytest.mark.parametrize(
    ("platform", "there"),
    [
        ("github", "submodules: recursive"),
        ("gitlab", "GIT_SUBMODULE_STRATEGY: recursive"),
        ("jenkins", "git submodule update --init --recursive"),
    ],
)
def test_jobs_get_submodules_where_the_repository_has_some(tmp_path: Path, platform: str, there: str) -> None:
    assert "submodule" not in made(tmp_path, platform, FULL).read_text()
    (tmp_path / platform / ".gitmodules").write_text("")
    assert there in made(tmp_path, platform, FULL).read_text()
