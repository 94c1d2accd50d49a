"""Add-ons of a cluster."""

from __future__ import annotations

from twinfra.providers.aws.checks import arn, length
from twinfra.providers.aws.comparison import same_json
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import TAGS, Field, block_set, boolean, output, string
from twinfra.providers.aws.mapping import request_of
from twinfra.providers.aws.recovery import by_name
from twinfra.providers.aws.resource import Api, Attributes, Call, Change, Resource, Update, Wait, call
from twinfra.providers.aws.services.eks._updates import BUSY, EXISTS, GONE, carry_out, issues
from twinfra.providers.aws.tagging import arn_tags
from twinfra.values.types import STRING


def _read(context: Context, attributes: Attributes) -> Api | None:
    found = context.find(
        "describe_addon", clusterName=attributes["cluster_name"], addonName=attributes["addon_name"]
    )
    return None if found is None else found["addon"]


def _with_identities(context: Context, _: Attributes, found: Api) -> Api:
    """Adds what the pod identities of an add-on say: it knows no more than their ARNs."""
    identities = []
    for one in found.get("podIdentityAssociations") or ():
        told = context.call(
            "describe_pod_identity_association",
            clusterName=found["clusterName"],
            associationId=one.rpartition("/")[2],
        )
        identities.append(told["association"])
    return found | {"Identities": identities}


def _update(context: Context, change: Change) -> None:
    """A role that is not named again is taken away; what else is not named stays."""
    planned = change.planned
    names = [name for name in _CHANGING if name in change.changed or name == "service_account_role_arn"]
    carry_out(
        context,
        "update_addon",
        minutes=20.0,
        clusterName=planned["cluster_name"],
        addonName=planned["addon_name"],
        resolveConflicts=planned["resolve_conflicts_on_update"],
        **request_of(_FIELDS, planned, names, clear=True),
    )


_CHANGING = ("addon_version", "configuration_values", "service_account_role_arn", "pod_identity_association")

_FIELDS: dict[str, Field] = {
    "cluster_name": string("clusterName", required=True, force_new=True, about="Name of the cluster."),
    "addon_name": string(
        "addonName",
        required=True,
        force_new=True,
        checks=(length(1, 255),),
        about="Its name, such as vpc-cni.",
    ),
    "addon_version": string(
        "addonVersion", computed=True, about="Its version; the default for the cluster's where not given."
    ),
    "configuration_values": string(
        "configurationValues",
        computed=True,
        equal=same_json,
        about="Its settings, as JSON or YAML; JSON is compared by content.",
    ),
    "pod_identity_association": block_set(
        {
            "role_arn": string("roleArn", required=True, checks=(arn("iam"),), about="Role that it acts in."),
            "service_account": string(
                "serviceAccount", required=True, about="Service account that gets the role."
            ),
        },
        "podIdentityAssociations",
        read="Identities",
        clear=[],
        about="Roles of its service accounts, by EKS Pod Identity.",
    ),
    "service_account_role_arn": string(
        "serviceAccountRoleArn",
        checks=(arn("iam"),),
        about="Role of its service account; that of the nodes where not given.",
    ),
    "resolve_conflicts_on_create": string(
        "resolveConflicts",
        read="",
        allowed=("NONE", "OVERWRITE"),
        about="Whether settings made by hand are overwritten when it is made.",
    ),
    "resolve_conflicts_on_update": string(
        "",
        allowed=("NONE", "OVERWRITE", "PRESERVE"),
        about="Whether settings made by hand are overwritten when it is changed.",
    ),
    "preserve": boolean("", about="Whether destroying it leaves its software in the cluster."),
    "arn": output(STRING, "addonArn", about="Its ARN."),
    "created_at": output(STRING, "createdAt", about="When it was made."),
    "modified_at": output(STRING, "modifiedAt", follows=_CHANGING, about="When it was last changed."),
    **TAGS,
}

RESOURCE = Resource(
    name="aws_eks_addon",
    service="eks",
    about="An add-on of a Kubernetes cluster.",
    fields=_FIELDS,
    identifiers=("arn",),
    volatile=("created_at", "modified_at"),
    id="{cluster_name}:{addon_name}",
    id_about="Name of the cluster, a colon, and its name.",
    import_id="{cluster_name}:{addon_name}",
    create=Call(operation="create_addon", result="addon", token="clientRequestToken"),
    retry_create=BUSY,
    read=_read,
    extend=_with_identities,
    created=Wait(
        status="status",
        target=("ACTIVE",),
        failed=("CREATE_FAILED", "DELETING"),
        reason=issues,
        interval=10.0,
        minutes=20.0,
        noun="add-on",
    ),
    updates=(Update(fields=_CHANGING, call=_update),),
    delete=call("delete_addon", clusterName="cluster_name", addonName="addon_name", preserve="preserve"),
    retry_delete=BUSY,
    deleted=Wait(
        status="status", failed=("DELETE_FAILED",), reason=issues, interval=10.0, minutes=40.0, noun="add-on"
    ),
    timeouts=("create", "update", "delete"),
    tags=arn_tags(
        member="resourceArn", tags="tags", keys="tagKeys", shape="map", at_create="tags", read="tags"
    ),
    not_found=GONE,
    exists=EXISTS,
    recover=by_name(_read, "createdAt"),
)
