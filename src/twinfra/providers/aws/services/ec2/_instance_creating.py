"""Launching an instance: the request to run it."""

from __future__ import annotations

from typing import Any

from twinfra.providers.aws.comparison import is_empty
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.resource import Api, Attributes
from twinfra.providers.aws.services.ec2._devices import mappings
from twinfra.providers.aws.services.ec2._instance_reading import is_gone
from twinfra.providers.aws.services.ec2._user_data import sent
from twinfra.providers.aws.tagging import Tagging, ec2_tags, request_tags, tag_list
from twinfra.providers.aws.waiting import dig

TAGS: Tagging = ec2_tags("instance")

_OPTIONS: dict[str, tuple[str, dict[str, str]]] = {
    "cpu_options": (
        "CpuOptions",
        {"amd_sev_snp": "AmdSevSnp", "core_count": "CoreCount", "threads_per_core": "ThreadsPerCore"},
    ),
    "credit_specification": ("CreditSpecification", {"cpu_credits": "CpuCredits"}),
    "enclave_options": ("EnclaveOptions", {"enabled": "Enabled"}),
    "maintenance_options": ("MaintenanceOptions", {"auto_recovery": "AutoRecovery"}),
    "metadata_options": (
        "MetadataOptions",
        {
            "http_endpoint": "HttpEndpoint",
            "http_protocol_ipv6": "HttpProtocolIpv6",
            "http_put_response_hop_limit": "HttpPutResponseHopLimit",
            "http_tokens": "HttpTokens",
            "instance_metadata_tags": "InstanceMetadataTags",
        },
    ),
    "private_dns_name_options": (
        "PrivateDnsNameOptions",
        {
            "enable_resource_name_dns_a_record": "EnableResourceNameDnsARecord",
            "enable_resource_name_dns_aaaa_record": "EnableResourceNameDnsAAAARecord",
            "hostname_type": "HostnameType",
        },
    ),
    "launch_template": (
        "LaunchTemplate",
        {"id": "LaunchTemplateId", "name": "LaunchTemplateName", "version": "Version"},
    ),
}
"""Blocks of plain members, to the structures of the request."""

_PLACEMENT = {
    "availability_zone": "AvailabilityZone",
    "host_id": "HostId",
    "host_resource_group_arn": "HostResourceGroupArn",
    "placement_group": "GroupName",
    "placement_group_id": "GroupId",
    "placement_partition_number": "PartitionNumber",
    "tenancy": "Tenancy",
}

_PLAIN = {
    "ami": "ImageId",
    "disable_api_stop": "DisableApiStop",
    "disable_api_termination": "DisableApiTermination",
    "ebs_optimized": "EbsOptimized",
    "instance_initiated_shutdown_behavior": "InstanceInitiatedShutdownBehavior",
    "instance_type": "InstanceType",
    "key_name": "KeyName",
}


def options_request(attributes: Attributes, name: str) -> Api:
    """One of the blocks of plain members as a structure."""
    block: Api = (attributes.get(name) or ({},))[0]
    members = _OPTIONS[name][1]
    return {member: block.get(key) for key, member in members.items() if not is_empty(block.get(key))}


def reservation_request(attributes: Attributes) -> Api:
    """`CapacityReservationSpecification`."""
    block: Api = (attributes.get("capacity_reservation_specification") or ({},))[0]
    found: Api = {}
    if block.get("capacity_reservation_preference"):
        found["CapacityReservationPreference"] = block["capacity_reservation_preference"]
    for target in block.get("capacity_reservation_target") or ():
        found["CapacityReservationTarget"] = {
            member: target[key]
            for key, member in (
                ("capacity_reservation_id", "CapacityReservationId"),
                ("capacity_reservation_resource_group_arn", "CapacityReservationResourceGroupArn"),
            )
            if target[key]
        }
    return found


def _market_request(attributes: Attributes) -> Api:
    found: Api = {}
    for block in attributes.get("instance_market_options") or ():
        if block["market_type"]:
            found["MarketType"] = block["market_type"]
        for spot in block["spot_options"] or ():
            members = {
                "InstanceInterruptionBehavior": spot["instance_interruption_behavior"],
                "MaxPrice": spot["max_price"],
                "SpotInstanceType": spot["spot_instance_type"],
                "ValidUntil": spot["valid_until"],
            }
            given = {member: value for member, value in members.items() if not is_empty(value)}
            if given:
                found["SpotOptions"] = given
    return found


def _strings(values: Any) -> list[str]:
    return [str(one) for one in values or ()]


