"""Who did something, where and when, as far as this process can tell."""

from __future__ import annotations

import getpass
import os
from datetime import UTC, datetime

_ACTORS = ("TWINFRA_ACTOR", "GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILD_USER_ID", "CHANGE_AUTHOR")
"""Where it stands on whose behalf a process runs: first what people set themselves, then what pipelines set."""


def who() -> str:
    """The person: named by the environment of a pipeline, else the user of this process."""
    for name in _ACTORS:
        if given := os.environ.get(name, "").strip():
            return given
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"user {os.getuid()}"


def now() -> str:
    """The time by this machine's clock, RFC 3339 in UTC."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def about(kind: str, body: dict[str, object]) -> dict[str, object]:
    """The fields of an entry that is made now: all but its number and its hashes."""
    return {
        "id": os.urandom(8).hex(),
        "kind": kind,
        "time": now(),
        "who": who(),
        "host": os.uname().nodename,
        "body": body,
    }
