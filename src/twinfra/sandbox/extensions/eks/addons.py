"""EKS add-ons: made, changed and removed, and which there are."""

from __future__ import annotations

import json
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.eks.exceptions import (
    InvalidParameterException,
    ResourceInUseException,
    ResourceNotFoundException,
)
from moto.eks.models import paginated_list
from moto.eks.responses import EKSResponse
from moto.moto_api._internal import mock_random

from twinfra.sandbox.extensions.eks import facts
from twinfra.sandbox.extensions.eks.access import make_association
from twinfra.sandbox.extensions.eks.clusters import find_cluster, start_update
from twinfra.sandbox.overlay import graft


def _find(cluster: Any, name: str) -> dict[str, Any]:
    if name not in cluster.addons:
        raise ResourceNotFoundException(
            clusterName=cluster.name,
            addonName=name,
            message=f"No addon: {name} found in cluster: {cluster.name}",
        )
    found: dict[str, Any] = cluster.addons[name]
    return found


def _check_version(cluster: Any, name: str, version: str) -> None:
    if version not in facts.addon_versions(name, cluster.version):
        raise InvalidParameterException(
            clusterName=cluster.name,
            addonName=name,
            message=f"Addon version specified is not supported: {name} {version} "
            f"with Kubernetes {cluster.version}. Supported are: "
            f"{', '.join(facts.addon_versions(name, cluster.version))}",
        )


def _check_configuration(cluster: Any, name: str, values: str) -> None:
    """The service takes JSON and YAML; the emulator looks no deeper than whether it is one of them."""
    import yaml

    try:
        well_formed = isinstance(yaml.safe_load(values) if values else {}, dict)
    except yaml.YAMLError:
        well_formed = False
    if not well_formed:
        raise InvalidParameterException(
            clusterName=cluster.name,
            addonName=name,
            message="ConfigurationValue is not in valid JSON or YAML format",
        )


def _associate(backend: Any, cluster: Any, addon: dict[str, Any], wanted: list[dict[str, str]]) -> None:
    """Make the pod identities of an add-on exactly those that are wanted."""
    for number, association in list(cluster.pod_identity_associations.items()):
        if association.get("ownerArn") == addon["addonArn"]:
            del cluster.pod_identity_associations[number]
    addon["podIdentityAssociations"] = [
        make_association(
            backend,
            cluster,
            {
                "namespace": facts.addon_namespace(addon["addonName"]),
                "serviceAccount": one["serviceAccount"],
                "roleArn": one["roleArn"],
            },
            owner=addon["addonArn"],
        )["associationArn"]
        for one in wanted
    ]


