"""Finding again what an interrupted create has made: by name and time, by exact attributes, or by a temporary
tag.

Where names are unique, the name and a creation time not before the token tell ours from what was there
already. Where the API takes a client token, repeating the call answers with what it made. For the rest of EC2
the token is written as the tag `TRACE_TAG` by the creating call itself, and removed once the result is
recorded.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from twinfra.providers.aws.context import Context
from twinfra.providers.aws.resource import Api, Attributes
from twinfra.providers.aws.settings import TRACE_TAG
from twinfra.providers.aws.waiting import dig
from twinfra.providers.protocol import token_time

CLOCK_SKEW = 60.0
"""Seconds by which this machine's clock may be ahead of the cloud's."""


def made_since(created: Any, token: str) -> bool:
    """Whether a creation time (a date, or seconds since the epoch) is not before the token was made."""
    at = created.timestamp() if isinstance(created, datetime.datetime) else float(created)
    return at >= token_time(token) - CLOCK_SKEW


def by_name(
    look: Callable[[Context, Attributes], Api | None], created: str
) -> Callable[[Context, Attributes, str], Api | None]:
    """Recovery for unique names: `look` reads by name, `created` is the dotted path to the creation time."""

    def recover(context: Context, attributes: Attributes, token: str) -> Api | None:
        found = look(context, attributes)
        if found is None or not made_since(dig(found, created), token):
            return None
        return found

    return recover


def by_trace(operation: str, items: str) -> Callable[[Context, Attributes, str], Api | None]:
    """Recovery for EC2 resources created with `ec2_tags(kind, trace=True)`, found with a describe call."""

    def recover(context: Context, _: Attributes, token: str) -> Api | None:
        found = context.pages(operation, items, Filters=[{"Name": f"tag:{TRACE_TAG}", "Values": [token]}])
        return found[0] if found else None

    return recover


def drop_trace(context: Context, attributes: Attributes, token: str) -> None:
    """Confirmation for those: removes the temporary tag."""
    context.call("delete_tags", Resources=[attributes["id"]], Tags=[{"Key": TRACE_TAG, "Value": token}])
