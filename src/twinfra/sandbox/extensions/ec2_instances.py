"""EC2: options of instances that the emulator forgets, their root volume as the image has it, and calls that
change them.
"""

from __future__ import annotations

from base64 import b64encode
from copy import copy
from functools import cache
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.core.types import Base64EncodedString
from moto.core.utils import utcnow
from moto.ec2 import utils
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.instances import Instance
from moto.ec2.responses import EC2Response
from moto.ec2.utils import random_private_ip

from twinfra.sandbox.overlay import graft

_BURSTING = ("t2.", "t3.", "t3a.", "t4g.")
_VOLUME = {"Iops": "iops", "Throughput": "throughput"}


class _Instance:
    def setup_defaults(self: Any) -> None:
        """The root volume, by the device name and of the size that the image says."""
        _, size = _root_of(self.ec2_backend, self.image_id)
        volume = self.ec2_backend.create_volume(size=size, zone_name=self._placement.zone)
        self.ec2_backend.attach_volume(volume.id, self.id, self.root_device_name, True)

    def prep_nics(self: Any, nic_spec: list[dict[str, Any]], *arguments: Any, **named: Any) -> None:
        """Network interfaces that are made with an instance go with it, unless they are asked to stay."""
        wanted = nic_spec or [{"DeviceIndex": 0}]
        for one in wanted:
            if not one.get("NetworkInterfaceId"):
                one.setdefault("DeleteOnTermination", True)
        _original_prepare(self, wanted, *arguments, **named)

    def terminate(self: Any) -> Any:
        """Ending what has ended changes nothing: its network interfaces are gone already."""
        return copy(self._state) if self._state.name == "terminated" else _original_terminate(self)


def _root_of(backend: Any, image: str | None) -> tuple[str, int]:
    """(device name, size in GiB) of an image's root volume."""
    images = backend.describe_images(filters={"image-id": image}) if image else []
    snapshots = [backend.snapshots.get(getattr(one, "ebs_snapshot_id", None)) for one in images]
    sizes = [int(one.volume.size) for one in snapshots if one is not None]
    return (images[0].root_device_name if images else "/dev/sda1"), max([8, *sizes])


