"""Waiting: lengths of time as people write them, and looking again until something has come about."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from twinfra.providers.aws.failures import WaitError
from twinfra.providers.aws.resource import Api, Wait

_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds_of(text: str) -> float:
    """A length of time such as "1h30m" in seconds; `ValueError` where it is none."""
    total, at = 0.0, 0
    for part in _PART.finditer(text):
        if part.start() != at:
            break
        total += float(part[1]) * _UNITS[part[2]]
        at = part.end()
    if at != len(text) or not text:
        raise ValueError(text)
    return total


def dig(value: Any, path: str) -> Any:
    """What a dotted member path leads to; None where some step is missing. The empty path is the value
    itself.

    >>> dig({"a": {"b": [1]}}, "a.b")
    [1]
    """
    if not path:
        return value
    for step in path.split("."):
        if isinstance(value, list):
            value = value[0] if value else None
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value


def wait_for(
    wait: Wait,
    look: Callable[[], Api | None],
    *,
    seconds: float | None = None,
    gone: bool = False,
    progress: Callable[[str], None] = lambda _: None,
    pause: Callable[[float], None] = time.sleep,
    first: Api | None = None,
) -> Api | None:
    """Look until `wait` is over, and return the last object seen (None: gone).

    The pauses grow from a quarter of a second to `wait.interval`. `first`: an object seen already. Raises
    `WaitError` at a failed status or when `seconds` (default: `wait.minutes`) have passed.
    """
    limit = wait.minutes * 60 if seconds is None else seconds
    end = time.monotonic() + limit
    delay = 0.25
    seen: Api | None = first
    looked = first is not None
    while True:
        if not looked:
            seen = look()
        looked = False
        status = None if seen is None else _status(wait, seen)
        if seen is None and gone:
            return None
        if seen is not None:
            if status in wait.target or (not gone and not wait.target):
                return seen
            if status in wait.failed:
                reason = (
                    wait.reason(seen)
                    if callable(wait.reason)
                    else dig(seen, wait.reason)
                    if wait.reason
                    else ""
                )
                raise WaitError(f"it came to be {status}" + (f": {reason}" if reason else ""))
        shown = "not there yet" if seen is None else str(status)
        if time.monotonic() + delay > end:
            raise WaitError(f"after {_lasting(limit)} it was still {shown}")
        progress(f"{wait.noun} {shown}".strip())
        pause(delay)
        delay = min(delay * 1.6, wait.interval)


def _status(wait: Wait, seen: Api) -> Any:
    found = wait.status(seen) if callable(wait.status) else dig(seen, wait.status)
    return str(found).lower() if isinstance(found, bool) else found


def _lasting(seconds: float) -> str:
    return f"{seconds / 60:g} minutes" if seconds >= 60 else f"{seconds:g} seconds"
