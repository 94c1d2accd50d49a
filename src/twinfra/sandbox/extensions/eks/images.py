"""The machine images that EKS publishes for its nodes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from twinfra.dataclass import dataclass
from twinfra.sandbox.extensions.eks import facts

PUBLISHER = "602401143452"
"""The account that EKS publishes its images from."""

_AL2023 = "/aws/service/eks/optimized-ami/{version}/amazon-linux-2023/{arch}/{kind}/recommended"
_KINDS = (
    # image name, parameter path, architecture
    ("amazon-eks-node-al2023-x86_64-standard-{version}-v20261101", _AL2023, "x86_64", "standard"),
    ("amazon-eks-node-al2023-arm64-standard-{version}-v20261101", _AL2023, "arm64", "standard"),
    ("amazon-eks-node-al2023-x86_64-nvidia-{version}-v20261101", _AL2023, "x86_64", "nvidia"),
    ("amazon-eks-node-al2023-x86_64-neuron-{version}-v20261101", _AL2023, "x86_64", "neuron"),
    (
        "bottlerocket-aws-k8s-{version}-x86_64-v1.49.0",
        "/aws/service/bottlerocket/aws-k8s-{version}/{arch}/latest",
        "x86_64",
        "",
    ),
)


@dataclass(frozen=True, slots=True)
class NodeImage:
    """One image: its EC2 name and id, the parameter path that names it, and what it is."""

    name: str
    id: str
    path: str
    architecture: str
    release: str


def node_images(region: str) -> Iterator[NodeImage]:
    """The images of a region; their ids depend only on region and name."""
    for version in facts.VERSIONS:
        for name, path, architecture, kind in _KINDS:
            full = name.format(version=version)
            number = hashlib.sha256(f"{region}/{full}".encode()).hexdigest()[:17]
            yield NodeImage(
                full,
                f"ami-{number}",
                path.format(version=version, arch=architecture, kind=kind),
                architecture,
                facts.release_version(version),
            )
