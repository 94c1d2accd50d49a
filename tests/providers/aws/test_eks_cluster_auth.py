"""Tokens for clusters: signed as botocore signs, and good for asking who we are."""

from __future__ import annotations

import base64
import datetime
import urllib.request
from collections.abc import Callable

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from tests.providers.aws.rig import Rig

from twinfra.providers.aws.catalog import data_source
from twinfra.providers.aws.services.eks.eks_cluster_auth import signed_url, token

MOMENT = 1_700_000_000


def url_in(shown: str) -> str:
    """The URL in a token."""
    body = shown.removeprefix("k8s-aws-v1.")
    return base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode()


@pytest.mark.parametrize("session_token", [None, "to/ken+="])
def test_a_token_is_signed_as_botocore_signs(
    monkeypatch: pytest.MonkeyPatch, session_token: str | None
) -> None:
    credentials = Credentials("AKID", "secret", session_token)
    at = datetime.datetime.fromtimestamp(MOMENT, datetime.UTC).replace(tzinfo=None)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: at)
    request = AWSRequest(
        "GET",
        "https://sts.eu-west-1.amazonaws.com/",
        headers={"x-k8s-aws-id": "ml"},
        params={"Action": "GetCallerIdentity", "Version": "2011-06-15"},
    )
    botocore.auth.SigV4QueryAuth(credentials, "sts", "eu-west-1", expires=60).add_auth(request)
    ours = signed_url("ml", "https://sts.eu-west-1.amazonaws.com", "eu-west-1", credentials, MOMENT)
    assert ours.partition("X-Amz-Signature=")[2] == request.url.partition("X-Amz-Signature=")[2]
    assert sorted(ours.split("?")[1].split("&")) == sorted(request.url.split("?")[1].split("&"))


def test_a_token_asks_the_cloud_who_we_are(rig: Rig) -> None:
    found = rig.data("aws_eks_cluster_auth", {"name": "ml"})
    assert found["id"] == "ml"
    assert "=" not in found["token"]
    request = urllib.request.Request(url_in(found["token"]), headers={"x-k8s-aws-id": "ml"})
    with urllib.request.urlopen(request) as answer:
        assert b"<Account>" in answer.read()


def test_a_token_is_sensitive_and_the_same_for_a_while(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    source = data_source("aws_eks_cluster_auth")
    assert source is not None
    assert source.fields["token"].sensitive
    shown = []
    for moment in (MOMENT - MOMENT % 300, MOMENT - MOMENT % 300 + 299, MOMENT - MOMENT % 300 + 300):
        monkeypatch.setattr("time.time", lambda moment=moment: float(moment))
        shown.append(rig.data("aws_eks_cluster_auth", {"name": "ml"})["token"])
    assert shown[0] == shown[1] != shown[2]


def test_the_credentials_of_the_provider_sign_it(rig_with: Callable[..., Rig]) -> None:
    other = rig_with(region="eu-west-1").data("aws_eks_cluster_auth", {"name": "ml"})["token"]
    assert "eu-west-1" in url_in(other)
    assert token(
        "ml", "https://sts.eu-west-1.amazonaws.com", "eu-west-1", Credentials("A", "B"), MOMENT
    ).startswith("k8s-aws-v1.")
