"""Changing an instance in place, stopped meanwhile where that is needed; and ending it."""

from __future__ import annotations

from typing import Any

from twinfra.providers.aws.comparison import is_empty
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.failures import ApiError
from twinfra.providers.aws.resource import Api, Attributes, Change, Retry, Wait
from twinfra.providers.aws.services.ec2._devices import change_root
from twinfra.providers.aws.services.ec2._instance_creating import options_request, reservation_request
from twinfra.providers.aws.services.ec2._user_data import sent
from twinfra.providers.aws.tagging import planned_tags, tag_difference, tag_list
from twinfra.providers.aws.waiting import dig


def _reason(found: Api) -> str:
    return str(dig(found, "StateReason.Message") or "")


def _wait(*target: str) -> Wait:
    return Wait(
        status="State.Name",
        target=target,
        failed=("terminated", "shutting-down") if "terminated" not in target else (),
        reason=_reason,
        noun="instance",
        minutes=10,
    )


RUNNING = _wait("running")
TERMINATED = Wait(status="State.Name", target=("terminated",), noun="instance", minutes=20)
PROFILE_UNSEEN = (
    Retry("InvalidParameterValue", "Invalid IAM Instance Profile", seconds=120),
    Retry("InvalidParameterValue", "instance profile", seconds=120),
)


def describe(context: Context, number: str) -> Api | None:
    """The instance as described, without anything added."""
    found = context.pages(
        "describe_instances",
        "Reservations[].Instances",
        Filters=[{"Name": "instance-id", "Values": [number]}],
    )
    return found[0] if found else None


def _modify(context: Context, number: str, **members: Any) -> None:
    context.call("modify_instance_attribute", InstanceId=number, **members)


# What protects it


def _protect(context: Context, change: Change, on: bool) -> None:
    for name, member in (
        ("disable_api_stop", "DisableApiStop"),
        ("disable_api_termination", "DisableApiTermination"),
    ):
        if name in change.changed and bool(change.planned[name]) is on:
            _modify(context, change.planned["id"], **{member: {"Value": on}})


def unprotect(context: Context, change: Change) -> None:
    """Take protections away, before anything that they would prevent."""
    _protect(context, change, False)


def protect(context: Context, change: Change) -> None:
    """Put protections in place, after everything else."""
    _protect(context, change, True)


# What needs it to be stopped


def change_stopped(context: Context, change: Change) -> None:
    """Stop it, change what cannot be changed while it runs, and start it again if it ran."""
    planned, number = change.planned, change.planned["id"]
    found = describe(context, number) or {}
    ran = dig(found, "State.Name") in ("running", "pending")
    if ran:
        context.call("stop_instances", InstanceIds=[number])
    if dig(found, "State.Name") != "stopped":
        context.wait(_wait("stopped"), lambda: describe(context, number), action="update")
    if "instance_type" in change.changed and planned["instance_type"]:
        _modify(context, number, InstanceType={"Value": planned["instance_type"]})
    if change.changed & {"user_data", "user_data_base64"}:
        _modify(context, number, UserData={"Value": _new_user_data(change)})
    if ran:
        context.retry(
            lambda: context.call("start_instances", InstanceIds=[number]),
            (Retry("IncorrectInstanceState", seconds=120),),
        )
        context.wait(RUNNING, lambda: describe(context, number), action="update")


def _new_user_data(change: Change) -> bytes:
    # Where both were changed, the one that has a value now counts.
    for name in ("user_data_base64", "user_data"):
        if name in change.changed and not is_empty(change.planned[name]):
            return sent(change.planned[name])
    return b""


# Network


def _interface(context: Context, number: str) -> tuple[str, int]:
    """(primary network interface, how many there are)."""
    interfaces = (describe(context, number) or {}).get("NetworkInterfaces", ())
    first = [one for one in interfaces if dig(one, "Attachment.DeviceIndex") == 0]
    return (str(first[0]["NetworkInterfaceId"]) if first else ""), len(interfaces)


def check_source(context: Context, change: Change) -> None:
    """Whether traffic that is not its own is dropped, which a new instance does."""
    wanted = bool(change.planned["source_dest_check"])
    new = change.prior.get("id") is None
    number = change.planned["id"]
    if new and (wanted or not is_empty(change.planned["network_interface"])):
        return
    first, count = _interface(context, number)
    if count > 1:
        context.call(
            "modify_network_interface_attribute",
            NetworkInterfaceId=first,
            SourceDestCheck={"Value": wanted},
        )
    else:
        _modify(context, number, SourceDestCheck={"Value": wanted})


