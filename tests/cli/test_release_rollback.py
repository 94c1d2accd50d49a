"""`release rollback`: model and infrastructure go back together, or both stay; with real Git and a real MLflow."""

from __future__ import annotations

import json
import shutil
from contextlib import chdir, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Directory, Ran
from tests.environments.repositories import Repository, new_repository
from tests.releases.registries import alias, mlflow_client, new_mlflow, tags

from twinfra.cli.main import run
from twinfra.diagnostics import DiagnosticError, error
from twinfra.releases.mlflow_registry import MlflowRegistry

ENV = "-env=production"
MODEL = "fraud-detector"
TOML = """[environments.production]
variables = {{ size = {size} }}
{more}
[releases.mlflow]
tracking_uri = "sqlite:///registry.db"
alias = "{{environment}}"
"""
FRAGILE = """
resource "terraform_data" "fragile" {{
  triggers_replace = "{number}"
  provisioner "local-exec" {{
    command = "test ! -e {gate}"
  }}
}}
"""


def main(text: str) -> str:
    return f'variable "size" {{}}\nresource "terraform_data" "a" {{\n  input = "{text} ${{var.size}}"\n}}\n'


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with v1 with version 1, then v2 with version 2, which is in force."""
    path = tmp_path_factory.mktemp("template")
    repository = new_repository(path)
    new_mlflow(path / "registry.db")
    (path / ".gitignore").write_text("*.tfstate*\n.terraform/\n*.db\n")
    with chdir(path), redirect_stdout(StringIO()) as out:
        for number in (1, 2):
            repository.commit(
                f"Number {number}",
                main_tf=main(f"text {number}"),
                twinfra_toml=TOML.format(size=number, more=""),
            )
            assert run(["apply", "-auto-approve", ENV]) == 0, out.getvalue()
            made = run(["release", "create", f"v{number}", f"-model={MODEL}:{number}", "-move-alias", ENV])
            assert made == 0, out.getvalue()
    return path


@pytest.fixture
def two(twinfra: Directory, template: Path) -> Directory:
    shutil.copytree(template, twinfra.path, dirs_exist_ok=True)
    return twinfra


@pytest.fixture
def repository(two: Directory) -> Repository:
    return Repository(two.path)


@pytest.fixture
def uri(two: Directory) -> str:
    return f"sqlite:///{two.path}/registry.db"


def runs(project: Directory) -> str:
    path = project.path / "terraform.tfstate.d" / "production" / "terraform.tfstate"
    found = json.loads(path.read_text())["resources"]
    value: str = next(one for one in found if one["name"] == "a")["instances"][0]["attributes"]["input"][
        "value"
    ]
    return value


def entries(project: Directory) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(project.ok("audit", "list", "-json", "-n=0", ENV).out)
    return found


def back(project: Directory, *options: str, stdin: str = "") -> Ran:
    return project("release", "rollback", "v1", ENV, *(options or ("-auto-approve",)), stdin=stdin)


def told(ran: Ran) -> str:
    return " ".join(ran.all.replace("│", " ").split())


def refuse(*_: Any, **__: Any) -> None:
    raise DiagnosticError(error("Registry is down", "It does not answer."))


def test_infrastructure_and_model_go_back_together(two: Directory, uri: str) -> None:
    assert (runs(two), alias(uri, MODEL, "production")) == ("text 2 2", "2")
    ran = back(two)
    assert ran.code == 0, ran.all
    assert (runs(two), alias(uri, MODEL, "production")) == ("text 1 1", "1")
    assert "v1 is in force again: fraud-detector:1." in ran.out
    newest = entries(two)[0]
    assert (newest["kind"], newest["body"]["outcome"]) == ("release rollback", "done")
    assert newest["body"]["steps"] == {"applied": "done", "models": "done", "restored": ""}
    assert (newest["body"]["release"], newest["body"]["from"]) == ("v1", "v2")
    assert two.ok("audit", "verify", ENV)


def test_it_shows_both_before_it_asks(two: Directory, uri: str) -> None:
    ran = back(two, "-input=true", stdin="no\n")
    assert ran.code == 1
    assert "Nothing was done." in ran.out
    shown = ran.out[: ran.out.index("Go back to v1 so?")]
    assert "Together with it:" in shown
    assert "fraud-detector  2             1" in shown
    assert 'MLflow, fraud-detector: alias "production" names version 2' in shown
    assert (runs(two), alias(uri, MODEL, "production")) == ("text 2 2", "2")
    assert "rollback" not in {one["kind"] for one in entries(two)}
    assert back(two, "-input=true", stdin="yes\n").code == 0


def test_a_dry_run_only_shows(two: Directory, uri: str) -> None:
    ran = back(two, "-dry-run")
    assert (ran.code, "Together with it:" in ran.out) == (0, True)
    assert (runs(two), alias(uri, MODEL, "production")) == ("text 2 2", "2")


def test_the_working_tree_stays_and_no_worktree_is_left(two: Directory, repository: Repository) -> None:
    two.write(main_tf="this is { not valid")
    back(two)
    assert (two.path / "main.tf").read_text() == "this is { not valid"
    assert repository.git("worktree", "list").count("\n") == 0
    assert repository.git("rev-parse", "--abbrev-ref", "HEAD") == "main"


def test_which_and_list_tell_what_is_in_force_afterwards(two: Directory) -> None:
    back(two)
    document = json.loads(two.ok("which", "-json", ENV).out)
    assert (document["release"]["name"], document["changed_since"]) == ("v1", [])
    found = json.loads(two.ok("which", f"-model={MODEL}:1", "-json").out)["runs"]
    assert [(one["now"], one["by_rollback"]) for one in found] == [(True, True), (False, False)]
    assert "* v1" in two.ok("release", "list", ENV).out
    assert "again, by a rollback, since" in two.ok("release", "show", ENV).out


def test_it_goes_forward_again_just_so(two: Directory, uri: str) -> None:
    back(two)
    two.ok("release", "rollback", "v2", ENV, "-auto-approve")
    assert (runs(two), alias(uri, MODEL, "production")) == ("text 2 2", "2")
    two.ok("release", "verify", ENV)


def test_what_came_back_can_be_released_under_another_name(two: Directory) -> None:
    back(two)
    two.ok("release", "create", "v3", f"-model={MODEL}:1", ENV)


# -- failures at each step


def test_an_apply_that_fails_is_undone_and_the_model_never_moves(
    two: Directory, repository: Repository, uri: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    gate = tmp_path_factory.mktemp("gate") / "closed"
    repository.commit("Number 3", main_tf=main("text 3") + FRAGILE.format(number=3, gate=gate))
    two.ok("apply", "-auto-approve", ENV)
    two.ok("release", "create", "v3", f"-model={MODEL}:3", "-move-alias", ENV)
    two.ok("release", "rollback", "v2", ENV, "-auto-approve")
    gate.touch()
    ran = two("release", "rollback", "v3", ENV, "-auto-approve")
    assert ran.code == 1
    assert "What ran before runs again, and the models are as they were." in told(ran)
    assert (runs(two), alias(uri, MODEL, "production")) == ("text 2 2", "2")
    assert steps(two) == {"applied": "failed", "models": "", "restored": "done"}


def steps(project: Directory) -> dict[str, str]:
    found = next(one for one in entries(project) if one["kind"] == "release rollback")
    assert found["body"]["outcome"] in ("failed", "interrupted", "stopped")
    listed: dict[str, str] = found["body"]["steps"]
    return listed


@pytest.mark.parametrize("step", ["note", "point"])
def test_a_registry_that_fails_takes_the_infrastructure_back(
    two: Directory, uri: str, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MlflowRegistry, step, refuse)
    ran = back(two)
    assert ran.code == 1
    assert "Registry is down" in ran.err
    assert "What ran before runs again" in told(ran)
    assert (runs(two), alias(uri, MODEL, "production")) == ("text 2 2", "2")
    assert steps(two) == {"applied": "done", "models": "failed", "pointed_back": "done", "restored": "done"}
    document = json.loads(two.ok("which", "-json", ENV).out)
    assert (document["release"]["name"], document["changed_since"]) == ("v2", [])
    monkeypatch.undo()
    monkeypatch.chdir(two.path)
    two.ok("release", "verify", ENV)


def test_the_second_of_two_models_that_fails_takes_the_first_back(
    two: Directory, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = mlflow_client(uri)
    two.ok("release", "create", "v2b", f"-model={MODEL}:2", "-model=ranker:1", "-move-alias", ENV)
    client.set_registered_model_alias(MODEL, "production", "3")
    client.delete_registered_model_alias("ranker", "production")
    real = MlflowRegistry.point

    def point(self: MlflowRegistry, model: Any, left: Any) -> None:
        if model.name == "ranker":
            refuse()
        real(self, model, left)

    monkeypatch.setattr(MlflowRegistry, "point", point)
    ran = two("release", "rollback", "v2b", ENV, "-auto-approve")
    assert ran.code == 1
    assert (alias(uri, MODEL, "production"), alias(uri, "ranker", "production")) == ("3", "")


def test_what_cannot_be_undone_is_told_with_what_to_do(
    two: Directory, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MlflowRegistry, "point", refuse)
    monkeypatch.setattr(MlflowRegistry, "put_back", refuse)
    ran = back(two)
    assert "models may point elsewhere" in told(ran)
    assert "or return to what ran: twinfra apply -env" in told(ran)
    assert "The rollback to v1 (entry" in two.ok("which", ENV).out
    assert "twinfra release rollback v1 -env production" in told(ran)
    assert steps(two)["pointed_back"] == "failed"
    monkeypatch.undo()
    monkeypatch.chdir(two.path)
    assert back(two).code == 0
    assert (runs(two), alias(uri, MODEL, "production")) == ("text 1 1", "1")


def test_a_restoration_that_fails_too_is_told(
    two: Directory, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from twinfra.cli import running

    monkeypatch.setattr(MlflowRegistry, "point", refuse)
    monkeypatch.setattr(running, "reopened", refuse)
    ran = back(two)
    assert "infrastructure was applied, the models are as they were" in told(ran)
    assert steps(two)["restored"] == "failed"
    assert "rollback to v1" in two.ok("which", ENV).out
    assert two("release", "repair", ENV).code == 1
    monkeypatch.undo()
    monkeypatch.chdir(two.path)
    two.ok("apply", "-auto-approve", ENV)
    assert runs(two) == "text 2 2"
    assert json.loads(two.ok("which", "-json", ENV).out)["unfinished_rollback"] is None


class Killed(BaseException):
    """As if the process had ended."""


@pytest.mark.parametrize("step", ["note", "point"])
def test_a_killed_rollback_is_recorded_by_the_next_command_and_can_be_run_again(
    two: Directory, uri: str, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(*_: Any) -> None:
        raise Killed

    monkeypatch.setattr(MlflowRegistry, step, kill)
    with pytest.raises(Killed):
        back(two)
    monkeypatch.undo()
    monkeypatch.chdir(two.path)
    two.ok("plan", ENV)
    found = entries(two)[0]
    assert (found["kind"], found["body"]["outcome"]) == ("release rollback", "interrupted")
    assert "rollback to v1" in two.ok("which", ENV).out
    assert back(two).code == 0
    assert (runs(two), alias(uri, MODEL, "production")) == ("text 1 1", "1")


# -- what is refused before anything is changed


def unchanged(project: Directory, uri: str, ran: Ran, message: str) -> None:
    assert (ran.code, message in told(ran)) == (1, True), ran.all
    assert (runs(project), alias(uri, MODEL, "production")) == ("text 2 2", "2")
    assert not {"rollback", "release rollback"} & {one["kind"] for one in entries(project)}


def test_a_release_that_does_not_exist(two: Directory, uri: str) -> None:
    ran = two("release", "rollback", "v11", ENV, "-auto-approve")
    unchanged(two, uri, ran, 'has no release "v11"')


def test_where_nobody_can_be_asked(two: Directory, uri: str) -> None:
    ran = two("release", "rollback", "v1", ENV, "-input=false")
    unchanged(two, uri, ran, "Nobody can be asked, since -input=false or TF_INPUT says so.")


def test_a_model_that_is_gone_from_the_registry(two: Directory, uri: str) -> None:
    client = mlflow_client(uri)
    client.delete_model_version(MODEL, "1")
    unchanged(two, uri, back(two), "MLflow has no version 1 of fraud-detector.")


def test_a_registry_that_is_down(two: Directory, uri: str) -> None:
    text = (two.path / "twinfra.toml").read_text()
    two.write(twinfra_toml=text.replace("sqlite:///registry.db", "http://127.0.0.1:9"))
    unchanged(two, uri, back(two), "MLflow does not answer as it should")


def test_a_clone_that_lacks_the_commit(
    two: Directory,
    uri: str,
    repository: Repository,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: Any,
) -> None:
    clone = repository.clone(tmp_path_factory.mktemp("clone") / "c", "--depth=1")
    shutil.copytree(two.path / "terraform.tfstate.d", clone.path / "terraform.tfstate.d")
    shutil.copy(two.path / "registry.db", clone.path)
    monkeypatch.chdir(clone.path)
    ran = back(two)
    assert (ran.code, "git fetch --unshallow --tags" in told(ran)) == (1, True)


def test_protection_holds(two: Directory, uri: str) -> None:
    two.write(twinfra_toml=TOML.format(size=2, more="approval = true"))
    unchanged(two, uri, back(two), "Approval is required")
    two.write(twinfra_toml=TOML.format(size=2, more='branch = "release"'))
    unchanged(two, uri, back(two), "Not on the declared branch")


def test_what_runs_from_uncommitted_changes_is_warned_about(two: Directory, uri: str) -> None:
    two.write(main_tf=main("draft"))
    two.ok("apply", "-auto-approve", ENV)
    ran = back(two, "-dry-run")
    assert "What runs could not be restored" in ran.err


def test_other_inputs_than_the_releases_are_warned_about(two: Directory) -> None:
    ran = back(two, "-dry-run", "-var", "size=9")
    assert "Not the inputs of the release" in ran.err
    assert "Not the inputs" not in back(two, "-dry-run").err


def test_programs_get_events(two: Directory) -> None:
    assert back(two, "-json").code == 1
    ran = back(two, "-json", "-auto-approve")
    events = [json.loads(line) for line in ran.out.splitlines()]
    assert ran.code == 0
    assert {"planned_change", "change_summary"} <= {one["type"] for one in events}
    assert any("in force again" in one["@message"] for one in events)


def test_the_tags_of_a_version_tell_what_it_runs_on(two: Directory, uri: str) -> None:
    found = tags(uri, MODEL, "1")
    assert found["twinfra.production.release"] == "v1"
    assert (
        found["twinfra.production.commit"]
        == json.loads(two.ok("release", "show", "v1", "-json", ENV).out)["commit"]
    )


def test_somebody_who_was_faster_is_told(two: Directory, uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between looking and taking the lock somebody else applies."""
    from twinfra.cli import release_rollback

    real = release_rollback._before

    def overtaken(*given: Any) -> Any:
        monkeypatch.setattr(release_rollback, "_before", real)
        assert run(["apply", "-auto-approve", ENV]) == 0
        return real(*given)

    monkeypatch.setattr(release_rollback, "_before", overtaken)
    unchanged(two, uri, back(two), "What runs has changed meanwhile")


