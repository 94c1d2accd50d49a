"""The steps of generated pipelines against a bare repository, the sandbox and a forge on loopback."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import client_of
from tests.environments.repositories import Repository, new_repository
from tests.pipelines.forge_server import TOKEN, ForgeServer
from tests.pipelines.forked import forking
from tests.pipelines.jobs import Ended, GitHubJobs, GitLabJobs, JenkinsJobs, Platform

from twinfra.cli.main import run
from twinfra.sandbox import faults, server
from twinfra.sandbox.server import Sandbox

pytestmark = pytest.mark.emulator

PROJECT = """
[environments.staging]
variables = { env = "staging" }
backend = { key = "staging.tfstate" }
account = "123456789012"
region = "us-east-1"

[environments.production]
var_files = ["production.tfvars"]
backend = { key = "production.tfstate" }
account = "123456789012"
region = "us-east-1"
branch = "main"
clean_commit = true
approval = true
plan_file = true
twin_of = "staging"

[twins]
parameters = ["env"]

[ci]
verify_key = "ci.pub"
install = "true"

[ci.environments.staging]
role = "arn:aws:iam::123456789012:role/ci"

[ci.environments.production]
role = "arn:aws:iam::123456789012:role/ci"
plan_role = "arn:aws:iam::123456789012:role/look"

[ci.jenkins]
api = "FORGE"
repository = "acme/infra"
"""

MAIN = """
terraform {
  backend "s3" {
    bucket       = "states"
    region       = "us-east-1"
    use_lockfile = true
  }
}

provider "aws" {
  region = "us-east-1"
}

variable "env" {
  type = string
}

resource "aws_s3_bucket" "data" {
  bucket = "data-${var.env}"
  tags   = { Team = "ml" }
}
"""

MORE = """
resource "aws_cloudwatch_log_group" "NAME" {
  name = "/NAME/${var.env}"
}
"""


class Estate:
    """The developer's clone, the repository that is merged into, and the cloud."""

    def __init__(self, root: Path, sandbox: Sandbox, forge: ForgeServer, bin: Path, platform: str) -> None:
        self.root = root
        self.bin = bin
        self.sandbox = sandbox
        self.forge = forge
        self.client: Callable[..., Any] = client_of(sandbox)
        self.client("s3").create_bucket(Bucket="states")
        origin = root / "origin.git"
        origin.mkdir()
        self.origin = Repository(origin)
        self.origin.git("init", "-q", "--bare", "-b", "main")
        self.work = new_repository(root / "work")
        self.work.git("remote", "add", "origin", str(origin))
        assert run(["key", "new", str(root / "ci")]) == 0
        (self.work.path / "ci.pub").write_bytes((root / "ci.pub").read_bytes())
        (self.work.path / "production.tfvars").write_text('env = "production"\n')
        self.work.write(twinfra_toml=PROJECT.replace("FORGE", forge.url), main_tf=MAIN)
        assert run([f"-chdir={self.work.path}", "ci", platform]) == 0
        self.commit = self.work.commit("Begin")
        self.work.git("push", "-q", "origin", "main")

    def branch(self, name: str, **files: str) -> tuple[str, str]:
        """A pull request from today's main: the head of its branch, and what would be merged."""
        self.work.git("checkout", "-q", "-b", name, "main")
        head = self.work.commit(f"Add {name}", **files)
        merge = self._merge("main", head)
        self.work.git("push", "-q", "origin", name, f"+{merge}:refs/pull/{name}/merge")
        self.work.git("checkout", "-q", "main")
        return head, merge

    def merge(self, number: int, head: str, *, squash: bool = False) -> str:
        """Merge a pull request; the commit of main."""
        made = self._merge("main", head)
        if squash:
            self.work.git("checkout", "-q", "main")
            self.work.git("checkout", "-q", made, "--", ".")
            made = self.work.commit("All in one")
        self.work.git("checkout", "-q", "-B", "main", made)
        self.work.git("push", "-q", "origin", "main")
        self.forge.merged[made] = (number, head)
        return made

    def _merge(self, onto: str, head: str) -> str:
        self.work.git("checkout", "-q", "--detach", onto)
        self.work.git("merge", "-q", "--no-ff", "-m", "Merge", head)
        made = self.work.git("rev-parse", "HEAD")
        self.work.git("checkout", "-q", "main")
        return made

    def applied(self) -> set[str]:
        """What was applied of `MORE`."""
        return {one["logGroupName"] for one in self.client("logs").describe_log_groups()["logGroups"]}

    def jobs(self, kind: type[Platform], **variables: str) -> Any:
        """The platform's jobs. But at GitHub, where an action does it, no key of the cloud is given to them: they
        assume the role with the token of the job.
        """
        cloud = server.environment(self.sandbox)
        if kind is not GitHubJobs:
            del cloud["AWS_ACCESS_KEY_ID"], cloud["AWS_SECRET_ACCESS_KEY"]
        return kind(self.root, self.origin, self.forge, {**cloud, **variables}, self.bin)


