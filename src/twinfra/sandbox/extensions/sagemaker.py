"""SageMaker: instance types newer than moto's lists, which know no ml.g5 and no ml.p4d."""

from __future__ import annotations

import re
from typing import Any

from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import FakeEndpointConfig, FakeSagemakerNotebookInstance

from twinfra.sandbox.overlay import graft

_INSTANCE_TYPE = re.compile(r"ml\.[a-z][a-z0-9-]*\.(nano|micro|small|medium|large|(\d+)?xlarge|metal)")


class _InstanceTypes:
    def validate_instance_type(self: Any, instance_type: str) -> None:
        if not _INSTANCE_TYPE.fullmatch(instance_type):
            raise ValidationError(
                message=f"1 validation error detected: Value '{instance_type}' at 'instanceType' failed to "
                "satisfy constraint: Member must satisfy enum value set"
            )


def install() -> None:
    """Graft onto moto's classes."""
    graft(FakeEndpointConfig, _InstanceTypes)
    graft(FakeSagemakerNotebookInstance, _InstanceTypes)
