"""EKS clusters as the service keeps them: all of their settings, updates with an id, and a network of
their own.
"""

from __future__ import annotations

import copy
import json
from base64 import b64encode
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.eks.exceptions import (
    InvalidParameterException,
    InvalidRequestException,
    ResourceNotFoundException,
)
from moto.eks.models import EKSBackend, paginated_list
from moto.eks.responses import EKSResponse
from moto.moto_api._internal import mock_random

from twinfra.sandbox.extensions.eks import facts
from twinfra.sandbox.overlay import graft

_LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")
_EXTRA_SETTINGS = (
    "outpostConfig",
    "zonalShiftConfig",
    "computeConfig",
    "storageConfig",
    "controlPlaneScalingConfig",
    "remoteNetworkConfig",
)
_UPDATES = {
    "logging": "LoggingUpdate",
    "accessConfig": "AccessConfigUpdate",
    "upgradePolicy": "UpgradePolicyUpdate",
    "zonalShiftConfig": "ZonalShiftConfigUpdate",
    "computeConfig": "AutoModeUpdate",
    "storageConfig": "AutoModeUpdate",
    "kubernetesNetworkConfig": "AutoModeUpdate",
    "remoteNetworkConfig": "RemoteNetworkConfigUpdate",
    "deletionProtection": "DeletionProtectionUpdate",
    "controlPlaneScalingConfig": "ControlPlaneScalingConfigUpdate",
}
_NETWORK_ACCESS = ("endpointPublicAccess", "endpointPrivateAccess", "publicAccessCidrs")


def find_cluster(backend: Any, name: str) -> Any:
    """The cluster of that name; raises the service's error."""
    if name not in backend.clusters:
        raise ResourceNotFoundException(clusterName=name, message=f"No cluster found for name: {name}.")
    return backend.clusters[name]


def require_subnets(backend: Any, subnets: list[str]) -> list[Any]:
    """The subnets of those ids; raises the service's error for one that does not exist."""
    from moto.ec2.models import ec2_backends

    known = {
        subnet.id: subnet
        for zone in ec2_backends[backend.account_id][backend.region_name].subnets.values()
        for subnet in zone.values()
    }
    for wanted in subnets:
        if wanted not in known:
            raise InvalidParameterException(message=f"The subnet ID '{wanted}' does not exist")
    return [known[wanted] for wanted in subnets]


def in_transition(made: Any, status: str) -> Any:
    """What the service answers at once: the same thing, still on its way. The sandbox arrives immediately."""
    shown = copy.copy(made)
    shown.status = status
    return shown


def start_update(cluster: Any, kind: str, parameters: dict[str, Any], **of: str) -> dict[str, Any]:
    """Note an update; `of` names the node group or add-on it belongs to. Returns it as first answered."""
    update = {
        "id": str(mock_random.uuid4()),
        "status": "Successful",
        "type": kind,
        "params": [{"type": name, "value": _text(value)} for name, value in parameters.items()],
        "createdAt": utcnow(),
        "errors": [],
    }
    cluster.updates[update["id"]] = (of, update)
    return update | {"status": "InProgress"}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _logging(requested: dict[str, Any] | None, before: dict[str, Any] | None = None) -> dict[str, Any]:
    """All log types in an enabled and a disabled group, as the service shows them."""
    enabled = {
        kind
        for group in (before or {}).get("clusterLogging", [])
        if group.get("enabled")
        for kind in group["types"]
    }
    for group in (requested or {}).get("clusterLogging", []):
        change = enabled.update if group.get("enabled") else enabled.difference_update
        change(group.get("types", []))
    groups = []
    for state in (True, False):
        kinds = [kind for kind in _LOG_TYPES if (kind in enabled) is state]
        if kinds:
            groups.append({"types": kinds, "enabled": state})
    return {"clusterLogging": groups}