class _Instances:
    def _parse_block_device_mapping(self: Any) -> list[dict[str, Any]]:
        """The image's root volume needs no size: it has that of the image."""
        root = None
        for mapping in self._get_param("BlockDeviceMappings", []):
            asked = mapping.get("Ebs")
            if asked is None or asked.get("VolumeSize") or asked.get("SnapshotId"):
                continue
            root = root or _root_of(self.ec2_backend, _image(self))
            if mapping.get("DeviceName") == root[0]:
                asked["VolumeSize"] = root[1]
        found: list[dict[str, Any]] = _original_parse(self)
        return found

    def run_instances(self: Any) -> ActionResult:
        answer: ActionResult = _original_run(self)
        for instance in answer.result.instances:
            _remember(self, instance)
            if instance.root_device_name not in instance.block_device_mapping:
                instance.setup_defaults()
                _tag_root(self, instance)
            _complete_volumes(self, instance)
            _place_addresses(self, instance)
        return answer

    def monitor_instances(self: Any) -> ActionResult:
        return _monitor(self, "enabled")

    def unmonitor_instances(self: Any) -> ActionResult:
        return _monitor(self, "disabled")

    def describe_instance_credit_specifications(self: Any) -> ActionResult:
        instances = [self.ec2_backend.get_instance(one) for one in self._get_param("InstanceIds", [])]
        for one in instances:
            if not one.instance_type.startswith(_BURSTING):
                raise EC2ClientError(
                    "InvalidParameterCombination", f"The instance type {one.instance_type} has no credits"
                )
        shown = [
            {"InstanceId": one.id, "CpuCredits": getattr(one, "cpu_credits", None) or _usual_credits(one)}
            for one in instances
        ]
        return ActionResult({"InstanceCreditSpecifications": shown})

    def modify_instance_credit_specification(self: Any) -> ActionResult:
        done = []
        for one in self._get_param("InstanceCreditSpecifications", []):
            self.ec2_backend.get_instance(one["InstanceId"]).cpu_credits = one["CpuCredits"]
            done.append({"InstanceId": one["InstanceId"]})
        return ActionResult({"SuccessfulInstanceCreditSpecifications": done})

    def modify_instance_capacity_reservation_attributes(self: Any) -> ActionResult:
        instance = self.ec2_backend.get_instance(self._get_param("InstanceId"))
        instance.capacity_reservation_specification = self._get_param("CapacityReservationSpecification", {})
        return ActionResult({"Return": True})

    def modify_instance_maintenance_options(self: Any) -> ActionResult:
        instance = self.ec2_backend.get_instance(self._get_param("InstanceId"))
        instance.maintenance_options = {"AutoRecovery": self._get_param("AutoRecovery")}
        return ActionResult({"InstanceId": instance.id, **instance.maintenance_options})

    def modify_private_dns_name_options(self: Any) -> ActionResult:
        instance = self.ec2_backend.get_instance(self._get_param("InstanceId"))
        given = {
            "HostnameType": self._get_param("PrivateDnsHostnameType"),
            "EnableResourceNameDnsARecord": self._get_param("EnableResourceNameDnsARecord"),
            "EnableResourceNameDnsAAAARecord": self._get_param("EnableResourceNameDnsAAAARecord"),
        }
        known = {name: value for name, value in given.items() if value is not None}
        instance.private_dns_name_options = {**instance.private_dns_name_options, **known}
        return ActionResult({"Return": True})

    def replace_iam_instance_profile_association(self: Any) -> ActionResult:
        answer: ActionResult = _original_replace(self)
        for number, one in self.ec2_backend.iam_instance_profile_associations.items():
            if one.association_id == self._get_param("AssociationId"):
                shown = {"Arn": one.iam_instance_profile.arn, "Id": one.association_id}
                self.ec2_backend.get_instance(number).iam_instance_profile = shown
        return answer

    def get_password_data(self: Any) -> ActionResult:
        """The same password each time."""
        instance = self.ec2_backend.get_instance(self._get_param("InstanceId"))
        if not vars(instance).get("password_data"):
            instance.password_data = self.ec2_backend.get_password_data(instance.id)
        return ActionResult(
            {"InstanceId": instance.id, "Timestamp": utcnow(), "PasswordData": instance.password_data}
        )

    def modify_instance_attribute(self: Any) -> ActionResult:
        """As the real service: types and user data change only while it is stopped."""
        stopped = ("InstanceType.Value", "UserData.Value", "EbsOptimized.Value")
        instance = self.ec2_backend.get_instance(self._get_param("InstanceId"))
        if any(self._get_param(one) is not None for one in stopped) and instance.state != "stopped":
            raise EC2ClientError(
                "IncorrectInstanceState", f"The instance '{instance.id}' is not in the 'stopped' state."
            )
        user_data = self._get_param("UserData.Value")
        if user_data is not None:
            # The query's Base64 is taken off already.
            raw = user_data if isinstance(user_data, bytes) else str(user_data).encode()
            instance.user_data = Base64EncodedString(b64encode(raw).decode()) if raw else None
            return EmptyResult()
        answer: ActionResult = _original_modify(self)
        return answer


def _image(response: Any) -> str | None:
    """The image that a request names, itself or by a launch template."""
    image: str | None = response._get_param("ImageId")
    template = response._get_param("LaunchTemplate", {})
    if image is None and template:
        image = response.ec2_backend._get_template_from_args(template).image_id
    return image


def _usual_credits(instance: Any) -> str:
    """How credits count where nobody said: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/
    burstable-performance-instances.html
    """
    return "standard" if instance.instance_type.startswith("t2.") else "unlimited"