def ok(ended: Ended) -> str:
    assert ended.code == 0, ended.out
    return ended.out


@pytest.fixture(scope="module")
def bin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with forking(tmp_path_factory.mktemp("forked")) as directory:
        yield directory


@pytest.fixture
def estate(tmp_path: Path, sandbox: Sandbox, forge: ForgeServer, bin: Path) -> Callable[[str], Estate]:
    return lambda platform: Estate(tmp_path, sandbox, forge, bin, platform)


def event(root: Path, number: int) -> Path:
    """What GitHub writes down about what a workflow runs for; 0: a push."""
    path = root / f"event-{number}.json"
    about = {"pull_request": {"number": number}} if number else {}
    path.write_text(json.dumps({**about, "repository": {"private": True}}))
    return path


class GitHubRuns:
    """What GitHub does of itself: which jobs it runs for which event."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.jobs: GitHubJobs = estate.jobs(
            GitHubJobs, GITHUB_REPOSITORY="acme/infra", GITHUB_API_URL=estate.forge.url
        )

    def pull_request(self, number: int, head: str, merge: str) -> list[str]:
        """Check, plan what is touched, and comment; the environments that were planned."""
        at = event(self.estate.root, number)
        ok(self.jobs.run("checks", merge, at, **{"github.base_ref": "main"}))
        output = self.estate.root / f"output-{self.jobs.jobs}"
        names = output.read_text().partition("environments=")[2].strip()
        for name in json.loads(names):
            ok(self.jobs.run(f"plan-{name}", merge, at, **{"github.event.pull_request.head.sha": head}))
        expression = 'needs.checks.outputs.environments || \'["staging","production"]\''
        ok(self.jobs.run("comment", merge, at, **{expression: names}))
        return list(json.loads(names))

    def push(self, commit: str, *names: str, approved: str = "") -> list[Ended]:
        """Apply environments one after the other."""
        at = event(self.estate.root, 0)
        return [self.jobs.run(f"apply-{one}", commit, at, **{"inputs.approved": approved}) for one in names]

    def drift(self, name: str, commit: str) -> Ended:
        """What runs at night."""
        return self.jobs.run(f"drift-{name}", commit, event(self.estate.root, 0))


def test_github_plans_comments_applies_and_looks_for_drift(
    estate: Callable[[str], Estate], forge: ForgeServer
) -> None:
    there = estate("github")
    runs = GitHubRuns(there)
    head, merge = there.branch("first", more_tf=MORE.replace("NAME", "first"))
    assert runs.pull_request(1, head, merge) == ["staging", "production"]
    runs.pull_request(1, head, merge)
    (body,) = forge.bodies(1)
    assert "| **staging** | 2 to add |" in body
    assert "| **production** | 2 to add |" in body
    commit = there.merge(1, head)
    staging, production = runs.push(commit, "staging", "production")
    assert "applied exactly as it is" in ok(staging)
    assert "applied exactly as it is" in ok(production)
    assert there.applied() == {"/first/staging", "/first/production"}
    (body,) = forge.bodies(1)
    assert "| **staging** | applied: 2 to add |" in body
    assert "| **production** | applied: 2 to add |" in body
    assert "is up to date" in ok(runs.push(commit, "production")[0])
    ok(runs.drift("production", commit))
    tags = {"TagSet": [{"Key": "Team", "Value": "another"}]}
    there.client("s3").put_bucket_tagging(Bucket="data-production", Tagging=tags)
    assert runs.drift("production", commit).code == 2
    # What makes twins differ stops before it is applied, and that is told.
    size = 'variable "size" {\n  type    = number\n  default = 1\n}\n'
    wrong = there.work.commit(
        "No twins any more",
        main_tf=MAIN.replace('"ml"', '"ml${var.size}"') + size,
        production_tfvars='env = "production"\nsize = 2\n',
    )
    there.work.git("push", "-q", "origin", "main")
    forge.merged[wrong] = (1, head)
    assert runs.push(wrong, "production")[0].code == 2
    assert "| **production** | failed |" in forge.bodies(1)[0]
    # The token went to the API alone, not to where artifacts are kept.
    assert {token for host, token in forge.tokens if host == "localhost"} == {""}


def test_of_two_merges_that_race_the_later_is_planned_again_and_never_goes_back(
    estate: Callable[[str], Estate], forge: ForgeServer
) -> None:
    there = estate("github")
    runs = GitHubRuns(there)
    heads = {}
    for number, name in ((1, "one"), (2, "two")):
        head, merge = there.branch(name, **{f"{name}_tf": MORE.replace("NAME", name)})
        heads[number] = head
        runs.pull_request(number, head, merge)
    first = there.merge(1, heads[1])
    second = there.merge(2, heads[2])
    ok(runs.push(first, "production")[0])
    # The plan of the second is stale. What is planned instead does only what was reviewed.
    again = ok(runs.push(second, "production")[0])
    assert "does not hold any more" in again
    assert "does nothing that was not reviewed" in again
    assert there.applied() == {"/one/production", "/two/production"}
    # A job of the first that comes late does not put back what the second has made.
    assert "nothing is applied" in ok(runs.push(first, "production")[0])
    assert there.applied() == {"/one/production", "/two/production"}
    # Both at the very same time: one of them may find its plan stale and refuse. Run again, all is there.
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda commit: runs.push(commit, "staging")[0], (first, second)))
    for commit, ended in zip((first, second), both, strict=True):
        assert ended.code == 0 or "stale" in ended.out, ended.out
        ok(runs.push(commit, "staging")[0])
    assert there.applied() == {
        f"/{name}/{one}" for name in ("one", "two") for one in ("staging", "production")
    }


def test_what_nobody_has_reviewed_waits_for_approval_and_is_then_applied_exactly(
    estate: Callable[[str], Estate], forge: ForgeServer
) -> None:
    there = estate("github")
    runs = GitHubRuns(there)
    head, merge = there.branch("one", one_tf=MORE.replace("NAME", "one"))
    runs.pull_request(1, head, merge)
    there.work.commit("Pushed by hand", two_tf=MORE.replace("NAME", "two"))
    commit = there.merge(1, head)
    (waits,) = runs.push(commit, "production")
    assert waits.code == 2
    assert there.applied() == set()
    (body,) = forge.bodies(1)
    assert "| **production** | waits for approval: 3 to add |" in body
    digest = body.partition("TWINFRA_APPROVED set to ")[2].split()[0]
    assert "applied exactly as it is" in ok(runs.push(commit, "production", approved=digest)[0])
    assert there.applied() == {"/one/production", "/two/production"}


def test_an_apply_that_fails_in_the_middle_is_completed_by_the_next_run(
    estate: Callable[[str], Estate], forge: ForgeServer, sandbox: Sandbox
) -> None:
    there = estate("github")
    runs = GitHubRuns(there)
    head, merge = there.branch("one", one_tf=MORE.replace("NAME", "one"))
    runs.pull_request(1, head, merge)
    commit = there.merge(1, head)
    faults.inject(sandbox, "logs", "CreateLogGroup", times=1, code="AccessDeniedException", status=400)
    assert runs.push(commit, "production")[0].code == 1
    assert there.applied() == set()
    (body,) = forge.bodies(1)
    assert "| **production** | failed |" in body
    assert "does nothing that was not reviewed" in ok(runs.push(commit, "production")[0])
    assert there.applied() == {"/one/production"}
    assert "| **production** | applied: 1 to add |" in forge.bodies(1)[0]


def test_gitlab(estate: Callable[[str], Estate], forge: ForgeServer) -> None:
    there = estate("gitlab")
    variables = {"CI_PROJECT_ID": "42", "CI_API_V4_URL": forge.url, "TWINFRA_CI_TOKEN": TOKEN}
    jobs: GitLabJobs = there.jobs(
        GitLabJobs, TWINFRA_SIGNING_KEY_FILE=str(there.root / "ci.key"), **variables
    )

    def pipeline(sha: str, request: int) -> dict[str, Any]:
        made: dict[str, Any] = {"sha": sha, "request": request, "jobs": [], "files": {}}
        forge.pipelines.append(made)
        return made

    base = there.work.git("rev-parse", "main")
    head, _ = there.branch("first", more_tf=MORE.replace("NAME", "first"))
    asked = {"CI_MERGE_REQUEST_IID": "7", "CI_MERGE_REQUEST_DIFF_BASE_SHA": base}
    review = pipeline(head, 7)
    for name in ("checks", "plan:staging", "plan:production", "comment"):
        ok(jobs.run(name, head, review, **asked))
    (body,) = forge.bodies(7)
    assert "| **production** | 2 to add |" in body
    # Where checks failed, no job has planned: that is told, and not that nothing was touched.
    ok(jobs.run("comment", head, {**review, "files": {}}, **asked))
    assert "| **production** | failed |" in forge.bodies(7)[0]
    commit = there.merge(7, head)
    merged = pipeline(commit, 0)
    for name in ("checks", "apply:staging", "apply:production"):
        out = ok(jobs.run(name, commit, merged))
    assert "applied exactly as it is" in out
    assert there.applied() == {"/first/staging", "/first/production"}
    (body,) = forge.bodies(7)
    assert "| **production** | applied: 2 to add |" in body
    ok(jobs.run("drift:staging", commit, pipeline(commit, 0)))


def test_jenkins(estate: Callable[[str], Estate], forge: ForgeServer) -> None:
    there = estate("jenkins")
    (there.root / "id-token").write_text("an-id-token")
    jobs: JenkinsJobs = there.jobs(JenkinsJobs, JENKINS_URL=f"{forge.url}/")
    head, merge = there.branch("first", more_tf=MORE.replace("NAME", "first"))
    build = "/job/infra/job/PR-3"
    asked = {"CHANGE_ID": "3", "TWINFRA_BASE": "origin/main", "JOB_URL": f"{forge.url}{build}/"}
    for name in ("Checks", "Plan staging", "Plan production", "Comment"):
        ok(jobs.run(name, merge, build, **asked))
    (body,) = forge.bodies(3)
    assert "| **staging** | 2 to add |" in body
    # Where a check fails, that is told.
    there.work.git("checkout", "-q", "--detach", merge)
    wrong = there.work.commit("Not formatted", main_tf=MAIN.replace("  type = string", "  type=string"))
    there.work.git("push", "-q", "origin", f"{wrong}:refs/pull/wrong/merge")
    there.work.git("checkout", "-q", "main")
    assert jobs.run("Checks", wrong, build, **asked).code != 0
    assert "| **staging** | failed |" in forge.bodies(3)[0]
    commit = there.merge(3, head, squash=True)
    main = "/job/infra/job/main"
    for name in ("Checks", "Apply staging", "Apply production"):
        out = ok(jobs.run(name, commit, main, JOB_URL=f"{forge.url}{main}/"))
    assert "applied exactly as it is" in out
    assert there.applied() == {"/first/staging", "/first/production"}
    (body,) = forge.bodies(3)
    assert "| **production** | applied: 2 to add |" in body
    ok(jobs.run("Drift of production", commit, f"{main}@night"))
