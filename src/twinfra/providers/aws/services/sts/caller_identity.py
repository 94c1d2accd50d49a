"""Who acts: account, ARN and user id of the credentials in use."""

from __future__ import annotations

from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import output
from twinfra.providers.aws.resource import Attributes, DataSource
from twinfra.values.types import STRING


def _read(context: Context, _: Attributes) -> Attributes:
    account, arn, user = context.session.caller()
    return {"id": account, "account_id": account, "arn": arn, "user_id": user}


DATA = DataSource(
    name="aws_caller_identity",
    service="sts",
    about="The account and identity that the credentials in use stand for.",
    regional=False,
    fields={
        "account_id": output(STRING, "", about="The account's number."),
        "arn": output(STRING, "", about="ARN of who acts."),
        "user_id": output(STRING, "", about="Unique id of who acts."),
    },
    read=_read,
)
