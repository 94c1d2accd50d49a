"""Volumes of instances: as declared, as requested, as read, and how they change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from twinfra.providers.aws.comparison import is_empty
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import (
    Field,
    block_set,
    boolean,
    number,
    one_block,
    output,
    string,
    string_map,
)
from twinfra.providers.aws.mapping import same_field, type_of
from twinfra.providers.aws.planning import Draft
from twinfra.providers.aws.resource import Api
from twinfra.providers.aws.settings import Settings
from twinfra.providers.aws.tagging import planned_tags, read_tags
from twinfra.values.types import STRING, MapType
from twinfra.values.value import Unknown

_TYPES = ("standard", "io1", "io2", "gp2", "gp3", "sc1", "st1")

_TOLD: dict[str, Field] = {
    "delete_on_termination": boolean("", default=True, about="Whether it goes with the instance."),
    "iops": number("", computed=True, about="Operations a second."),
    "tags": string_map("", about="Tags of the volume."),
    "tags_all": Field(
        type=MapType(STRING),
        optional=True,
        computed=True,
        about="All tags of the volume, the provider's default tags included.",
    ),
    "throughput": number("", computed=True, about="MiB a second."),
    "volume_id": output(STRING, "volume_id", about="The volume's id."),
    "volume_size": number("", computed=True, about="Its size in GiB."),
    "volume_type": string("", computed=True, allowed=_TYPES, about="Its kind."),
}


def _fixed(**more: Any) -> dict[str, Field]:
    return {
        "encrypted": boolean("", computed=True, about="Whether it is encrypted.", **more),
        "kms_key_id": string("", computed=True, about="Key that it is encrypted with.", **more),
    }


def _read_here(fields: Mapping[str, Field]) -> dict[str, Field]:
    return {name: field.reading(name) for name, field in fields.items()}


ROOT = one_block(
    _read_here(
        {
            **_TOLD,
            **_fixed(force_new=True),
            "device_name": output(STRING, "device_name", about="Its device name."),
        }
    ),
    "",
    read="Shown.root_block_device",
    computed=True,
    about="The root volume.",
)

EBS = block_set(
    _read_here(
        {
            **_TOLD,
            **_fixed(),
            "device_name": string("", required=True, about="Its device name, such as /dev/sdf."),
            "snapshot_id": string("", computed=True, about="Snapshot that it is made of."),
        }
    ),
    "",
    read="Shown.ebs_block_device",
    computed=True,
    about="Further volumes made with the instance; a change replaces it.",
)

EPHEMERAL = block_set(
    {
        "device_name": string("", read="device_name", required=True, about="Its device name."),
        "no_device": boolean("", read="no_device", about="Whether to leave out a device of the image."),
        "virtual_name": string("", read="virtual_name", about="Name of an instance store volume."),
    },
    "",
    read="Shown.ephemeral_block_device",
    computed=True,
    force_new=True,
    about="Instance store volumes.",
)

_EBS_MEMBERS = {
    "delete_on_termination": "DeleteOnTermination",
    "encrypted": "Encrypted",
    "iops": "Iops",
    "kms_key_id": "KmsKeyId",
    "snapshot_id": "SnapshotId",
    "throughput": "Throughput",
    "volume_size": "VolumeSize",
    "volume_type": "VolumeType",
}

# Requests


def volume_request(block: Mapping[str, Any]) -> Api:
    """A volume as a request to run instances has it."""
    found = {member: block.get(name) for name, member in _EBS_MEMBERS.items()}
    given = {member: value for member, value in found.items() if not is_empty(value)}
    if not given.get("Encrypted"):
        given.pop("Encrypted", None)
    return given


def mappings(attributes: Mapping[str, Any], root_name: str) -> list[Api]:
    """Block device mappings of a request."""
    found: list[Api] = [
        {"DeviceName": root_name, "Ebs": volume_request(one)} for one in attributes["root_block_device"] or ()
    ]
    found += [
        {"DeviceName": one["device_name"], "Ebs": volume_request(one)}
        for one in attributes["ebs_block_device"] or ()
    ]
    for one in attributes["ephemeral_block_device"] or ():
        device: Api = {"DeviceName": one["device_name"]}
        if one["no_device"]:
            device["NoDevice"] = ""
        if one["virtual_name"]:
            device["VirtualName"] = one["virtual_name"]
        found.append(device)
    return found


# Reading


def shown_devices(found: Api, volumes: Iterable[Api], held: Mapping[str, Any], settings: Settings) -> Api:
    """Root and further volumes as attributes.

    Of the further ones only those that are declared: others may be attached by other resources. Where none
    are known to be declared, all are told.
    """
    by_id = {one["VolumeId"]: one for one in volumes}
    by_name: dict[str, Api] = {}
    for mapping in found.get("BlockDeviceMappings", ()):
        inside = mapping.get("Ebs") or {}
        if inside.get("VolumeId") in by_id:
            by_name[mapping["DeviceName"]] = by_id[inside["VolumeId"]] | {"Mapping": inside}
    managed = is_empty(held.get("volume_tags"))
    root_name = found.get("RootDeviceName")
    held_root: Mapping[str, Any] = (held.get("root_block_device") or ({},))[0]
    root = [
        _shown(name, volume, held_root, managed, settings)
        for name, volume in by_name.items()
        if name == root_name
    ]
    declared = {str(one["device_name"]): one for one in held.get("ebs_block_device") or ()}
    others = [
        _shown(name, volume, declared.get(name, {}), managed, settings)
        for name, volume in by_name.items()
        if name != root_name and (not declared or name in declared)
    ]
    return {"root_block_device": root, "ebs_block_device": others}


def _shown(
    name: str, volume: Api, held: Mapping[str, Any], managed: bool, settings: Settings
) -> dict[str, Any]:
    tags, every = read_tags(volume.get("Tags"), held, settings) if managed else (None, None)
    return {
        "device_name": name,
        "volume_id": volume["VolumeId"],
        "delete_on_termination": bool(volume["Mapping"].get("DeleteOnTermination")),
        "encrypted": bool(volume.get("Encrypted")),
        "iops": volume.get("Iops") or 0,
        "kms_key_id": volume.get("KmsKeyId") or "",
        "snapshot_id": volume.get("SnapshotId") or "",
        "throughput": volume.get("Throughput") or 0,
        "volume_size": volume.get("Size"),
        "volume_type": volume.get("VolumeType"),
        "tags": tags,
        "tags_all": every,
    }


def volume_tags(volumes: Iterable[Api], held: Any, settings: Settings) -> dict[str, str] | None:
    """Tags of all volumes together: those of one that has other ones than it should, if there is such."""
    if is_empty(held):
        return None
    every: list[dict[str, str]] = []
    for one in volumes:
        tags = {tag["Key"]: tag["Value"] for tag in one.get("Tags", ())}
        every.append({key: value for key, value in tags.items() if not settings.ignores(key)})
    wanted = {str(key): str(value) for key, value in held.items()}
    return next((one for one in every if one != wanted), wanted)


# Planning


def plan_devices(draft: Draft) -> None:
    """What of volumes follows from what changes: kept, unknown, or a reason for replacement."""
    _plan_root(draft)
    _plan_others(draft)


def _tags_all(draft: Draft, tags: Any) -> Any:
    return planned_tags(tags, draft.settings) if is_empty(draft.config.get("volume_tags")) else None


def _plan_root(draft: Draft) -> None:
    config = draft.config.get("root_block_device")
    if config is None or type(config) is Unknown or is_empty(config):
        return
    given = config[0]
    planned = dict(draft.planned["root_block_device"][0])
    planned["tags_all"] = _tags_all(draft, given["tags"])
    before = None if draft.prior is None or is_empty(draft.prior["root_block_device"]) else draft.prior
    if before is not None:
        held = before["root_block_device"][0]
        if planned["volume_type"] != held["volume_type"] or planned["volume_size"] != held["volume_size"]:
            for name in ("iops", "throughput"):
                if given[name] is None:
                    planned[name] = Unknown(type_of(_TOLD[name]))
    draft.set("root_block_device", [planned])


def _plan_others(draft: Draft) -> None:
    config = draft.config.get("ebs_block_device")
    if config is None or type(config) is Unknown or is_empty(config):
        return
    assert EBS.fields is not None
    prior = () if draft.prior is None else draft.prior["ebs_block_device"] or ()
    held = {one["device_name"]: one for one in prior}
    planned = []
    for given in config:
        before = held.pop(given["device_name"], None) if type(given["device_name"]) is str else None
        planned.append(
            {name: _planned(field, given[name], name, before) for name, field in EBS.fields.items()}
            | {"tags_all": _tags_all(draft, given["tags"])}
        )
        if draft.prior is not None and (before is None or _replaces(EBS.fields, given, before)):
            draft.force_replacement("ebs_block_device")
    if held:
        draft.force_replacement("ebs_block_device")
    draft.set("ebs_block_device", planned)


def _planned(field: Field, given: Any, name: str, before: Mapping[str, Any] | None) -> Any:
    if given is not None:
        return before[name] if before is not None and same_field(field, given, before[name]) else given
    if field.default is not None:
        return field.default
    if before is not None:
        return before[name]
    return Unknown(type_of(field)) if field.computed else None


def _replaces(fields: Mapping[str, Field], given: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Whether a declared volume is another one than the one there; tags change in place."""
    for name, field in fields.items():
        wanted = field.default if given[name] is None else given[name]
        if name in ("tags", "tags_all") or wanted is None:
            continue
        if not same_field(field, wanted, before[name]):
            return True
    return False