def set_groups(context: Context, change: Change) -> None:
    """Bring its security groups to what is planned."""
    groups = sorted(str(one) for one in change.planned["vpc_security_group_ids"] or ())
    first, count = _interface(context, change.planned["id"])
    if count > 1:
        context.call("modify_network_interface_attribute", NetworkInterfaceId=first, Groups=groups)
    else:
        _modify(context, change.planned["id"], Groups=groups)


def set_addresses(context: Context, change: Change) -> None:
    """Bring further IPv4 addresses and IPv6 addresses to what is planned."""
    first = change.prior["primary_network_interface_id"]
    if "secondary_private_ips" in change.changed:
        added, removed = _difference(change, "secondary_private_ips")
        if removed:
            context.call(
                "unassign_private_ip_addresses", NetworkInterfaceId=first, PrivateIpAddresses=removed
            )
        if added:
            context.call("assign_private_ip_addresses", NetworkInterfaceId=first, PrivateIpAddresses=added)
    if "ipv6_addresses" in change.changed:
        added, removed = _difference(change, "ipv6_addresses")
        if removed:
            context.call("unassign_ipv6_addresses", NetworkInterfaceId=first, Ipv6Addresses=removed)
        if added:
            context.call("assign_ipv6_addresses", NetworkInterfaceId=first, Ipv6Addresses=added)
    elif "ipv6_address_count" in change.changed:
        there = sorted(str(one) for one in change.prior["ipv6_addresses"] or ())
        more = (change.planned["ipv6_address_count"] or 0) - len(there)
        if more > 0:
            context.call("assign_ipv6_addresses", NetworkInterfaceId=first, Ipv6AddressCount=more)
        elif more < 0:
            context.call("unassign_ipv6_addresses", NetworkInterfaceId=first, Ipv6Addresses=there[more:])
    if "enable_primary_ipv6" in change.changed and change.planned["enable_primary_ipv6"]:
        context.call("modify_network_interface_attribute", NetworkInterfaceId=first, EnablePrimaryIpv6=True)


def _difference(change: Change, name: str) -> tuple[list[str], list[str]]:
    before = {str(one) for one in change.prior[name] or ()}
    after = {str(one) for one in change.planned[name] or ()}
    return sorted(after - before), sorted(before - after)


# Settings, each with a call of its own


def set_profile(context: Context, change: Change) -> None:
    """Give it another instance profile, or none."""
    number, wanted = change.planned["id"], change.planned["iam_instance_profile"]
    listed = context.pages(
        "describe_iam_instance_profile_associations",
        "IamInstanceProfileAssociations",
        Filters=[{"Name": "instance-id", "Values": [number]}],
    )
    there = [one for one in listed if one.get("State") in ("associating", "associated")]
    profile = {"Name": wanted}
    if there and wanted:
        context.retry(
            lambda: context.call(
                "replace_iam_instance_profile_association",
                AssociationId=there[0]["AssociationId"],
                IamInstanceProfile=profile,
            ),
            PROFILE_UNSEEN,
        )
    elif there:
        context.call("disassociate_iam_instance_profile", AssociationId=there[0]["AssociationId"])
    elif wanted:
        context.retry(
            lambda: context.call(
                "associate_iam_instance_profile", InstanceId=number, IamInstanceProfile=profile
            ),
            PROFILE_UNSEEN,
        )


def set_monitoring(context: Context, change: Change) -> None:
    """Measure it every minute, or every five."""
    operation = "monitor_instances" if change.planned["monitoring"] else "unmonitor_instances"
    context.call(operation, InstanceIds=[change.planned["id"]])


def set_shutdown_behavior(context: Context, change: Change) -> None:
    """What becomes of it when it shuts itself down."""
    wanted = change.planned["instance_initiated_shutdown_behavior"]
    if wanted:
        _modify(context, change.planned["id"], Attribute="instanceInitiatedShutdownBehavior", Value=wanted)


def set_metadata(context: Context, change: Change) -> None:
    """How its metadata is served."""
    options = options_request(change.planned, "metadata_options")
    if not options:
        return
    number = change.planned["id"]
    context.call("modify_instance_metadata_options", InstanceId=number, **options)
    wait = Wait(status="MetadataOptions.State", target=("applied",), noun="metadata options", minutes=10)
    context.wait(wait, lambda: describe(context, number), action="update")


def set_credits(context: Context, change: Change) -> None:
    """How credits of types that burst are counted."""
    options = options_request(change.planned, "credit_specification")
    if options:
        context.call(
            "modify_instance_credit_specification",
            InstanceCreditSpecifications=[{"InstanceId": change.planned["id"], **options}],
        )


