"""Who may use an EKS cluster: access entries with their policies, and pod identity associations."""

from __future__ import annotations

import json
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.eks.exceptions import (
    InvalidParameterException,
    InvalidRequestException,
    ResourceInUseException,
    ResourceNotFoundException,
)
from moto.eks.models import paginated_list
from moto.eks.responses import EKSResponse
from moto.moto_api._internal import mock_random

from twinfra.sandbox.extensions.eks import facts
from twinfra.sandbox.extensions.eks.clusters import find_cluster
from twinfra.sandbox.overlay import graft

_NODE_KINDS = {
    "EC2_LINUX": ("system:node:{{EC2PrivateDNSName}}", ["system:nodes"]),
    "EC2_WINDOWS": ("system:node:{{EC2PrivateDNSName}}", ["eks:kube-proxy-windows", "system:nodes"]),
    "FARGATE_LINUX": ("system:node:{{SessionName}}", ["system:bootstrappers", "system:nodes"]),
    "HYBRID_LINUX": ("system:node:{{SessionName}}", ["system:nodes"]),
    "EC2": ("system:node:{{EC2PrivateDNSName}}", []),
}


def _entry(cluster: Any, principal: str) -> dict[str, Any]:
    if principal not in cluster.access_entries:
        raise ResourceNotFoundException(
            clusterName=cluster.name,
            message="The specified principalArn could not be found. You can view your available access "
            "entries with 'list-access-entries'.",
        )
    found: dict[str, Any] = cluster.access_entries[principal]
    return found


def _cluster_with_entries(backend: Any, name: str) -> Any:
    cluster = find_cluster(backend, name)
    if cluster.access_config["authenticationMode"] == "CONFIG_MAP":
        raise InvalidRequestException(
            clusterName=name,
            message="The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to "
            "perform this operation.",
        )
    return cluster


def _default_name(principal: str) -> str:
    """The user name in the cluster of an IAM role or user."""
    prefix, _, path = principal.partition(":role/")
    if path:
        account = prefix.rsplit(":", 1)[-1]
        return f"arn:aws:sts::{account}:assumed-role/{path.rsplit('/', 1)[-1]}/{{{{SessionName}}}}"
    return principal


def make_association(
    backend: Any, cluster: Any, asked: dict[str, Any], owner: str | None = None
) -> dict[str, Any]:
    """Give a service account a role; raises the service's error when it has one."""
    for known in cluster.pod_identity_associations.values():
        if (known["namespace"], known["serviceAccount"]) == (asked["namespace"], asked["serviceAccount"]):
            raise ResourceInUseException(
                clusterName=cluster.name, message=f"Association already exists: {known['associationId']}"
            )
    number = f"a-{mock_random.get_random_string(17, lower_case=True)}"
    now = utcnow()
    association = {
        "clusterName": cluster.name,
        "namespace": asked["namespace"],
        "serviceAccount": asked["serviceAccount"],
        "roleArn": asked["roleArn"],
        "associationArn": f"arn:{backend.partition}:eks:{backend.region_name}:{backend.account_id}:"
        f"podidentityassociation/{cluster.name}/{number}",
        "associationId": number,
        "tags": dict(asked.get("tags") or {}),
        "createdAt": now,
        "modifiedAt": now,
        "disableSessionTags": bool(asked.get("disableSessionTags")),
    }
    for setting in ("targetRoleArn", "policy"):
        if asked.get(setting):
            association[setting] = asked[setting]
    if asked.get("targetRoleArn"):
        association["externalId"] = str(mock_random.uuid4())
    if owner is not None:
        association["ownerArn"] = owner
    cluster.pod_identity_associations[number] = association
    return association


def _association(cluster: Any, number: str) -> dict[str, Any]:
    if number not in cluster.pod_identity_associations:
        raise ResourceNotFoundException(
            clusterName=cluster.name, message=f"No association found with id {number}"
        )
    found: dict[str, Any] = cluster.pod_identity_associations[number]
    return found


