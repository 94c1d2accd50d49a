"""`release create`, `list`, `show`, `diff` and `which`: what is recorded, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Directory
from tests.environments.repositories import Repository, new_repository
from tests.planted import PLANTED

IGNORED = "*.tfstate*\n.terraform/\n"
PROJECT = "[environments.staging]\nvariables = { size = 1 }\n\n[environments.production]\nvariables = { size = 2 }\n"
MODEL = "-model=fraud-detector:3.1"
ENV = "-env=production"


def main(text: str = "one") -> str:
    return (
        'variable "size" {\n  default = 0\n}\n'
        'variable "secret" {\n  default   = "' + PLANTED + '"\n  sensitive = true\n}\n'
        f'resource "terraform_data" "a" {{\n  input = "{text} ${{var.size}}"\n}}\n'
        'output "address" {\n  value = terraform_data.a.output\n}\n'
        'output "password" {\n  value     = var.secret\n  sensitive = true\n}\n'
    )


@pytest.fixture
def repository(twinfra: Directory) -> Repository:
    twinfra.write(twinfra_toml=PROJECT, _gitignore=IGNORED)
    made = new_repository(twinfra.path)
    made.commit("Small", main_tf=main())
    return made


@pytest.fixture
def project(twinfra: Directory, repository: Repository) -> Directory:
    """With production applied."""
    twinfra.ok("apply", "-auto-approve", ENV)
    return twinfra


def told(ran: Any) -> str:
    return " ".join(ran.err.replace("│", " ").split())


def create(project: Directory, name: str, model: str = MODEL, *options: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        project.ok("release", "create", name, ENV, model, "-json", *options).out
    )
    return found


def entries(project: Directory, env: str = ENV) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(project.ok("audit", "list", "-json", "-n=0", env).out)
    return found


def test_a_release_records_receipt_commit_models_and_outputs(
    project: Directory, repository: Repository
) -> None:
    made = create(project, "infra-v2.0")
    receipt = next(one for one in entries(project) if one["kind"] == "apply")
    assert made["models"] == [{"name": "fraud-detector", "version": "3.1"}]
    assert (made["commit"], made["subject"]) == (repository.git("rev-parse", "HEAD"), "Small")
    assert (made["receipt"]["n"], made["receipt"]["hash"]) == (receipt["n"], receipt["hash"])
    for digest in ("code", "inputs", "state"):
        assert made["receipt"][digest] == receipt["body"][digest]
    assert made["outputs"] == {"address": {"type": "string", "value": "one 2"}}
    assert (made["environment"], made["told"]) == ("production", True)


def test_sensitive_outputs_are_left_out_and_named(project: Directory) -> None:
    assert create(project, "infra-v2.0")["sensitive"] == ["password"]
    records = project.path / "terraform.tfstate.d" / "production"
    assert PLANTED not in "".join(one.read_text() for one in records.rglob("ledger-0*"))
    ran = project.ok("release", "show", ENV)
    assert "password is sensitive, and not recorded" in ran.out


def test_several_models_are_in_one_release(project: Directory) -> None:
    made = create(project, "v1", MODEL, "-model=ranker:7")
    assert [one["name"] for one in made["models"]] == ["fraud-detector", "ranker"]


def test_a_name_is_taken_once(project: Directory) -> None:
    create(project, "v1")
    ran = project("release", "create", "v1", ENV, MODEL)
    assert (ran.code, "Release exists already" in ran.err) == (1, True)
    assert [one["kind"] for one in entries(project)].count("release") == 1


def test_it_needs_something_that_was_applied(twinfra: Directory, repository: Repository) -> None:
    ran = twinfra("release", "create", "v1", ENV, MODEL)
    assert "Nothing to release" in told(ran)
    assert "twinfra apply -env production" in told(ran)


def test_uncommitted_code_is_refused(project: Directory) -> None:
    project.write(main_tf=main("draft"))
    project.ok("apply", "-auto-approve", ENV)
    assert "Applied from uncommitted changes" in told(project("release", "create", "v1", ENV, MODEL))


def test_a_failed_apply_is_refused(project: Directory, repository: Repository) -> None:
    bad = 'resource "terraform_data" "bad" {\n  provisioner "local-exec" {\n    command = "exit 3"\n  }\n}\n'
    repository.commit("Bad", main_tf=main() + bad)
    assert project("apply", "-auto-approve", ENV).code == 1
    assert "did not come to its end: failed" in told(project("release", "create", "v1", ENV, MODEL))


def test_a_part_is_refused(project: Directory, repository: Repository) -> None:
    repository.commit("Two", main_tf=main("two"))
    project.ok("apply", "-auto-approve", ENV, "-target=terraform_data.a")
    assert "Only a part" in told(project("release", "create", "v1", ENV, MODEL))


def test_what_was_destroyed_is_refused(project: Directory) -> None:
    project.ok("destroy", "-auto-approve", ENV)
    assert "was destroyed" in told(project("release", "create", "v1", ENV, MODEL))


def test_a_state_that_changed_since_is_refused(project: Directory) -> None:
    project.ok("state", "rm", "terraform_data.a", ENV)
    assert "The state has changed since the last apply" in told(
        project("release", "create", "v1", ENV, MODEL)
    )


def test_an_apply_outside_of_git_is_refused(twinfra: Directory) -> None:
    twinfra.write(twinfra_toml=PROJECT, main_tf=main())
    twinfra.ok("apply", "-auto-approve", ENV)
    assert "Applied from no commit" in told(twinfra("release", "create", "v1", ENV, MODEL))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("v1",), "-model NAME:VERSION"),
        (("v1", "-model=fraud"), "is not NAME:VERSION"),
        (("v1", "-model=a:1", "-model=a:2"), "Two versions of one model"),
        (("v 1", MODEL), "Unsuitable name of a release"),
        (("-v1", MODEL), "has no option"),
        (("v1..2", MODEL), "Unsuitable name of a release"),
    ],
)
def test_wrong_usage_is_explained(project: Directory, arguments: tuple[str, ...], message: str) -> None:
    ran = project("release", "create", ENV, *arguments)
    assert (ran.code, message in told(ran)) == (1, True), ran.err


def test_a_backend_without_history_is_told(twinfra: Directory, repository: Repository) -> None:
    from tests.state.backends.http_server import StateServer

    server = StateServer()
    try:
        backend = f'terraform {{\n  backend "http" {{\n    address = "{server.url}/s"\n  }}\n}}\n'
        repository.commit("Remote", main_tf=backend + main())
        twinfra.ok("apply", "-auto-approve")
        for arguments in (
            ("release", "create", "v1", MODEL),
            ("release", "list"),
            ("release", "show"),
            ("release", "verify"),
            ("release", "rollback", "v1", "-auto-approve"),
            ("which", ENV),
        ):
            ran = twinfra(*arguments)
            assert (ran.code, "A backend without history" in ran.err) == (1, True), ran.all
    finally:
        server.stop()


def test_another_workspace_without_environments_has_releases_too(
    twinfra: Directory, repository: Repository
) -> None:
    twinfra.ok("apply", "-auto-approve")
    twinfra.ok("release", "create", "v1", MODEL)
    assert json.loads(twinfra.ok("release", "show", "-json").out)["workspace"] == "default"


# -- tags


def test_a_tag_is_made_at_the_commit_that_was_applied(project: Directory, repository: Repository) -> None:
    first = repository.git("rev-parse", "HEAD")
    repository.commit("Later")
    assert create(project, "v1", MODEL, "-tag")["tag"] == "v1"
    assert repository.git("rev-parse", "v1^{commit}") == first
    assert "fraud-detector:3.1" in repository.git("tag", "-n", "v1")


def test_a_tag_that_is_there_is_recorded(project: Directory, repository: Repository) -> None:
    repository.git("tag", "v1")
    assert create(project, "v1")["tag"] == "v1"
    assert create(project, "v2")["tag"] == ""


def test_a_tag_of_that_name_elsewhere_is_refused(project: Directory, repository: Repository) -> None:
    repository.commit("Later")
    repository.git("tag", "v1")
    for options in ((), ("-tag",)):
        ran = project("release", "create", "v1", ENV, MODEL, *options)
        assert (ran.code, "A tag of that name is elsewhere" in ran.err) == (1, True)
    assert "release" not in [one["kind"] for one in entries(project)]


def test_a_shallow_clone_that_lacks_the_commit_makes_no_tag_there(
    project: Directory,
    repository: Repository,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import shutil

    repository.commit("Later")
    clone = repository.clone(tmp_path_factory.mktemp("clone") / "c", "--depth=1")
    shutil.copytree(project.path / "terraform.tfstate.d", clone.path / "terraform.tfstate.d")
    monkeypatch.chdir(clone.path)
    ran = project("release", "create", "v1", ENV, MODEL, "-tag")
    assert (ran.code, "git fetch --unshallow --tags" in told(ran)) == (1, True)
    assert "release" not in [one["kind"] for one in entries(project)]
    assert create(project, "v1")["tag"] == ""


# -- looking


@pytest.fixture
def two(project: Directory, repository: Repository) -> Directory:
    """With two releases, the second in force."""
    create(project, "v1", "-model=fraud-detector:3.0")
    repository.commit("Large", main_tf=main("two"))
    project.ok("apply", "-auto-approve", ENV)
    create(project, "v2")
    return project


def test_releases_are_listed_newest_first(two: Directory) -> None:
    lines = two.ok("release", "list", ENV).out.splitlines()
    assert lines[0] == "production"
    assert (lines[1][:4], lines[2][:4]) == ("* v2", "  v1")
    assert max(map(len, lines)) <= 80
    document = json.loads(two.ok("release", "list", "-json", ENV, "-n=1").out)[0]
    assert [one["name"] for one in document["releases"]] == ["v2"]
    assert (document["in_force"], document["more"], document["changed_since"]) == ("v2", True, [])


def test_without_an_environment_all_are_listed(two: Directory) -> None:
    out = two.ok("release", "list").out
    assert out.startswith("staging\n  No release yet.\nproduction\n* v2")


def test_a_release_is_shown(two: Directory) -> None:
    out = two.ok("release", "show", "v1", ENV).out
    assert "models    fraud-detector:3.0" in out
    assert 'output    address = "one 2"' in out
    assert "not in force" in out
    shown = json.loads(two.ok("release", "show", "-json", ENV).out)
    assert (shown["name"], shown["in_force"], len(shown["periods"])) == ("v2", True, 1)
    assert 'Did you mean "v2"?' in told(two("release", "show", "v2x", ENV))


def test_two_releases_are_compared(two: Directory) -> None:
    out = two.ok("release", "diff", "v1", ENV).out
    assert "v1 -> v2" in out
    assert "model fraud-detector: 3.0 -> 3.1" in out
    assert "Small" in out
    assert "Large" in out
    assert 'output address: "one 2" -> "two 2"' in out
    parts = json.loads(two.ok("release", "diff", "v1", "v2", "-json", ENV).out)["differences"]
    assert {one["part"] for one in parts} == {"model", "commit", "code", "state", "output"}
    assert "Nothing differs" in two.ok("release", "diff", "v2", "v2", ENV).out


def test_which_tells_what_a_model_runs_on_and_ran_on(two: Directory) -> None:
    out = two.ok("which", "-model=fraud-detector:3.1").out
    assert "production: runs on v2" in out
    out = two.ok("which", "-model=fraud-detector:3.0").out
    assert "production: ran on v1" in out
    runs = json.loads(two.ok("which", "-model=fraud-detector", "-json").out)["runs"]
    assert [(one["model"], one["now"], one["changed_since"]) for one in runs] == [
        ("fraud-detector:3.1", True, False),
        ("fraud-detector:3.0", False, False),
    ]


def test_a_model_that_ran_nowhere_is_told(two: Directory) -> None:
    ran = two("which", "-model=fraud-detector:9")
    assert ran.code == 2
    assert "Recorded are: fraud-detector:3.0, fraud-detector:3.1" in ran.out


def test_which_tells_what_an_environment_runs(two: Directory, repository: Repository) -> None:
    out = two.ok("which", ENV).out
    assert "release   v2 since" in out
    assert "Large" in out
    repository.commit("More", main_tf=main("three"))
    two.ok("apply", "-auto-approve", ENV)
    out = two.ok("which", ENV).out
    assert "changed since, without a release: apply (entry 5" in out
    document = json.loads(two.ok("which", "-json", ENV).out)
    assert (document["release"]["name"], document["applied"]["subject"]) == ("v2", "More")
    assert [one["n"] for one in document["changed_since"]] == [5]


def test_after_a_destroy_no_release_is_in_force(two: Directory) -> None:
    two.ok("destroy", "-auto-approve", ENV)
    assert "none is in force" in two.ok("which", ENV).out
    assert json.loads(two.ok("which", "-model=fraud-detector:3.1", "-json").out)["runs"][0]["now"] is False
    assert "No release is in force" in told(two("release", "show", ENV))


def test_which_needs_a_question(project: Directory) -> None:
    assert "-model NAME:VERSION or -env NAME" in project("which").err


def test_clocks_do_not_decide_the_order(two: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    from twinfra.state.ledger import authors

    monkeypatch.setattr(authors, "now", lambda: "2001-01-01T00:00:00.000000Z")
    ran = two.ok("release", "create", "v3", ENV, MODEL)
    assert "Clocks disagree" in ran.err
    monkeypatch.undo()
    monkeypatch.chdir(two.path)
    assert json.loads(two.ok("release", "show", "-json", ENV).out)["name"] == "v3"


def test_two_who_release_one_name_at_once_make_one_release(project: Directory) -> None:
    """One who looked before the other wrote is told when writing: the condition is checked again then."""
    from threading import Barrier, Thread

    from twinfra.diagnostics import DiagnosticError
    from twinfra.releases.creating import applied_receipt, condition
    from twinfra.releases.record import RELEASE
    from twinfra.state.backends.local import LocalBackend
    from twinfra.state.ledger.log import open_ledger

    together, outcomes = Barrier(4), []

    def release() -> None:
        ledger = open_ledger(LocalBackend(project.path), "production")
        unless = condition("v1", applied_receipt("It", "", ledger.newest()), "It")
        together.wait()
        try:
            ledger.append(RELEASE, {"release": "v1"}, unless=unless)
            outcomes.append("made")
        except DiagnosticError as refused:
            outcomes.append(refused.diagnostics[0].summary)

    people = [Thread(target=release) for _ in range(4)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    assert sorted(outcomes) == ["Release exists already"] * 3 + ["made"]
    assert project.ok("audit", "verify", ENV)


def test_a_release_waits_for_the_lock_and_is_refused_while_somebody_applies(project: Directory) -> None:
    from twinfra.state.backends.local import LocalBackend
    from twinfra.state.locks import new_lock

    backend, held = LocalBackend(project.path), new_lock("apply")
    backend.lock("production", held)
    try:
        ran = project("release", "create", "v1", ENV, MODEL, "-lock-timeout=0s")
    finally:
        backend.unlock("production", held.id)
    assert (ran.code, "lock" in ran.err.lower()) == (1, True)
    assert "release" not in [one["kind"] for one in entries(project)]


def test_the_history_tells_of_releases(two: Directory) -> None:
    out = two.ok("history", ENV).out
    assert "release  v2: fraud-detector:3.1" in out


def test_the_place_of_the_state_is_all_it_needs(project: Directory) -> None:
    """No registry, no network: the release lies beside the state."""
    create(project, "v1")
    records = Path("terraform.tfstate.d/production/terraform.tfstate.records")
    assert '"release":"v1"' in (records / "ledger-000001.json").read_text()


def test_an_environment_that_cannot_be_read_keeps_no_other_from_being_told(two: Directory) -> None:
    two.ok("apply", "-auto-approve", "-env=staging")
    (two.path / "terraform.tfstate.d/staging/terraform.tfstate.records/ledger-000001.json").write_text("{")
    ran = two("which", "-model=fraud-detector:3.1")
    assert ran.code == 1
    assert "Ledger is damaged" in ran.err
    assert "production: runs on v2" in ran.out


def test_a_tag_does_not_stay_where_the_release_could_not_be_recorded(
    project: Directory, repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    from twinfra.diagnostics import DiagnosticError, error
    from twinfra.state.ledger.log import Ledger

    def refuse(*_: Any, **__: Any) -> Any:
        raise DiagnosticError(error("Disk is full", "Nothing can be written."))

    monkeypatch.setattr(Ledger, "append", refuse)
    ran = project("release", "create", "v1", ENV, MODEL, "-tag")
    assert (ran.code, "Disk is full" in ran.err) == (1, True)
    assert repository.git("tag") == ""


def test_a_release_lies_beside_the_state_in_a_bucket(
    twinfra: Directory, repository: Repository, aws: Callable[..., Any]
) -> None:
    aws("s3").create_bucket(Bucket="states-of-releases")
    backend = (
        'terraform {\n  backend "s3" {\n    bucket = "states-of-releases"\n    key = "x.tfstate"\n  }\n}\n'
    )
    repository.commit("Bucket", main_tf=backend + main())
    twinfra.ok("apply", "-auto-approve", ENV)
    create(twinfra, "v1")
    assert "Release exists already" in twinfra("release", "create", "v1", ENV, MODEL).err
    assert "runs on v1" in twinfra.ok("which", "-model=fraud-detector:3.1", ENV).out