def test_ctrl_c_stops_it_where_it_is(two: Directory, repository: Repository, uri: str) -> None:
    text = (
        'resource "terraform_data" "c" {\n  triggers_replace = var.size\n  provisioner "local-exec" {\n'
        '    command = "if [ -e stop ]; then kill -INT $PPID; fi"\n    working_dir = "%s"\n  }\n}\n'
        'resource "terraform_data" "d" {\n  input = terraform_data.c.id\n}\n'
    ).replace("%s", str(two.path))
    repository.commit("Number 3", main_tf=main("text 3") + text)
    two.ok("apply", "-auto-approve", ENV)
    two.ok("release", "create", "v3", f"-model={MODEL}:3", "-move-alias", ENV)
    two.ok("release", "rollback", "v2", ENV, "-auto-approve")
    (two.path / "stop").touch()
    ran = two("release", "rollback", "v3", ENV, "-auto-approve")
    assert ran.code == 1
    assert "The rollback was stopped" in ran.out
    assert steps(two) == {"applied": "stopped", "models": "", "restored": ""}
    assert alias(uri, MODEL, "production") == "2"
    (two.path / "stop").unlink()
    assert two("release", "rollback", "v3", ENV, "-auto-approve").code == 0
    assert alias(uri, MODEL, "production") == "3"