def set_reservation(context: Context, change: Change) -> None:
    """Which reserved capacity it runs in."""
    options = reservation_request(change.planned)
    if options:
        context.call(
            "modify_instance_capacity_reservation_attributes",
            InstanceId=change.planned["id"],
            CapacityReservationSpecification=options,
        )


def set_maintenance(context: Context, change: Change) -> None:
    """Whether it recovers by itself."""
    options = options_request(change.planned, "maintenance_options")
    if options:
        context.call("modify_instance_maintenance_options", InstanceId=change.planned["id"], **options)


def set_host_name(context: Context, change: Change) -> None:
    """What its host name is made of."""
    options = options_request(change.planned, "private_dns_name_options")
    if not options:
        return
    kind = options.pop("HostnameType", None)
    context.call(
        "modify_private_dns_name_options",
        InstanceId=change.planned["id"],
        PrivateDnsHostnameType=kind,
        **options,
    )


# Volumes


def set_root(context: Context, change: Change) -> None:
    """Bring the root volume to what is planned."""
    before, after = change.prior["root_block_device"], change.planned["root_block_device"]
    if not before or not after:
        return
    change_root(context, change.planned["id"], before[0], after[0])
    _tag_volume(context, before[0]["volume_id"], before[0]["tags_all"], after[0]["tags_all"])


def set_other_tags(context: Context, change: Change) -> None:
    """Bring the tags of further volumes to what is planned: all else of them replaces the instance."""
    before = {one["device_name"]: one for one in change.prior["ebs_block_device"] or ()}
    for one in change.planned["ebs_block_device"] or ():
        held = before.get(one["device_name"])
        if held is not None:
            _tag_volume(context, held["volume_id"], held["tags_all"], one["tags_all"])


def _tag_volume(context: Context, volume: str, before: Any, after: Any) -> None:
    added, removed = tag_difference(before, after)
    if removed:
        context.call("delete_tags", Resources=[volume], Tags=[{"Key": key} for key in removed])
    if added:
        context.call("create_tags", Resources=[volume], Tags=tag_list(added))


def tag_new_volumes(context: Context, change: Change) -> None:
    """Tag the volumes of a new instance as their blocks say; only where they say something."""
    if change.prior.get("id") is not None or not is_empty(change.planned["volume_tags"]):
        return
    found = describe(context, change.planned["id"]) or {}
    volumes = {one["DeviceName"]: dig(one, "Ebs.VolumeId") for one in found.get("BlockDeviceMappings", ())}
    wanted = {found.get("RootDeviceName"): one for one in change.planned["root_block_device"] or ()}
    wanted |= {one["device_name"]: one for one in change.planned["ebs_block_device"] or ()}
    for name, block in wanted.items():
        tags = planned_tags(block["tags"], context.settings)
        if volumes.get(name) and tags:
            context.call(
                "create_tags",
                Resources=[volumes[name]],
                Tags=tag_list({str(key): str(value) for key, value in tags.items()}),
            )


def set_volume_tags(context: Context, change: Change) -> None:
    """Bring the tags of all its volumes to what is planned."""
    if change.prior.get("id") is None:
        return
    found = describe(context, change.planned["id"]) or {}
    volumes = [
        dig(one, "Ebs.VolumeId") for one in found.get("BlockDeviceMappings", ()) if dig(one, "Ebs.VolumeId")
    ]
    _, removed = tag_difference(change.prior["volume_tags"], change.planned["volume_tags"])
    if removed and volumes:
        context.call("delete_tags", Resources=volumes, Tags=[{"Key": key} for key in removed])
    if change.planned["volume_tags"] and volumes:
        # All of them: of volumes that differ only one was told.
        context.call("create_tags", Resources=volumes, Tags=tag_list(dict(change.planned["volume_tags"])))


# Ending


def terminate(context: Context, attributes: Attributes) -> None:
    """Terminate it, protected or not where so declared, and take back its request of the spot market."""
    number = attributes["id"]
    if attributes["force_destroy"]:
        for member in ("DisableApiTermination", "DisableApiStop"):
            try:
                _modify(context, number, **{member: {"Value": False}})
            except ApiError as problem:
                if problem.code != "UnsupportedOperation":
                    raise
    if attributes["spot_instance_request_id"]:
        context.find(
            "cancel_spot_instance_requests",
            missing=("InvalidSpotInstanceRequestID.NotFound",),
            SpotInstanceRequestIds=[attributes["spot_instance_request_id"]],
        )
    context.call("terminate_instances", InstanceIds=[number])
