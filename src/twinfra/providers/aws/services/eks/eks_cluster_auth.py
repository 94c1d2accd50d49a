"""Tokens for the API of a cluster: a signed question who we are, which the cluster asks on our behalf.

The form is that of aws-iam-authenticator: the URL of a GetCallerIdentity signed in advance, with the name of
the cluster in a signed header. Made without any call.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import time
from base64 import urlsafe_b64encode
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import output, string
from twinfra.providers.aws.resource import Attributes, DataSource
from twinfra.values.types import STRING

_PREFIX = "k8s-aws-v1."
_HEADER = "x-k8s-aws-id"

_STEP = 300
"""A token is dated at the last full five minutes, so that it is the same in the commands that follow each
other. Clusters take one for fifteen minutes after its date.
"""


def _read(context: Context, given: Attributes) -> Attributes:
    region = context.settings.sts_region or context.region
    endpoint = context.session.client("sts", region).meta.endpoint_url
    if urlsplit(endpoint).hostname == "sts.amazonaws.com":
        region = "us-east-1"
    moment = int(time.time()) // _STEP * _STEP
    name = given["name"]
    return {"id": name, "token": token(name, endpoint, region, context.session.credentials(), moment)}


def token(cluster: str, endpoint: str, region: str, credentials: Any, moment: int) -> str:
    """The token for a cluster, dated at `moment` (seconds since the epoch)."""
    url = signed_url(cluster, endpoint, region, credentials, moment)
    return _PREFIX + urlsafe_b64encode(url.encode()).decode().rstrip("=")


def signed_url(cluster: str, endpoint: str, region: str, credentials: Any, moment: int) -> str:
    """The signed URL (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html)."""
    dated = datetime.datetime.fromtimestamp(moment, datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{dated[:8]}/{region}/sts/aws4_request"
    headers = f"host;{_HEADER}"
    query = {
        "Action": "GetCallerIdentity",
        "Version": "2011-06-15",
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{credentials.access_key}/{scope}",
        "X-Amz-Date": dated,
        "X-Amz-Expires": "60",
        "X-Amz-SignedHeaders": headers,
    }
    if credentials.token:
        query["X-Amz-Security-Token"] = credentials.token
    asked = urlencode(sorted(query.items()), quote_via=quote, safe="-_.~")
    canonical = "\n".join(
        (
            "GET",
            "/",
            asked,
            f"host:{urlsplit(endpoint).netloc}",
            f"{_HEADER}:{cluster}",
            "",
            headers,
            hashlib.sha256(b"").hexdigest(),
        )
    )
    to_sign = "\n".join(("AWS4-HMAC-SHA256", dated, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = f"AWS4{credentials.secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    return f"{endpoint.rstrip('/')}/?{asked}&X-Amz-Signature={signature}"


DATA = DataSource(
    name="aws_eks_cluster_auth",
    service="sts",
    about="A token for the API of a Kubernetes cluster, good for about ten minutes.",
    fields={
        "name": string("", required=True, about="Name of the cluster."),
        "token": output(
            STRING,
            "",
            sensitive=True,
            about="The token, as the Kubernetes API takes it (Authorization: Bearer).",
        ),
    },
    read=_read,
    notes=(
        "It is made without any call, and is the same for five minutes.",
        "Give it to providers, not to resources or outputs: there it would be a difference each time.",
    ),
)
