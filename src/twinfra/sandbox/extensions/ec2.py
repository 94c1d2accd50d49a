"""EC2: placement groups and capacity reservations, which moto lacks, and gateway endpoints that can be
deleted.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import utcnow
from moto.ec2.exceptions import EC2ClientError, InvalidParameterCombination
from moto.ec2.models import EC2Backend
from moto.ec2.models.vpcs import VPCEndPoint
from moto.ec2.responses import EC2Response
from moto.ec2.utils import EC2_RESOURCE_TO_PREFIX
from moto.moto_api._internal import mock_random

from twinfra.sandbox.overlay import graft

_STRATEGIES = ("cluster", "spread", "partition")
_SHOWN = {
    "group-name": "GroupName",
    "state": "State",
    "strategy": "Strategy",
    "instance-type": "InstanceType",
}


def _table(backend: Any, name: str) -> dict[str, dict[str, Any]]:
    table: dict[str, dict[str, Any]] = vars(backend).setdefault(name, {})
    return table


def _tag(backend: Any, number: str, tags: dict[str, str]) -> None:
    if tags:
        backend.create_tags([number], tags)


def _with_tags(backend: Any, number: str, shown: dict[str, Any]) -> dict[str, Any]:
    tags = [{"Key": key, "Value": value} for key, value in backend.tags.get(number, {}).items()]
    return shown | {"Tags": tags}


def _matches(shown: dict[str, Any], filters: dict[str, list[str]]) -> bool:
    for name, wanted in filters.items():
        if name.startswith("tag:"):
            found = [tag["Value"] for tag in shown["Tags"] if tag["Key"] == name[4:]]
        elif name == "tag-key":
            found = [tag["Key"] for tag in shown["Tags"]]
        elif name in _SHOWN:
            found = [shown[_SHOWN[name]]]
        else:
            raise EC2ClientError("InvalidParameterValue", f"The filter '{name}' is invalid")
        if not set(found) & set(wanted):
            return False
    return True


def _group(backend: Any, name: str) -> dict[str, Any]:
    groups = _table(backend, "placement_groups")
    if name not in groups:
        raise EC2ClientError("InvalidPlacementGroup.Unknown", f"The Placement Group '{name}' is unknown.")
    return groups[name]


def _reservation(backend: Any, number: str) -> dict[str, Any]:
    reservations = _table(backend, "capacity_reservations")
    if number not in reservations:
        raise EC2ClientError(
            "InvalidCapacityReservationId.NotFound", f"The capacity reservation '{number}' does not exist."
        )
    return reservations[number]


class _PlacementGroups:
    def create_placement_group(self: Any) -> ActionResult:
        self.error_on_dryrun()
        backend, name = self.ec2_backend, self._get_param("GroupName")
        strategy = self._get_param("Strategy", "cluster")
        partitions = self._get_param("PartitionCount")
        level = self._get_param("SpreadLevel")
        if strategy not in _STRATEGIES:
            raise EC2ClientError("InvalidParameterValue", f"Value ({strategy}) for strategy is invalid.")
        if partitions is not None and strategy != "partition":
            raise InvalidParameterCombination("A partition count goes only with the strategy partition.")
        if level is not None and strategy != "spread":
            raise InvalidParameterCombination("A spread level goes only with the strategy spread.")
        groups = _table(backend, "placement_groups")
        if name in groups:
            raise EC2ClientError(
                "InvalidPlacementGroup.Duplicate", f"The Placement Group '{name}' already exists."
            )
        number = f"pg-{mock_random.get_random_hex(17)}"
        groups[name] = {
            "GroupName": name,
            "State": "available",
            "Strategy": strategy,
            "GroupId": number,
            "GroupArn": f"arn:{backend.partition}:ec2:{backend.region_name}:{backend.account_id}:"
            f"placement-group/{name}",
            **({"PartitionCount": partitions or 2} if strategy == "partition" else {}),
            **({"SpreadLevel": level or "rack"} if strategy == "spread" else {}),
        }
        _tag(backend, number, self._parse_tag_specification().get("placement-group", {}))
        return ActionResult({"PlacementGroup": _with_tags(backend, number, groups[name])})

    def describe_placement_groups(self: Any) -> ActionResult:
        backend = self.ec2_backend
        filters = self._filters_from_querystring()
        numbers = set(self._get_param("GroupIds", []))
        groups = _table(backend, "placement_groups")
        names = self._get_param("GroupNames", [])
        found = [_group(backend, name) for name in names] if names else list(groups.values())
        unknown = numbers - {group["GroupId"] for group in groups.values()}
        if unknown:
            raise EC2ClientError(
                "InvalidPlacementGroupId.Unknown", f"The Placement Group '{min(unknown)}' is unknown."
            )
        shown = [
            _with_tags(backend, group["GroupId"], group)
            for group in found
            if not numbers or group["GroupId"] in numbers
        ]
        return ActionResult({"PlacementGroups": [group for group in shown if _matches(group, filters)]})

    def delete_placement_group(self: Any) -> ActionResult:
        self.error_on_dryrun()
        backend = self.ec2_backend
        group = _group(backend, self._get_param("GroupName"))
        for instance in backend.all_instances():
            if instance.placement.group_name == group["GroupName"] and instance.state != "terminated":
                raise EC2ClientError(
                    "InvalidPlacementGroup.InUse",
                    f"The placement group '{group['GroupName']}' is in use and may not be deleted.",
                )
        del _table(backend, "placement_groups")[group["GroupName"]]
        backend.tags.pop(group["GroupId"], None)
        return EmptyResult()


class _CapacityReservations:
    def create_capacity_reservation(self: Any) -> ActionResult:
        self.error_on_dryrun()
        backend = self.ec2_backend
        zone = self._get_param("AvailabilityZone")
        zones = {one.name: one.zone_id for one in backend.describe_availability_zones()}
        if zone is None:
            by_id = {zone_id: name for name, zone_id in zones.items()}
            zone = by_id.get(self._get_param("AvailabilityZoneId"))
        if zone not in zones:
            raise EC2ClientError("InvalidParameterValue", f"Invalid availability zone: [{zone}]")
        count = int(self._get_param("InstanceCount"))
        number, now = f"cr-{mock_random.get_random_hex(17)}", utcnow()
        reservation = {
            "CapacityReservationId": number,
            "OwnerId": backend.account_id,
            "CapacityReservationArn": f"arn:{backend.partition}:ec2:{backend.region_name}:"
            f"{backend.account_id}:capacity-reservation/{number}",
            "AvailabilityZone": zone,
            "AvailabilityZoneId": zones[zone],
            "InstanceType": self._get_param("InstanceType"),
            "InstancePlatform": self._get_param("InstancePlatform"),
            "Tenancy": self._get_param("Tenancy", "default"),
            "TotalInstanceCount": count,
            "AvailableInstanceCount": count,
            "EbsOptimized": bool(self._get_param("EbsOptimized", False)),
            "EphemeralStorage": bool(self._get_param("EphemeralStorage", False)),
            "State": "active",
            "StartDate": now,
            "CreateDate": now,
            "EndDateType": self._get_param("EndDateType", "unlimited"),
            "InstanceMatchCriteria": self._get_param("InstanceMatchCriteria", "open"),
            "ReservationType": "default",
        }
        for setting in ("EndDate", "OutpostArn", "PlacementGroupArn"):
            if self._get_param(setting) is not None:
                reservation[setting] = self._get_param(setting)
        _table(backend, "capacity_reservations")[number] = reservation
        _tag(backend, number, self._parse_tag_specification().get("capacity-reservation", {}))
        return ActionResult({"CapacityReservation": _with_tags(backend, number, reservation)})

    def describe_capacity_reservations(self: Any) -> ActionResult:
        backend = self.ec2_backend
        numbers = self._get_param("CapacityReservationIds", [])
        filters = self._filters_from_querystring()
        found = (
            [_reservation(backend, number) for number in numbers]
            if numbers
            else list(_table(backend, "capacity_reservations").values())
        )
        shown = [_with_tags(backend, one["CapacityReservationId"], one) for one in found]
        return ActionResult({"CapacityReservations": [one for one in shown if _matches(one, filters)]})

    def modify_capacity_reservation(self: Any) -> ActionResult:
        self.error_on_dryrun()
        reservation = _reservation(self.ec2_backend, self._get_param("CapacityReservationId"))
        if reservation["State"] != "active":
            raise EC2ClientError(
                "IncorrectState", f"The reservation is in the state {reservation['State']}, not active."
            )
        count = self._get_param("InstanceCount")
        if count is not None:
            added = int(count) - reservation["TotalInstanceCount"]
            reservation["TotalInstanceCount"] += added
            reservation["AvailableInstanceCount"] += added
        for setting in ("EndDateType", "EndDate", "InstanceMatchCriteria"):
            if self._get_param(setting) is not None:
                reservation[setting] = self._get_param(setting)
        if reservation["EndDateType"] == "unlimited":
            reservation.pop("EndDate", None)
        return ActionResult({"Return": True})

    def cancel_capacity_reservation(self: Any) -> ActionResult:
        self.error_on_dryrun()
        reservation = _reservation(self.ec2_backend, self._get_param("CapacityReservationId"))
        reservation |= {"State": "cancelled", "AvailableInstanceCount": 0}
        return ActionResult({"Return": True})


class _Instances:
    def run_instances(self: Any) -> ActionResult:
        group = self._get_param("Placement.GroupName")
        if group:
            _group(self.ec2_backend, group)
        answer = _original_run(self)
        for instance in answer.result.instances:
            instance.placement.group_name = group or ""
            instance.placement.tenancy = self._get_param("Placement.Tenancy") or "default"
        return answer


class _Endpoint:
    def __init__(
        self: Any,
        ec2_backend: Any,
        endpoint_id: str,
        vpc_id: str,
        service_name: str,
        *rest: Any,
        **named: Any,
    ) -> None:
        _original_endpoint(self, ec2_backend, endpoint_id, vpc_id, service_name, *rest, **named)
        self.vpc_endpoint_type = self.vpc_endpoint_type or "Gateway"


class _Volumes:
    def detach_volume(self: Any, volume_id: str, instance_id: str | None, device_path: str | None) -> Any:
        attachment = self.get_volume(volume_id).attachment
        if not instance_id and attachment is not None:
            instance_id = attachment.instance.id
        return _original_detach(self, volume_id, instance_id, device_path)


_original_run = EC2Response.run_instances
_original_endpoint = VPCEndPoint.__init__
_original_detach = EC2Backend.detach_volume


@cache
def install() -> None:
    """Graft onto moto's classes."""
    EC2_RESOURCE_TO_PREFIX.update({"placement-group": "pg", "capacity-reservation": "cr"})
    graft(EC2Response, _PlacementGroups)
    graft(EC2Response, _CapacityReservations)
    graft(VPCEndPoint, _Endpoint)
    graft(EC2Backend, _Volumes)
    graft(EC2Response, _Instances)
