"""The log: what the program does, step by step, for whoever looks for a mistake. Off unless TWINFRA_LOG asks for it.

It takes facts by name: addresses, names of states and operations, counts, durations. It never takes a value of a
configuration or state, the content of a request or an answer, or a library's own log, where such values could be.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import TextIO

ERROR, WARN, INFO, DEBUG, TRACE = range(1, 6)
OFF = 0
LEVELS = {"off": OFF, "error": ERROR, "warn": WARN, "info": INFO, "debug": DEBUG, "trace": TRACE}
_NAMES = {number: name for name, number in LEVELS.items()}
_VARIABLES = ("TWINFRA_LOG", "TF_LOG")
_PATHS = ("TWINFRA_LOG_PATH", "TF_LOG_PATH")

Fact = str | int | float | bool | None

_level = OFF
_stream: TextIO | None = None


class WrongLevel(ValueError):
    """A level that there is not; the message says which there are."""


def start(environment: Mapping[str, str] = os.environ) -> None:
    """Log as the environment asks: TWINFRA_LOG (a level), and TWINFRA_LOG_PATH (a file, else standard error).

    Terraform's TF_LOG and TF_LOG_PATH serve where those are not set; its JSON is our trace. The file is readable by
    its owner only. Raises `WrongLevel`, and `OSError` where the file cannot be opened.
    """
    global _level, _stream
    stop()
    text = next((environment[name] for name in _VARIABLES if environment.get(name)), "").lower()
    if text == "json":
        text = "trace"
    if text and text not in LEVELS:
        raise WrongLevel(f"TWINFRA_LOG is one of {', '.join(LEVELS)}.")
    level = LEVELS[text] if text else OFF
    if level == OFF:
        return
    path = next((environment[name] for name in _PATHS if environment.get(name)), "")
    if path:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        _stream = os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace")
    _level = level


def stop() -> None:
    """Log nothing more."""
    global _level, _stream
    _level = OFF
    if _stream is not None:
        with suppress(OSError):
            _stream.close()
        _stream = None


def wanted(level: int) -> bool:
    """Whether anybody reads what this level says: ask where facts cost something."""
    return level <= _level


def say(level: int, event: str, **facts: Fact) -> None:
    """One line: when, how important, what happened, and facts by name. Facts that are None are left out.

    Where it cannot be written, such as on a full disk, there is no log any more; the work goes on.
    """
    if level > _level:
        return
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    parts = [f"{name}={_text(value)}" for name, value in facts.items() if value is not None]
    stream = _stream or sys.stderr
    try:
        stream.write(f"{' '.join((now, _NAMES[level], f'{event}:' if parts else event, *parts))}\n")
        stream.flush()
    except OSError:
        stop()


def timer() -> float:
    """A moment, for `since`."""
    return time.perf_counter()


def since(moment: float) -> float:
    """Seconds since a moment, as a fact."""
    return round(time.perf_counter() - moment, 4)


def _text(value: Fact) -> str:
    if isinstance(value, str):
        plain = value and not any(one in value for one in ' "=\\') and value.isprintable()
        return value if plain else json.dumps(value)
    return json.dumps(value)
