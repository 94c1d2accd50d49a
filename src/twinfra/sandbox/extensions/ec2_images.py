"""EC2: the machine images that EKS publishes for its nodes."""

from __future__ import annotations

from typing import Any

from moto.ec2.models.amis import Ami, AmiBackend

from twinfra.sandbox.extensions.eks.images import PUBLISHER, node_images
from twinfra.sandbox.overlay import graft


class _Amis:
    def _load_amis(self: Any) -> None:
        _original_load_amis(self)
        for image in node_images(self.region_name):
            self.amis[image.id] = Ami(
                self,
                ami_id=image.id,
                name=image.name,
                description=f"EKS node image {image.name}",
                owner_id=PUBLISHER,
                owner_alias="amazon",
                public=True,
                virtualization_type="hvm",
                architecture=image.architecture,
                image_location=f"amazon/{image.name}",
                root_device_type="ebs",
                root_device_name="/dev/xvda",
                sriov="simple",
                region_name=f"{self.region_name}a",
            )


_original_load_amis = AmiBackend._load_amis


def install() -> None:
    """Graft onto moto's class."""
    graft(AmiBackend, _Amis)
