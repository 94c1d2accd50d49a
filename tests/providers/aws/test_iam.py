"""Roles and what binds policies to them, against the emulator."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.providers.aws.rig import Rig

from twinfra.providers.protocol import ProviderError, new_token


def trust(service: str) -> str:
    """A policy that lets a service take on a role."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def allow(action: str) -> str:
    """A policy that allows an action on everything."""
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}
    )


ROLE: dict[str, Any] = {
    "name": "trainer",
    "path": "/ml/",
    "assume_role_policy": trust("ec2.amazonaws.com"),
    "description": "trains",
    "max_session_duration": 7200,
    "tags": {"a": "1"},
}


def test_a_role_is_made_as_declared_and_imported_back(rig: Rig) -> None:
    stored = rig.check("aws_iam_role", ROLE)
    found = rig.client("iam").get_role(RoleName="trainer")["Role"]
    assert (found["Path"], found["Description"], found["MaxSessionDuration"]) == ("/ml/", "trains", 7200)
    assert stored.attributes["arn"] == found["Arn"]
    assert stored.attributes["unique_id"] == found["RoleId"]
    assert stored.attributes["name_prefix"] == ""


def test_a_role_changes_in_place(rig: Rig) -> None:
    stored = rig.apply("aws_iam_role", ROLE)
    given = {
        **ROLE, "assume_role_policy": trust("eks.amazonaws.com"), "description": None, "max_session_duration": None,
        "permissions_boundary": "arn:aws:iam::aws:policy/AdministratorAccess", "tags": {"b": "2"},
    }  # fmt: skip
    change = rig.plan("aws_iam_role", given, stored)
    assert change.replace == ()
    stored = rig.apply("aws_iam_role", given, stored)
    assert rig.differences("aws_iam_role", given, stored) == {}
    stored = rig.apply("aws_iam_role", ROLE, stored)
    assert rig.differences("aws_iam_role", ROLE, stored) == {}
    assert "PermissionsBoundary" not in rig.client("iam").get_role(RoleName="trainer")["Role"]


def test_another_name_or_path_replaces_the_role(rig: Rig) -> None:
    stored = rig.apply("aws_iam_role", ROLE)
    change = rig.plan("aws_iam_role", {**ROLE, "path": "/"}, stored)
    assert [step.name for path in change.replace for step in path] == ["path"]  # type: ignore[union-attr]


def test_policies_declared_in_a_role_hold_all_of_them(rig: Rig) -> None:
    read_only = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    given = {
        **ROLE,
        "inline_policy": [{"name": "p", "policy": allow("s3:Get")}],
        "managed_policy_arns": [read_only],
    }
    stored = rig.apply("aws_iam_role", given)
    assert rig.differences("aws_iam_role", given, stored) == {}
    client = rig.client("iam")
    client.put_role_policy(RoleName="trainer", PolicyName="theirs", PolicyDocument=allow("s3:*"))
    client.detach_role_policy(RoleName="trainer", PolicyArn=read_only)
    assert rig.drift("aws_iam_role", stored).keys() >= {"inline_policy"}
    fresh = rig.read("aws_iam_role", stored)
    assert fresh is not None
    stored = rig.apply("aws_iam_role", given, fresh)
    assert client.list_role_policies(RoleName="trainer")["PolicyNames"] == ["p"]
    attached = client.list_attached_role_policies(RoleName="trainer")["AttachedPolicies"]
    assert [one["PolicyArn"] for one in attached] == [read_only]
    rig.destroy("aws_iam_role", stored)
    assert rig.read("aws_iam_role", stored) is None


def test_a_role_with_policies_of_others_is_deleted_only_when_forced(rig: Rig) -> None:
    client = rig.client("iam")
    stored = rig.apply("aws_iam_role", ROLE)
    client.put_role_policy(RoleName="trainer", PolicyName="theirs", PolicyDocument=allow("s3:*"))
    with pytest.raises(ProviderError, match="DeleteConflict"):
        rig.destroy("aws_iam_role", stored)
    stored = rig.apply("aws_iam_role", {**ROLE, "force_detach_policies": True}, stored)
    rig.destroy("aws_iam_role", stored)
    assert rig.read("aws_iam_role", stored) is None