# Changing


def change_root(context: Context, instance: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Bring the root volume to what is planned."""
    size = {"volume_size": "Size", "volume_type": "VolumeType", "iops": "Iops", "throughput": "Throughput"}
    changed = {
        member: after[name]
        for name, member in size.items()
        if after[name] is not None and after[name] != before[name]
    }
    if changed:
        volume = before["volume_id"]
        context.call("modify_volume", VolumeId=volume, **changed)
        _wait_modified(context, volume)
    if after["delete_on_termination"] != before["delete_on_termination"]:
        context.call(
            "modify_instance_attribute",
            InstanceId=instance,
            BlockDeviceMappings=[
                {
                    "DeviceName": before["device_name"],
                    "Ebs": {"DeleteOnTermination": bool(after["delete_on_termination"])},
                }
            ],
        )


def _wait_modified(context: Context, volume: str) -> None:
    from twinfra.providers.aws.resource import Wait

    wait = Wait(
        status="ModificationState",
        target=("optimizing", "completed"),
        failed=("failed",),
        reason="StatusMessage",
        noun="volume",
        minutes=10,
    )

    def look() -> Api | None:
        found = context.call("describe_volumes_modifications", VolumeIds=[volume])["VolumesModifications"]
        return found[-1] if found else None

    context.wait(wait, look, action="update")
