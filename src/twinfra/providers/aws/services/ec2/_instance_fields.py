"""The fields of instances.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html
"""

from __future__ import annotations

from typing import Any

from twinfra.providers.aws.checks import arn, base64_text, between
from twinfra.providers.aws.fields import (
    TAGS,
    Field,
    block_set,
    boolean,
    number,
    one_block,
    output,
    string,
    string_list,
    string_map,
    string_set,
)
from twinfra.providers.aws.services.ec2._devices import EBS, EPHEMERAL, ROOT
from twinfra.providers.aws.services.ec2._shared import arn_field, told
from twinfra.providers.aws.services.ec2._user_data import same_user_data
from twinfra.values.types import BOOL, STRING

_ON_OFF = ("enabled", "disabled")
_INTERFACES = ("network_interface", "primary_network_interface")
_STOPPED = ("instance_type", "user_data", "user_data_base64")
"""What it is stopped for to be changed; its public address is another one then."""


def _shown(name: str) -> str:
    return f"Shown.{name}"


_RESERVATION: dict[str, Field] = {
    "capacity_reservation_preference": string(
        "CapacityReservationPreference",
        allowed=("capacity-reservations-only", "open", "none"),
        about="Whether it runs in open reservations.",
    ),
    "capacity_reservation_target": one_block(
        {
            "capacity_reservation_id": string(
                "CapacityReservationId",
                conflicts=("capacity_reservation_resource_group_arn",),
                about="A reservation.",
            ),
            "capacity_reservation_resource_group_arn": string(
                "CapacityReservationResourceGroupArn", checks=(arn(),), about="A group of reservations."
            ),
        },
        "CapacityReservationTarget",
        about="The reservation to run in.",
    ),
}

_CPU: dict[str, Field] = {
    "amd_sev_snp": string(
        "AmdSevSnp", computed=True, force_new=True, allowed=_ON_OFF, about="Whether memory is encrypted."
    ),
    "core_count": number("CoreCount", computed=True, force_new=True, about="How many cores."),
    "threads_per_core": number(
        "ThreadsPerCore", computed=True, force_new=True, about="Threads for each core."
    ),
}

_SPOT: dict[str, Field] = {
    "instance_interruption_behavior": string(
        "",
        read="instance_interruption_behavior",
        computed=True,
        force_new=True,
        allowed=("hibernate", "stop", "terminate"),
        about="What happens to it when capacity is wanted back.",
    ),
    "max_price": string(
        "", read="max_price", computed=True, force_new=True, about="Price at most, in dollars an hour."
    ),
    "spot_instance_type": string(
        "",
        read="spot_instance_type",
        computed=True,
        force_new=True,
        allowed=("one-time", "persistent"),
        about="Whether it is asked for again.",
    ),
    "valid_until": string(
        "", read="valid_until", computed=True, force_new=True, about="When its request ends, in UTC."
    ),
}

_METADATA: dict[str, Field] = {
    "http_endpoint": string(
        "HttpEndpoint", default="enabled", allowed=_ON_OFF, about="Whether it is served."
    ),
    "http_protocol_ipv6": string(
        "HttpProtocolIpv6", default="disabled", allowed=_ON_OFF, about="Whether by IPv6 too."
    ),
    "http_put_response_hop_limit": number(
        "HttpPutResponseHopLimit",
        computed=True,
        checks=(between(1, 64),),
        about="How many hops away it may be asked for tokens.",
    ),
    "http_tokens": string(
        "HttpTokens",
        computed=True,
        allowed=("optional", "required"),
        about="Whether only the second version is served, which needs tokens.",
    ),
    "instance_metadata_tags": string(
        "InstanceMetadataTags", default="disabled", allowed=_ON_OFF, about="Whether it tells tags."
    ),
}

_DNS: dict[str, Field] = {
    "enable_resource_name_dns_a_record": boolean(
        "EnableResourceNameDnsARecord", computed=True, about="Whether its resource name resolves to IPv4."
    ),
    "enable_resource_name_dns_aaaa_record": boolean(
        "EnableResourceNameDnsAAAARecord", computed=True, about="Whether its resource name resolves to IPv6."
    ),
    "hostname_type": string(
        "HostnameType",
        computed=True,
        allowed=("ip-name", "resource-name"),
        about="What its host name is made of.",
    ),
}

_INTERFACE: dict[str, Field] = {
    "delete_on_termination": boolean(
        "", read="delete_on_termination", default=False, about="Whether it goes with the instance."
    ),
    "device_index": number("", read="device_index", required=True, about="Its position."),
    "network_card_index": number(
        "", read="network_card_index", default=0, about="The network card that it is on."
    ),
    "network_interface_id": string("", read="network_interface_id", required=True, about="Its id."),
}

