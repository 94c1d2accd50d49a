"""Options that several commands share, declared once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from twinfra.cli.automation import may_ask
from twinfra.cli.command import UsageProblem, flag, value
from twinfra.dataclass import dataclass

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Shared:
    """The values of the options every command on a state takes."""

    json: bool = False
    no_color: bool = False
    sandbox: bool = False
    input: bool = True
    lock: bool = True
    lock_timeout: str = "0s"
    state: str | None = None
    parallelism: int = 0
    compact_warnings: bool = False
    var: tuple[str, ...] = ()
    var_file: tuple[str, ...] = ()


SHARED: tuple[Callable[[F], F], ...] = (
    flag("json", "print JSON events, a line each"),
    flag("no-color", "no colour"),
    flag("sandbox", "run against the embedded cloud instead of a real account"),
    flag("input", "ask for missing values", default=True),
    flag("lock", "hold the state's lock meanwhile", default=True),
    value("lock-timeout", "how long to wait for the lock, such as 30s", default="0s"),
    value("state", "the state file (of the local backend)"),
    value(
        "parallelism", "provider calls at a time (10, and 64 for clouds that bear it)", type=int, default=0
    ),
    flag("compact-warnings", "warnings without their details"),
    value("var", "a variable: NAME=VALUE", multiple=True),
    value("var-file", "a file of variables", multiple=True),
)

PLANNING: tuple[Callable[[F], F], ...] = (
    flag("destroy", "plan to destroy everything"),
    flag("refresh-only", "only bring the state up to date with what exists"),
    flag("refresh", "look at what exists before planning", default=True),
    value("replace", "replace this resource instance", multiple=True),
    value("target", "only this resource and what it needs", multiple=True),
)


def shared(function: F) -> F:
    """Add the options of `Shared`; the function gets them as keywords."""
    return _add(function, SHARED)


def planning(function: F) -> F:
    """Add the options that shape a plan."""
    return _add(function, PLANNING)


def _add(function: F, options: tuple[Callable[[F], F], ...]) -> F:
    for option in reversed(options):
        function = option(function)
    return function


def take_shared(options: dict[str, Any]) -> Shared:
    """Split the shared options off the keywords of a command."""
    taken = {name: options.pop(name) for name in Shared.__dataclass_fields__ if name in options}
    if not may_ask():
        taken["input"] = False
    return Shared(**taken)


def seconds(text: str) -> float:
    """A duration such as `30s`, `1m30s` or `500ms`, in seconds; raises `UsageProblem`."""
    import re

    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
    if text in ("0", ""):
        return 0.0
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|h|m|s)", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise UsageProblem(f'"{text}" is not a duration; write one such as 30s or 1m30s.')
    return sum(float(number) * units[unit] for number, unit in parts)
