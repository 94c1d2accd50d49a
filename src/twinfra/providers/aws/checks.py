"""Checks of single values, made before any call: each takes a known value and says what is wrong with it.

An empty answer means nothing is wrong. Ranges and patterns follow the services' public API references.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any


def json_document(value: Any) -> str:
    """A JSON object or list, as text."""
    import json

    if value == "":
        return ""
    try:
        json.loads(value)
    except ValueError as problem:
        return f"it is not valid JSON ({problem})."
    except RecursionError:
        return "it is nested too deeply to be read."
    return ""


def base64_text(value: Any) -> str:
    """Bytes in base 64, as text; line breaks do not count."""
    import base64

    try:
        base64.b64decode("".join(value.split()), validate=True)
    except ValueError:
        return "it is not valid base 64."
    return ""


def between(low: int, high: int) -> Callable[[Any], str]:
    """A number from `low` to `high`, both included."""

    def check(value: Any) -> str:
        return "" if low <= value <= high else f"it must be between {low} and {high}, not {value}."

    return check


def at_least(low: int) -> Callable[[Any], str]:
    """A number not below `low`."""

    def check(value: Any) -> str:
        return "" if value >= low else f"it must be at least {low}, not {value}."

    return check


def length(low: int, high: int) -> Callable[[Any], str]:
    """A string or collection of `low` to `high` characters or elements."""

    def check(value: Any) -> str:
        return (
            ""
            if low <= len(value) <= high
            else f"its length must be from {low} to {high}; it is {len(value)}."
        )

    return check


def matches(pattern: str, meaning: str) -> Callable[[Any], str]:
    """A string that the whole `pattern` describes; `meaning` ends the sentence 'it must ...'."""
    compiled = re.compile(pattern)

    def check(value: Any) -> str:
        return "" if compiled.fullmatch(value) else f"it must {meaning}."

    return check


def each(check_one: Callable[[Any], str]) -> Callable[[Any], str]:
    """A collection, each element of which passes `check_one`."""

    def check(values: Any) -> str:
        from twinfra.values.value import Unknown

        for value in values:
            if value is not None and type(value) is not Unknown and (problem := check_one(value)):
                return f'of "{value}", {problem}'
        return ""

    return check


def one_of(*allowed: str) -> Callable[[Any], str]:
    """One of the words given."""

    def check(value: Any) -> str:
        from twinfra.diagnostics import nearest

        if value in allowed:
            return ""
        listed = ", ".join(f'"{one}"' for one in allowed)
        return f'it must be one of {listed}, not "{value}". {nearest(str(value), allowed)}'.rstrip()

    return check


def cidr(version: int = 0, low: int = 0, high: int = 128) -> Callable[[Any], str]:
    """A network in CIDR notation without host bits; IP `version` 4 or 6 (0: either), prefix length in
    bounds.
    """

    def check(value: Any) -> str:
        import ipaddress

        try:
            network = ipaddress.ip_network(value, strict=False)
        except ValueError:
            return f'"{value}" is not a network in CIDR notation such as "10.0.0.0/16".'
        if version and network.version != version:
            return f'"{value}" is not an IPv{version} network.'
        if "/" not in value:
            return f'"{value}" has no prefix length, such as "{value}/{network.max_prefixlen}".'
        if str(network) != value.lower() and network.version == 4:
            return f'"{value}" has host bits set; the network is "{network}".'
        if not low <= network.prefixlen <= high:
            return f"its prefix length must be from /{low} to /{high}, not /{network.prefixlen}."
        return ""

    return check


def arn(service: str = "") -> Callable[[Any], str]:
    """An ARN, of one service if given."""
    middle = re.escape(service) if service else "[a-z0-9-]+"
    return matches(
        rf"arn:aws[a-z-]*:{middle}:[^:]*:[^:]*:.+", f"be an ARN{f' of {service}' if service else ''}"
    )


def duration(value: Any) -> str:
    """A length of time such as "30m" or "1h30m"."""
    from twinfra.providers.aws.waiting import seconds_of

    try:
        seconds_of(value)
    except ValueError:
        return f'"{value}" is not a length of time such as "30m" or "1h30m".'
    return ""