_TEMPLATE: dict[str, Field] = {
    "id": string(
        "", read="id", computed=True, force_new=True, conflicts=("name",), about="The template, by id."
    ),
    "name": string("", read="name", computed=True, force_new=True, about="The template, by name."),
    "version": string(
        "",
        read="version",
        default="$Default",
        force_new=True,
        about="Its version: a number, $Latest or $Default.",
    ),
}


def _network() -> dict[str, Field]:
    def own(make: Any, name: str, **options: Any) -> Field:
        """Something of an interface made with the instance, which those that exist bring themselves."""
        options.setdefault("read", _shown(name))
        made: Field = make("", computed=True, conflicts=_INTERFACES, **options)
        return made

    return {
        "associate_public_ip_address": own(
            boolean, "associate_public_ip_address", force_new=True, about="Whether it gets a public address."
        ),
        "enable_primary_ipv6": boolean(
            "",
            read=_shown("enable_primary_ipv6"),
            computed=True,
            about="Whether its first IPv6 address stays for good; turning that off replaces it.",
        ),
        "ipv6_address_count": own(
            number, "ipv6_address_count", follows=("ipv6_addresses",), about="How many IPv6 addresses it has."
        ),
        "ipv6_addresses": own(
            string_list, "ipv6_addresses", follows=("ipv6_address_count",), about="Its IPv6 addresses."
        ),
        "network_interface": block_set(
            _INTERFACE,
            "",
            read=_shown("network_interface"),
            computed=True,
            force_new=True,
            deprecated="Use primary_network_interface, and aws_network_interface_attachment for others.",
            about="Network interfaces that exist.",
        ),
        "primary_network_interface": one_block(
            {
                "network_interface_id": string(
                    "", read="network_interface_id", required=True, force_new=True, about="Its id."
                ),
                "delete_on_termination": output(
                    BOOL, "delete_on_termination", about="Whether it goes with the instance."
                ),
            },
            "",
            read=_shown("primary_network_interface"),
            computed=True,
            conflicts=("network_interface",),
            about="A network interface that exists, as the first one.",
        ),
        "private_ip": own(string, "", read="PrivateIpAddress", force_new=True, about="Its private address."),
        "secondary_private_ips": own(
            string_set, "secondary_private_ips", about="Further private addresses of its first interface."
        ),
        "security_groups": own(
            string_set,
            "security_groups",
            force_new=True,
            about="Security groups by name, in a region's default network.",
        ),
        "source_dest_check": boolean(
            "",
            read=told("SourceDestCheck", True),
            default=True,
            about="Whether traffic that is not its own is dropped.",
        ),
        "subnet_id": own(string, "", read="SubnetId", force_new=True, about="The subnet that it lies in."),
        "vpc_security_group_ids": own(string_set, "vpc_security_group_ids", about="Its security groups."),
    }


def _placement() -> dict[str, Field]:
    def place(make: Any, member: str, about: str, **options: Any) -> Field:
        made: Field = make(
            "", read=f"Placement.{member}", computed=True, force_new=True, about=about, **options
        )
        return made

    return {
        "availability_zone": place(string, "AvailabilityZone", "The zone that it runs in."),
        "host_id": place(string, "HostId", "The dedicated host that it runs on."),
        "host_resource_group_arn": place(
            string, "HostResourceGroupArn", "A group of dedicated hosts.", conflicts=("host_id",)
        ),
        "placement_group": place(
            string, "GroupName", "Its placement group, by name.", conflicts=("placement_group_id",)
        ),
        "placement_group_id": place(string, "GroupId", "Its placement group, by id."),
        "placement_partition_number": place(number, "PartitionNumber", "The partition of that group."),
        "tenancy": place(
            string, "Tenancy", "Whose hardware it runs on.", allowed=("default", "dedicated", "host")
        ),
    }


def _options() -> dict[str, Field]:
    return {
        "capacity_reservation_specification": one_block(
            _RESERVATION,
            "",
            read="CapacityReservationSpecification",
            computed=True,
            about="Reserved capacity.",
        ),
        "cpu_options": one_block(
            _CPU,
            "",
            read="CpuOptions",
            computed=True,
            follows=("instance_type",),
            about="Cores and threads.",
        ),
        "credit_specification": one_block(
            {
                "cpu_credits": string(
                    "",
                    read="cpu_credits",
                    computed=True,
                    allowed=("standard", "unlimited"),
                    about="How they count.",
                )
            },
            "",
            read=_shown("credit_specification"),
            computed=True,
            follows=("instance_type",),
            about="Credits of types that burst.",
        ),
        "enclave_options": one_block(
            {
                "enabled": boolean(
                    "Enabled", computed=True, force_new=True, about="Whether it may have enclaves."
                )
            },
            "",
            read="EnclaveOptions",
            computed=True,
            about="Nitro enclaves.",
        ),
        "instance_market_options": one_block(
            {
                "market_type": string(
                    "",
                    read="market_type",
                    computed=True,
                    force_new=True,
                    allowed=("spot", "capacity-block"),
                    about="The market.",
                ),
                "spot_options": one_block(
                    _SPOT, "", read="spot_options", computed=True, about="Options of the spot market."
                ),
            },
            "",
            read=_shown("instance_market_options"),
            computed=True,
            about="How it is bought.",
        ),
        "launch_template": one_block(
            _TEMPLATE,
            "",
            read=_shown("launch_template"),
            about="The launch template that says what is not said here; another one replaces it.",
        ),
        "maintenance_options": one_block(
            {
                "auto_recovery": string(
                    "AutoRecovery", computed=True, allowed=("default", "disabled"), about="By itself or not."
                )
            },
            "",
            read="MaintenanceOptions",
            computed=True,
            about="Recovery from failures of hardware.",
        ),
        "metadata_options": one_block(
            _METADATA, "", read="MetadataOptions", computed=True, about="The metadata service."
        ),
        "private_dns_name_options": one_block(
            _DNS, "", read="PrivateDnsNameOptions", computed=True, about="Its host name."
        ),
    }