class _Entries:
    def create_access_entry(self: Any) -> ActionResult:
        asked = json.loads(self.body)
        backend = self.eks_backend
        cluster = _cluster_with_entries(backend, self._get_param("name"))
        principal, kind = asked["principalArn"], asked.get("type") or "STANDARD"
        if principal in cluster.access_entries:
            raise ResourceInUseException(
                clusterName=cluster.name,
                message="The specified access entry resource is already in use on this cluster.",
            )
        if kind != "STANDARD" and kind not in _NODE_KINDS:
            raise InvalidParameterException(
                clusterName=cluster.name, message=f"{kind} is no type of access entry"
            )
        if kind in _NODE_KINDS and (asked.get("kubernetesGroups") or asked.get("username")):
            raise InvalidParameterException(
                clusterName=cluster.name,
                message=f"The type {kind} does not allow kubernetesGroups or username to be set",
            )
        owner = principal.split(":")[4]
        category, _, path = principal.split(":", 5)[5].partition("/")
        username, groups = _NODE_KINDS.get(kind, (None, None))
        now = utcnow()
        entry = {
            "clusterName": cluster.name,
            "principalArn": principal,
            "kubernetesGroups": groups if groups is not None else asked.get("kubernetesGroups") or [],
            "accessEntryArn": f"arn:{backend.partition}:eks:{backend.region_name}:{backend.account_id}:"
            f"access-entry/{cluster.name}/{category}/{owner}/{path.rsplit('/', 1)[-1]}/{mock_random.uuid4()}",
            "createdAt": now,
            "modifiedAt": now,
            "tags": dict(asked.get("tags") or {}),
            "username": username or asked.get("username") or _default_name(principal),
            "type": kind,
        }
        cluster.access_entries[principal] = entry | {"policies": {}}
        return ActionResult({"accessEntry": entry})

    def describe_access_entry(self: Any) -> ActionResult:
        cluster = _cluster_with_entries(self.eks_backend, self._get_param("name"))
        return ActionResult({"accessEntry": _entry(cluster, self._get_param("principalArn"))})

    def list_access_entries(self: Any) -> ActionResult:
        cluster = _cluster_with_entries(self.eks_backend, self._get_param("name"))
        policy = self.querystring.get("associatedPolicyArn", [None])[0]
        found = [
            principal
            for principal, entry in cluster.access_entries.items()
            if policy is None or policy in entry["policies"]
        ]
        page, token = paginated_list(
            found, self._get_int_param("maxResults", 100), self._get_param("nextToken")
        )
        return ActionResult({"accessEntries": page, "nextToken": token})

    def update_access_entry(self: Any) -> ActionResult:
        asked = json.loads(self.body)
        cluster = _cluster_with_entries(self.eks_backend, self._get_param("name"))
        entry = _entry(cluster, self._get_param("principalArn"))
        for setting in ("kubernetesGroups", "username"):
            if setting in asked:
                entry[setting] = asked[setting]
        entry["modifiedAt"] = utcnow()
        return ActionResult({"accessEntry": entry})

    def delete_access_entry(self: Any) -> ActionResult:
        cluster = _cluster_with_entries(self.eks_backend, self._get_param("name"))
        del cluster.access_entries[_entry(cluster, self._get_param("principalArn"))["principalArn"]]
        return ActionResult({})

    def list_access_policies(self: Any) -> ActionResult:
        policies = [{"name": arn.rsplit("/", 1)[-1], "arn": arn} for arn in facts.ACCESS_POLICIES]
        return ActionResult({"accessPolicies": policies})

    def associate_access_policy(self: Any) -> ActionResult:
        asked = json.loads(self.body)
        cluster = _cluster_with_entries(self.eks_backend, self._get_param("name"))
        entry = _entry(cluster, self._get_param("principalArn"))
        policy = asked["policyArn"]
        if policy not in facts.ACCESS_POLICIES:
            raise InvalidParameterException(
                clusterName=cluster.name, message=f"The policyArn {policy} is not valid"
            )
        now = utcnow()
        associated = {
            "policyArn": policy,
            "accessScope": {"namespaces": []} | asked["accessScope"],
            "associatedAt": entry["policies"].get(policy, {}).get("associatedAt", now),
            "modifiedAt": now,
        }
        entry["policies"][policy] = associated
        return ActionResult(
            {
                "clusterName": cluster.name,
                "principalArn": entry["principalArn"],
                "associatedAccessPolicy": associated,
            }
        )

    def disassociate_access_policy(self: Any) -> ActionResult:
        cluster = _cluster_with_entries(self.eks_backend, self._get_param("name"))
        entry, policy = _entry(cluster, self._get_param("principalArn")), self._get_param("policyArn")
        if policy not in entry["policies"]:
            raise ResourceNotFoundException(
                clusterName=cluster.name, message="The specified policyArn is not associated"
            )
        del entry["policies"][policy]
        return ActionResult({})

    def list_associated_access_policies(self: Any) -> ActionResult:
        cluster = _cluster_with_entries(self.eks_backend, self._get_param("name"))
        entry = _entry(cluster, self._get_param("principalArn"))
        return ActionResult(
            {
                "clusterName": cluster.name,
                "principalArn": entry["principalArn"],
                "associatedAccessPolicies": list(entry["policies"].values()),
            }
        )


class _PodIdentities:
    def create_pod_identity_association(self: Any) -> ActionResult:
        cluster = find_cluster(self.eks_backend, self._get_param("name"))
        association = make_association(self.eks_backend, cluster, json.loads(self.body))
        return ActionResult({"association": association})

    def describe_pod_identity_association(self: Any) -> ActionResult:
        cluster = find_cluster(self.eks_backend, self._get_param("name"))
        return ActionResult({"association": _association(cluster, self._get_param("associationId"))})

    def list_pod_identity_associations(self: Any) -> ActionResult:
        cluster = find_cluster(self.eks_backend, self._get_param("name"))
        wanted = {
            name: self.querystring[name][0]
            for name in ("namespace", "serviceAccount")
            if name in self.querystring
        }
        found = [
            number
            for number, association in cluster.pod_identity_associations.items()
            if all(association[name] == value for name, value in wanted.items())
        ]
        page, token = paginated_list(
            found, self._get_int_param("maxResults", 100), self._get_param("nextToken")
        )
        summaries = [cluster.pod_identity_associations[number] for number in page]
        return ActionResult({"associations": summaries, "nextToken": token})

    def update_pod_identity_association(self: Any) -> ActionResult:
        asked = json.loads(self.body)
        cluster = find_cluster(self.eks_backend, self._get_param("name"))
        association = _association(cluster, self._get_param("associationId"))
        for setting in ("roleArn", "disableSessionTags", "targetRoleArn", "policy"):
            if setting in asked:
                association[setting] = asked[setting]
        association["modifiedAt"] = utcnow()
        return ActionResult({"association": association})

    def delete_pod_identity_association(self: Any) -> ActionResult:
        cluster = find_cluster(self.eks_backend, self._get_param("name"))
        association = _association(cluster, self._get_param("associationId"))
        del cluster.pod_identity_associations[association["associationId"]]
        return ActionResult({"association": association})


def install() -> None:
    """Graft onto moto's classes."""
    graft(EKSResponse, _Entries)
    graft(EKSResponse, _PodIdentities)
