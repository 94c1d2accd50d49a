"""Instances against the emulator."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from tests.providers.aws.rig import Rig

from twinfra.providers.protocol import ProviderError, new_token

KIND = "aws_instance"


def place(rig: Rig, **more: Any) -> dict[str, Any]:
    """A network and a subnet: their ids."""
    network = rig.apply("aws_vpc", {"cidr_block": "10.0.0.0/16", **more}).attributes
    given: dict[str, Any] = {"vpc_id": network["id"], "cidr_block": "10.0.1.0/24"}
    if network["ipv6_cidr_block"]:
        given["ipv6_cidr_block"] = network["ipv6_cidr_block"].replace("/56", "/64")
    subnet = rig.apply("aws_subnet", given)
    return {"vpc_id": given["vpc_id"], "subnet_id": subnet.attributes["id"]}


def image(rig: Rig) -> str:
    """A machine image with a root volume; its id."""
    images = rig.client("ec2").describe_images(
        Owners=["amazon"], Filters=[{"Name": "name", "Values": ["amzn2-ami-hvm-*"]}]
    )["Images"]
    return str(images[0]["ImageId"])


def group(rig: Rig, network: str, name: str) -> str:
    """A security group; its id."""
    return str(rig.apply("aws_security_group", {"name": name, "vpc_id": network}).attributes["id"])


def seen(rig: Rig, number: str) -> dict[str, Any]:
    """The instance, seen with boto3."""
    found = rig.client("ec2").describe_instances(InstanceIds=[number])
    instance: dict[str, Any] = found["Reservations"][0]["Instances"][0]
    return instance


KEPT = ("force_destroy", "get_password_data", "user_data_replace_on_change")


def test_an_instance_is_made_as_declared_and_imported_back(rig: Rig) -> None:
    where = place(rig)
    given = {
        "ami": image(rig),
        "instance_type": "t3.micro",
        "subnet_id": where["subnet_id"],
        "vpc_security_group_ids": [group(rig, where["vpc_id"], "a"), group(rig, where["vpc_id"], "b")],
        "user_data": "#!/bin/sh\necho hello\n",
        "tags": {"Name": "worker"},
    }
    stored = rig.check(KIND, given, kept=KEPT)
    found = seen(rig, stored.attributes["id"])
    assert stored.attributes["instance_state"] == "running"
    assert stored.attributes["private_ip"] == found["PrivateIpAddress"]
    assert stored.attributes["arn"].endswith(f":instance/{found['InstanceId']}")
    assert stored.attributes["primary_network_interface_id"].startswith("eni-")
    assert stored.attributes["root_block_device"][0]["volume_id"].startswith("vol-")
    assert stored.attributes["metadata_options"][0]["http_endpoint"] == "enabled"
    assert stored.attributes["credit_specification"][0]["cpu_credits"] == "unlimited"
    there = rig.client("ec2").describe_instance_attribute(
        InstanceId=found["InstanceId"], Attribute="userData"
    )
    assert base64.b64decode(there["UserData"]["Value"]).decode() == given["user_data"]
    rig.destroy(KIND, stored)
    assert rig.read(KIND, stored) is None
    rig.destroy(KIND, stored)


def test_every_option_of_an_instance_is_kept(rig: Rig) -> None:
    where = place(rig)
    given = {
        "ami": image(rig),
        "instance_type": "t3.large",
        "subnet_id": where["subnet_id"],
        "private_ip": "10.0.1.20",
        "secondary_private_ips": ["10.0.1.21", "10.0.1.22"],
        "associate_public_ip_address": True,
        "vpc_security_group_ids": [group(rig, where["vpc_id"], "a")],
        "cpu_options": [{"core_count": 1, "threads_per_core": 1}],
        "credit_specification": [{"cpu_credits": "standard"}],
        "disable_api_stop": True,
        "disable_api_termination": True,
        "ebs_optimized": True,
        "enclave_options": [{"enabled": True}],
        "force_destroy": True,
        "hibernation": True,
        "instance_initiated_shutdown_behavior": "terminate",
        "maintenance_options": [{"auto_recovery": "disabled"}],
        "metadata_options": [{"http_tokens": "required", "http_put_response_hop_limit": 2}],
        "monitoring": True,
        "private_dns_name_options": [{"hostname_type": "resource-name"}],
        "source_dest_check": False,
        "tenancy": "dedicated",
        "capacity_reservation_specification": [{"capacity_reservation_preference": "none"}],
        "root_block_device": [
            {"volume_size": 20, "volume_type": "gp3", "throughput": 200, "tags": {"disk": "root"}}
        ],
        "ebs_block_device": [
            {"device_name": "/dev/sdf", "volume_size": 10, "encrypted": True, "tags": {"disk": "data"}},
            {"device_name": "/dev/sdg", "volume_size": 11, "delete_on_termination": False},
        ],
        "user_data_base64": base64.b64encode(b"\x00\xff").decode(),
    }
    stored = rig.apply(KIND, given)
    assert rig.drift(KIND, stored) == {}
    assert rig.differences(KIND, given, stored) == {}
    found = seen(rig, stored.attributes["id"])
    assert found["MetadataOptions"]["HttpTokens"] == "required"
    assert stored.attributes["public_ip"]
    volumes = {one["Size"]: one for one in rig.client("ec2").describe_volumes()["Volumes"]}
    assert (volumes[20]["Throughput"], volumes[20]["Tags"]) == (200, [{"Key": "disk", "Value": "root"}])
    assert volumes[10]["Encrypted"] is True
    assert sorted(one["tags_all"].get("disk", "") for one in stored.attributes["ebs_block_device"]) == [
        "",
        "data",
    ]
    rig.destroy(KIND, stored)
    assert rig.read(KIND, stored) is None


def test_an_instance_changes_in_place_and_is_brought_back(rig: Rig) -> None:
    where = place(rig)
    given: dict[str, Any] = {
        "ami": image(rig),
        "instance_type": "t3.micro",
        "subnet_id": where["subnet_id"],
        "vpc_security_group_ids": [group(rig, where["vpc_id"], "a")],
        "root_block_device": [{"volume_size": 10}],
        "tags": {"a": "1"},
    }
    stored = rig.apply(KIND, given)
    changed = {
        **given,
        "vpc_security_group_ids": [group(rig, where["vpc_id"], "b")],
        "root_block_device": [{"volume_size": 12, "delete_on_termination": False, "tags": {"x": "1"}}],
        "monitoring": True,
        "disable_api_termination": True,
        "instance_initiated_shutdown_behavior": "terminate",
        "metadata_options": [{"http_tokens": "required"}],
        "credit_specification": [{"cpu_credits": "standard"}],
        "maintenance_options": [{"auto_recovery": "disabled"}],
        "private_dns_name_options": [{"enable_resource_name_dns_a_record": True}],
        "source_dest_check": False,
        "secondary_private_ips": ["10.0.1.50"],
        "tags": {"b": "2"},
    }
    assert rig.plan(KIND, changed, stored).replace == ()
    stored = rig.apply(KIND, changed, stored)
    assert rig.differences(KIND, changed, stored) == {}
    client, number = rig.client("ec2"), stored.attributes["id"]
    client.modify_instance_metadata_options(InstanceId=number, HttpTokens="optional")
    client.modify_instance_attribute(InstanceId=number, SourceDestCheck={"Value": True})
    assert rig.drift(KIND, stored).keys() == {"metadata_options", "source_dest_check"}
    stored = rig.apply(KIND, changed, rig.read(KIND, stored))
    assert rig.differences(KIND, changed, stored) == {}
    with pytest.raises(ProviderError, match="OperationNotPermitted"):
        rig.destroy(KIND, stored)
    stored = rig.apply(KIND, {**changed, "disable_api_termination": False}, stored)
    rig.destroy(KIND, stored)
    assert rig.read(KIND, stored) is None


def test_another_type_and_user_data_stop_it_and_start_it_again(rig: Rig) -> None:
    given = {
        "ami": image(rig),
        "instance_type": "t3.micro",
        "subnet_id": place(rig)["subnet_id"],
        "user_data": "one",
    }
    stored = rig.apply(KIND, given)
    changed = {**given, "instance_type": "m5.large", "user_data": "two"}
    assert rig.plan(KIND, changed, stored).replace == ()
    stored = rig.apply(KIND, changed, stored)
    assert rig.differences(KIND, changed, stored) == {}
    found = seen(rig, stored.attributes["id"])
    assert (found["InstanceType"], found["State"]["Name"]) == ("m5.large", "running")
    rig.client("ec2").stop_instances(InstanceIds=[stored.attributes["id"]])
    fresh = rig.read(KIND, stored)
    stored = rig.apply(KIND, {**changed, "instance_type": "t3.small"}, fresh)
    assert seen(rig, stored.attributes["id"])["State"]["Name"] == "stopped"


def test_user_data_replaces_it_where_declared(rig: Rig) -> None:
    given = {
        "ami": image(rig),
        "instance_type": "t3.micro",
        "subnet_id": place(rig)["subnet_id"],
        "user_data": "one",
        "user_data_replace_on_change": True,
    }
    stored = rig.apply(KIND, given)
    assert rig.plan(KIND, {**given, "user_data": "two"}, stored).replace
    same = {**given, "user_data": base64.b64encode(b"one").decode()}
    assert rig.plan(KIND, same, stored).replace == ()
    checksum = "fe05bcdcdc4928012781a5f1a2a77cbb5398e106"
    assert rig.differences(KIND, given, stored) == {}
    stored.attributes["user_data"] = checksum
    assert rig.plan(KIND, given, stored).replace == ()


@pytest.mark.parametrize(
    "changed",
    [
        {"ami": "ami-1234"},
        {"key_name": "other"},
        {"root_block_device": [{"volume_size": 10, "encrypted": True}]},
        {"ebs_block_device": [{"device_name": "/dev/sdf", "volume_size": 11}]},
        {"ebs_block_device": [{"device_name": "/dev/sdg", "volume_size": 10}]},
        {"tenancy": "dedicated"},
        {"cpu_options": [{"threads_per_core": 1}]},
    ],
)
def test_what_cannot_change_replaces_it(rig: Rig, changed: dict[str, Any]) -> None:
    given = {
        "ami": "ami-1",
        "instance_type": "t3.micro",
        "subnet_id": place(rig)["subnet_id"],
        "key_name": "key",
        "ebs_block_device": [{"device_name": "/dev/sdf", "volume_size": 10}],
    }
    stored = rig.apply(KIND, given)
    assert rig.differences(KIND, given, stored) == {}
    assert rig.plan(KIND, {**given, **changed}, stored).replace
    tagged = {
        **given,
        "ebs_block_device": [{"device_name": "/dev/sdf", "volume_size": 10, "tags": {"a": "1"}}],
    }
    assert rig.plan(KIND, tagged, stored).replace == ()
    stored = rig.apply(KIND, tagged, stored)
    assert rig.differences(KIND, tagged, stored) == {}


def test_tags_of_all_volumes(rig: Rig) -> None:
    given = {
        "ami": image(rig),
        "instance_type": "t3.micro",
        "subnet_id": place(rig)["subnet_id"],
        "ebs_block_device": [{"device_name": "/dev/sdf", "volume_size": 10}],
        "volume_tags": {"a": "1", "b": "2"},
    }
    stored = rig.apply(KIND, given)
    assert rig.drift(KIND, stored) == {}
    assert rig.differences(KIND, given, stored) == {}
    changed = {**given, "volume_tags": {"a": "3"}}
    stored = rig.apply(KIND, changed, stored)
    assert rig.differences(KIND, changed, stored) == {}
    client = rig.client("ec2")
    volumes = client.describe_volumes()["Volumes"]
    assert [one["Tags"] for one in volumes] == [[{"Key": "a", "Value": "3"}]] * 2
    client.delete_tags(Resources=[volumes[1]["VolumeId"]], Tags=[{"Key": "a"}])
    assert rig.drift(KIND, stored).keys() == {"volume_tags"}
    stored = rig.apply(KIND, changed, rig.read(KIND, stored))
    assert rig.differences(KIND, changed, stored) == {}


def test_an_instance_profile_comes_changes_and_goes(rig: Rig) -> None:
    given = {"ami": image(rig), "instance_type": "t3.micro", "subnet_id": place(rig)["subnet_id"]}
    for name in ("one", "other"):
        rig.apply("aws_iam_instance_profile", {"name": name})
    stored = rig.apply(KIND, {**given, "iam_instance_profile": "one"})
    assert stored.attributes["iam_instance_profile"] == "one"
    for wanted in ("other", "", "one"):
        changed = {**given, "iam_instance_profile": wanted}
        stored = rig.apply(KIND, changed, stored)
        assert rig.differences(KIND, changed, stored) == {}


def test_a_launch_template_says_the_rest(rig: Rig) -> None:
    template = rig.apply(
        "aws_launch_template", {"name": "nodes", "image_id": image(rig), "instance_type": "t3.micro"}
    )
    given = {
        "subnet_id": place(rig)["subnet_id"],
        "launch_template": [{"id": template.attributes["id"]}],
        "root_block_device": [{"volume_size": 30}],
    }
    stored = rig.check(KIND, given, kept=(*KEPT, "launch_template"))
    assert stored.attributes["instance_type"] == "t3.micro"
    assert stored.attributes["launch_template"][0]["name"] == "nodes"
    assert stored.attributes["launch_template"][0]["version"] == "$Default"
    other = {**given, "launch_template": [{"id": template.attributes["id"], "version": "$Latest"}]}
    assert rig.plan(KIND, other, stored).replace


def test_a_network_interface_that_exists(rig: Rig) -> None:
    interface = rig.client("ec2").create_network_interface(SubnetId=place(rig)["subnet_id"])[
        "NetworkInterface"
    ]
    given = {
        "ami": image(rig),
        "instance_type": "t3.micro",
        "primary_network_interface": [{"network_interface_id": interface["NetworkInterfaceId"]}],
    }
    stored = rig.check(KIND, given, kept=KEPT)
    assert stored.attributes["primary_network_interface_id"] == interface["NetworkInterfaceId"]
    assert stored.attributes["private_ip"] == interface["PrivateIpAddress"]


def test_default_tags_are_on_the_instance_and_on_declared_volumes(rig_with: Callable[..., Rig]) -> None:
    rig = rig_with(default_tags=[{"tags": {"team": "ml"}}])
    given = {
        "ami": image(rig),
        "instance_type": "t3.micro",
        "subnet_id": place(rig)["subnet_id"],
        "root_block_device": [{"tags": {"disk": "root"}}],
    }
    stored = rig.apply(KIND, given)
    assert rig.drift(KIND, stored) == {}
    assert rig.differences(KIND, given, stored) == {}
    assert stored.attributes["tags_all"] == {"team": "ml"}
    (volume,) = rig.client("ec2").describe_volumes()["Volumes"]
    assert sorted(one["Key"] for one in volume["Tags"]) == ["disk", "team"]
    assert stored.attributes["root_block_device"][0]["tags"] == {"disk": "root"}


def test_the_password_of_a_windows_instance(rig: Rig) -> None:
    images = rig.client("ec2").describe_images(Filters=[{"Name": "platform", "Values": ["windows"]}])[
        "Images"
    ]
    given = {
        "ami": images[0]["ImageId"],
        "instance_type": "t3.large",
        "subnet_id": place(rig)["subnet_id"],
        "get_password_data": True,
    }
    stored = rig.apply(KIND, given)
    assert len(stored.attributes["password_data"]) == 128
    assert rig.drift(KIND, stored) == {}


def test_ipv6_addresses(rig: Rig) -> None:
    where = place(rig, assign_generated_ipv6_cidr_block=True)
    given = {"ami": image(rig), "instance_type": "t3.micro", "subnet_id": where["subnet_id"]}
    stored = rig.check(KIND, {**given, "ipv6_address_count": 1}, kept=KEPT)
    more = {**given, "ipv6_address_count": 2}
    stored = rig.apply(KIND, more, stored)
    assert len(stored.attributes["ipv6_addresses"]) == 2
    assert rig.differences(KIND, more, stored) == {}


def test_many_instances_are_read_with_few_calls(rig: Rig) -> None:
    where = place(rig)
    given = {"ami": image(rig), "instance_type": "t3.micro", "subnet_id": where["subnet_id"]}
    stored = [rig.apply(KIND, given) for _ in range(3)]
    rig.client("ec2").terminate_instances(InstanceIds=[stored[1].attributes["id"]])
    found = rig.provider.read_many(KIND, stored)
    assert [one is None for one in found] == [False, True, False]


def test_an_interrupted_instance_is_found_by_its_token(rig: Rig) -> None:
    token, ami = new_token(), image(rig)
    given = {"ami": ami, "instance_type": "t3.micro", "subnet_id": place(rig)["subnet_id"]}
    assert rig.recover(KIND, given, token) is None
    rig.client("ec2").run_instances(
        ImageId=ami,
        InstanceType="t3.micro",
        SubnetId=given["subnet_id"],
        MinCount=1,
        MaxCount=1,
        ClientToken=token,
    )
    found = rig.recover(KIND, given, token)
    assert found is not None
    assert rig.differences(KIND, given, found) == {}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"ami": "ami-1"}, "At least one of instance_type, launch_template"),
        (
            {"ami": "ami-1", "instance_type": "t3.micro", "user_data": "a", "user_data_base64": "YQ=="},
            "cannot both",
        ),
        (
            {
                "ami": "ami-1",
                "instance_type": "t3.micro",
                "subnet_id": "subnet-1",
                "primary_network_interface": [{"network_interface_id": "eni-1"}],
            },
            "subnet_id and primary_network_interface cannot both be given",
        ),
        ({"ami": "ami-1", "instance_type": "t3.micro", "tenancy": "mine"}, "must be one of"),
    ],
)
def test_what_cannot_be_is_an_error_before_any_call(rig: Rig, given: dict[str, Any], said: str) -> None:
    (problem,) = rig.problems(KIND, given)
    assert said in problem
