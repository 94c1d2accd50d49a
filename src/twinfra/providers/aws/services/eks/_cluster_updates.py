"""Changes of a cluster, each an update that is waited for before the next one starts."""

from __future__ import annotations

from collections.abc import Callable

from twinfra.providers.aws.comparison import is_empty
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.mapping import request_of, same_field
from twinfra.providers.aws.resource import Change, Update
from twinfra.providers.aws.services.eks._cluster_fields import FIELDS, LOG_TYPES, VPC_CONFIG
from twinfra.providers.aws.services.eks._updates import carry_out


def _set_version(context: Context, change: Change) -> None:
    carry_out(
        context,
        "update_cluster_version",
        name=change.planned["name"],
        version=change.planned["version"],
        force=change.planned["force_update_version"] or None,
    )


def _set(*names: str) -> Callable[[Context, Change], None]:
    """An update that sends these fields as they are mapped."""

    def update(context: Context, change: Change) -> None:
        request = request_of(FIELDS, change.planned, names)
        if request:
            carry_out(context, "update_cluster_config", name=change.planned["name"], **request)

    return update


def _set_access(context: Context, change: Change) -> None:
    """Only the mode can change later."""
    mode, before = (
        blocks[0]["authentication_mode"] if blocks else None
        for blocks in (change.planned["access_config"], change.prior["access_config"])
    )
    if mode and mode != before:
        carry_out(
            context,
            "update_cluster_config",
            name=change.planned["name"],
            accessConfig={"authenticationMode": mode},
        )


def _set_auto_mode(context: Context, change: Change) -> None:
    """Nodes, storage and load balancing of EKS Auto Mode are switched together."""
    request = request_of(FIELDS, change.planned, ("compute_config", "storage_config"))
    network = change.planned["kubernetes_network_config"]
    balancing = network[0]["elastic_load_balancing"] if network else None
    if balancing:
        request["kubernetesNetworkConfig"] = {
            "elasticLoadBalancing": {"enabled": bool(balancing[0]["enabled"])}
        }
    if request:
        carry_out(context, "update_cluster_config", name=change.planned["name"], **request)


def _add_encryption(context: Context, change: Change) -> None:
    request = request_of(FIELDS, change.planned, ("encryption_config",))
    if request and is_empty(change.prior["encryption_config"]):
        carry_out(context, "associate_encryption_config", clusterName=change.planned["name"], **request)


def _set_logs(context: Context, change: Change) -> None:
    wanted = set(change.planned["enabled_cluster_log_types"] or ())
    groups = [
        {"types": [kind for kind in LOG_TYPES if (kind in wanted) is enabled], "enabled": enabled}
        for enabled in (True, False)
    ]
    carry_out(
        context,
        "update_cluster_config",
        name=change.planned["name"],
        logging={"clusterLogging": [group for group in groups if group["types"]]},
    )


def _set_network(context: Context, change: Change) -> None:
    """Where its API is reached from, and what it lies in, are updates of different kinds."""
    planned, prior = change.planned["vpc_config"][0], change.prior["vpc_config"][0]
    for names in (
        ("endpoint_private_access", "endpoint_public_access", "public_access_cidrs"),
        ("subnet_ids", "security_group_ids"),
    ):
        if all(same_field(VPC_CONFIG[name], planned[name], prior[name]) for name in names):
            continue
        request = request_of(VPC_CONFIG, planned, names)
        if "security_group_ids" in names:
            request.setdefault("securityGroupIds", [])
        carry_out(context, "update_cluster_config", name=change.planned["name"], resourcesVpcConfig=request)


def _set_remote_networks(context: Context, change: Change) -> None:
    request = request_of(FIELDS, change.planned, ("remote_network_config",)).get("remoteNetworkConfig", {})
    carry_out(
        context,
        "update_cluster_config",
        name=change.planned["name"],
        remoteNetworkConfig={"remoteNodeNetworks": [], "remotePodNetworks": []} | request,
    )


UPDATES = (
    Update(fields=("version",), call=_set_version),
    Update(fields=("access_config",), call=_set_access),
    Update(fields=("compute_config", "kubernetes_network_config", "storage_config"), call=_set_auto_mode),
    Update(fields=("encryption_config",), call=_add_encryption),
    Update(fields=("enabled_cluster_log_types",), call=_set_logs),
    Update(fields=("upgrade_policy",), call=_set("upgrade_policy")),
    Update(fields=("vpc_config",), call=_set_network),
    Update(fields=("zonal_shift_config",), call=_set("zonal_shift_config")),
    Update(fields=("remote_network_config",), call=_set_remote_networks),
    Update(fields=("control_plane_scaling_config",), call=_set("control_plane_scaling_config")),
    Update(fields=("deletion_protection",), call=_set("deletion_protection")),
)
"""In the order in which they are made."""
