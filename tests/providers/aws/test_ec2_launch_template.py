"""Launch templates against the emulator."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from tests.providers.aws.rig import Rig

from twinfra.providers.protocol import new_token

KIND = "aws_launch_template"

GPU: dict[str, Any] = {
    "name": "gpu",
    "block_device_mappings": [
        {
            "device_name": "/dev/xvda",
            "ebs": [{"volume_size": 200, "volume_type": "gp3", "delete_on_termination": "true"}],
        }
    ],
    "metadata_options": [{"http_endpoint": "enabled", "http_tokens": "required"}],
    "tags": {"a": "1"},
}

EVERYTHING: dict[str, Any] = {
    "name_prefix": "all-",
    "description": "first",
    "block_device_mappings": [
        {
            "device_name": "/dev/xvda",
            "ebs": [
                {
                    "encrypted": "true",
                    "iops": 3000,
                    "throughput": 125,
                    "kms_key_id": "arn:aws:kms:us-east-1:1:key/x",
                }
            ],
        },
        {"device_name": "/dev/xvdb", "no_device": "true"},
        {"device_name": "/dev/xvdc", "virtual_name": "ephemeral0"},
    ],
    "capacity_reservation_specification": [
        {"capacity_reservation_target": [{"capacity_reservation_id": "cr-1"}]}
    ],
    "cpu_options": [{"core_count": 4, "threads_per_core": 1}],
    "credit_specification": [{"cpu_credits": "unlimited"}],
    "disable_api_stop": True,
    "disable_api_termination": True,
    "ebs_optimized": "true",
    "enclave_options": [{"enabled": True}],
    "hibernation_options": [{"configured": False}],
    "iam_instance_profile": [{"name": "profile"}],
    "image_id": "ami-12345678",
    "instance_initiated_shutdown_behavior": "terminate",
    "instance_market_options": [
        {"market_type": "spot", "spot_options": [{"max_price": "0.5", "spot_instance_type": "one-time"}]}
    ],
    "instance_requirements": [
        {
            "memory_mib": [{"min": 1024}],
            "vcpu_count": [{"min": 2, "max": 8}],
            "memory_gib_per_vcpu": [{"min": 0.5}],
            "cpu_manufacturers": ["intel", "amd"],
            "accelerator_count": [{"max": 0}],
            "bare_metal": "excluded",
        }
    ],
    "key_name": "key",
    "license_specification": [
        {"license_configuration_arn": "arn:aws:license-manager:eu-west-1:123456789012:x"}
    ],
    "maintenance_options": [{"auto_recovery": "disabled"}],
    "monitoring": [{"enabled": True}],
    "network_interfaces": [
        {
            "associate_public_ip_address": "false",
            "delete_on_termination": "true",
            "device_index": 1,
            "private_ip_address": "10.0.0.10",
            "ipv4_addresses": ["10.0.0.10", "10.0.0.11"],
            "ipv6_addresses": ["2001:db8::1"],
            "security_groups": ["sg-2", "sg-1"],
            "connection_tracking_specification": [{"udp_timeout": 30}],
        },
        {"subnet_id": "subnet-1", "interface_type": "efa"},
    ],
    "placement": [{"tenancy": "dedicated", "partition_number": 2}],
    "private_dns_name_options": [
        {"hostname_type": "resource-name", "enable_resource_name_dns_a_record": True}
    ],
    "tag_specifications": [
        {"resource_type": "instance", "tags": {"Name": "node"}},
        {"resource_type": "volume", "tags": {"Name": "disk", "x": ""}},
    ],
    "user_data": base64.b64encode(b"#!/bin/sh").decode(),
    "vpc_security_group_ids": ["sg-1"],
}


def versions(rig: Rig, number: str) -> list[dict[str, Any]]:
    """Versions of a template, newest first, seen with boto3."""
    found = rig.client("ec2").describe_launch_template_versions(LaunchTemplateId=number)
    return sorted(found["LaunchTemplateVersions"], key=lambda one: -one["VersionNumber"])


def test_a_template_is_made_as_declared_and_imported_back(rig: Rig) -> None:
    stored = rig.check(KIND, GPU)
    (version,) = versions(rig, stored.attributes["id"])
    assert version["LaunchTemplateData"]["MetadataOptions"] == {
        "HttpEndpoint": "enabled",
        "HttpTokens": "required",
    }
    (device,) = version["LaunchTemplateData"]["BlockDeviceMappings"]
    assert device == {
        "DeviceName": "/dev/xvda",
        "Ebs": {"VolumeSize": 200, "VolumeType": "gp3", "DeleteOnTermination": True},
    }
    assert "TagSpecifications" not in version["LaunchTemplateData"]
    assert (stored.attributes["latest_version"], stored.attributes["default_version"]) == (1, 1)


def test_everything_that_a_template_can_say_is_kept(rig: Rig) -> None:
    stored = rig.check(KIND, EVERYTHING)
    (version,) = versions(rig, stored.attributes["id"])
    first, second = version["LaunchTemplateData"]["NetworkInterfaces"]
    assert sorted((one["PrivateIpAddress"], one["Primary"]) for one in first["PrivateIpAddresses"]) == [
        ("10.0.0.10", True),
        ("10.0.0.11", False),
    ]
    assert (second["DeviceIndex"], second["SubnetId"]) == (0, "subnet-1")
    reduced = {"name_prefix": "all-", "image_id": "ami-12345678"}
    stored = rig.apply(KIND, reduced, stored)
    assert rig.differences(KIND, reduced, stored) == {}
    assert versions(rig, stored.attributes["id"])[0]["LaunchTemplateData"] == {"ImageId": "ami-12345678"}


def test_a_change_makes_a_version_and_leaves_the_default(rig: Rig) -> None:
    stored = rig.apply(KIND, GPU)
    changed = {**GPU, "instance_type": "p5.48xlarge", "description": "second"}
    change = rig.plan(KIND, changed, stored)
    assert change.replace == ()
    stored = rig.apply(KIND, changed, stored)
    assert rig.differences(KIND, changed, stored) == {}
    assert (stored.attributes["latest_version"], stored.attributes["default_version"]) == (2, 1)
    chosen = {**changed, "default_version": 2}
    stored = rig.apply(KIND, chosen, stored)
    assert rig.differences(KIND, chosen, stored) == {}
    assert [one["DefaultVersion"] for one in versions(rig, stored.attributes["id"])] == [True, False]


def test_tags_alone_make_no_version(rig: Rig) -> None:
    stored = rig.apply(KIND, GPU)
    stored = rig.apply(KIND, {**GPU, "tags": {"b": "2"}}, stored)
    assert rig.differences(KIND, {**GPU, "tags": {"b": "2"}}, stored) == {}
    assert len(versions(rig, stored.attributes["id"])) == 1


def test_the_default_follows_where_declared_and_is_brought_back(rig: Rig) -> None:
    given = {**GPU, "update_default_version": True}
    stored = rig.apply(KIND, given)
    changed = {**given, "instance_type": "p5.48xlarge"}
    stored = rig.apply(KIND, changed, stored)
    assert (stored.attributes["latest_version"], stored.attributes["default_version"]) == (2, 2)
    assert rig.differences(KIND, changed, stored) == {}
    client = rig.client("ec2")
    client.modify_launch_template(LaunchTemplateId=stored.attributes["id"], DefaultVersion="1")
    assert rig.drift(KIND, stored).keys() == {"default_version"}
    stored = rig.apply(KIND, changed, rig.read(KIND, stored))
    assert stored.attributes["default_version"] == 2
    client.create_launch_template_version(
        LaunchTemplateId=stored.attributes["id"], LaunchTemplateData={"InstanceType": "t3.micro"}
    )
    assert {"instance_type", "latest_version"} <= rig.drift(KIND, stored).keys()
    stored = rig.apply(KIND, changed, rig.read(KIND, stored))
    assert stored.attributes["default_version"] == 4
    assert rig.differences(KIND, changed, stored) == {}
    rig.destroy(KIND, stored)
    assert rig.read(KIND, stored) is None


def test_many_templates_are_read_though_one_is_gone(rig: Rig) -> None:
    stored = [rig.apply(KIND, {"name": f"template-{at}", "instance_type": "t3.micro"}) for at in range(20)]
    rig.client("ec2").delete_launch_template(LaunchTemplateId=stored[7].attributes["id"])
    found = rig.provider.read_many(KIND, stored)
    assert [at for at, one in enumerate(found) if one is None] == [7]


def test_an_interrupted_template_is_found_again(rig: Rig) -> None:
    token = new_token()
    assert rig.recover(KIND, GPU, token) is None
    rig.client("ec2").create_launch_template(
        LaunchTemplateName="gpu", LaunchTemplateData={"InstanceType": "t3.micro"}
    )
    found = rig.recover(KIND, GPU, token)
    assert found is not None
    assert found.attributes["instance_type"] == "t3.micro"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"default_version": 1, "update_default_version": True}, "cannot both be given"),
        ({"metadata_options": [{"http_tokens": "always"}]}, "must be one of"),
        ({"ebs_optimized": "yes"}, "must be one of"),
        ({"name": "a b c"}, "letters, digits"),
    ],
)
def test_what_cannot_be_is_an_error_before_any_call(rig: Rig, given: dict[str, Any], said: str) -> None:
    (problem,) = rig.problems(KIND, given)
    assert said in problem
