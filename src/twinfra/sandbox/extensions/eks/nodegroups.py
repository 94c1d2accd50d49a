"""EKS node groups with the defaults, versions and updates of the service."""

from __future__ import annotations

import json
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.eks.exceptions import InvalidParameterException
from moto.eks.models import paginated_list
from moto.eks.responses import EKSResponse
from moto.moto_api._internal import mock_random

from twinfra.sandbox.extensions.eks import facts
from twinfra.sandbox.extensions.eks.clusters import (
    find_cluster,
    in_transition,
    require_subnets,
    start_update,
)
from twinfra.sandbox.overlay import graft


def _launch_template(
    backend: Any, asked: dict[str, Any] | None
) -> tuple[dict[str, str] | None, dict[str, Any]]:
    """The template as the service shows it (id, name, version), and what that version of it says."""
    if not asked:
        return None, {}
    from moto.ec2.exceptions import EC2ClientError
    from moto.ec2.models import ec2_backends

    ec2 = ec2_backends[backend.account_id][backend.region_name]
    try:
        if "id" in asked:
            template = ec2.get_launch_template(asked["id"])
        else:
            template = ec2.get_launch_template_by_name(asked["name"])
        number = str(asked.get("version") or template.default_version_number)
        version = template.get_version(int(number) if number.isdigit() else number)
    except (EC2ClientError, IndexError, KeyError):
        shown = asked.get("id") or asked.get("name")
        raise InvalidParameterException(message=f"Launch template {shown} not found.") from None
    return {"id": template.id, "name": template.name, "version": number}, dict(version.data)


def _scaling(asked: dict[str, int] | None, before: dict[str, int] | None = None) -> dict[str, int]:
    scaling = (before or {"minSize": 1, "maxSize": 2, "desiredSize": 2}) | (asked or {})
    if not scaling["minSize"] <= scaling["desiredSize"] <= scaling["maxSize"]:
        low = scaling["desiredSize"] < scaling["minSize"]
        raise InvalidParameterException(
            message="Minimum capacity {} can't be greater than desired size {}".format(
                scaling["minSize"], scaling["desiredSize"]
            )
            if low
            else "Desired capacity {} can't be greater than max size {}".format(
                scaling["desiredSize"], scaling["maxSize"]
            )
        )
    return scaling


def _settle(backend: Any, cluster: Any, group: Any, asked: dict[str, Any]) -> None:
    """Give a new node group what the service fills in, and nothing that it does not."""
    template, data = _launch_template(backend, asked.get("launchTemplate"))
    custom = "ImageId" in data
    group.launch_template = template
    group.ami_type = "CUSTOM" if custom else asked.get("amiType") or "AL2023_x86_64_STANDARD"
    group.instance_types = asked.get("instanceTypes") or (None if "InstanceType" in data else ["t3.medium"])
    group.disk_size = None if template else asked.get("diskSize") or 20
    group.version = asked.get("version") or cluster.version
    group.release_version = (
        data["ImageId"] if custom else asked.get("releaseVersion") or facts.release_version(group.version)
    )
    group.remote_access = asked.get("remoteAccess")
    group.scaling_config = _scaling(asked.get("scalingConfig"))
    group.update_config = asked.get("updateConfig") or {"maxUnavailable": 1}
    group.node_repair_config = asked.get("nodeRepairConfig")
    group.taints = list(asked.get("taints") or [])
    group.labels = dict(asked.get("labels") or {})
    group.health = {"issues": []}
    group.resources = {"autoScalingGroups": [{"name": f"eks-{group.nodegroup_name}-{group.uuid}"}]}
    if (group.remote_access or {}).get("ec2SshKey") and not group.remote_access.get("sourceSecurityGroups"):
        group.resources["remoteAccessSecurityGroup"] = f"sg-{mock_random.get_random_hex(17)}"