def _certificate_authority() -> str:
    """A real certificate, of a key drawn from the emulator's randomness: base64 of PEM, as in a
    kubeconfig.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import NameOID

    key = Ed25519PrivateKey.from_private_bytes(mock_random.randbytes(32))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubernetes")])
    start = utcnow().replace(microsecond=0, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(mock_random.getrandbits(63) | 1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, None)
    )
    return b64encode(certificate.public_bytes(Encoding.PEM)).decode()


def _make_security_group(backend: Any, cluster: str, vpc_id: str) -> str:
    """The group that EKS makes for a cluster: everything in it may talk to everything in it."""
    from moto.ec2.models import ec2_backends

    ec2 = ec2_backends[backend.account_id][backend.region_name]
    number = mock_random.getrandbits(31)
    group = ec2.create_security_group(
        f"eks-cluster-sg-{cluster}-{number}",
        "EKS created security group applied to ENI that is attached to EKS Control Plane master nodes, "
        "as well as any managed workloads.",
        vpc_id=vpc_id,
        tags={
            "Name": f"eks-cluster-sg-{cluster}-{number}",
            f"kubernetes.io/cluster/{cluster}": "owned",
            "aws:eks:cluster-name": cluster,
        },
    )
    ec2.authorize_security_group_ingress(
        group.id,
        "-1",
        None,
        None,
        [],
        source_groups=[{"GroupId": group.id}],
        vpc_id=vpc_id,
    )
    return str(group.id)


def _remove_security_group(backend: Any, cluster: Any) -> None:
    from moto.ec2.exceptions import EC2ClientError
    from moto.ec2.models import ec2_backends

    ec2 = ec2_backends[backend.account_id][backend.region_name]
    with suppress(EC2ClientError):  # gone by hand already, or in use by what outlives the cluster
        ec2.delete_security_group(group_id=cluster.resources_vpc_config["clusterSecurityGroupId"])


def _wire_up(backend: Any, cluster: Any, settings: dict[str, Any]) -> None:
    """Give a new cluster everything that EKS adds by itself."""
    network = dict(cluster.resources_vpc_config)
    subnets = require_subnets(backend, network.get("subnetIds", []))
    vpc_id = subnets[0].vpc_id if subnets else ""
    cluster.resources_vpc_config = {
        "subnetIds": list(network.get("subnetIds", [])),
        "securityGroupIds": list(network.get("securityGroupIds", [])),
        "clusterSecurityGroupId": _make_security_group(backend, cluster.name, vpc_id) if vpc_id else "",
        "vpcId": vpc_id,
        "endpointPublicAccess": network.get("endpointPublicAccess", True),
        "endpointPrivateAccess": network.get("endpointPrivateAccess", False),
        "publicAccessCidrs": list(network.get("publicAccessCidrs") or ["0.0.0.0/0"]),
    }
    number = mock_random.get_random_hex(32).upper()
    cluster.endpoint = f"https://{number}.gr7.{backend.region_name}.eks.amazonaws.com"
    cluster.identity = {
        "oidc": {"issuer": f"https://oidc.eks.{backend.region_name}.amazonaws.com/id/{number}"}
    }
    cluster.certificate_authority = {"data": _certificate_authority()}
    cluster.kubernetes_network_config = {
        "serviceIpv4Cidr": "172.20.0.0/16",
        "ipFamily": "ipv4",
        "elasticLoadBalancing": {"enabled": False},
    } | (settings.get("kubernetesNetworkConfig") or {})
    cluster.logging = _logging(settings.get("logging"))
    mode = (settings.get("accessConfig") or {}).get("authenticationMode")
    cluster.access_config = {"authenticationMode": mode or "CONFIG_MAP"}
    cluster.upgrade_policy = {"supportType": "EXTENDED"} | (settings.get("upgradePolicy") or {})
    cluster.deletion_protection = bool(settings.get("deletionProtection"))
    cluster.health = {"issues": []}
    for name in _EXTRA_SETTINGS:
        if settings.get(name) is not None:
            setattr(cluster, _attribute(name), settings[name])
    cluster.updates = {}
    cluster.addons = {}
    cluster.access_entries = {}
    cluster.pod_identity_associations = {}


def _attribute(setting: str) -> str:
    from moto.core.utils import camelcase_to_underscores

    return str(camelcase_to_underscores(setting))


def _update_network(backend: Any, cluster: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    before = cluster.resources_vpc_config
    if all(before.get(name) == value for name, value in wanted.items()):
        raise InvalidParameterException(message="Cluster is already at the desired configuration")
    moved = any(name in wanted for name in ("subnetIds", "securityGroupIds"))
    if moved and any(name in wanted for name in _NETWORK_ACCESS):
        raise InvalidParameterException(message="Only one type of update can be allowed.")
    require_subnets(backend, wanted.get("subnetIds", []))
    cluster.resources_vpc_config = before | wanted
    names = {"subnetIds": "Subnets", "securityGroupIds": "SecurityGroups"}
    parameters = {names.get(name, name[0].upper() + name[1:]): value for name, value in wanted.items()}
    return start_update(cluster, "VpcConfigUpdate" if moved else "EndpointAccessUpdate", parameters)


def _update_setting(cluster: Any, name: str, wanted: Any) -> None:
    if name == "logging":
        after = _logging(wanted, cluster.logging)
        if after == cluster.logging:
            raise InvalidParameterException(message="No changes needed for the logging config provided")
        cluster.logging = after
    elif name == "accessConfig":
        modes = ("CONFIG_MAP", "API_AND_CONFIG_MAP", "API")
        before, after = cluster.access_config["authenticationMode"], wanted.get("authenticationMode", "")
        if after not in modes or modes.index(after) != modes.index(before) + 1:
            raise InvalidParameterException(
                message=f"Unsupported authentication mode update from {before} to {after}"
            )
        cluster.access_config = {"authenticationMode": after}
    elif name == "kubernetesNetworkConfig":
        cluster.kubernetes_network_config = cluster.kubernetes_network_config | wanted
    else:
        setattr(cluster, _attribute(name), wanted)


class _Backend:
    def create_cluster(self: Any, name: str, role_arn: str, resources_vpc_config: Any, **rest: Any) -> Any:
        version = rest.get("version")
        if version is not None and facts.minor_of(version) is None:
            raise InvalidParameterException(
                clusterName=name, message=f"unsupported Kubernetes version {version}"
            )
        if name not in self.clusters:
            require_subnets(self, resources_vpc_config.get("subnetIds", []))
        settings = rest.pop("settings", {})
        cluster = _original_create(self, name, role_arn, resources_vpc_config, **rest)
        cluster.version = version or facts.DEFAULT_VERSION
        try:
            _wire_up(self, cluster, settings)
        except BaseException:
            del self.clusters[name]
            raise
        return cluster

    def delete_cluster(self: Any, name: str) -> Any:
        cluster = find_cluster(self, name)
        if cluster.deletion_protection:
            raise InvalidRequestException(
                clusterName=name, message="Cannot delete cluster because deletion protection is enabled"
            )
        removed = _original_delete(self, name)
        _remove_security_group(self, cluster)
        return removed


class _Response:
    def create_cluster(self: Any) -> ActionResult:
        asked = json.loads(self.body)
        known = self.eks_backend.clusters.get(asked["name"])
        if known is not None and known.client_request_token == asked.get("clientRequestToken", ""):
            return ActionResult({"cluster": known})
        cluster = self.eks_backend.create_cluster(
            name=asked["name"],
            role_arn=asked["roleArn"],
            resources_vpc_config=asked["resourcesVpcConfig"],
            version=asked.get("version"),
            client_request_token=asked.get("clientRequestToken"),
            tags=asked.get("tags"),
            encryption_config=asked.get("encryptionConfig"),
            settings=asked,
        )
        return ActionResult({"cluster": in_transition(cluster, "CREATING")})

    def delete_cluster(self: Any) -> ActionResult:
        cluster = self.eks_backend.delete_cluster(name=self._get_param("name"))
        return ActionResult({"cluster": in_transition(cluster, "DELETING")})

    def update_cluster_config(self: Any) -> ActionResult:
        cluster = find_cluster(self.eks_backend, self._get_param("name"))
        asked = json.loads(self.body)
        kinds = {_UPDATES[name] for name in asked if name in _UPDATES}
        if len(kinds) + ("resourcesVpcConfig" in asked) != 1:
            raise InvalidParameterException(
                clusterName=cluster.name,
                message="Only one type of update can be allowed."
                if kinds
                else "The type for cluster update was not provided.",
            )
        if not kinds:
            update = _update_network(self.eks_backend, cluster, asked["resourcesVpcConfig"])
            return ActionResult({"update": update})
        wanted = {name: value for name, value in asked.items() if name in _UPDATES}
        for name, value in wanted.items():
            _update_setting(cluster, name, value)
        parameters = {
            "ClusterLogging" if name == "logging" else name[0].upper() + name[1:]: value
            for name, value in wanted.items()
        }
        return ActionResult({"update": start_update(cluster, kinds.pop(), parameters)})

    def update_cluster_version(self: Any) -> ActionResult:
        cluster = find_cluster(self.eks_backend, self._get_param("name"))
        wanted = self._get_param("version")
        before, after = facts.minor_of(cluster.version), facts.minor_of(wanted)
        if before is None or after != before + 1:
            raise InvalidParameterException(
                clusterName=cluster.name,
                message=f"Unsupported Kubernetes minor version update from {cluster.version} to {wanted}",
            )
        cluster.version = wanted
        parameters = {"Version": wanted, "PlatformVersion": cluster.platformVersion}
        return ActionResult({"update": start_update(cluster, "VersionUpdate", parameters)})

    def associate_encryption_config(self: Any) -> ActionResult:
        cluster = find_cluster(self.eks_backend, self._get_param("name"))
        if cluster.encryption_config:
            raise InvalidRequestException(
                clusterName=cluster.name, message="Encryption is already enabled and cannot be changed"
            )
        cluster.encryption_config = json.loads(self.body)["encryptionConfig"]
        parameters = {"EncryptionConfig": cluster.encryption_config}
        return ActionResult({"update": start_update(cluster, "AssociateEncryptionConfig", parameters)})

    def describe_update(self: Any) -> ActionResult:
        cluster = find_cluster(self.eks_backend, self._get_param("name"))
        number = self._get_param("updateId")
        if number not in cluster.updates:
            raise ResourceNotFoundException(
                clusterName=cluster.name, message=f"No update found for ID: {number}"
            )
        return ActionResult({"update": cluster.updates[number][1]})

    def list_updates(self: Any) -> ActionResult:
        cluster = find_cluster(self.eks_backend, self._get_param("name"))
        wanted = {
            name: self.querystring[name][0]
            for name in ("nodegroupName", "addonName")
            if name in self.querystring
        }
        found = [number for number, (of, _) in cluster.updates.items() if of == wanted]
        page, token = paginated_list(
            found, self._get_int_param("maxResults", 100), self._get_param("nextToken")
        )
        return ActionResult({"updateIds": page, "nextToken": token})

    def describe_cluster_versions(self: Any) -> ActionResult:
        released = datetime(2023, 9, 26)
        versions = [
            {
                "clusterVersion": version,
                "clusterType": "eks",
                "defaultPlatformVersion": "eks.4",
                "defaultVersion": version == facts.DEFAULT_VERSION,
                "releaseDate": released + timedelta(days=120 * (int(version[2:]) - facts.FIRST_MINOR)),
                "status": "STANDARD_SUPPORT",
                "versionStatus": "STANDARD_SUPPORT",
                "kubernetesPatchVersion": f"{version}.1",
            }
            for version in facts.VERSIONS
        ]
        return ActionResult({"clusterVersions": versions})


_original_create = EKSBackend.create_cluster
_original_delete = EKSBackend.delete_cluster


def install() -> None:
    """Graft onto moto's classes."""
    graft(EKSBackend, _Backend)
    graft(EKSResponse, _Response)