def _network_request(attributes: Attributes) -> Api:
    """Where it is attached to the network: to interfaces that exist, to one made for it as described, or to
    a subnet.
    """
    existing = [
        {"NetworkInterfaceId": one["network_interface_id"], "DeviceIndex": 0}
        for one in attributes["primary_network_interface"] or ()
    ] + [
        {
            "NetworkInterfaceId": one["network_interface_id"],
            "DeviceIndex": one["device_index"],
            "DeleteOnTermination": bool(one["delete_on_termination"]),
            **({"NetworkCardIndex": one["network_card_index"]} if one["network_card_index"] else {}),
        }
        for one in attributes["network_interface"] or ()
    ]
    if existing:
        return {"NetworkInterfaces": existing}
    addresses = [{"Ipv6Address": one} for one in _strings(attributes["ipv6_addresses"])]
    common: Api = {
        "SubnetId": attributes["subnet_id"],
        "PrivateIpAddress": attributes["private_ip"],
        "Ipv6AddressCount": None if addresses else attributes["ipv6_address_count"],
        "Ipv6Addresses": addresses,
    }
    groups = _strings(attributes["vpc_security_group_ids"])
    own = attributes["associate_public_ip_address"] is not None or attributes["secondary_private_ips"]
    if not own:
        top = {
            **common,
            "SecurityGroupIds": groups,
            "SecurityGroups": _strings(attributes["security_groups"]),
            "EnablePrimaryIpv6": attributes["enable_primary_ipv6"],
        }
        return {member: value for member, value in top.items() if not is_empty(value) and value != []}
    interface = {
        **common,
        "DeviceIndex": 0,
        "AssociatePublicIpAddress": attributes["associate_public_ip_address"],
        "Groups": groups + _strings(attributes["security_groups"]),
        "PrimaryIpv6": attributes["enable_primary_ipv6"],
    }
    secondary = _strings(attributes["secondary_private_ips"])
    if secondary:
        listed = [{"PrivateIpAddress": one, "Primary": False} for one in secondary]
        if interface.pop("PrivateIpAddress"):
            listed.insert(0, {"PrivateIpAddress": attributes["private_ip"], "Primary": True})
        interface["PrivateIpAddresses"] = listed
    given = {member: value for member, value in interface.items() if not is_empty(value) and value != []}
    return {"NetworkInterfaces": [given]}


def _root_name(context: Context, attributes: Attributes) -> str:
    """The device name of the root volume, which the image tells; empty where there is no image."""
    image = attributes["ami"]
    if not image:
        template = options_request(attributes, "launch_template")
        version = str(template.pop("Version", "$Default"))
        listed = context.call(
            "describe_launch_template_versions", Versions=[version], ResolveAlias=True, **template
        )
        image = dig(listed, "LaunchTemplateVersions.LaunchTemplateData.ImageId")
    found = context.call("describe_images", ImageIds=[image])["Images"] if image else []
    return str(dig(found, "RootDeviceName") or "")


def run(context: Context, attributes: Attributes) -> Api:
    """Run it; what the answer says of it."""
    root_name = _root_name(context, attributes) if attributes["root_block_device"] else ""
    request: Api = {member: attributes[name] for name, member in _PLAIN.items()}
    request |= _network_request(attributes)
    request |= {member: options_request(attributes, name) for name, (member, _) in _OPTIONS.items()}
    request |= {
        "BlockDeviceMappings": mappings(attributes, root_name),
        "CapacityReservationSpecification": reservation_request(attributes),
        "ClientToken": context.token,
        "InstanceMarketOptions": _market_request(attributes),
        "Placement": {
            member: attributes[name] for name, member in _PLACEMENT.items() if not is_empty(attributes[name])
        },
        "TagSpecifications": _tags_request(attributes),
    }
    if attributes["hibernation"]:
        request["HibernationOptions"] = {"Configured": True}
    if attributes["iam_instance_profile"]:
        request["IamInstanceProfile"] = {"Name": attributes["iam_instance_profile"]}
    if attributes["monitoring"]:
        request["Monitoring"] = {"Enabled": True}
    user_data = attributes["user_data_base64"] or attributes["user_data"]
    if user_data:
        request["UserData"] = sent(user_data)
    given = {member: value for member, value in request.items() if not is_empty(value) and value != []}
    made: Api = context.call("run_instances", MinCount=1, MaxCount=1, **given)["Instances"][0]
    return made


def _tags_request(attributes: Attributes) -> list[Api]:
    found: list[Api] = list(request_tags(TAGS, attributes).get("TagSpecifications", []))
    volumes = {str(key): str(value) for key, value in (attributes["volume_tags"] or {}).items()}
    if volumes:
        found.append({"ResourceType": "volume", "Tags": tag_list(volumes)})
    return found


def recover(context: Context, _: Attributes, token: str) -> Api | None:
    """The instance that a request with this token made."""
    listed = context.pages(
        "describe_instances",
        "Reservations[].Instances",
        Filters=[{"Name": "client-token", "Values": [token]}],
    )
    return next((one for one in listed if not is_gone(one)), None)
