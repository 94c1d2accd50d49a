"""Systems Manager: the public parameters that name the machine images of EKS nodes."""

from __future__ import annotations

from typing import Any

from moto.ssm.models import Parameter, ParameterDict

from twinfra.sandbox.extensions.eks.images import node_images
from twinfra.sandbox.overlay import graft

_RELEASED = 1_793_491_200.0  # 2026-11-01
_PREFIXES = ("/aws/service/eks/optimized-ami", "/aws/service/bottlerocket/aws-k8s")


class _Parameters:
    def _check_loading_status(self: Any, key: str) -> None:
        _original_check(self, key)
        if str(key or "").startswith(_PREFIXES) and not vars(self).get("eks_images_loaded"):
            self.eks_images_loaded = True
            for image in node_images(self.region_name):
                for name, value in (("image_id", image.id), ("release_version", image.release)):
                    dict.setdefault(self, f"{image.path}/{name}", []).append(
                        Parameter(
                            account_id=self.account_id,
                            name=f"{image.path}/{name}",
                            value=value,
                            parameter_type="String",
                            description=None,
                            allowed_pattern=None,
                            keyid=None,
                            last_modified_date=_RELEASED,
                            version=1,
                            data_type="text",
                        )
                    )


_original_check = ParameterDict._check_loading_status


def install() -> None:
    """Graft onto moto's class."""
    graft(ParameterDict, _Parameters)