def _remember(response: Any, instance: Any) -> None:
    given = response._get_param
    instance.cpu_options = {"CoreCount": 1, "ThreadsPerCore": 2} | given("CpuOptions", {})
    instance.cpu_credits = given("CreditSpecification.CpuCredits")
    instance.enclave_options = {"Enabled": bool(given("EnclaveOptions.Enabled"))}
    instance.hibernation_options = {"Configured": bool(given("HibernationOptions.Configured"))}
    instance.maintenance_options = {"AutoRecovery": given("MaintenanceOptions.AutoRecovery") or "default"}
    instance.capacity_reservation_specification = given("CapacityReservationSpecification", {}) or {
        "CapacityReservationPreference": "open"
    }
    instance.private_dns_name_options = {
        "HostnameType": "ip-name",
        "EnableResourceNameDnsARecord": False,
        "EnableResourceNameDnsAAAARecord": False,
    } | given("PrivateDnsNameOptions", {})
    instance.disable_api_termination = bool(given("DisableApiTermination"))
    placement = given("Placement", {})
    instance.placement.tenancy = placement.get("Tenancy") or "default"
    instance.placement.partition_number = placement.get("PartitionNumber")
    instance.placement.host_resource_group_arn = placement.get("HostResourceGroupArn")


def _tag_root(response: Any, instance: Any) -> None:
    tags = response._parse_tag_specification().get("volume", {})
    if tags:
        device = instance.block_device_mapping[instance.root_device_name]
        response.ec2_backend.get_volume(device.volume_id).add_tags(tags)


def _complete_volumes(response: Any, instance: Any) -> None:
    """What was asked of volumes and moto does not pass on."""
    for mapping in response._get_param("BlockDeviceMappings", []):
        device = instance.block_device_mapping.get(mapping.get("DeviceName"))
        asked = mapping.get("Ebs", {})
        if device is None:
            continue
        device.delete_on_termination = bool(asked.get("DeleteOnTermination", True))
        volume = response.ec2_backend.get_volume(device.volume_id)
        for member, name in _VOLUME.items():
            if asked.get(member) is not None:
                setattr(volume, name, asked[member])


def _place_addresses(response: Any, instance: Any) -> None:
    """Groups and further private addresses of the interface that is made with the instance."""
    for asked in response._get_param("NetworkInterfaces", []):
        index = int(asked.get("DeviceIndex") or 0)
        interface = instance.nics.get(index)
        if index == 0 and not instance.security_groups:
            groups = [response.ec2_backend.get_security_group_from_id(one) for one in asked.get("Groups", [])]
            instance.security_groups = [one for one in groups if one is not None]
        listed = asked.get("PrivateIpAddresses", [])
        if interface is None or not listed or asked.get("NetworkInterfaceId"):
            continue
        there = {one["PrivateIpAddress"] for one in interface.private_ip_addresses}
        interface.private_ip_addresses += [
            {"Primary": False, "PrivateIpAddress": one.get("PrivateIpAddress") or random_private_ip()}
            for one in listed
            if not one.get("Primary") and one.get("PrivateIpAddress") not in there
        ]


def _monitor(response: Any, state: str) -> ActionResult:
    shown = []
    for number in response._get_param("InstanceIds", []):
        instance = response.ec2_backend.get_instance(number)
        instance.monitoring_state = state
        shown.append({"InstanceId": number, "Monitoring": {"State": state}})
    return ActionResult({"InstanceMonitorings": shown})


_original_prepare = Instance.prep_nics
_original_terminate = Instance.terminate
_original_parse = EC2Response._parse_block_device_mapping
_original_run = EC2Response.run_instances
_original_replace = EC2Response.replace_iam_instance_profile_association
_original_modify = EC2Response.modify_instance_attribute


@cache
def install() -> None:
    """Graft onto moto's classes."""
    utils.filter_dict_attribute_mapping["client-token"] = "client_token"
    graft(Instance, _Instance)
    graft(EC2Response, _Instances)
