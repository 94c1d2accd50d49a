"""SageMaker: instance types newer than moto's lists, which know no ml.g5 and no ml.p4d; updates of model packages.

UpdateModelPackage changes what is given and leaves the rest; moto forgets approval and metadata that are not given.
"""

from __future__ import annotations

import re
from typing import Any

from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import (
    FakeEndpointConfig,
    FakeSagemakerNotebookInstance,
    ModelPackage,
    SageMakerModelBackend,
)

from twinfra.sandbox.overlay import graft

_INSTANCE_TYPE = re.compile(r"ml\.[a-z][a-z0-9-]*\.(nano|micro|small|medium|large|(\d+)?xlarge|metal)")


class _InstanceTypes:
    def validate_instance_type(self: Any, instance_type: str) -> None:
        if not _INSTANCE_TYPE.fullmatch(instance_type):
            raise ValidationError(
                message=f"1 validation error detected: Value '{instance_type}' at 'instanceType' failed to "
                "satisfy constraint: Member must satisfy enum value set"
            )


_update = SageMakerModelBackend.update_model_package


class _Updates:
    def update_model_package(
        self: Any,
        model_package_arn: str,
        model_approval_status: str | None,
        approval_description: str | None,
        customer_metadata_properties: dict[str, str] | None,
        customer_metadata_properties_to_remove: list[str],
        additional_inference_specifications_to_add: list[Any] | None,
    ) -> str:
        package: ModelPackage | None = self.model_packages.get(
            self.model_package_name_mapping.get(model_package_arn, model_package_arn)
        )
        if package is not None:
            model_approval_status = model_approval_status or package.model_approval_status
            approval_description = approval_description or package.approval_description
            before = package.customer_metadata_properties or {}
            customer_metadata_properties = {**before, **(customer_metadata_properties or {})}
        arn: str = _update(
            self,
            model_package_arn,
            model_approval_status,
            approval_description,
            customer_metadata_properties,
            customer_metadata_properties_to_remove,
            additional_inference_specifications_to_add,
        )
        return arn


def install() -> None:
    """Graft onto moto's classes."""
    graft(FakeEndpointConfig, _InstanceTypes)
    graft(FakeSagemakerNotebookInstance, _InstanceTypes)
    graft(SageMakerModelBackend, _Updates)
