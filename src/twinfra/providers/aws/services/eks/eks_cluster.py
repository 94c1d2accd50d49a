"""Kubernetes clusters."""

from __future__ import annotations

from typing import Any

from twinfra.diagnostics import error
from twinfra.providers.aws.comparison import has_unknown, is_empty
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.planning import Draft
from twinfra.providers.aws.recovery import by_name
from twinfra.providers.aws.resource import Api, Attributes, Call, Resource, Wait, call
from twinfra.providers.aws.services.eks._cluster_data import DATA
from twinfra.providers.aws.services.eks._cluster_fields import FIELDS
from twinfra.providers.aws.services.eks._cluster_updates import UPDATES
from twinfra.providers.aws.services.eks._updates import BUSY, EXISTS, GONE, ROLE_UNSEEN, issues
from twinfra.providers.aws.tagging import arn_tags
from twinfra.providers.protocol import ProviderError
from twinfra.values.value import GetAttr, Index, Path, Unknown

__all__ = ["DATA", "RESOURCE"]

_BOOTSTRAP: Path = (
    GetAttr("access_config"),
    Index(0),
    GetAttr("bootstrap_cluster_creator_admin_permissions"),
)


def _look(context: Context, attributes: Attributes) -> Api | None:
    found = context.find("describe_cluster", name=attributes["name"])
    return None if found is None else found["cluster"]


def _inside(blocks: Any, name: str) -> Any:
    """An argument of a block written at most once; None where there is no block."""
    if not isinstance(blocks, tuple) or not blocks or not isinstance(blocks[0], dict):
        return None
    return blocks[0].get(name)


def _plan(draft: Draft) -> None:
    _check_auto_mode(draft)
    if draft.prior is None:
        return
    planned, prior = draft.planned, draft.prior
    if not is_empty(prior.get("encryption_config")) and is_empty(planned["encryption_config"]):
        draft.force_replacement("encryption_config")
    if _BOOTSTRAP in draft.replace and _inside(prior.get("access_config"), _BOOTSTRAP[-1].name) is None:  # type: ignore[union-attr]
        # No API tells how an imported cluster was made: what is declared is believed.
        draft.replace.remove(_BOOTSTRAP)
    before = _inside(prior.get("compute_config"), "node_role_arn")
    after = _inside(planned["compute_config"], "node_role_arn")
    if before and after != before and type(after) is not Unknown:
        draft.replace.append((GetAttr("compute_config"), Index(0), GetAttr("node_role_arn")))


def _check_auto_mode(draft: Draft) -> None:
    """EKS Auto Mode is nodes, storage and load balancing together: all on, or all off."""
    config = draft.config
    parts = {
        "compute_config": _inside(config.get("compute_config"), "enabled"),
        "storage_config": _inside(_inside(config.get("storage_config"), "block_storage"), "enabled"),
        "kubernetes_network_config": _inside(
            _inside(config.get("kubernetes_network_config"), "elastic_load_balancing"), "enabled"
        ),
    }
    if any(has_unknown(config.get(name)) for name in parts):
        return
    switched = {name: bool(value) for name, value in parts.items()}
    if len(set(switched.values())) > 1:
        missing = [name for name, on in switched.items() if not on]
        raise ProviderError(
            error(
                "EKS Auto Mode only in part",
                "compute_config, storage_config.block_storage and kubernetes_network_config."
                "elastic_load_balancing are enabled all together, or not at all.",
                path=(GetAttr(missing[0]),),
                mend=f"Enable it in {' and '.join(missing)} too.",
            )
        )


RESOURCE = Resource(
    name="aws_eks_cluster",
    version=1,
    service="eks",
    about="A Kubernetes cluster: its control plane.",
    fields=FIELDS,
    identifiers=(
        "certificate_authority.data",
        "cluster_id",
        "endpoint",
        "identity.oidc.issuer",
        "vpc_config.cluster_security_group_id",
    ),
    volatile=("created_at", "platform_version", "status"),
    id="name",
    id_about="Its name.",
    import_id="{name}",
    create=Call(operation="create_cluster", result="cluster", token="clientRequestToken"),
    retry_create=ROLE_UNSEEN,
    read=_look,
    created=Wait(
        status="status",
        target=("ACTIVE",),
        failed=("FAILED", "DELETING"),
        reason=issues,
        interval=20.0,
        minutes=30.0,
        noun="cluster",
    ),
    updates=UPDATES,
    delete=call("delete_cluster", name="name"),
    retry_delete=BUSY,
    deleted=Wait(
        status="status", failed=("FAILED",), reason=issues, interval=20.0, minutes=15.0, noun="cluster"
    ),
    timeouts=("create", "update", "delete"),
    tags=arn_tags(
        member="resourceArn", tags="tags", keys="tagKeys", shape="map", at_create="tags", read="tags"
    ),
    not_found=GONE,
    exists=EXISTS,
    plan=_plan,
    recover=by_name(_look, "createdAt"),
    notes=("Updates are made one after the other, each waited for.",),
)
