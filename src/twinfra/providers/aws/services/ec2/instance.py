"""Instances."""

from __future__ import annotations

from twinfra.providers.aws.planning import Draft
from twinfra.providers.aws.resource import Describe, Resource, Retry, Update
from twinfra.providers.aws.services.ec2 import _instance_changing as changing
from twinfra.providers.aws.services.ec2 import _instance_creating as creating
from twinfra.providers.aws.services.ec2 import _instance_reading as reading
from twinfra.providers.aws.services.ec2._devices import plan_devices
from twinfra.providers.aws.services.ec2._instance_fields import FIELDS

_UNSEEN = (
    *changing.PROFILE_UNSEEN,
    Retry("InvalidSubnetID.NotFound", seconds=30),
    Retry("InvalidGroup.NotFound", seconds=30),
    Retry("InvalidNetworkInterfaceID.NotFound", seconds=30),
)
"""What was made a moment ago may not be known everywhere yet."""


def _plan(draft: Draft) -> None:
    plan_devices(draft)
    if draft.prior is None:
        return
    for name in ("user_data", "user_data_base64"):
        if name in draft.changed and draft.config.get("user_data_replace_on_change"):
            draft.force_replacement(name)
    if "enable_primary_ipv6" in draft.changed and draft.prior.get("enable_primary_ipv6"):
        draft.force_replacement("enable_primary_ipv6")


_PROTECTED = ("disable_api_stop", "disable_api_termination")
_ADDRESSES = ("secondary_private_ips", "ipv6_addresses", "ipv6_address_count", "enable_primary_ipv6")

RESOURCE = Resource(
    name="aws_instance",
    version=2,
    service="ec2",
    about="A virtual machine.",
    fields=FIELDS,
    identifiers=(
        "id",
        "primary_network_interface_id",
        "private_dns",
        "private_ip",
        "public_dns",
        "public_ip",
        "ipv6_addresses",
        "root_block_device.volume_id",
        "ebs_block_device.volume_id",
        "spot_instance_request_id",
    ),
    volatile=(
        "instance_state",
        "launch_template.version",
        "password_data",
        "public_dns if aws_eip.instance",
        "public_ip if aws_eip.instance",
    ),
    id="InstanceId",
    create=creating.run,
    retry_create=_UNSEEN,
    read=Describe(
        operation="describe_instances",
        items="Reservations[].Instances",
        key="InstanceId",
        filter="instance-id",
        gone=reading.is_gone,
    ),
    read_many=reading.read_many,
    extend=reading.extend,
    delete=changing.terminate,
    updates=(
        Update(fields=_PROTECTED, call=changing.unprotect),
        Update(fields=("instance_type", "user_data", "user_data_base64"), call=changing.change_stopped),
        Update(fields=("source_dest_check",), call=changing.check_source, after_create=True),
        Update(fields=("vpc_security_group_ids",), call=changing.set_groups),
        Update(fields=_ADDRESSES, call=changing.set_addresses),
        Update(fields=("iam_instance_profile",), call=changing.set_profile),
        Update(fields=("monitoring",), call=changing.set_monitoring),
        Update(fields=("instance_initiated_shutdown_behavior",), call=changing.set_shutdown_behavior),
        Update(fields=("metadata_options",), call=changing.set_metadata),
        Update(fields=("credit_specification",), call=changing.set_credits),
        Update(fields=("capacity_reservation_specification",), call=changing.set_reservation),
        Update(fields=("maintenance_options",), call=changing.set_maintenance),
        Update(fields=("private_dns_name_options",), call=changing.set_host_name),
        Update(
            fields=("root_block_device", "ebs_block_device"), call=changing.tag_new_volumes, after_create=True
        ),
        Update(fields=("root_block_device",), call=changing.set_root),
        Update(fields=("ebs_block_device",), call=changing.set_other_tags),
        Update(fields=("volume_tags",), call=changing.set_volume_tags),
        Update(fields=_PROTECTED, call=changing.protect),
    ),
    tags=creating.TAGS,
    created=changing.RUNNING,
    deleted=changing.TERMINATED,
    not_found=("InvalidInstanceID.NotFound",),
    timeouts=("create", "read", "update", "delete"),
    plan=_plan,
    recover=creating.recover,
)