class _Response:
    def create_addon(self: Any) -> ActionResult:
        asked = json.loads(self.body)
        backend = self.eks_backend
        cluster, name = find_cluster(backend, self._get_param("name")), asked["addonName"]
        if name not in facts.addon_names():
            raise InvalidParameterException(
                clusterName=cluster.name, addonName=name, message=f"Addon {name} specified is not supported"
            )
        if name in cluster.addons:
            raise ResourceInUseException(
                clusterName=cluster.name, addonName=name, message="Addon already exists."
            )
        version = asked.get("addonVersion") or facts.addon_versions(name, cluster.version)[0]
        _check_version(cluster, name, version)
        _check_configuration(cluster, name, asked.get("configurationValues", ""))
        now = utcnow()
        addon = {
            "addonName": name,
            "clusterName": cluster.name,
            "status": "ACTIVE",
            "addonVersion": version,
            "health": {"issues": []},
            "addonArn": f"arn:{backend.partition}:eks:{backend.region_name}:{backend.account_id}:addon/"
            f"{cluster.name}/{name}/{mock_random.uuid4()}",
            "createdAt": now,
            "modifiedAt": now,
            "tags": dict(asked.get("tags") or {}),
            "podIdentityAssociations": [],
        }
        for setting in ("serviceAccountRoleArn", "configurationValues", "namespaceConfig"):
            if asked.get(setting):
                addon[setting] = asked[setting]
        _associate(backend, cluster, addon, asked.get("podIdentityAssociations") or [])
        cluster.addons[name] = addon
        return ActionResult({"addon": addon | {"status": "CREATING"}})

    def describe_addon(self: Any) -> ActionResult:
        cluster = find_cluster(self.eks_backend, self._get_param("name"))
        return ActionResult({"addon": _find(cluster, self._get_param("addonName"))})

    def list_addons(self: Any) -> ActionResult:
        cluster = find_cluster(self.eks_backend, self._get_param("name"))
        page, token = paginated_list(
            list(cluster.addons), self._get_int_param("maxResults", 100), self._get_param("nextToken")
        )
        return ActionResult({"addons": page, "nextToken": token})

    def update_addon(self: Any) -> ActionResult:
        asked = json.loads(self.body)
        cluster = find_cluster(self.eks_backend, self._get_param("name"))
        addon = _find(cluster, self._get_param("addonName"))
        name = addon["addonName"]
        if asked.get("addonVersion"):
            _check_version(cluster, name, asked["addonVersion"])
        _check_configuration(cluster, name, asked.get("configurationValues", ""))
        for setting in ("addonVersion", "serviceAccountRoleArn", "configurationValues"):
            if setting in asked:
                addon[setting] = asked[setting]
        if "serviceAccountRoleArn" not in asked:  # the role of the nodes again, as the service documents it
            addon.pop("serviceAccountRoleArn", None)
        if "podIdentityAssociations" in asked:
            _associate(self.eks_backend, cluster, addon, asked["podIdentityAssociations"])
        addon["modifiedAt"] = utcnow()
        parameters = {
            setting[0].upper() + setting[1:]: value
            for setting, value in asked.items()
            if setting != "clientRequestToken"
        }
        return ActionResult({"update": start_update(cluster, "AddonUpdate", parameters, addonName=name)})

    def delete_addon(self: Any) -> ActionResult:
        cluster = find_cluster(self.eks_backend, self._get_param("name"))
        addon = _find(cluster, self._get_param("addonName"))
        _associate(self.eks_backend, cluster, addon, [])
        del cluster.addons[addon["addonName"]]
        return ActionResult({"addon": addon | {"status": "DELETING"}})

    def describe_addon_versions(self: Any) -> ActionResult:
        wanted = self.querystring.get("addonName", [None])[0]
        kubernetes = self.querystring.get("kubernetesVersion", [None])[0]
        kinds = self.querystring.get("types") or []
        names = [
            name
            for name in facts.addon_names()
            if wanted in (None, name) and (not kinds or facts.addon_kind(name) in kinds)
        ]
        limit = self.querystring.get("maxResults", ["100"])[0]
        page, token = paginated_list(names, int(limit), self.querystring.get("nextToken", [None])[0])
        return ActionResult({"addons": [_addon_info(name, kubernetes) for name in page], "nextToken": token})

    def describe_addon_configuration(self: Any) -> ActionResult:
        name = self.querystring["addonName"][0]
        if name not in facts.addon_names():
            raise InvalidParameterException(
                addonName=name, message=f"Addon {name} specified is not supported"
            )
        schema = {"$schema": "http://json-schema.org/draft-06/schema#", "type": "object"}
        return ActionResult(
            {
                "addonName": name,
                "addonVersion": self.querystring["addonVersion"][0],
                "configurationSchema": json.dumps(schema),
                "podIdentityConfiguration": [],
            }
        )


def _addon_info(name: str, kubernetes: str | None) -> dict[str, Any]:
    compatible: dict[str, list[dict[str, Any]]] = {}
    for cluster_version in facts.VERSIONS if kubernetes is None else [kubernetes]:
        for position, version in enumerate(facts.addon_versions(name, cluster_version)):
            compatible.setdefault(version, []).append(
                {
                    "clusterVersion": cluster_version,
                    "platformVersions": ["*"],
                    "defaultVersion": position == 0,
                }
            )
    return {
        "addonName": name,
        "type": facts.addon_kind(name),
        "publisher": "eks",
        "owner": "aws",
        "defaultNamespace": facts.addon_namespace(name),
        "addonVersions": [
            {
                "addonVersion": version,
                "architecture": ["amd64", "arm64"],
                "computeTypes": ["ec2", "fargate"],
                "compatibilities": compatibilities,
                "requiresConfiguration": False,
                "requiresIamPermissions": False,
            }
            for version, compatibilities in compatible.items()
        ],
    }


def install() -> None:
    """Graft onto moto's classes."""
    graft(EKSResponse, _Response)
