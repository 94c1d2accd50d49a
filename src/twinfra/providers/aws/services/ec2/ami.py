"""Machine images."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from twinfra.diagnostics import error
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import (
    Field,
    boolean,
    output,
    output_block,
    string,
    string_list,
    string_map,
    unsupported,
)
from twinfra.providers.aws.resource import Api, Attributes, DataSource
from twinfra.providers.aws.services.ec2._filters import filter_field, request_filters
from twinfra.providers.aws.tagging import tag_values
from twinfra.providers.protocol import ProviderError
from twinfra.schema import Nesting
from twinfra.values.types import BOOL, STRING, MapType
from twinfra.values.value import GetAttr

_TOLD = {
    "architecture": ("Architecture", "What processors it is for."),
    "boot_mode": ("BootMode", "How it boots."),
    "creation_date": ("CreationDate", "When it was made."),
    "deprecation_time": ("DeprecationTime", "When it is deprecated."),
    "description": ("Description", "What it is."),
    "hypervisor": ("Hypervisor", "The hypervisor that it is for."),
    "image_id": ("ImageId", "Its id."),
    "image_location": ("ImageLocation", "Where it is kept."),
    "image_owner_alias": ("ImageOwnerAlias", "Its owner's name, such as amazon."),
    "image_type": ("ImageType", "What kind of image it is."),
    "imds_support": ("ImdsSupport", "Which version of the metadata service its instances need."),
    "kernel_id": ("KernelId", "Its kernel."),
    "last_launched_time": ("LastLaunchedTime", "When it was last launched."),
    "name": ("Name", "Its name."),
    "owner_id": ("OwnerId", "The account that owns it."),
    "platform": ("Platform", "windows, or nothing."),
    "platform_details": ("PlatformDetails", "The platform, as it is billed."),
    "ramdisk_id": ("RamdiskId", "Its RAM disk."),
    "root_device_name": ("RootDeviceName", "Device name of its root volume."),
    "root_device_type": ("RootDeviceType", "Kind of its root volume."),
    "sriov_net_support": ("SriovNetSupport", "Whether it knows enhanced networking."),
    "state": ("State", "The state it is in."),
    "tpm_support": ("TpmSupport", "The TPM that it has."),
    "usage_operation": ("UsageOperation", "The operation that is billed."),
    "virtualization_type": ("VirtualizationType", "How it is virtualized."),
}
"""Attributes that the API's object has as they are."""

_VOLUME = {
    "delete_on_termination": ("DeleteOnTermination", "false"),
    "encrypted": ("Encrypted", "false"),
    "iops": ("Iops", "0"),
    "snapshot_id": ("SnapshotId", ""),
    "throughput": ("Throughput", "0"),
    "volume_initialization_rate": ("VolumeInitializationRate", "0"),
    "volume_size": ("VolumeSize", "0"),
    "volume_type": ("VolumeType", ""),
}


def _read(context: Context, given: Attributes) -> Attributes:
    filters = request_filters(given["filter"])
    filters += [{"Name": f"tag:{key}", "Values": [value]} for key, value in (given["tags"] or {}).items()]
    _check_safe(given)
    images = context.pages(
        "describe_images",
        "Images",
        Owners=[str(one) for one in given["owners"] or ()] or None,
        ExecutableUsers=[str(one) for one in given["executable_users"] or ()] or None,
        IncludeDeprecated=given["include_deprecated"] or None,
        Filters=filters or None,
    )
    if given["name_regex"]:
        pattern = re.compile(given["name_regex"])
        images = [one for one in images if one.get("Name") and pattern.search(one["Name"])]
    if not images:
        raise ProviderError(
            error("No such image", "No machine image is as described.", mend="Describe it less narrowly.")
        )
    if len(images) > 1 and not given["most_recent"]:
        raise ProviderError(
            error(
                "More than one image",
                f"{len(images)} machine images are as described.",
                mend="Describe it more narrowly, or take the newest with most_recent = true.",
            )
        )
    return _shown(context, max(images, key=lambda one: str(one.get("CreationDate", ""))))


