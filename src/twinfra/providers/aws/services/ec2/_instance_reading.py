"""What is read of an instance besides its description: volumes, attributes, and the forms of declarations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from twinfra.providers.aws.comparison import is_empty
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.resource import Api, Attributes, Wait
from twinfra.providers.aws.services.ec2._devices import shown_devices, volume_tags
from twinfra.providers.aws.services.ec2._user_data import decoded
from twinfra.providers.aws.tagging import tag_values
from twinfra.providers.aws.waiting import dig

_CHUNK = 200
_TEMPLATE_TAGS = ("aws:ec2launchtemplate:id", "aws:ec2launchtemplate:version")


def read_many(context: Context, every: Sequence[Attributes]) -> list[Api | None]:
    """Instances and their volumes, a couple of calls for each couple of hundred."""
    numbers = sorted({str(one["id"]) for one in every if one["id"]})
    found: dict[str, Api] = {}
    for start in range(0, len(numbers), _CHUNK):
        chunk = numbers[start : start + _CHUNK]
        filters = [{"Name": "instance-id", "Values": chunk}]
        for one in context.pages("describe_instances", "Reservations[].Instances", Filters=filters):
            if not is_gone(one):
                found[one["InstanceId"]] = one | {"Volumes": []}
        filters = [{"Name": "attachment.instance-id", "Values": chunk}]
        for volume in context.pages("describe_volumes", "Volumes", Filters=filters):
            for attachment in volume.get("Attachments", ()):
                if attachment.get("InstanceId") in found:
                    found[attachment["InstanceId"]]["Volumes"].append(volume)
    return [found.get(str(one["id"])) for one in every]


def is_gone(found: Api) -> bool:
    """Whether an instance that is still described is terminated."""
    return bool(dig(found, "State.Name") == "terminated")


def extend(context: Context, held: Attributes, found: Api) -> Api:
    """Adds in `Shown` what is not in the description, in the form of the declaration."""
    number = found["InstanceId"]
    if "Volumes" not in found:
        filters = [{"Name": "attachment.instance-id", "Values": [number]}]
        found = {**found, "Volumes": context.pages("describe_volumes", "Volumes", Filters=filters)}
    settings = context.settings
    shown: Api = {
        **shown_devices(found, found["Volumes"], held, settings),
        **_attributes(context, number),
        **_user_data(context, number, held),
        **_network(found, held),
        **_groups(context, found, held),
        "volume_tags": volume_tags(found["Volumes"], held.get("volume_tags"), settings),
        # No API tells which instance store volumes were asked for.
        "ephemeral_block_device": held.get("ephemeral_block_device") or [],
        "launch_template": _template(context, found, held),
        "credit_specification": _credits(context, found),
        "instance_market_options": _market(context, found, held),
        "password_data": _password(context, found, held),
        "iam_instance_profile": (dig(found, "IamInstanceProfile.Arn") or "").rpartition("/")[2] or None,
        "monitoring": dig(found, "Monitoring.State") in ("enabled", "pending"),
    }
    return {**found, "Shown": shown}


def _attribute(context: Context, number: str, name: str, member: str) -> Any:
    answer = context.find(
        "describe_instance_attribute",
        missing=("UnsupportedOperation",),
        InstanceId=number,
        Attribute=name,
    )
    return dig(answer or {}, f"{member}.Value")


def _attributes(context: Context, number: str) -> Api:
    return {
        "disable_api_stop": _attribute(context, number, "disableApiStop", "DisableApiStop") or False,
        "disable_api_termination": _attribute(
            context, number, "disableApiTermination", "DisableApiTermination"
        )
        or False,
        "instance_initiated_shutdown_behavior": _attribute(
            context, number, "instanceInitiatedShutdownBehavior", "InstanceInitiatedShutdownBehavior"
        ),
    }


def _user_data(context: Context, number: str, held: Attributes) -> Api:
    """User data in the attribute that holds it already; text in `user_data` where neither does."""
    there = _attribute(context, number, "userData", "UserData")
    if not there:
        return {}
    text = decoded(there)
    if text is None or (not is_empty(held.get("user_data_base64")) and is_empty(held.get("user_data"))):
        return {"user_data_base64": there}
    return {"user_data": text}


_PASSWORD = Wait(
    status=lambda found: "there" if str(found.get("PasswordData") or "").strip() else "not made yet",
    target=("there",),
    noun="password",
    minutes=15,
)


def _password(context: Context, found: Api, held: Attributes) -> str | None:
    """The encrypted password of a Windows instance, which takes a while to be made."""
    if not held.get("get_password_data"):
        return None

    def look() -> Api:
        return context.call("get_password_data", InstanceId=found["InstanceId"])

    answer: Api | None = look()
    if context.token and found.get("Platform") == "windows":
        answer = context.wait(_PASSWORD, look, action="read", first=answer)
    return str((answer or {}).get("PasswordData") or "").strip() or None


# Network


def primary_interface(found: Api) -> Api:
    """The first network interface; an empty structure where there is none (any more)."""
    for one in found.get("NetworkInterfaces", ()):
        if dig(one, "Attachment.DeviceIndex") == 0:
            interface: Api = one
            return interface
    return {}


def _network(found: Api, held: Attributes) -> Api:
    first = primary_interface(found)
    addresses = first.get("Ipv6Addresses", ())
    shown: Api = {
        "associate_public_ip_address": _has_public(found, first, held),
        "primary_network_interface_id": first.get("NetworkInterfaceId"),
        "primary_network_interface": [
            {
                "network_interface_id": first["NetworkInterfaceId"],
                "delete_on_termination": bool(dig(first, "Attachment.DeleteOnTermination")),
            }
        ]
        if first
        else [],
        "secondary_private_ips": [
            one["PrivateIpAddress"] for one in first.get("PrivateIpAddresses", ()) if not one.get("Primary")
        ],
        "ipv6_addresses": [one["Ipv6Address"] for one in addresses],
        "ipv6_address_count": len(addresses),
        "enable_primary_ipv6": any(one.get("IsPrimaryIpv6") for one in addresses),
        "network_interface": _declared_interfaces(found, held),
    }
    return shown


def _has_public(found: Api, first: Api, held: Attributes) -> Any:
    """Whether it got a public address of Amazon's; one that stays, or being stopped, tells nothing of
    that.
    """
    association = first.get("Association") or {}
    running = dig(found, "State.Name") in ("running", "pending")
    if not running or (association and association.get("IpOwnerId", "amazon") != "amazon"):
        before = held.get("associate_public_ip_address")
        return bool(association) if before is None else before
    return bool(association)


def _declared_interfaces(found: Api, held: Attributes) -> list[Api]:
    wanted = {one["device_index"] for one in held.get("network_interface") or ()}
    return [
        {
            "network_interface_id": one.get("NetworkInterfaceId"),
            "device_index": dig(one, "Attachment.DeviceIndex"),
            "network_card_index": dig(one, "Attachment.NetworkCardIndex") or 0,
            "delete_on_termination": bool(dig(one, "Attachment.DeleteOnTermination")),
        }
        for one in found.get("NetworkInterfaces", ())
        if dig(one, "Attachment.DeviceIndex") in wanted
    ]


def _groups(context: Context, found: Api, held: Attributes) -> Api:
    """Security groups by id, and by name too in a region's default network."""
    groups = found.get("SecurityGroups", ())
    shown: Api = {"vpc_security_group_ids": [one["GroupId"] for one in groups]}
    by_name = not is_empty(held.get("security_groups"))
    if not by_name and is_empty(held.get("vpc_security_group_ids")) and found.get("VpcId"):
        networks = context.pages(
            "describe_vpcs", "Vpcs", Filters=[{"Name": "vpc-id", "Values": [found["VpcId"]]}]
        )
        by_name = any(one.get("IsDefault") for one in networks)
    if by_name:
        shown["security_groups"] = [one["GroupName"] for one in groups]
    return shown


