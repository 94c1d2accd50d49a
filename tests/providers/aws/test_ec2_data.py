"""Zones and machine images against the emulator."""

from __future__ import annotations

import pytest
from tests.providers.aws.rig import Rig

from twinfra.providers.protocol import ProviderError


def test_zones_are_listed_in_order(rig: Rig) -> None:
    found = rig.data("aws_availability_zones", {"state": "available"})
    assert found["names"] == [f"us-east-1{one}" for one in "abcdef"]
    assert len(found["zone_ids"]) == 6
    assert found["id"] == "us-east-1"


def test_zones_are_left_out_and_filtered(rig: Rig) -> None:
    found = rig.data("aws_availability_zones", {"exclude_names": ["us-east-1a"]})
    assert found["names"][0] == "us-east-1b"
    one = {"filter": [{"name": "zone-name", "values": ["us-east-1c"]}]}
    assert rig.data("aws_availability_zones", one)["names"] == ["us-east-1c"]


def test_the_newest_image_of_an_owner(rig: Rig) -> None:
    given = {
        "most_recent": True,
        "owners": ["amazon"],
        "filter": [{"name": "name", "values": ["amzn2-ami-hvm-*"]}],
    }
    found = rig.data("aws_ami", given)
    assert found["id"] == found["image_id"]
    assert found["arn"] == f"arn:aws:ec2:us-east-1::image/{found['id']}"
    images = rig.client("ec2").describe_images(
        Owners=["amazon"], Filters=[{"Name": "name", "Values": ["amzn2-ami-hvm-*"]}]
    )["Images"]
    assert found["creation_date"] == max(one["CreationDate"] for one in images)
    assert found["root_device_name"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"owners": ["amazon"]}, "More than one image"),
        ({"owners": ["amazon"], "name_regex": "^no such"}, "No such image"),
        ({"most_recent": True}, "Image of anybody"),
    ],
)
def test_an_image_that_is_not_told_exactly_is_an_error(rig: Rig, given: dict[str, object], said: str) -> None:
    with pytest.raises(ProviderError, match=said):
        rig.data("aws_ami", given)
