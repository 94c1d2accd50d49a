"""Arguments and attributes of a cluster."""

from __future__ import annotations

from typing import Any

from twinfra.providers.aws.checks import arn, cidr, each, length, matches
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import (
    TAGS,
    Field,
    boolean,
    one_block,
    output,
    output_block,
    string,
    string_set,
)
from twinfra.providers.aws.resource import Api
from twinfra.values.types import STRING

LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")
"""Logs that a control plane can send."""


def logging_of(wanted: Any) -> dict[str, Any]:
    """The API's structure that switches on the log types wanted."""
    return {"logging": {"clusterLogging": [{"types": sorted(wanted), "enabled": True}]}}


def enabled_logs(found: Api, _: Context) -> list[str]:
    """Log types that are sent."""
    groups = (found.get("logging") or {}).get("clusterLogging") or ()
    return [kind for group in groups if group.get("enabled") for kind in group.get("types", ())]


def _same_moment(one: Any, other: Any) -> bool:
    """To the second, in RFC 3339 or as the public provider writes it: with spaces and fractions."""
    return bool(one[:10] == other[:10] and one[11:19] == other[11:19])


def _one_of_logs(value: Any) -> str:
    from twinfra.providers.aws.checks import one_of

    return one_of(*LOG_TYPES)(value)


_CIDRS: dict[str, Field] = {
    "cidrs": string_set("cidrs", checks=(each(cidr(4)),), about="Networks, in CIDR notation.")
}

VPC_CONFIG: dict[str, Field] = {
    "subnet_ids": string_set(
        "subnetIds",
        required=True,
        about="Subnets, in two zones or more, that its control plane is reached in.",
    ),
    "security_group_ids": string_set(
        "securityGroupIds", about="More security groups of its network interfaces."
    ),
    "endpoint_private_access": boolean(
        "endpointPrivateAccess", default=False, about="Whether its API is reached from within the VPC."
    ),
    "endpoint_public_access": boolean(
        "endpointPublicAccess", default=True, about="Whether its API is reached from the internet."
    ),
    "public_access_cidrs": string_set(
        "publicAccessCidrs",
        computed=True,
        checks=(each(cidr()),),
        about="Networks that may reach its API from the internet.",
    ),
    "cluster_security_group_id": output(
        STRING, "clusterSecurityGroupId", about="Security group that AWS made for it and its nodes."
    ),
    "vpc_id": output(STRING, "vpcId", about="VPC that it lies in."),
}

