"""SageMaker's registry, in the sandbox."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from twinfra.diagnostics import DiagnosticError
from twinfra.providers.aws.session import Session
from twinfra.providers.aws.settings import Settings
from twinfra.releases.record import Model
from twinfra.releases.sagemaker_registry import SagemakerRegistry
from twinfra.releases.settings import SagemakerSettings
from twinfra.sandbox import server
from twinfra.sandbox.server import Sandbox

ONE, TWO = Model("fraud", "1"), Model("fraud", "2")


@pytest.fixture
def sagemaker(client: Callable[..., Any]) -> Any:
    made = client("sagemaker")
    made.create_model_package_group(ModelPackageGroupName="fraud", ModelPackageGroupDescription="x")
    for number, status in ((1, "PendingManualApproval"), (2, "Approved")):
        made.create_model_package(
            ModelPackageGroupName="fraud",
            ModelApprovalStatus=status,
            CustomerMetadataProperties={"version": f"3.{number}"},
        )
    return made


@pytest.fixture
def registry(sagemaker: Any, sandbox: Sandbox) -> Callable[..., SagemakerRegistry]:
    def make(accounts: tuple[str, ...] = (), **settings: Any) -> SagemakerRegistry:
        session = Session(Settings(sandbox=True), server.environment(sandbox))
        return SagemakerRegistry(SagemakerSettings(**settings), session, "production", accounts)

    return make


def refusal(registry: SagemakerRegistry, model: Model, *, moving: bool = False) -> str:
    with pytest.raises(DiagnosticError) as refused:
        registry.check(model, moving=moving)
    first = refused.value.diagnostics[0]
    return f"{first.summary}: {first.detail} {first.mend}"


def status(sagemaker: Any, number: int) -> str:
    listed = sagemaker.list_model_packages(ModelPackageGroupName="fraud")["ModelPackageSummaryList"]
    found: str = next(one for one in listed if one["ModelPackageVersion"] == number)["ModelApprovalStatus"]
    return found


def test_facts_are_customer_metadata_and_leave_others(registry: Any, sagemaker: Any) -> None:
    found = registry()
    found.note(TWO, {"release": "v1", "released_by": "Ada <ada@example.org>"})
    assert found.noted(TWO) == {"release": "v1", "released_by": "Ada _ada@example.org_"}
    listed = sagemaker.list_model_packages(ModelPackageGroupName="fraud")["ModelPackageSummaryList"]
    arn = next(one for one in listed if one["ModelPackageVersion"] == 2)["ModelPackageArn"]
    told = sagemaker.describe_model_package(ModelPackageName=arn)["CustomerMetadataProperties"]
    assert told["twinfra.production.release"] == "v1"
    assert told["version"] == "3.2"


def test_what_is_not_approved_is_refused_unless_it_is_going_to_be(registry: Any) -> None:
    found = registry()
    found.check(TWO, moving=False)
    assert "PendingManualApproval" in refusal(found, ONE)
    found.check(ONE, moving=True)
    registry(approved=False).check(ONE, moving=False)


def test_going_back_approves_and_rejects_what_is_left_where_asked(registry: Any, sagemaker: Any) -> None:
    found = registry(reject=True)
    before = found.snapshot([ONE, TWO])
    found.point(ONE, TWO)
    assert (status(sagemaker, 1), status(sagemaker, 2)) == ("Approved", "Rejected")
    assert (found.holds(ONE), "Rejected" in found.holds(TWO)) == ("", True)
    assert found.points_to("fraud") == "approved: 1"
    found.put_back(before)
    assert (status(sagemaker, 1), status(sagemaker, 2)) == ("PendingManualApproval", "Approved")


def test_without_reject_the_one_that_is_left_stays_approved(registry: Any, sagemaker: Any) -> None:
    registry().point(ONE, TWO)
    assert (status(sagemaker, 1), status(sagemaker, 2)) == ("Approved", "Approved")


def test_versions_may_be_told_by_metadata(registry: Any) -> None:
    found = registry(version_key="version")
    found.check(Model("fraud", "3.2"), moving=False)
    assert "No such version of the model" in refusal(found, Model("fraud", "3.9"))


def test_what_is_not_there_is_told(registry: Any) -> None:
    assert "Its newest are: 2, 1." in refusal(registry(), Model("fraud", "9"))
    assert 'Did you mean "fraud"?' in refusal(registry(), Model("frauds", "1"))


def test_packages_of_another_account_are_refused(registry: Any) -> None:
    assert "Another account" in refusal(registry(accounts=("999999999999",)), TWO)


def test_a_registry_that_is_down_is_told() -> None:
    variables = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_REGION": "us-east-1",
    }
    session = Session(Settings(sandbox=True, max_retries=0), variables)
    found = SagemakerRegistry(SagemakerSettings(), session, "production")
    assert "SageMaker does not answer as it should" in refusal(found, ONE)
