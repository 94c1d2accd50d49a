"""SageMaker in the sandbox: updates of model packages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def test_an_update_of_a_model_package_leaves_what_it_does_not_name(client: Callable[..., Any]) -> None:
    sagemaker = client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="fraud", ModelPackageGroupDescription="x")
    arn = sagemaker.create_model_package(
        ModelPackageGroupName="fraud",
        ModelApprovalStatus="Approved",
        CustomerMetadataProperties={"version": "3.1"},
    )["ModelPackageArn"]
    sagemaker.update_model_package(ModelPackageArn=arn, CustomerMetadataProperties={"more": "1"})
    found = sagemaker.describe_model_package(ModelPackageName=arn)
    assert found["ModelApprovalStatus"] == "Approved"
    assert found["CustomerMetadataProperties"] == {"version": "3.1", "more": "1"}
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")
    found = sagemaker.describe_model_package(ModelPackageName=arn)
    assert (found["ModelApprovalStatus"], len(found["CustomerMetadataProperties"])) == ("Rejected", 2)
