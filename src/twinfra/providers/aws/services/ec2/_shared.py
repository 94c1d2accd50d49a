"""What many EC2 types have: an ARN made of the id, the owner, and a delete that outlasts dependents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twinfra.providers.aws.context import Context
from twinfra.providers.aws.failures import ApiError
from twinfra.providers.aws.fields import Field, output
from twinfra.providers.aws.mapping import arguments
from twinfra.providers.aws.planning import Draft
from twinfra.providers.aws.resource import Api, Attributes, Retry, Source
from twinfra.providers.aws.waiting import dig, seconds_of
from twinfra.values.types import STRING

DEPENDENTS = ("DependencyViolation", "InvalidGroup.InUse", "InvalidIPAddress.InUse")
"""Codes that say that something still uses it; network interfaces of load balancers go minutes later."""


def arn_field(kind: str, id: str, owner: str = "OwnerId") -> Field:
    """The `arn` of an EC2 resource type: `id` and `owner` are dotted paths in the object read."""

    def read(found: Api, context: Context) -> str | None:
        number = dig(found, id)
        if number is None:
            return None
        return context.arn(f"{kind}/{number}", "ec2", account=dig(found, owner) if owner else None)

    return output(STRING, read, about="Its ARN.")


def owner_field() -> Field:
    """The `owner_id`."""
    return output(STRING, "OwnerId", about="The account that it belongs to.")


def limit(context: Context, action: str, minutes: float) -> float:
    """Seconds that an action may take: what the `timeouts` block says, or `minutes`."""
    given = context.limits.get(action)
    return seconds_of(given) if given else minutes * 60


def deleting(
    operation: str, minutes: float = 20, leftovers: str = "", **args: Source
) -> Callable[[Context, Attributes], None]:
    """A delete function that tries again while something else still uses it; `leftovers` as in
    `patiently`.
    """

    def delete(context: Context, attributes: Attributes) -> None:
        members = arguments(args, attributes)
        patiently(
            context,
            lambda: context.call(operation, **members),
            minutes,
            (leftovers, attributes["id"]) if leftovers else None,
        )

    return delete


def patiently(
    context: Context, action: Callable[[], Any], minutes: float, leftovers: tuple[str, str] | None = None
) -> Any:
    """Do it, again while something still uses what is to go; for `minutes`, or what `timeouts` says.

    `leftovers`: name and value of a filter by which network interfaces that other services left behind in it
    are found; they are deleted.
    """
    seconds = limit(context, "delete", minutes)

    def act() -> Any:
        try:
            return action()
        except ApiError as problem:
            if leftovers is None or problem.code not in DEPENDENTS or not _drop(context, *leftovers):
                raise
            return action()

    return context.retry(act, tuple(Retry(code, seconds=seconds) for code in DEPENDENTS))


_LEFT_BEHIND = ("aws-K8S-*", "AWS Lambda VPC ENI*")
"""Descriptions of interfaces that nodes of clusters and functions leave behind when they end."""


def _drop(context: Context, filter: str, value: str) -> int:
    """Delete interfaces that were left behind and are attached to nothing; how many there were."""
    found = context.pages(
        "describe_network_interfaces",
        "NetworkInterfaces",
        Filters=[
            {"Name": filter, "Values": [value]},
            {"Name": "status", "Values": ["available"]},
            {"Name": "description", "Values": list(_LEFT_BEHIND)},
        ],
    )
    for one in found:
        context.progress(f"deleting the network interface {one['NetworkInterfaceId']} that was left behind")
        context.find(
            "delete_network_interface",
            missing=("InvalidNetworkInterfaceID.NotFound",),
            NetworkInterfaceId=one["NetworkInterfaceId"],
        )
    return len(found)


def told(path: str, otherwise: Any) -> Callable[[Api, Context], Any]:
    """A reader of what is at `path`; `otherwise` where an API leaves it out."""

    def read(found: Api, _: Context) -> Any:
        value = dig(found, path)
        return otherwise if value is None else value

    return read


def clear_emptied(*names: str) -> Callable[[Draft], None]:
    """A plan function: a collection given as empty is to be empty, one not given stays as it is."""

    def plan(draft: Draft) -> None:
        for name in names:
            given = draft.config.get(name)
            if isinstance(given, tuple) and not given:
                draft.set(name, [])

    return plan
