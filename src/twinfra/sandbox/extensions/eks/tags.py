"""Tags of everything in EKS; moto has those of clusters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.eks.exceptions import ResourceNotFoundException
from moto.eks.models import EKSBackend
from moto.eks.responses import EKSResponse

from twinfra.sandbox.overlay import graft


def _all_tags(backend: Any) -> Iterator[tuple[str, dict[str, str]]]:
    """The ARN and the tags of every object."""
    for cluster in backend.clusters.values():
        yield cluster.arn, cluster.tags
        for group in cluster.nodegroups.values():
            yield group.arn, group.tags
        for profile in cluster.fargate_profiles.values():
            yield profile.fargate_profile_arn, profile.tags
        for addon in cluster.addons.values():
            yield addon["addonArn"], addon["tags"]
        for entry in cluster.access_entries.values():
            yield entry["accessEntryArn"], entry["tags"]
        for association in cluster.pod_identity_associations.values():
            yield association["associationArn"], association["tags"]


def _tags(backend: Any, arn: str) -> dict[str, str]:
    for known, tags in _all_tags(backend):
        if known == arn:
            return tags
    raise ResourceNotFoundException(message=f"The resource {arn} was not found")


class _Backend:
    def tag_resource(self: Any, resource_arn: str, tags: dict[str, str]) -> None:
        _tags(self, resource_arn).update(tags)

    def untag_resource(self: Any, resource_arn: str, tag_keys: list[str]) -> None:
        tags = _tags(self, resource_arn)
        for key in tag_keys:
            tags.pop(key, None)

    def list_tags_for_resource(self: Any, resource_arn: str) -> dict[str, str]:
        return _tags(self, resource_arn)


class _Response:
    def untag_resource(self: Any) -> ActionResult:
        # moto hands on only the first of the keys.
        self.eks_backend.untag_resource(self._extract_arn_from_path(), self.querystring["tagKeys"])
        return EmptyResult()


def install() -> None:
    """Graft onto moto's classes."""
    graft(EKSBackend, _Backend)
    graft(EKSResponse, _Response)
