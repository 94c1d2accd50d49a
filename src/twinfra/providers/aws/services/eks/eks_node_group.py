"""Managed groups of nodes."""

from __future__ import annotations

from typing import Any

from twinfra.providers.aws.checks import arn, at_least, between, length, matches
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import (
    TAGS,
    Field,
    block,
    block_set,
    boolean,
    number,
    one_block,
    output,
    output_block,
    string,
    string_list,
    string_map,
    string_set,
)
from twinfra.providers.aws.mapping import request_of
from twinfra.providers.aws.naming import name_to_create, prefixed_name
from twinfra.providers.aws.planning import Draft
from twinfra.providers.aws.recovery import by_name
from twinfra.providers.aws.resource import Api, Attributes, Change, Resource, Update, Wait, call
from twinfra.providers.aws.services.eks._updates import BUSY, EXISTS, GONE, ROLE_UNSEEN, carry_out, issues
from twinfra.providers.aws.tagging import arn_tags, request_tags
from twinfra.values.types import STRING

_NAME = matches(r"[0-9A-Za-z][A-Za-z0-9_-]*", "start with a letter or digit, and have those, - and _")


def _same_version(one: Any, other: Any) -> bool:
    """EKS resolves $Latest and $Default when it is told, and shows a number from then on."""
    return bool(one == other) or one.startswith("$") or other.startswith("$")


# Creating and reading


def _create(context: Context, attributes: Attributes) -> Api:
    made: Api = context.call(
        "create_nodegroup",
        nodegroupName=name_to_create(context.token, attributes, "node_group_name", "node_group_name_prefix"),
        clientRequestToken=context.token or None,
        **request_of(_FIELDS, attributes),
        **request_tags(_TAGS, attributes),
    )["nodegroup"]
    return made


def _read(context: Context, attributes: Attributes) -> Api | None:
    found = context.find(
        "describe_nodegroup",
        clusterName=attributes["cluster_name"],
        nodegroupName=attributes["node_group_name"],
    )
    return None if found is None else found["nodegroup"]


def _by_name(context: Context, attributes: Attributes) -> Api | None:
    name = name_to_create(context.token, attributes, "node_group_name", "node_group_name_prefix")
    return _read(context, attributes | {"node_group_name": name})


# Changing


def _named(attributes: Attributes) -> dict[str, Any]:
    return {"clusterName": attributes["cluster_name"], "nodegroupName": attributes["node_group_name"]}


def _set_version(context: Context, change: Change) -> None:
    """Nodes are replaced by such of another version or launch template, a few at a time."""
    planned = change.planned
    request = request_of(
        _FIELDS, planned, [name for name in ("version", "release_version") if name in change.changed]
    )
    template = planned["launch_template"]
    if "launch_template" in change.changed and template:
        one = template[0]
        which = {"id": one["id"]} if one["id"] else {"name": one["name"]}
        request["launchTemplate"] = which | {"version": one["version"]}
    if request:
        carry_out(
            context,
            "update_nodegroup_version",
            **_named(planned),
            force=planned["force_update_version"] or None,
            **request,
        )


def _set_config(context: Context, change: Change) -> None:
    planned, prior = change.planned, change.prior
    whole = ("scaling_config", "update_config", "node_repair_config")
    request = request_of(_FIELDS, planned, [name for name in whole if name in change.changed])
    if "labels" in change.changed:
        request["labels"] = _label_changes(prior["labels"] or {}, planned["labels"] or {})
    if "taint" in change.changed:
        request["taints"] = _taint_changes(prior["taint"] or (), planned["taint"] or ())
    if request:
        carry_out(context, "update_nodegroup_config", **_named(planned), **request)


def _label_changes(before: dict[str, str], after: dict[str, str]) -> dict[str, Any]:
    put = {key: value for key, value in sorted(after.items()) if before.get(key) != value}
    gone = sorted(before.keys() - after.keys())
    return {
        **({"addOrUpdateLabels": put} if put else {}),
        **({"removeLabels": gone} if gone else {}),
    }


def _taint_changes(before: Any, after: Any) -> dict[str, Any]:
    """A taint is told by its key and effect; its value can change."""
    old = {(one["key"], one["effect"]): one for one in before}
    new = {(one["key"], one["effect"]): one for one in after}
    put = [
        _taint(one)
        for told, one in sorted(new.items())
        if told not in old or _taint(old[told]) != _taint(one)
    ]
    gone = [_taint(old[told]) for told in sorted(old.keys() - new.keys())]
    return {**({"addOrUpdateTaints": put} if put else {}), **({"removeTaints": gone} if gone else {})}