class _Response:
    def create_nodegroup(self: Any) -> ActionResult:
        asked = json.loads(self.body)
        backend = self.eks_backend
        cluster = find_cluster(backend, self._get_param("name"))
        known = cluster.nodegroups.get(asked["nodegroupName"])
        if known is not None and known.client_request_token == asked.get("clientRequestToken", ""):
            return ActionResult({"nodegroup": known})
        require_subnets(backend, asked["subnets"])
        _launch_template(backend, asked.get("launchTemplate"))
        _scaling(asked.get("scalingConfig"))
        version = asked.get("version")
        if version is not None and not _may_run(version, cluster.version):
            raise InvalidParameterException(
                clusterName=cluster.name,
                message=f"Requested Nodegroup release version {version} is invalid. "
                "It must not be newer than the cluster's.",
            )
        group = backend.create_nodegroup(
            cluster_name=cluster.name,
            node_role=asked["nodeRole"],
            nodegroup_name=asked["nodegroupName"],
            subnets=asked["subnets"],
            disk_size=asked.get("diskSize"),
            remote_access=asked.get("remoteAccess"),
            tags=asked.get("tags"),
            client_request_token=asked.get("clientRequestToken"),
            launch_template=dict(asked["launchTemplate"]) if asked.get("launchTemplate") else None,
            capacity_type=asked.get("capacityType"),
        )
        _settle(backend, cluster, group, asked)
        return ActionResult({"nodegroup": in_transition(group, "CREATING")})

    def delete_nodegroup(self: Any) -> ActionResult:
        group = self.eks_backend.delete_nodegroup(
            cluster_name=self._get_param("name"), nodegroup_name=self._get_param("nodegroupName")
        )
        return ActionResult({"nodegroup": in_transition(group, "DELETING")})

    def list_nodegroups(self: Any) -> ActionResult:
        cluster = find_cluster(self.eks_backend, self._get_param("name"))
        page, token = paginated_list(
            list(cluster.nodegroups), self._get_int_param("maxResults", 100), self._get_param("nextToken")
        )
        return ActionResult({"nodegroups": page, "nextToken": token})

    def list_fargate_profiles(self: Any) -> ActionResult:
        cluster = find_cluster(self.eks_backend, self._get_param("name"))
        page, token = paginated_list(
            list(cluster.fargate_profiles),
            self._get_int_param("maxResults", 100),
            self._get_param("nextToken"),
        )
        return ActionResult({"fargateProfileNames": page, "nextToken": token})

    def update_nodegroup_config(self: Any) -> ActionResult:
        asked = json.loads(self.body)
        cluster = find_cluster(self.eks_backend, self._get_param("name"))
        group = self.eks_backend.describe_nodegroup(cluster.name, self._get_param("nodegroupName"))
        scaling = _scaling(asked.get("scalingConfig"), group.scaling_config)
        self.eks_backend.update_nodegroup_config(
            cluster_name=cluster.name,
            nodegroup_name=group.nodegroup_name,
            labels=asked.get("labels"),
            taints=asked.get("taints"),
            update_config=asked.get("updateConfig"),
            node_repair_config=asked.get("nodeRepairConfig"),
        )
        group.scaling_config = scaling
        parameters = {
            **{
                name[0].upper() + name[1:]: value
                for name, value in (asked.get("scalingConfig") or {}).items()
            },
            **({"LabelsToAdd": asked["labels"]} if "labels" in asked else {}),
            **({"TaintsToAdd": asked["taints"]} if "taints" in asked else {}),
            **{
                name[0].upper() + name[1:]: value for name, value in (asked.get("updateConfig") or {}).items()
            },
        }
        update = start_update(cluster, "ConfigUpdate", parameters, nodegroupName=group.nodegroup_name)
        return ActionResult({"update": update})

    def update_nodegroup_version(self: Any) -> ActionResult:
        asked = json.loads(self.body or "{}")
        cluster = find_cluster(self.eks_backend, self._get_param("name"))
        group = self.eks_backend.describe_nodegroup(cluster.name, self._get_param("nodegroupName"))
        parameters: dict[str, Any] = {}
        if "launchTemplate" in asked:
            template, data = _launch_template(self.eks_backend, asked["launchTemplate"])
            if (
                template is None
                or group.launch_template is None
                or template["id"] != group.launch_template["id"]
            ):
                raise InvalidParameterException(
                    clusterName=cluster.name,
                    nodegroupName=group.nodegroup_name,
                    message="You cannot specify a different launch template; only its version can change.",
                )
            group.launch_template = template
            if "ImageId" in data:
                group.ami_type, group.release_version = "CUSTOM", data["ImageId"]
            parameters |= {
                "LaunchTemplateName": template["name"],
                "LaunchTemplateVersion": template["version"],
            }
        version = asked.get("version") or (
            cluster.version if "launchTemplate" not in asked else group.version
        )
        if not _may_run(version, cluster.version):
            raise InvalidParameterException(
                clusterName=cluster.name,
                nodegroupName=group.nodegroup_name,
                message="Nodegroup Kubernetes version should be equal to or less than cluster version",
            )
        if group.ami_type != "CUSTOM":
            group.version = version
            group.release_version = asked.get("releaseVersion") or facts.release_version(version)
            parameters |= {"Version": version, "ReleaseVersion": group.release_version}
        group.modified_at = utcnow()
        update = start_update(cluster, "VersionUpdate", parameters, nodegroupName=group.nodegroup_name)
        return ActionResult({"update": update})


def _may_run(nodes: str, cluster: str) -> bool:
    """Nodes may be as new as their cluster, and not newer."""
    wanted, most = facts.minor_of(nodes), facts.minor_of(cluster)
    return wanted is not None and most is not None and wanted <= most


def install() -> None:
    """Graft onto moto's classes."""
    graft(EKSResponse, _Response)
