"""Names made from a prefix: unique, in the form that the public provider gives them, and planned for
creation.
"""

from __future__ import annotations

import datetime
import hashlib

from twinfra.providers.aws.comparison import is_empty
from twinfra.providers.aws.planning import Draft
from twinfra.providers.aws.resource import Attributes, Resource
from twinfra.providers.protocol import new_token, token_time
from twinfra.values.value import Unknown

UNIQUE_LENGTH = 26
"""Characters that `unique` puts after a prefix."""


def unique(token: str, prefix: str = "terraform-", suffix: str = "") -> str:
    """A name: `prefix`, the time to a hundred microseconds, and eight hexadecimal digits.

    All of it follows from the operation's token, so that a repeated create makes up the same name again.
    """
    seed = token or new_token()
    digest = hashlib.sha256(f"{seed} {prefix}".encode()).hexdigest()
    made = datetime.datetime.fromtimestamp(token_time(seed), datetime.UTC)
    return f"{prefix}{made:%Y%m%d%H%M%S}{int(digest[8:16], 16) % 10000:04d}{digest[:8]}{suffix}"


def prefix_of(name: str, suffix: str = "") -> str | None:
    """The prefix that a name made by `unique` has, None for any other name."""
    body = name.removesuffix(suffix)
    tail = body[-UNIQUE_LENGTH:]
    if (
        len(tail) == UNIQUE_LENGTH
        and tail[:18].isdigit()
        and all(one in "0123456789abcdef" for one in tail[18:])
    ):
        return body[:-UNIQUE_LENGTH]
    return None


def find_prefixes(resource: Resource, attributes: Attributes) -> None:
    """Fill in, for an object that is imported, the prefix that its name was made from, where it was."""
    for identifier in resource.identifiers:
        name, _, prefix = identifier.partition(" if ")
        found = attributes.get(name)
        if prefix.endswith("_prefix") and attributes.get(prefix) is None and isinstance(found, str):
            attributes[prefix] = prefix_of(found) or None


def prefixed_name(
    draft: Draft, name: str = "name", prefix: str = "name_prefix", default: str = "terraform-"
) -> None:
    """A plan function's part: the name is unknown until created where it is not given.

    Without a `prefix` in the configuration its attribute is empty for a name that was given, and it stays
    what it was otherwise. A changed prefix replaces the resource.
    """
    if draft.given(name):
        if not draft.given(prefix) and type(draft.config[name]) is not Unknown:
            made = prefix_of(draft.config[name])
            draft.planned[prefix] = made or "" if draft.prior is None else draft.prior.get(prefix)
        return
    if draft.prior is None:
        draft.set_unknown(name)
        if not draft.given(prefix):
            draft.planned[prefix] = default
    elif not draft.given(prefix):
        draft.planned[prefix] = draft.prior.get(prefix)


def name_to_create(
    token: str, attributes: Attributes, name: str = "name", prefix: str = "name_prefix", suffix: str = ""
) -> str:
    """The name to create with: the one given, or one made from the prefix."""
    given = attributes.get(name)
    if not is_empty(given):
        return str(given)
    return unique(token, attributes.get(prefix) or "terraform-", suffix)
