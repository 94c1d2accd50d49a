"""Updates of EKS: each is a thing with an id of its own, and one at a time runs on a cluster."""

from __future__ import annotations

from typing import Any

from twinfra.providers.aws.context import Context
from twinfra.providers.aws.resource import Api, Retry, Wait

GONE = ("ResourceNotFoundException",)
"""What EKS says of what there is not."""

EXISTS = ("ResourceInUseException",)
"""What EKS says where the name is taken."""

BUSY = (Retry("ResourceInUseException", "in progress", seconds=3600.0),)
"""Another update is running: it ends by itself."""

ROLE_UNSEEN = (
    Retry("InvalidParameterException", "role with arn", seconds=120.0),
    Retry("InvalidParameterException", "error in role params", seconds=120.0),
    Retry("InvalidParameterException", "trusted entity", seconds=120.0),
    Retry("InvalidParameterException", "managed policies associated", seconds=120.0),
)
"""A role made a moment ago is not known, or not known with its policies, everywhere yet."""


def issues(found: Api) -> str:
    """What the health of a cluster, node group or add-on says is wrong with it."""
    listed = (found.get("health") or {}).get("issues") or ()
    return "; ".join(f"{one.get('code', 'Issue')}: {one.get('message', '')}".strip(": ") for one in listed)


def carry_out(context: Context, operation: str, *, minutes: float = 60.0, **request: Any) -> None:
    """Start an update with `operation` and wait until it has been carried out.

    `request` names the cluster in `name`, or in `clusterName` beside a node group or an add-on.
    """
    answer = context.retry(lambda: context.call(operation, **request), BUSY)
    update = answer["update"]
    named = {
        "name": request.get("clusterName") or request["name"],
        "nodegroupName": request.get("nodegroupName"),
        "addonName": request.get("addonName"),
        "updateId": update["id"],
    }

    def look() -> Api | None:
        found = context.find("describe_update", **named)
        return None if found is None else found["update"]

    context.wait(
        Wait(
            status="status",
            target=("Successful",),
            failed=("Failed", "Cancelled"),
            reason=_errors,
            interval=15.0,
            minutes=minutes,
            noun=update.get("type", "update"),
        ),
        look,
        action="update",
    )


def _errors(update: Api) -> str:
    listed = update.get("errors") or ()
    return "; ".join(f"{one.get('errorCode')}: {one.get('errorMessage')}" for one in listed)
