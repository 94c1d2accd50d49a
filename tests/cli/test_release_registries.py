"""`release create`, `repair` and `verify` with model registries: what is told to them, and what happens when they fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.cli.conftest import Directory, Ran, hold_lock_once
from tests.environments.repositories import Repository, new_repository
from tests.releases.registries import alias, mlflow_client, new_mlflow, tags

from twinfra.diagnostics import DiagnosticError, error
from twinfra.releases.mlflow_registry import MlflowRegistry

ENV = "-env=production"
MODEL = "fraud-detector"
TOML = """[environments.production]
variables = { size = 1 }

[releases.mlflow]
tracking_uri = "sqlite:///registry.db"
alias = "{environment}"
"""
MAIN = 'variable "size" {}\nresource "terraform_data" "a" {\n  input = var.size\n}\noutput "size" {\n  value = var.size\n}\n'


@pytest.fixture
def uri(twinfra: Directory) -> str:
    return new_mlflow(twinfra.path / "registry.db")


@pytest.fixture
def repository(twinfra: Directory) -> Repository:
    twinfra.write(_gitignore="*.tfstate*\n.terraform/\n*.db\n.twinfra/\n")
    made = new_repository(twinfra.path)
    made.commit("One", main_tf=MAIN, twinfra_toml=TOML)
    return made


@pytest.fixture
def project(twinfra: Directory, repository: Repository, uri: str) -> Directory:
    twinfra.ok("apply", "-auto-approve", ENV)
    return twinfra


def create(project: Directory, *options: str, name: str = "v1", model: str = f"{MODEL}:1") -> Ran:
    return project("release", "create", name, ENV, f"-model={model}", *options)


def told(ran: Ran) -> str:
    return " ".join(ran.all.replace("│", " ").split())


def kinds(project: Directory) -> list[str]:
    return [one["kind"] for one in json.loads(project.ok("audit", "list", "-json", "-n=0", ENV).out)]


def refuse(*_: Any, **__: Any) -> None:
    raise DiagnosticError(error("Registry is down", "It does not answer."))


def test_the_version_is_tagged_and_the_alias_moved_where_asked(project: Directory, uri: str) -> None:
    ran = create(project, "-move-alias")
    assert ran.code == 0, ran.all
    found = tags(uri, MODEL, "1")
    release = json.loads(project.ok("release", "show", "-json", ENV).out)
    assert found["twinfra.production.code"] == release["receipt"]["code"]
    assert found["twinfra.production.receipt"] == f"{release['receipt']['n']}:{release['receipt']['hash']}"
    assert found["twinfra.production.output.size"] == "1"
    assert alias(uri, MODEL, "production") == "1"
    assert release["registries"] == {"mlflow": True}
    assert kinds(project)[:2] == ["release registered", "release"]


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("fraud-detector:9", "MLflow has no version 9 of fraud-detector."),
        ("fraud-detectr:1", 'Did you mean "fraud-detector"?'),
        ("fraud-detector:1", 'the alias "production" of fraud-detector is not set'),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_written(
    project: Directory, model: str, message: str
) -> None:
    ran = create(project, "-tag", model=model)
    assert (ran.code, message in told(ran)) == (1, True), ran.all
    assert "release" not in kinds(project)
    assert Repository(project.path).git("tag") == ""


def test_a_registry_that_is_down_is_told_before_anything_is_written(project: Directory) -> None:
    project.write(twinfra_toml=TOML.replace("sqlite:///registry.db", "http://127.0.0.1:9"))
    assert "MLflow does not answer as it should" in told(create(project))
    assert "release" not in kinds(project)


def test_offline_it_is_recorded_and_told_later(
    project: Directory, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A long name leaves less room in the table.
    monkeypatch.setenv("LOGNAME", "ada")
    project.write(twinfra_toml=TOML.replace("sqlite:///registry.db", "http://127.0.0.1:9"))
    ran = create(project, "-offline", "-move-alias")
    assert (ran.code, "twinfra release repair" in ran.out) == (0, True)
    assert "does not know of it yet" in project.ok("release", "show", ENV).out
    assert "(not registered)" in project.ok("release", "list", ENV).out
    assert project("release", "repair", ENV).code == 1
    project.write(twinfra_toml=TOML)
    assert "MLflow knows of v1 now." in project.ok("release", "repair", ENV).out
    assert (alias(uri, MODEL, "production"), "twinfra.production.release" in tags(uri, MODEL, "1")) == (
        "1",
        True,
    )
    assert "nothing to repair" in project.ok("release", "repair", ENV).out


@pytest.mark.parametrize("step", ["note", "point"])
def test_a_registry_that_fails_after_the_ledger_was_written_is_made_up_for(
    project: Directory, uri: str, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MlflowRegistry, step, refuse)
    ran = create(project, "-move-alias")
    assert (ran.code, "The release is recorded." in ran.out) == (1, True)
    monkeypatch.undo()
    monkeypatch.chdir(project.path)
    assert json.loads(project.ok("release", "repair", "-json", ENV).out) == {
        "told": [{"release": "v1", "registry": "mlflow"}],
        "complete": True,
    }
    assert alias(uri, MODEL, "production") == "1"


def test_the_next_release_completes_the_one_before_and_moves_no_alias_back(
    project: Directory, uri: str
) -> None:
    create(project, "-offline", "-move-alias")
    assert create(project, "-move-alias", name="v2", model=f"{MODEL}:2").code == 0
    assert tags(uri, MODEL, "1")["twinfra.production.release"] == "v1"
    assert alias(uri, MODEL, "production") == "2"
    assert kinds(project).count("release registered") == 2


def test_a_registry_that_is_not_configured_any_more_is_told(project: Directory) -> None:
    create(project, "-offline")
    project.write(twinfra_toml=TOML.partition("[releases")[0])
    ran = project("release", "repair", ENV)
    assert "no [releases.mlflow]" in told(ran)


def test_models_that_a_registry_does_not_cover_are_left_to_the_ledger(project: Directory) -> None:
    project.write(twinfra_toml=TOML + 'models = ["fraud-*"]\n')
    ran = create(project, "-move-alias", "-model=elsewhere:7")
    assert ran.code == 0, ran.all


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[releases.mlflow]\n", 'needs the key "tracking_uri"'),
        ('[releases.mlflow]\ntracking_uri = "https://ada:x@mlflow.example.com"\n', "A password in the file"),
        ('[releases.mlflow]\ntracking_uri = "https://token@mlflow.example.com"\n', "A password in the file"),
        ('[releases.mlflow]\ntracking_uri = "ftp://x"\n', "tracking_uri is the address"),
        ('[releases.mlflow]\ntracking_uri = "http://x"\nalias = "{env}"\n', "alias knows {environment} only"),
        ('[releases.mlfow]\ntracking_uri = "http://x"\n', 'Did you mean "mlflow"?'),
        ("[releases.sagemaker]\naproved = false\n", 'Did you mean "approved"?'),
    ],
)
def test_wrong_settings_are_told_with_their_place(project: Directory, text: str, message: str) -> None:
    project.write(twinfra_toml=TOML.partition("[releases")[0] + text)
    ran = create(project)
    assert (ran.code, message in told(ran)) == (1, True), ran.all
    assert "twinfra.toml line" in told(ran)


# -- verify


@pytest.fixture
def released(project: Directory) -> Directory:
    assert create(project, "-move-alias", "-tag").code == 0
    return project


def checks(project: Directory, code: int) -> dict[str, Any]:
    ran = project("release", "verify", "-json", ENV)
    assert ran.code == code, ran.all
    document = json.loads(ran.out)
    assert document["holds"] is {0: True, 2: False, 1: None}[code]
    return {one["part"]: one["holds"] for one in document["checks"]}


def test_a_release_that_nobody_touched_holds(released: Directory) -> None:
    assert set(checks(released, 0).values()) == {True}
    out = released.ok("release", "verify", ENV).out
    assert "It holds." in out
    assert max(map(len, out.splitlines())) <= 80
    assert set(checks(released, 0)) == {"receipt", "tag", "code", "inputs", "state", "cloud", "model"}


def test_an_alias_that_was_moved_does_not_hold(released: Directory, uri: str) -> None:
    mlflow_client(uri).set_registered_model_alias(MODEL, "production", "2")
    assert checks(released, 2)["model"] is False


def test_a_model_that_is_gone_does_not_hold(released: Directory, uri: str) -> None:
    mlflow_client(uri).delete_model_version(MODEL, "1")
    assert checks(released, 2)["model"] is False


def test_a_registry_that_is_down_leaves_it_open(released: Directory) -> None:
    released.write(twinfra_toml=TOML.replace("sqlite:///registry.db", "http://127.0.0.1:9"))
    assert checks(released, 1)["model"] is None


def test_a_registry_whose_file_is_gone_leaves_it_open(released: Directory) -> None:
    (released.path / "registry.db").unlink()
    assert checks(released, 1)["model"] is None


def test_while_another_holds_the_lock_the_answer_is_still_one_document(
    released: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold_lock_once(monkeypatch)
    ran = released("release", "verify", "-json", "-lock-timeout=10s", ENV)
    assert (ran.code, json.loads(ran.out)["holds"], "Waiting for the lock" in ran.err) == (0, True, True)


def test_a_tag_that_was_moved_does_not_hold(released: Directory, repository: Repository) -> None:
    repository.commit("More")
    repository.git("tag", "-f", "v1")
    assert checks(released, 2)["tag"] is False


def test_a_state_that_was_changed_does_not_hold(released: Directory, repository: Repository) -> None:
    repository.commit("Two", twinfra_toml=TOML.replace("size = 1", "size = 2"))
    released.ok("apply", "-auto-approve", ENV)
    found = checks(released, 2)
    assert (found["code"], found["state"], found["cloud"]) == (True, False, False)


def test_a_clone_that_lacks_the_commit_leaves_it_open(
    released: Directory,
    repository: Repository,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import shutil

    repository.commit("Later")
    clone = repository.clone(tmp_path_factory.mktemp("clone") / "c", "--depth=1", "--no-tags")
    shutil.copytree(released.path / "terraform.tfstate.d", clone.path / "terraform.tfstate.d")
    shutil.copy(released.path / "registry.db", clone.path)
    monkeypatch.chdir(clone.path)
    found = checks(released, 1)
    assert (found["code"], found["tag"], found["receipt"]) == (None, None, True)


def test_a_ledger_that_was_written_over_does_not_hold(released: Directory) -> None:
    path = released.path / "terraform.tfstate.d/production/terraform.tfstate.records/ledger-000001.json"
    path.write_bytes(path.read_bytes().replace(b'"outcome":"done"', b'"outcome":"gone"'))
    assert checks(released, 2)["receipt"] is False


def test_drift_does_not_hold(twinfra: Directory, aws: Callable[..., Any], uri: str) -> None:
    bucket = (
        'provider "aws" {}\nresource "aws_s3_bucket" "it" {\n  bucket = "released"\n  tags = { a = "b" }\n}\n'
    )
    twinfra.write(_gitignore="*.tfstate*\n.terraform/\n*.db\n.twinfra/\n")
    new_repository(twinfra.path).commit("One", main_tf=MAIN + bucket, twinfra_toml=TOML)
    twinfra.ok("apply", "-auto-approve", ENV)
    assert create(twinfra, "-move-alias").code == 0
    assert set(checks(twinfra, 0).values()) == {True}
    aws("s3").put_bucket_tagging(Bucket="released", Tagging={"TagSet": [{"Key": "a", "Value": "changed"}]})
    assert checks(twinfra, 2)["cloud"] is False


# -- SageMaker


@pytest.fixture
def fraud(twinfra: Directory, aws: Callable[..., Any]) -> Any:
    """SageMaker's client; v1 with version 1 of fraud, then v2 with version 2, which is rejected when it is left."""
    toml = "[environments.production]\nvariables = {{ size = {} }}\n[releases.sagemaker]\nreject = true\n"
    twinfra.write(_gitignore="*.tfstate*\n.terraform/\n")
    repository = new_repository(twinfra.path)
    client = aws("sagemaker")
    client.create_model_package_group(ModelPackageGroupName="fraud", ModelPackageGroupDescription="x")
    for number in (1, 2):
        client.create_model_package(ModelPackageGroupName="fraud", ModelApprovalStatus="Approved")
        repository.commit(f"Number {number}", main_tf=MAIN, twinfra_toml=toml.format(number))
        twinfra.ok("apply", "-auto-approve", ENV)
        assert create(twinfra, name=f"v{number}", model=f"fraud:{number}").code == 0
    return client