def _taint(one: Any) -> dict[str, str]:
    value = {"value": one["value"]} if one["value"] else {}
    return {"key": one["key"], **value, "effect": one["effect"]}


def _plan(draft: Draft) -> None:
    prefixed_name(draft, "node_group_name", "node_group_name_prefix")


_REPAIR_OVERRIDE: dict[str, Field] = {
    "min_repair_wait_time_mins": number(
        "minRepairWaitTimeMins",
        required=True,
        checks=(at_least(1),),
        about="Minutes to wait before it is repaired.",
    ),
    "node_monitoring_condition": string(
        "nodeMonitoringCondition", required=True, about="Condition of a node."
    ),
    "node_unhealthy_reason": string("nodeUnhealthyReason", required=True, about="Reason of that condition."),
    "repair_action": string(
        "repairAction", required=True, allowed=("Replace", "Reboot", "NoAction"), about="What is done then."
    ),
}

_REPAIR: dict[str, Field] = {
    "enabled": boolean("enabled", about="Whether nodes in trouble are repaired."),
    "max_parallel_nodes_repaired_count": number(
        "maxParallelNodesRepairedCount", checks=(at_least(1),), about="Nodes repaired at a time, at most."
    ),
    "max_parallel_nodes_repaired_percentage": number(
        "maxParallelNodesRepairedPercentage",
        checks=(between(1, 100),),
        about="The same, in percent of those in trouble.",
    ),
    "max_unhealthy_node_threshold_count": number(
        "maxUnhealthyNodeThresholdCount",
        checks=(at_least(1),),
        about="With more nodes in trouble none is repaired.",
    ),
    "max_unhealthy_node_threshold_percentage": number(
        "maxUnhealthyNodeThresholdPercentage",
        checks=(between(1, 100),),
        about="The same, in percent of all nodes.",
    ),
    "node_repair_config_overrides": block(
        _REPAIR_OVERRIDE, "nodeRepairConfigOverrides", about="Other actions for some conditions."
    ),
}

