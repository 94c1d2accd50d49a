"""aws_iam_policy against the emulator."""

from __future__ import annotations

import json

from tests.providers.aws.rig import Rig

KIND = "aws_iam_policy"


def document(*actions: str) -> str:
    """A policy that allows some actions."""
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}],
        }
    )


def test_creates_exactly_what_is_declared_and_imports_back(rig: Rig) -> None:
    stored = rig.check(
        KIND, {"name": "readers", "path": "/ml/", "description": "d", "policy": document("s3:GetObject"), "tags": {"a": "1"}},
        kept=(),
    )  # fmt: skip
    found = rig.client("iam").get_policy(PolicyArn=stored.attributes["arn"])["Policy"]
    assert found["PolicyName"] == "readers"
    assert found["Path"] == "/ml/"
    assert found["Tags"] == [{"Key": "a", "Value": "1"}]


def test_a_changed_document_becomes_a_new_version_and_old_ones_make_room(rig: Rig) -> None:
    given = {"name": "p", "policy": document("s3:A")}
    stored = rig.apply(KIND, given)
    for number in range(6):
        given["policy"] = document(f"s3:Get{number}")
        stored = rig.apply(KIND, given, stored)
    assert rig.differences(KIND, given, stored) == {}
    rig.destroy(KIND, stored)
    assert rig.read(KIND, stored) is None


def test_the_same_document_written_otherwise_is_no_difference(rig: Rig) -> None:
    stored = rig.apply(KIND, {"name": "p", "policy": document("s3:Get", "s3:Put")})
    other = '{"Statement":{"Action":["s3:Put","s3:Get"],"Resource":["*"],"Effect":"Allow"},"Version":"2012-10-17"}'
    assert rig.differences(KIND, {"name": "p", "policy": other}, stored) == {}


def test_a_name_is_made_from_a_prefix_or_made_up(rig: Rig) -> None:
    one = rig.apply(KIND, {"name_prefix": "ml-", "policy": document("s3:A")})
    assert one.attributes["name"].startswith("ml-")
    assert len(one.attributes["name"]) == 29
    assert rig.differences(KIND, {"name_prefix": "ml-", "policy": document("s3:A")}, one) == {}
    two = rig.apply(KIND, {"policy": document("s3:A")})
    assert two.attributes["name"].startswith("terraform-")


def test_tags_change_in_place(rig: Rig) -> None:
    given = {"name": "p", "policy": document("s3:A"), "tags": {"a": "1", "b": "2"}}
    stored = rig.apply(KIND, given)
    rig.client("iam").tag_policy(PolicyArn=stored.attributes["arn"], Tags=[{"Key": "by", "Value": "hand"}])
    assert rig.drift(KIND, stored).keys() == {"tags", "tags_all"}
    fresh = rig.read(KIND, stored)
    assert fresh is not None
    stored = rig.apply(KIND, {**given, "tags": {"a": "3"}}, fresh)
    found = rig.client("iam").get_policy(PolicyArn=stored.attributes["arn"])["Policy"]
    assert found["Tags"] == [{"Key": "a", "Value": "3"}]


def test_an_interrupted_create_is_found_again_and_an_older_policy_is_not(rig: Rig) -> None:
    from twinfra.providers.protocol import new_token

    given = {"name": "p", "policy": document("s3:A")}
    token = new_token()
    assert rig.recover(KIND, given, token) is None
    rig.apply(KIND, given)
    assert rig.recover(KIND, given, token) is not None
    assert rig.recover(KIND, given, "twinfra-ffffffff-0") is None