FIELDS: dict[str, Field] = {
    "name": string(
        "name",
        required=True,
        force_new=True,
        checks=(
            length(1, 100),
            matches(r"[0-9A-Za-z][A-Za-z0-9_-]*", "start with a letter or digit, and have those, - and _"),
        ),
        about="Its name.",
    ),
    "role_arn": string(
        "roleArn",
        required=True,
        force_new=True,
        checks=(arn("iam"),),
        about="Role that its control plane acts in.",
    ),
    "version": string(
        "version", computed=True, about="Kubernetes version; the newest default where not given."
    ),
    "force_update_version": boolean(
        "", about="Whether to change the version even where checks for what would break say no."
    ),
    "vpc_config": one_block(VPC_CONFIG, "resourcesVpcConfig", required=True, about="The network it lies in."),
    "enabled_cluster_log_types": string_set(
        "",
        read=enabled_logs,
        write=logging_of,
        checks=(each(_one_of_logs),),
        about="Logs of its control plane that are sent to CloudWatch: " + ", ".join(LOG_TYPES) + ".",
    ),
    "access_config": one_block(
        {
            "authentication_mode": string(
                "authenticationMode",
                computed=True,
                allowed=("CONFIG_MAP", "API_AND_CONFIG_MAP", "API"),
                about="Where it looks up who may use it; it can move on to the next, not back.",
            ),
            "bootstrap_cluster_creator_admin_permissions": boolean(
                "bootstrapClusterCreatorAdminPermissions",
                read="",
                force_new=True,
                keep=True,
                about="Whether who creates it becomes its administrator.",
            ),
        },
        "accessConfig",
        computed=True,
        about="Who may use it.",
    ),
    "bootstrap_self_managed_addons": boolean(
        "bootstrapSelfManagedAddons",
        read="",
        default=True,
        force_new=True,
        about="Whether it starts with the network add-ons; false for EKS Auto Mode.",
    ),
    "compute_config": one_block(
        {
            "enabled": boolean("enabled", about="Whether AWS manages its nodes."),
            "node_pools": string_set("nodePools", about="Pools of nodes: general-purpose, system."),
            "node_role_arn": string("nodeRoleArn", checks=(arn("iam"),), about="Role of the nodes."),
        },
        "computeConfig",
        computed=True,
        about="Nodes, in EKS Auto Mode.",
    ),
    "storage_config": one_block(
        {
            "block_storage": one_block(
                {"enabled": boolean("enabled", about="Whether AWS manages it.")},
                "blockStorage",
                about="Block storage.",
            )
        },
        "storageConfig",
        computed=True,
        about="Storage, in EKS Auto Mode.",
    ),
    "kubernetes_network_config": one_block(
        {
            "elastic_load_balancing": one_block(
                {"enabled": boolean("enabled", computed=True, about="Whether AWS manages it.")},
                "elasticLoadBalancing",
                computed=True,
                about="Load balancing, in EKS Auto Mode.",
            ),
            "ip_family": string(
                "ipFamily",
                computed=True,
                force_new=True,
                allowed=("ipv4", "ipv6"),
                about="Family of addresses of pods and services.",
            ),
            "service_ipv4_cidr": string(
                "serviceIpv4Cidr",
                computed=True,
                force_new=True,
                checks=(cidr(4, 12, 24),),
                about="Network of the services.",
            ),
            "service_ipv6_cidr": output(STRING, "serviceIpv6Cidr", about="IPv6 network of the services."),
        },
        "kubernetesNetworkConfig",
        computed=True,
        about="The network inside.",
    ),
    "control_plane_scaling_config": one_block(
        {
            "tier": string(
                "tier",
                computed=True,
                allowed=("standard", "tier-xl", "tier-2xl", "tier-4xl", "tier-8xl"),
                about="How much its control plane bears at least.",
            )
        },
        "controlPlaneScalingConfig",
        computed=True,
        about="Size of its control plane.",
    ),
    "encryption_config": one_block(
        {
            "provider": one_block(
                {
                    "key_arn": string(
                        "keyArn", required=True, force_new=True, checks=(arn("kms"),), about="ARN of the key."
                    )
                },
                "provider",
                required=True,
                about="What encrypts.",
            ),
            "resources": string_set("resources", required=True, about="What is encrypted: secrets."),
        },
        "encryptionConfig",
        listed=True,
        conflicts=("outpost_config",),
        about="Encryption of secrets with a key of yours; it can be added later, not removed.",
    ),
    "outpost_config": one_block(
        {
            "control_plane_instance_type": string(
                "controlPlaneInstanceType",
                required=True,
                force_new=True,
                about="Instance type of its control plane.",
            ),
            "control_plane_placement": one_block(
                {
                    "group_name": string(
                        "groupName", required=True, force_new=True, about="Name of a placement group."
                    )
                },
                "controlPlanePlacement",
                about="Where its instances are.",
            ),
            "outpost_arns": string_set(
                "outpostArns", required=True, force_new=True, about="ARN of the Outpost; just one."
            ),
        },
        "outpostConfig",
        force_new=True,
        conflicts=("encryption_config", "remote_network_config"),
        about="For a cluster on an Outpost.",
    ),
    "remote_network_config": one_block(
        {
            "remote_node_networks": one_block(
                _CIDRS, "remoteNodeNetworks", required=True, listed=True, about="Networks of hybrid nodes."
            ),
            "remote_pod_networks": one_block(
                _CIDRS, "remotePodNetworks", listed=True, about="Networks of pods on hybrid nodes."
            ),
        },
        "remoteNetworkConfig",
        hollow=True,
        conflicts=("outpost_config",),
        about="For hybrid nodes: networks on your premises.",
    ),
    "upgrade_policy": one_block(
        {
            "support_type": string(
                "supportType",
                computed=True,
                allowed=("STANDARD", "EXTENDED"),
                about="What happens at the end of standard support: an upgrade, or extended support for a price.",
            )
        },
        "upgradePolicy",
        computed=True,
        about="Support of its Kubernetes version.",
    ),
    "zonal_shift_config": one_block(
        {"enabled": boolean("enabled", about="Whether it may.")},
        "zonalShiftConfig",
        computed=True,
        about="Whether traffic may be shifted away from a zone in trouble.",
    ),
    "deletion_protection": boolean(
        "deletionProtection", computed=True, about="Whether it cannot be deleted."
    ),
    "arn": output(STRING, "arn", about="Its ARN."),
    "certificate_authority": output_block(
        {"data": output(STRING, "data", about="The certificate, in base64, as a kubeconfig takes it.")},
        "certificateAuthority",
        about="What the certificate of its API is checked with.",
    ),
    "cluster_id": output(STRING, "id", about="Its id, for a cluster on an Outpost."),
    "created_at": output(STRING, "createdAt", equal=_same_moment, about="When it was made."),
    "endpoint": output(STRING, "endpoint", about="URL of its API."),
    "identity": output_block(
        {
            "oidc": output_block(
                {"issuer": output(STRING, "issuer", about="URL of the identity provider.")},
                "oidc",
                about="OpenID Connect.",
            )
        },
        "identity",
        about="The identity provider of its service accounts.",
    ),
    "platform_version": output(
        STRING, "platformVersion", follows=("version",), about="Version of the EKS platform."
    ),
    "status": output(STRING, "status", about="Its state, such as ACTIVE."),
    **TAGS,
}
"""All of them, with the members of the API."""