def test_sagemakers_registry_of_the_sandbox_goes_with_the_environment(twinfra: Directory, fraud: Any) -> None:
    ran = twinfra.ok("release", "rollback", "v1", ENV, "-auto-approve")
    assert "SageMaker, fraud: approved: 2, 1" in ran.out
    listed = fraud.list_model_packages(ModelPackageGroupName="fraud")["ModelPackageSummaryList"]
    assert {one["ModelPackageVersion"]: one["ModelApprovalStatus"] for one in listed} == {
        1: "Approved",
        2: "Rejected",
    }
    assert json.loads(twinfra.ok("which", "-json", ENV).out)["release"]["name"] == "v1"


def test_an_older_release_that_cannot_be_told_fails_no_newer_one(project: Directory, uri: str) -> None:
    create(project, "-offline")
    mlflow_client(uri).delete_model_version(MODEL, "1")
    ran = create(project, "-move-alias", name="v2", model=f"{MODEL}:2")
    assert (ran.code, "MLflow has no version 1" in told(ran)) == (0, True)
    assert project("release", "repair", ENV).code == 1


def test_a_version_that_is_left_and_gone_by_now_keeps_nobody_from_going_back(
    twinfra: Directory, fraud: Any
) -> None:
    assert create(twinfra, "-offline", name="v3", model="fraud:9").code == 0
    ran = twinfra("release", "rollback", "v1", ENV, "-auto-approve")
    assert (ran.code, "SageMaker has no version 9 of fraud" in told(ran)) == (0, True), ran.all
    assert json.loads(twinfra.ok("which", "-json", ENV).out)["release"]["name"] == "v1"
