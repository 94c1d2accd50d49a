"""aws_caller_identity, aws_partition and aws_region."""

from __future__ import annotations

from tests.providers.aws.rig import Rig


def test_the_caller_is_whoever_the_credentials_stand_for(rig: Rig) -> None:
    found = rig.data("aws_caller_identity")
    assert found["account_id"] == rig.client("sts").get_caller_identity()["Account"]
    assert found["id"] == found["account_id"]
    assert found["arn"].startswith("arn:aws:")


def test_partition_and_region_need_no_call() -> None:
    rig = Rig("http://127.0.0.1:9", {"region": "cn-north-1"})
    assert rig.data("aws_partition") == {
        "id": "aws-cn",
        "partition": "aws-cn",
        "dns_suffix": "amazonaws.com.cn",
        "reverse_dns_prefix": "cn.com.amazonaws",
    }
    assert rig.data("aws_region")["region"] == "cn-north-1"
    named = rig.data("aws_region", {"name": "eu-west-1"})
    assert (named["id"], named["description"]) == ("eu-west-1", "Europe (Ireland)")
    assert named["endpoint"] == "ec2.eu-west-1.amazonaws.com"
