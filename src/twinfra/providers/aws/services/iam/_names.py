"""Names of IAM resources: given, made from a prefix, or made up; and what they may be."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from twinfra.providers.aws.checks import length, matches
from twinfra.providers.aws.fields import Field, string

_FORM = matches(r"[\w+=,.@-]+", "have only letters, digits and the characters +=,.@-_")


def name_fields(longest: int) -> dict[str, Field]:
    """`name` and `name_prefix`."""
    return {
        "name": string(
            "",
            computed=True,
            force_new=True,
            conflicts=("name_prefix",),
            checks=(length(1, longest), _FORM),
            about="Its name; made up where neither this nor name_prefix is given.",
        ),
        "name_prefix": string(
            "",
            computed=True,
            force_new=True,
            checks=(length(1, longest - 26), _FORM),
            read="",
            about="A beginning for a name that is unique.",
        ),
        "path": string(
            "Path",
            default="/",
            force_new=True,
            checks=(matches(r"/|/[!-~]*/", "start and end with a slash"),),
            about="The path that the name is under.",
        ),
    }


def policy_document(raw: Any) -> str:
    """A policy document as the API gives it (URL-encoded JSON, or decoded by botocore) as JSON text."""
    if isinstance(raw, str):
        return unquote(raw)
    return json.dumps(raw, separators=(",", ":"), ensure_ascii=False)
