"""What a launch template says about instances: the fields of `LaunchTemplateData`.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RequestLaunchTemplateData.html
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twinfra.providers.aws.checks import arn, between, length
from twinfra.providers.aws.fields import (
    Field,
    block,
    boolean,
    number,
    one_block,
    string,
    string_map,
    string_set,
)
from twinfra.providers.aws.mapping import request_of
from twinfra.providers.aws.resource import Api, Attributes
from twinfra.providers.aws.services.ec2._instance_requirements import INSTANCE_REQUIREMENTS
from twinfra.providers.aws.services.ec2._switches import switch
from twinfra.providers.aws.services.ec2._template_interfaces import NETWORK_INTERFACES, mark_primary

_EBS: dict[str, Field] = {
    "delete_on_termination": switch("DeleteOnTermination", about="Whether it goes with the instance."),
    "encrypted": switch("Encrypted", about="Whether it is encrypted."),
    "iops": number("Iops", computed=True, about="Operations a second."),
    "kms_key_id": string("KmsKeyId", about="Key that it is encrypted with."),
    "snapshot_id": string("SnapshotId", about="Snapshot that it is made of."),
    "throughput": number("Throughput", computed=True, checks=(between(125, 2000),), about="MiB a second."),
    "volume_initialization_rate": number(
        "VolumeInitializationRate", checks=(between(100, 300),), about="MiB a second when made of a snapshot."
    ),
    "volume_size": number("VolumeSize", computed=True, about="Its size in GiB."),
    "volume_type": string(
        "VolumeType",
        computed=True,
        allowed=("standard", "io1", "io2", "gp2", "gp3", "sc1", "st1"),
        about="Its kind.",
    ),
}

_DEVICE: dict[str, Field] = {
    "device_name": string("DeviceName", about="Device name, such as /dev/xvda."),
    "ebs": one_block(_EBS, "Ebs", about="The volume."),
    "no_device": string("NoDevice", about="Whether to leave out a device of the image."),
    "virtual_name": string("VirtualName", about="Name of an instance store volume."),
}

_RESERVATION: dict[str, Field] = {
    "capacity_reservation_preference": string(
        "CapacityReservationPreference",
        allowed=("capacity-reservations-only", "open", "none"),
        about="Whether instances run in open reservations.",
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
        hollow=True,
        about="The reservation to run in.",
    ),
}

_CPU: dict[str, Field] = {
    "amd_sev_snp": string("AmdSevSnp", allowed=("enabled", "disabled"), about="Whether memory is encrypted."),
    "core_count": number("CoreCount", about="How many cores."),
    "threads_per_core": number("ThreadsPerCore", about="Threads for each core."),
}

_PROFILE: dict[str, Field] = {
    "arn": string("Arn", conflicts=("name",), checks=(arn("iam"),), about="Its ARN."),
    "name": string("Name", about="Its name."),
}

_SPOT: dict[str, Field] = {
    "block_duration_minutes": number("BlockDurationMinutes", about="How long it surely runs, in minutes."),
    "instance_interruption_behavior": string(
        "InstanceInterruptionBehavior",
        allowed=("hibernate", "stop", "terminate"),
        about="What happens to it when capacity is wanted back.",
    ),
    "max_price": string("MaxPrice", about="Price at most, in dollars an hour."),
    "spot_instance_type": string(
        "SpotInstanceType", allowed=("one-time", "persistent"), about="Whether it is asked for again."
    ),
    "valid_until": string("ValidUntil", computed=True, about="When a request for it ends, in UTC."),
}

METADATA_OPTIONS: dict[str, Field] = {
    "http_endpoint": string(
        "HttpEndpoint", computed=True, allowed=("enabled", "disabled"), about="Whether it is served."
    ),
    "http_protocol_ipv6": string(
        "HttpProtocolIpv6", computed=True, allowed=("enabled", "disabled"), about="Whether by IPv6 too."
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
        "InstanceMetadataTags", computed=True, allowed=("enabled", "disabled"), about="Whether it tells tags."
    ),
}

_PLACEMENT: dict[str, Field] = {
    "affinity": string("Affinity", about="Whether it stays with its dedicated host."),
    "availability_zone": string("AvailabilityZone", about="The zone."),
    "group_id": string("GroupId", conflicts=("group_name",), about="The placement group, by id."),
    "group_name": string("GroupName", about="The placement group, by name."),
    "host_id": string("HostId", conflicts=("host_resource_group_arn",), about="The dedicated host."),
    "host_resource_group_arn": string(
        "HostResourceGroupArn", checks=(arn(),), about="A group of dedicated hosts."
    ),
    "partition_number": number("PartitionNumber", about="The partition of the placement group."),
    "spread_domain": string("SpreadDomain", about="Reserved by AWS."),
    "tenancy": string(
        "Tenancy", allowed=("default", "dedicated", "host"), about="Whose hardware it runs on."
    ),
}

DNS_OPTIONS: dict[str, Field] = {
    "enable_resource_name_dns_a_record": boolean(
        "EnableResourceNameDnsARecord", about="Whether its resource name resolves to IPv4."
    ),
    "enable_resource_name_dns_aaaa_record": boolean(
        "EnableResourceNameDnsAAAARecord", about="Whether its resource name resolves to IPv6."
    ),
    "hostname_type": string(
        "HostnameType", allowed=("ip-name", "resource-name"), about="What its host name is made of."
    ),
}

_TAGS: dict[str, Field] = {
    "resource_type": string("ResourceType", about="What to tag: instance, volume, ..."),
    "tags": string_map(
        "",
        read="Tags",
        write=lambda value: {
            "Tags": [{"Key": key, "Value": text or ""} for key, text in sorted(value.items())]
        },
        about="The tags.",
    ),
}

TEMPLATE: dict[str, Field] = {
    "block_device_mappings": block(
        _DEVICE, "BlockDeviceMappings", about="Volumes besides those of the image."
    ),
    "capacity_reservation_specification": one_block(
        _RESERVATION, "CapacityReservationSpecification", hollow=True, about="Reserved capacity."
    ),
    "cpu_options": one_block(_CPU, "CpuOptions", hollow=True, about="Cores and threads."),
    "credit_specification": one_block(
        {
            "cpu_credits": string(
                "CpuCredits", allowed=("standard", "unlimited"), about="How they are counted."
            )
        },
        "CreditSpecification",
        hollow=True,
        about="Credits of types that burst.",
    ),
    "disable_api_stop": boolean("DisableApiStop", about="Whether it is protected from being stopped."),
    "disable_api_termination": boolean(
        "DisableApiTermination", about="Whether it is protected from being terminated."
    ),
    "ebs_optimized": switch("EbsOptimized", about="Whether it has bandwidth for volumes of its own."),
    "enclave_options": one_block(
        {"enabled": boolean("Enabled", about="Whether it may have enclaves.")},
        "EnclaveOptions",
        hollow=True,
        about="Nitro enclaves.",
    ),
    "hibernation_options": one_block(
        {"configured": boolean("Configured", required=True, about="Whether it can hibernate.")},
        "HibernationOptions",
        about="Hibernation.",
    ),
    "iam_instance_profile": one_block(
        _PROFILE, "IamInstanceProfile", hollow=True, about="Its instance profile."
    ),
    "image_id": string("ImageId", about="The machine image, or resolve:ssm: and a parameter."),
    "instance_initiated_shutdown_behavior": string(
        "InstanceInitiatedShutdownBehavior",
        allowed=("stop", "terminate"),
        about="What becomes of it when it shuts itself down.",
    ),
    "instance_market_options": one_block(
        {
            "market_type": string("MarketType", allowed=("spot", "capacity-block"), about="The market."),
            "spot_options": one_block(_SPOT, "SpotOptions", hollow=True, about="Options of the spot market."),
        },
        "InstanceMarketOptions",
        hollow=True,
        about="How it is bought.",
    ),
    "instance_requirements": one_block(
        INSTANCE_REQUIREMENTS,
        "InstanceRequirements",
        conflicts=("instance_type",),
        about="What its type must be like.",
    ),
    "instance_type": string("InstanceType", about="Its type."),
    "kernel_id": string("KernelId", about="Its kernel."),
    "key_name": string("KeyName", about="Its key pair."),
    "license_specification": block(
        {
            "license_configuration_arn": string(
                "LicenseConfigurationArn", required=True, checks=(arn(),), about="A license configuration."
            )
        },
        "LicenseSpecifications",
        about="Licenses.",
    ),
    "maintenance_options": one_block(
        {"auto_recovery": string("AutoRecovery", allowed=("default", "disabled"), about="By itself or not.")},
        "MaintenanceOptions",
        hollow=True,
        about="Recovery from failures of hardware.",
    ),
    "metadata_options": one_block(METADATA_OPTIONS, "MetadataOptions", about="The metadata service."),
    "monitoring": one_block(
        {"enabled": boolean("Enabled", about="Whether it is measured every minute.")},
        "Monitoring",
        hollow=True,
        about="Detailed monitoring.",
    ),
    "network_interfaces": NETWORK_INTERFACES,
    "placement": one_block(_PLACEMENT, "Placement", hollow=True, about="Where it runs."),
    "private_dns_name_options": one_block(
        DNS_OPTIONS, "PrivateDnsNameOptions", hollow=True, about="Its host name."
    ),
    "ram_disk_id": string("RamDiskId", about="Its RAM disk."),
    "security_group_names": string_set(
        "SecurityGroups", conflicts=("vpc_security_group_ids",), about="Security groups by name."
    ),
    "tag_specifications": block(_TAGS, "TagSpecifications", about="Tags of what is launched."),
    "user_data": string("UserData", about="What it is given at launch, in Base64."),
    "vpc_security_group_ids": string_set("SecurityGroupIds", about="Security groups by id."),
}

DESCRIPTION = string(
    "", read="Version.VersionDescription", checks=(length(0, 255),), about="What this version is."
)


def as_attributes() -> dict[str, Field]:
    """The same fields for a resource, whose object read has a version in `Version`."""
    return {
        name: replace(field, api="", read=f"Version.LaunchTemplateData.{field.api}", write="")
        for name, field in TEMPLATE.items()
    }


def template_data(attributes: Attributes) -> Api:
    """`LaunchTemplateData` for a request."""
    found: dict[str, Any] = request_of(TEMPLATE, attributes)
    mark_primary(found.get("NetworkInterfaces", ()))
    return found