_OUTPUTS: dict[str, Field] = {
    "arn": arn_field("instance", "InstanceId", owner=""),
    "instance_lifecycle": output(STRING, "InstanceLifecycle", about="spot, scheduled, or nothing."),
    "instance_state": output(STRING, "State.Name", about="The state that it is in."),
    "outpost_arn": output(STRING, "OutpostArn", about="The Outpost that it runs on."),
    "password_data": output(
        STRING, _shown("password_data"), follows=("get_password_data",), about="Its encrypted password."
    ),
    "primary_network_interface_id": output(
        STRING, _shown("primary_network_interface_id"), about="Its first network interface."
    ),
    "private_dns": output(
        STRING, "PrivateDnsName", follows=("private_dns_name_options",), about="Its private DNS name."
    ),
    "public_dns": output(STRING, "PublicDnsName", follows=_STOPPED, about="Its public DNS name."),
    "public_ip": output(STRING, "PublicIpAddress", follows=_STOPPED, about="Its public address."),
    "spot_instance_request_id": output(
        STRING, "SpotInstanceRequestId", about="Its request of the spot market."
    ),
}

FIELDS: dict[str, Field] = {
    "ami": string(
        "",
        read="ImageId",
        computed=True,
        force_new=True,
        at_least_one=("ami", "launch_template"),
        about="The machine image.",
    ),
    "instance_type": string(
        "",
        read="InstanceType",
        computed=True,
        at_least_one=("instance_type", "launch_template"),
        about="Its type; it is stopped for another one.",
    ),
    "disable_api_stop": boolean(
        "",
        read=_shown("disable_api_stop"),
        computed=True,
        about="Whether it is protected from being stopped.",
    ),
    "disable_api_termination": boolean(
        "",
        read=_shown("disable_api_termination"),
        computed=True,
        about="Whether it is protected from being terminated.",
    ),
    "ebs_optimized": boolean(
        "",
        read="EbsOptimized",
        computed=True,
        force_new=True,
        about="Whether it has bandwidth for volumes of its own.",
    ),
    "force_destroy": boolean(
        "", read="", default=False, about="Whether it is terminated even though it is protected."
    ),
    "get_password_data": boolean(
        "", read="", default=False, about="Whether to read the password of a Windows instance."
    ),
    "hibernation": boolean(
        "", read="HibernationOptions.Configured", force_new=True, about="Whether it can hibernate."
    ),
    "iam_instance_profile": string(
        "", read=_shown("iam_instance_profile"), computed=True, about="Its instance profile, by name."
    ),
    "instance_initiated_shutdown_behavior": string(
        "",
        read=_shown("instance_initiated_shutdown_behavior"),
        computed=True,
        allowed=("stop", "terminate"),
        about="What becomes of it when it shuts itself down.",
    ),
    "key_name": string("", read="KeyName", computed=True, force_new=True, about="Its key pair."),
    "monitoring": boolean(
        "", read=_shown("monitoring"), computed=True, about="Whether it is measured every minute."
    ),
    "user_data": string(
        "",
        read=_shown("user_data"),
        computed=True,
        equal=same_user_data,
        conflicts=("user_data_base64",),
        follows=("user_data_base64",),
        about="What it is given at launch, as text.",
    ),
    "user_data_base64": string(
        "",
        read=_shown("user_data_base64"),
        computed=True,
        follows=("user_data",),
        checks=(base64_text,),
        about="What it is given at launch, in Base64.",
    ),
    "user_data_replace_on_change": boolean(
        "", read="", default=False, about="Whether other user data replaces it, instead of stopping it."
    ),
    "root_block_device": ROOT,
    "ebs_block_device": EBS,
    "ephemeral_block_device": EPHEMERAL,
    "volume_tags": string_map(
        "", read=_shown("volume_tags"), about="Tags of all its volumes; instead of tags in their blocks."
    ),
    **_network(),
    **_placement(),
    **_options(),
    **_OUTPUTS,
    **TAGS,
}