def _check_safe(given: Mapping[str, Any]) -> None:
    """Whoever may publish images could have theirs taken, if only the newest were asked for."""
    named = {one["name"] for one in given["filter"] or ()}
    safe = given["owners"] or named & {"image-id", "owner-id", "owner-alias"}
    if given["most_recent"] and not safe and not given["allow_unsafe_filter"]:
        raise ProviderError(
            error(
                "Image of anybody",
                "The newest image of anybody would be taken, also one published tomorrow by a stranger.",
                path=(GetAttr("most_recent"),),
                mend="Name the owners, or say allow_unsafe_filter = true.",
            )
        )


def _shown(context: Context, image: Api) -> Attributes:
    found = {name: image.get(member) or "" for name, (member, _) in _TOLD.items()}
    mappings = image.get("BlockDeviceMappings", ())
    root = [one for one in mappings if one.get("DeviceName") == image.get("RootDeviceName")]
    reason = image.get("StateReason") or {}
    return {
        **found,
        "id": image["ImageId"],
        "arn": context.arn(f"image/{image['ImageId']}", account=""),
        "block_device_mappings": [_mapping(one) for one in mappings],
        "ena_support": bool(image.get("EnaSupport")),
        "product_codes": [
            {"product_code_id": one.get("ProductCodeId"), "product_code_type": one.get("ProductCodeType")}
            for one in image.get("ProductCodes", ())
        ],
        "public": bool(image.get("Public")),
        "root_snapshot_id": root[0].get("Ebs", {}).get("SnapshotId", "") if root else "",
        "state_reason": {
            "code": reason.get("Code") or "UNSET",
            "message": reason.get("Message") or "UNSET",
        },
        "tags": tag_values(image.get("Tags")),
    }


def _mapping(one: Api) -> Attributes:
    volume = one.get("Ebs") or {}
    shown = {
        name: otherwise if volume.get(member) is None else volume[member]
        for name, (member, otherwise) in _VOLUME.items()
    }
    return {
        "device_name": one.get("DeviceName"),
        "no_device": one.get("NoDevice") or "",
        "virtual_name": one.get("VirtualName") or "",
        "ebs": shown if volume else {},
    }


_FIELDS: dict[str, Field] = {
    "allow_unsafe_filter": boolean("", about="Whether the newest image of anybody may be taken."),
    "executable_users": string_list("", about="Who may launch it: accounts, self or all."),
    "filter": filter_field("DescribeImages"),
    "include_deprecated": boolean("", about="Whether deprecated images count too."),
    "most_recent": boolean("", about="Whether to take the newest of several."),
    "name_regex": string("", about="Pattern that its name must match, applied here."),
    "owners": string_list("", about="Owners: accounts, self, or names such as amazon."),
    "tags": string_map("", computed=True, about="Tags that it must have; all that it has, when read."),
    "uefi_data": unsupported(string(""), "Images cannot be looked for by their UEFI data."),
    **{name: output(STRING, "", about=about) for name, (_, about) in _TOLD.items()},
    "arn": output(STRING, "", about="Its ARN."),
    "block_device_mappings": output_block(
        {
            "device_name": output(STRING, "", about="Device name."),
            "ebs": output(MapType(STRING), "", about="The volume made for it."),
            "no_device": output(STRING, "", about="Whether the device is left out."),
            "virtual_name": output(STRING, "", about="Name of an instance store volume."),
        },
        "",
        single=False,
        nesting=Nesting.SET,
        about="Its volumes.",
    ),
    "ena_support": output(BOOL, "", about="Whether it knows the elastic network adapter."),
    "product_codes": output_block(
        {
            "product_code_id": output(STRING, "", about="The code."),
            "product_code_type": output(STRING, "", about="Its kind."),
        },
        "",
        single=False,
        nesting=Nesting.SET,
        about="Product codes of the marketplace.",
    ),
    "public": output(BOOL, "", about="Whether everybody may launch it."),
    "root_snapshot_id": output(STRING, "", about="Snapshot that its root volume is made of."),
    "state_reason": output(MapType(STRING), "", about="Why it is in that state: code and message."),
}

DATA = DataSource(
    name="aws_ami",
    service="ec2",
    about="A machine image, looked for by its owner, name, tags and more.",
    fields=_FIELDS,
    timeouts=("read",),
    read=_read,
)