# What it was launched with


def _template(context: Context, found: Api, held: Attributes) -> list[Any]:
    """The launch template as declared; by the tags that AWS gives, where it is not known."""
    tags = tag_values(found.get("Tags"))
    number, version = (tags.get(name) for name in _TEMPLATE_TAGS)
    declared: Mapping[str, Any] = (held.get("launch_template") or ({},))[0]
    if not declared and held.get("ami") is not None:
        return []
    if not number:
        return [declared] if declared else []
    name = declared.get("name")
    if not name:
        listed = context.find(
            "describe_launch_templates",
            missing=("InvalidLaunchTemplateId.NotFound",),
            LaunchTemplateIds=[number],
        )
        name = dig(listed or {}, "LaunchTemplates.LaunchTemplateName")
    return [{"id": number, "name": name, "version": declared.get("version") or version}]


def bursts(kind: Any) -> bool:
    """Whether a type counts credits: those of the family T."""
    return str(kind or "").startswith(("t2.", "t3.", "t3a.", "t4g."))


def _credits(context: Context, found: Api) -> list[Api]:
    if not bursts(found.get("InstanceType")):
        return []
    answer = context.call("describe_instance_credit_specifications", InstanceIds=[found["InstanceId"]])
    return [{"cpu_credits": one.get("CpuCredits")} for one in answer["InstanceCreditSpecifications"]]


def _market(context: Context, found: Api, held: Attributes) -> list[Api]:
    kind = found.get("InstanceLifecycle")
    if kind not in ("spot", "capacity-block"):
        return []
    request = found.get("SpotInstanceRequestId")
    before: Mapping[str, Any] = (held.get("instance_market_options") or ({},))[0]
    options = before.get("spot_options") or []
    if request:
        listed = context.find(
            "describe_spot_instance_requests",
            missing=("InvalidSpotInstanceRequestID.NotFound",),
            SpotInstanceRequestIds=[request],
        )
        for one in (listed or {}).get("SpotInstanceRequests", ()):
            options = [
                {
                    "instance_interruption_behavior": one.get("InstanceInterruptionBehavior"),
                    "max_price": one.get("SpotPrice"),
                    "spot_instance_type": one.get("Type"),
                    "valid_until": one.get("ValidUntil"),
                }
            ]
    return [{"market_type": kind, "spot_options": options}]
