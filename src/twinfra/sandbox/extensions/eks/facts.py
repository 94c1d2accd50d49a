"""What EKS knows by itself: Kubernetes versions, add-ons and access policies. A sample, not the whole
catalogue.
"""

from __future__ import annotations

import re

FIRST_MINOR, LAST_MINOR = 28, 35
DEFAULT_VERSION = "1.34"
VERSIONS = [f"1.{minor}" for minor in range(LAST_MINOR, FIRST_MINOR - 1, -1)]
"""Newest first."""

_VERSION = re.compile(r"1\.(\d\d)")

_ADDONS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    # name: kind, namespace, versions with the default first
    "vpc-cni": (
        "networking",
        "kube-system",
        ("v1.20.4-eksbuild.2", "v1.20.5-eksbuild.1", "v1.19.6-eksbuild.7"),
    ),
    "coredns": (
        "networking",
        "kube-system",
        ("v1.12.3-eksbuild.1", "v1.12.4-eksbuild.1", "v1.11.4-eksbuild.24"),
    ),
    "eks-pod-identity-agent": ("security", "kube-system", ("v1.3.9-eksbuild.3", "v1.3.10-eksbuild.1")),
    "aws-ebs-csi-driver": ("storage", "kube-system", ("v1.51.0-eksbuild.1", "v1.52.1-eksbuild.1")),
    "aws-efs-csi-driver": ("storage", "kube-system", ("v2.1.13-eksbuild.1", "v2.1.14-eksbuild.1")),
    "aws-fsx-csi-driver": ("storage", "kube-system", ("v1.7.0-eksbuild.1",)),
    "aws-mountpoint-s3-csi-driver": ("storage", "kube-system", ("v2.1.0-eksbuild.1", "v2.2.0-eksbuild.1")),
    "snapshot-controller": ("storage", "kube-system", ("v8.3.0-eksbuild.1",)),
    "metrics-server": ("observability", "kube-system", ("v0.8.0-eksbuild.3",)),
    "kube-state-metrics": ("observability", "kube-state-metrics", ("v2.17.0-eksbuild.1",)),
    "prometheus-node-exporter": ("observability", "prometheus-node-exporter", ("v1.10.2-eksbuild.1",)),
    "amazon-cloudwatch-observability": ("observability", "amazon-cloudwatch", ("v4.6.0-eksbuild.1",)),
    "eks-node-monitoring-agent": ("observability", "kube-system", ("v1.4.1-eksbuild.1",)),
    "adot": ("observability", "opentelemetry-operator-system", ("v0.131.0-eksbuild.1",)),
    "aws-guardduty-agent": ("security", "amazon-guardduty", ("v1.11.0-eksbuild.4",)),
    "amazon-sagemaker-hyperpod-taskgovernance": ("mlops", "kueue-system", ("v1.3.0-eksbuild.1",)),
    "cert-manager": ("security", "cert-manager", ("v1.19.1-eksbuild.1",)),
}

ACCESS_POLICIES = tuple(
    f"arn:aws:eks::aws:cluster-access-policy/AmazonEKS{name}Policy"
    for name in ("Admin", "ClusterAdmin", "AdminView", "Edit", "View", "AutoNode")
)


def minor_of(version: str) -> int | None:
    """The minor number of a Kubernetes version EKS has, else None."""
    found = _VERSION.fullmatch(version)
    minor = int(found.group(1)) if found else -1
    return minor if FIRST_MINOR <= minor <= LAST_MINOR else None


def addon_names() -> list[str]:
    """The add-ons there are."""
    return ["kube-proxy", *_ADDONS]


def addon_kind(name: str) -> str:
    """What an add-on is for."""
    return "networking" if name == "kube-proxy" else _ADDONS[name][0]


def addon_namespace(name: str) -> str:
    """The namespace an add-on lives in."""
    return "kube-system" if name == "kube-proxy" else _ADDONS[name][1]


def addon_versions(name: str, kubernetes: str) -> list[str]:
    """The versions of an add-on for a Kubernetes version, the default first; kube-proxy follows
    Kubernetes.
    """
    if name == "kube-proxy":
        return [f"v{kubernetes}.1-eksbuild.10", f"v{kubernetes}.3-eksbuild.2"]
    return list(_ADDONS[name][2])


def release_version(kubernetes: str) -> str:
    """The version of the node image for a Kubernetes version."""
    return f"{kubernetes}.1-20261101"
