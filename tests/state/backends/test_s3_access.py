"""Who acts on a bucket: roles that are assumed, and accounts that may not be used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from tests.state.backends.conftest import BUCKET, Rig
from tests.state.backends.faults import HttpProxy

from twinfra.diagnostics import DiagnosticError
from twinfra.sandbox import faults, server
from twinfra.sandbox.server import Sandbox
from twinfra.state.backends.protocol import NOTHING
from twinfra.state.locks import new_lock

pytestmark = pytest.mark.emulator


@pytest.fixture
def rig(make_rig: Callable[[str], Rig]) -> Rig:
    return make_rig("s3")


def test_a_role_is_assumed(rig: Rig, sandbox: Sandbox) -> None:
    role = {"role_arn": "arn:aws:iam::123456789012:role/states", "duration": "15m", "session_name": "ours"}
    backend = rig.open(assume_role=role)
    backend.write("default", (b"1",), NOTHING)
    assert faults.counts(sandbox)["sts.AssumeRole"] == 1
    assert isinstance(rig.proxy, HttpProxy)
    credential = rig.proxy.sent[-1]["authorization"]
    assert server.ACCESS_KEY not in credential


def test_all_that_is_said_of_a_role_is_asked_of_sts(rig: Rig) -> None:
    arn = "arn:aws:iam::123456789012:role/states"
    backend = rig.open(
        assume_role={
            "role_arn": arn,
            "duration": "20m",
            "external_id": "an-id",
            "policy": '{"Version": "2012-10-17"}',
            "policy_arns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
            "session_name": "ours",
            "source_identity": "ada",
            "tags": {"team": "ml"},
            "transitive_tag_keys": ["team"],
        }
    )
    backend.read("default")
    asked = next(one for one in rig.proxy.seen if "Action=AssumeRole&" in one).split(" ", 2)[2]
    fields = {name: values[0] for name, values in parse_qs(asked).items()}
    del fields["Action"], fields["Version"]
    assert fields == {
        "RoleArn": arn,
        "DurationSeconds": "1200",
        "ExternalId": "an-id",
        "Policy": '{"Version": "2012-10-17"}',
        "PolicyArns.member.1.arn": "arn:aws:iam::aws:policy/ReadOnlyAccess",
        "RoleSessionName": "ours",
        "SourceIdentity": "ada",
        "Tags.member.1.Key": "team",
        "Tags.member.1.Value": "ml",
        "TransitiveTagKeys.member.1": "team",
    }


def test_a_role_is_assumed_with_a_token_of_another_provider(rig: Rig, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("a.web.token")
    arn = "arn:aws:iam::123456789012:role/states"
    backend = rig.open(assume_role_with_web_identity={"role_arn": arn, "web_identity_token_file": str(token)})
    backend.read("default")
    asked = next(one for one in rig.proxy.seen if "AssumeRoleWithWebIdentity" in one).split(" ", 2)[2]
    fields = parse_qs(asked)
    assert (fields["RoleArn"], fields["WebIdentityToken"]) == ([arn], ["a.web.token"])


@pytest.mark.parametrize(
    ("settings", "allowed"),
    [
        ({"allowed_account_ids": [server.ACCOUNT]}, True),
        ({"allowed_account_ids": ["999999999999"]}, False),
        ({"forbidden_account_ids": ["999999999999"]}, True),
        ({"forbidden_account_ids": [server.ACCOUNT]}, False),
    ],
)
def test_a_wrong_account_is_refused_before_anything_is_read(
    rig: Rig, settings: dict[str, Any], allowed: bool
) -> None:
    backend = rig.open(**settings)
    if allowed:
        assert backend.read("default") is None
        return
    for act in (
        lambda: backend.read("default"),
        lambda: backend.write("default", (b"1",), NOTHING),
        lambda: backend.lock("default", new_lock("apply")),
        backend.workspaces,
    ):
        with pytest.raises(DiagnosticError, match="Wrong AWS account"):
            act()
    assert not [one for one in rig.proxy.seen if BUCKET in one]
