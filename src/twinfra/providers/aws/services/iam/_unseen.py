"""What IAM says of a role that was made a moment ago and is not seen everywhere yet."""

from __future__ import annotations

from twinfra.providers.aws.resource import Retry

ROLE_UNSEEN = (Retry("NoSuchEntity", "role", seconds=30),)