_FIELDS: dict[str, Field] = {
    "cluster_name": string("clusterName", required=True, force_new=True, about="Name of the cluster."),
    "node_group_name": string(
        "",
        read="nodegroupName",
        computed=True,
        force_new=True,
        conflicts=("node_group_name_prefix",),
        checks=(length(1, 63), _NAME),
        about="Its name; made up where neither this nor node_group_name_prefix is given.",
    ),
    "node_group_name_prefix": string(
        "",
        read="",
        computed=True,
        force_new=True,
        checks=(length(1, 37), _NAME),
        about="A beginning for a name that is unique.",
    ),
    "node_role_arn": string(
        "nodeRole", required=True, force_new=True, checks=(arn("iam"),), about="Role of the nodes."
    ),
    "subnet_ids": string_set(
        "subnets", required=True, force_new=True, about="Subnets that the nodes lie in."
    ),
    "scaling_config": one_block(
        {
            "desired_size": number(
                "desiredSize", required=True, checks=(at_least(0),), about="How many nodes."
            ),
            "max_size": number("maxSize", required=True, checks=(at_least(1),), about="At most."),
            "min_size": number("minSize", required=True, checks=(at_least(0),), about="At least."),
        },
        "scalingConfig",
        required=True,
        about="How many nodes there are.",
    ),
    "ami_type": string(
        "amiType",
        computed=True,
        force_new=True,
        about="Kind of machine image, such as AL2023_x86_64_STANDARD.",
    ),
    "capacity_type": string(
        "capacityType",
        computed=True,
        force_new=True,
        allowed=("ON_DEMAND", "SPOT", "CAPACITY_BLOCK"),
        about="How instances are bought.",
    ),
    "disk_size": number(
        "diskSize",
        computed=True,
        force_new=True,
        checks=(at_least(1),),
        about="Size of the disks of nodes, in GiB.",
    ),
    "instance_types": string_list(
        "instanceTypes", computed=True, force_new=True, about="Instance types, best first."
    ),
    "labels": string_map("labels", about="Labels of the nodes in Kubernetes."),
    "launch_template": one_block(
        {
            "id": string("id", computed=True, force_new=True, exactly_one=("id", "name"), about="Its id."),
            "name": string(
                "name", computed=True, force_new=True, checks=(length(3, 128),), about="Its name."
            ),
            "version": string(
                "version",
                required=True,
                equal=_same_version,
                checks=(length(1, 255),),
                about="Its version. $Latest and $Default are resolved once; latest_version of "
                "aws_launch_template follows it.",
            ),
        },
        "launchTemplate",
        conflicts=("remote_access",),
        about="Template that nodes are launched from.",
    ),
    "remote_access": one_block(
        {
            "ec2_ssh_key": string("ec2SshKey", force_new=True, about="Name of the key pair."),
            "source_security_group_ids": string_set(
                "sourceSecurityGroups",
                force_new=True,
                about="Security groups that may come in; the internet without.",
            ),
        },
        "remoteAccess",
        force_new=True,
        about="Access to the nodes by SSH.",
    ),
    "taint": block_set(
        {
            "key": string("key", required=True, checks=(length(1, 63),), about="Its key."),
            "value": string("value", checks=(length(0, 63),), about="Its value."),
            "effect": string(
                "effect",
                required=True,
                allowed=("NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE"),
                about="What it does to pods that do not tolerate it.",
            ),
        },
        "taints",
        max_items=50,
        about="Taints of the nodes.",
    ),
    "update_config": one_block(
        {
            "max_unavailable": number(
                "maxUnavailable",
                checks=(between(1, 100),),
                exactly_one=("max_unavailable", "max_unavailable_percentage"),
                about="Nodes replaced at a time.",
            ),
            "max_unavailable_percentage": number(
                "maxUnavailablePercentage", checks=(between(1, 100),), about="The same, in percent."
            ),
        },
        "updateConfig",
        computed=True,
        about="How nodes are replaced by such of another version.",
    ),
    "node_repair_config": one_block(
        _REPAIR, "nodeRepairConfig", computed=True, about="Repair of nodes in trouble."
    ),
    "version": string(
        "version",
        computed=True,
        follows=("release_version",),
        about="Kubernetes version; the cluster's at creation.",
    ),
    "release_version": string(
        "releaseVersion",
        computed=True,
        follows=("version", "launch_template"),
        about="Version of the machine image; the newest for the Kubernetes version where not given.",
    ),
    "force_update_version": boolean(
        "", about="Whether to replace nodes even where pods cannot be moved away."
    ),
    "arn": output(STRING, "nodegroupArn", about="Its ARN."),
    "resources": output_block(
        {
            "autoscaling_groups": output_block(
                {"name": output(STRING, "name", about="Its name.")},
                "autoScalingGroups",
                single=False,
                about="Auto Scaling groups of the nodes.",
            ),
            "remote_access_security_group_id": output(
                STRING, "remoteAccessSecurityGroup", about="Security group made for access by SSH."
            ),
        },
        "resources",
        about="What it consists of.",
    ),
    "status": output(STRING, "status", about="Its state, such as ACTIVE."),
    **TAGS,
}

_TAGS = arn_tags(
    member="resourceArn", tags="tags", keys="tagKeys", shape="map", at_create="tags", read="tags"
)

RESOURCE = Resource(
    name="aws_eks_node_group",
    service="eks",
    about="A managed group of nodes of a Kubernetes cluster.",
    fields=_FIELDS,
    identifiers=(
        "arn",
        "node_group_name if node_group_name_prefix",
        "resources.autoscaling_groups.name",
        "resources.remote_access_security_group_id",
    ),
    volatile=("launch_template.version", "status"),
    id="{cluster_name}:{node_group_name}",
    id_about="Name of the cluster, a colon, and its name.",
    import_id="{cluster_name}:{node_group_name}",
    create=_create,
    retry_create=(*ROLE_UNSEEN, *BUSY),
    read=_read,
    created=Wait(
        status="status",
        target=("ACTIVE",),
        failed=("CREATE_FAILED", "DELETING"),
        reason=issues,
        interval=20.0,
        minutes=60.0,
        noun="node group",
    ),
    updates=(
        Update(fields=("version", "release_version", "launch_template"), call=_set_version),
        Update(
            fields=("labels", "taint", "scaling_config", "update_config", "node_repair_config"),
            call=_set_config,
        ),
    ),
    delete=call("delete_nodegroup", clusterName="cluster_name", nodegroupName="node_group_name"),
    retry_delete=BUSY,
    deleted=Wait(
        status="status",
        failed=("DELETE_FAILED",),
        reason=issues,
        interval=20.0,
        minutes=60.0,
        noun="node group",
    ),
    timeouts=("create", "update", "delete"),
    tags=_TAGS,
    not_found=GONE,
    exists=EXISTS,
    plan=_plan,
    recover=by_name(_by_name, "createdAt"),
)
