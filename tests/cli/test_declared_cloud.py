"""An account or region that is not the declared one stops a run before anything is read or written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Directory

from twinfra.cli.environment import named, opened
from twinfra.diagnostics import DiagnosticError
from twinfra.providers.aws.session import Session
from twinfra.sandbox.server import ACCOUNT

BUCKET = 'provider "aws" {}\nresource "aws_s3_bucket" "it" {\n  bucket = "declared-cloud-it"\n}\n'
OTHER = "999999999999"


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The operations that were asked of the cloud, in order."""
    made: list[str] = []
    call, pages = Session.call, Session.pages

    def counted(self: Session, service: str, region: str, operation: str, *more: Any, **named: Any) -> Any:
        made.append(operation)
        return call(self, service, region, operation, *more, **named)

    def paged(self: Session, service: str, region: str, operation: str, request: Any) -> Any:
        made.append(operation)
        return pages(self, service, region, operation, request)

    monkeypatch.setattr(Session, "call", counted)
    monkeypatch.setattr(Session, "pages", paged)
    return made


@pytest.fixture
def project(twinfra: Directory, aws: Callable[..., Any]) -> Directory:
    twinfra.write(main_tf=BUCKET)
    return twinfra


def declare(project: Directory, text: str) -> None:
    project.write(twinfra_toml=f"[environments.production]\n{text}\n")


def refused(project: Directory, *arguments: str) -> str:
    ran = project(*arguments, "-env=production")
    assert ran.code == 1, ran.all
    return " ".join(ran.err.replace("│", " ").split())


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan",),
        ("apply", "-auto-approve"),
        ("destroy", "-auto-approve"),
        ("refresh",),
        ("import", "aws_s3_bucket.it", "declared-cloud-it"),
    ],
)
def test_another_account_stops_every_run_after_one_question(
    project: Directory, calls: list[str], arguments: tuple[str, ...]
) -> None:
    declare(project, f'account = "{OTHER}"')
    told = refused(project, *arguments)
    assert f"is in account {OTHER}; these credentials act on account {ACCOUNT}" in told
    assert "on twinfra.toml line 2" in told
    assert calls == ["get_caller_identity"]
    assert not list(project.path.glob("terraform.tfstate*"))
    assert not list(project.path.glob(".terraform*"))


def test_another_region_stops_a_run_without_any_call(project: Directory, calls: list[str]) -> None:
    declare(project, 'region = "eu-central-1"')
    assert "is in region eu-central-1; this would act in us-east-1" in refused(project, "plan")
    assert calls == []


def test_a_saved_plan_is_checked_too(project: Directory, calls: list[str]) -> None:
    declare(project, f'account = "{ACCOUNT}"')
    project.ok("plan", "-env=production", "-out=plan")
    declare(project, f'account = "{OTHER}"')
    calls.clear()
    assert "Not the declared account" in refused(project, "apply", "plan")
    assert calls == ["get_caller_identity"]


def test_the_declared_account_and_region_are_asked_for_once(project: Directory, calls: list[str]) -> None:
    declare(project, f'account = ["{OTHER}", "{ACCOUNT}"]\nregion = "us-east-1"')
    project.ok("plan", "-env=production")
    assert calls.count("get_caller_identity") == 1


def test_a_provider_that_never_asks_for_its_account_does_so_here(project: Directory) -> None:
    declare(project, f'account = "{OTHER}"')
    project.write(main_tf=BUCKET.replace('"aws" {}', '"aws" {\n  skip_requesting_account_id = true\n}'))
    assert "Not the declared account" in refused(project, "plan")


def test_every_configuration_of_a_provider_is_asked(project: Directory, calls: list[str]) -> None:
    declare(project, 'region = "us-east-1"')
    project.write(
        main_tf=BUCKET
        + 'provider "aws" {\n  alias  = "far"\n  region = "eu-west-1"\n}\n'
        + 'resource "aws_s3_bucket" "far" {\n  provider = aws.far\n  bucket   = "declared-cloud-far"\n}\n'
    )
    told = refused(project, "plan")
    assert "this would act in eu-west-1" in told
    assert set(calls) == {"get_caller_identity"}


def test_the_region_of_one_resource_is_checked_when_it_is_planned(project: Directory) -> None:
    declare(project, 'region = "us-east-1"')
    project.write(main_tf=BUCKET.replace("bucket =", 'region = "eu-west-1"\n  bucket ='))
    assert "this would act in eu-west-1" in refused(project, "plan")


def test_settings_that_are_known_late_are_checked_before_their_first_use(
    project: Directory, calls: list[str]
) -> None:
    declare(project, 'region = "us-east-1"')
    project.write(
        main_tf='resource "terraform_data" "where" {\n  input = "eu-west-1"\n}\n'
        + BUCKET.replace('"aws" {}', '"aws" {\n  region = terraform_data.where.output\n}')
    )
    assert "this would act in eu-west-1" in refused(project, "apply", "-auto-approve")
    assert "create_bucket" not in calls


def test_an_object_of_the_state_in_another_region_is_not_read(project: Directory, calls: list[str]) -> None:
    declare(project, 'region = ["us-east-1", "eu-west-1"]')
    project.write(main_tf=BUCKET.replace("bucket =", 'region = "eu-west-1"\n  bucket ='))
    project.ok("apply", "-auto-approve", "-env=production")
    declare(project, 'region = "us-east-1"')
    calls.clear()
    assert "this would act in eu-west-1" in refused(project, "destroy", "-auto-approve")
    assert set(calls) == {"get_caller_identity"}


def test_the_sandbox_is_not_a_declared_account(project: Directory) -> None:
    declare(project, f'account = "{ACCOUNT}"')
    assert "-sandbox is another cloud" in refused(project, "plan", "-sandbox")
    assert not (project.path / ".twinfra").exists()


def test_an_environment_opened_beside_is_checked_when_asked(project: Directory, calls: list[str]) -> None:
    declare(project, f'account = "{OTHER}"')
    with opened(named("production")) as production:
        assert calls == []
        with pytest.raises(DiagnosticError) as caught:
            production.check_cloud()
    assert caught.value.diagnostics[0].summary == "Not the declared account"


def test_commands_that_call_no_cloud_ask_nobody(project: Directory, calls: list[str]) -> None:
    declare(project, f'account = "{OTHER}"')
    project.ok("output", "-env=production")
    project.ok("validate", "-env=production")
    assert calls == []


def test_a_declared_sandbox_is_used_without_an_option(
    twinfra: Directory, sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from twinfra.sandbox import server

    asked: list[Path] = []

    def running(root: Path) -> Any:
        asked.append(root)
        return sandbox

    monkeypatch.setattr(server, "ensure_running", running)
    twinfra.write(
        main_tf=BUCKET, twinfra_toml='[environments.production]\nsandbox = true\nregion = "us-east-1"\n'
    )
    twinfra.ok("plan", "-env=production")
    assert asked == [twinfra.path]