def test_an_interrupted_role_is_found_again(rig: Rig) -> None:
    token = new_token()
    assert rig.recover("aws_iam_role", ROLE, token) is None
    rig.client("iam").create_role(
        RoleName="trainer", Path="/ml/", AssumeRolePolicyDocument=ROLE["assume_role_policy"]
    )
    found = rig.recover("aws_iam_role", ROLE, token)
    assert found is not None
    assert found.attributes["description"] is None
    assert rig.recover("aws_iam_role", ROLE, "twinfra-ffffffff-0") is None


def test_a_policy_inside_a_role(rig: Rig) -> None:
    role = rig.apply("aws_iam_role", ROLE).attributes["name"]
    given = {"name": "p", "role": role, "policy": allow("s3:Get")}
    stored = rig.check("aws_iam_role_policy", given)
    assert stored.attributes["id"] == "trainer:p"
    changed = {**given, "policy": allow("s3:Put")}
    stored = rig.apply("aws_iam_role_policy", changed, stored)
    assert rig.differences("aws_iam_role_policy", changed, stored) == {}
    rig.client("iam").delete_role_policy(RoleName=role, PolicyName="p")
    assert rig.read("aws_iam_role_policy", stored) is None
    rig.destroy("aws_iam_role_policy", stored)


def test_a_managed_policy_attached_to_a_role(rig: Rig) -> None:
    role = rig.apply("aws_iam_role", ROLE).attributes["name"]
    given = {"role": role, "policy_arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}
    stored = rig.check("aws_iam_role_policy_attachment", given)
    assert rig.plan("aws_iam_role_policy_attachment", {**given, "role": "other"}, stored).replace
    rig.destroy("aws_iam_role_policy_attachment", stored)
    assert rig.read("aws_iam_role_policy_attachment", stored) is None
    rig.destroy("aws_iam_role_policy_attachment", stored)


def test_an_instance_profile_gets_another_role_in_place(rig: Rig) -> None:
    rig.apply("aws_iam_role", ROLE)
    rig.apply("aws_iam_role", {**ROLE, "name": "other"})
    given = {"name": "profile", "role": "trainer", "tags": {"a": "1"}}
    stored = rig.check("aws_iam_instance_profile", given)
    stored = rig.apply("aws_iam_instance_profile", {**given, "role": "other"}, stored)
    found = rig.client("iam").get_instance_profile(InstanceProfileName="profile")["InstanceProfile"]
    assert [one["RoleName"] for one in found["Roles"]] == ["other"]
    assert rig.differences("aws_iam_instance_profile", {**given, "role": "other"}, stored) == {}
    rig.destroy("aws_iam_instance_profile", stored)
    assert rig.read("aws_iam_instance_profile", stored) is None


def test_an_identity_provider_by_openid_connect(rig: Rig) -> None:
    kind = "aws_iam_openid_connect_provider"
    given = {
        "url": "https://oidc.example.com/id/X",
        "client_id_list": ["sts.amazonaws.com"],
        "thumbprint_list": ["a" * 40],
    }
    stored = rig.check(kind, given)
    assert stored.attributes["arn"].endswith(":oidc-provider/oidc.example.com/id/X")
    changed = {
        **given,
        "client_id_list": ["sts.amazonaws.com", "other"],
        "thumbprint_list": ["b" * 40],
        "tags": {"a": "1"},
    }
    stored = rig.apply(kind, changed, stored)
    assert rig.differences(kind, changed, stored) == {}
    rig.destroy(kind, stored)
    assert rig.read(kind, stored) is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": "a", "name_prefix": "b"}, "cannot both be given"),
        ({"name": "a b"}, "letters, digits"),
        ({"max_session_duration": 60}, "between 3600 and 43200"),
        ({"assume_role_policy": "{"}, "not valid JSON"),
        ({"managed_policy_arns": ["x"]}, "be an ARN"),
    ],
)
def test_what_cannot_be_is_an_error_before_any_call(rig: Rig, given: dict[str, Any], said: str) -> None:
    problems = rig.problems("aws_iam_role", {"assume_role_policy": trust("ec2.amazonaws.com"), **given})
    assert len(problems) == 1
    assert said in problems[0]
