"""Comparison by meaning: when two values of an attribute are no difference.

Null, an empty string and an empty collection mean the same where a field says so; JSON documents and policies
compare by content.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from twinfra.values.value import Unknown

Equal: TypeAlias = Callable[[Any, Any], bool]
"""Whether two known, non-null values mean the same."""


def exact(one: Any, other: Any) -> bool:
    """Equality of the language: `True` is not 1, collections by their elements."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(exact(value, other[key]) for key, value in one.items())
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(exact, one, other))
    return bool(one == other)


def ignoring_case(one: Any, other: Any) -> bool:
    """Equality of strings but for upper and lower case."""
    return bool(one.casefold() == other.casefold())


def ignoring_order(one: Any, other: Any) -> bool:
    """Equality of lists of strings as sets."""
    return sorted(map(str, one)) == sorted(map(str, other))


def same_json(one: Any, other: Any) -> bool:
    """Whether two JSON texts have the same content."""
    from twinfra.providers.aws.policy import equal_json

    return bool(one == other) or equal_json(one, other)


def same_policy(one: Any, other: Any) -> bool:
    """Whether two policy documents grant the same."""
    from twinfra.providers.aws.policy import equal_policies

    return bool(one == other) or equal_policies(one, other)


def is_empty(value: Any) -> bool:
    """Whether it is null, an empty string or an empty collection: what most APIs do not tell apart."""
    return value is None or value == "" or (isinstance(value, tuple | dict) and not value)


def has_unknown(value: Any) -> bool:
    """Whether it is unknown or holds something unknown at any depth."""
    if type(value) is Unknown:
        return True
    if isinstance(value, dict):
        return any(map(has_unknown, value.values()))
    if isinstance(value, tuple):
        return any(map(has_unknown, value))
    return False


def same(one: Any, other: Any, equal: Equal = exact) -> bool:
    """Whether two values, which may be null, are no difference; something unknown always is one."""
    if has_unknown(one) or has_unknown(other):
        return False
    if is_empty(one) or is_empty(other):
        return is_empty(one) and is_empty(other)
    return equal(one, other)


def same_time(one: Any, other: Any) -> bool:
    """Whether two RFC 3339 texts are the same moment; texts that are none only equal themselves."""
    from datetime import datetime

    try:
        return bool(one == other) or datetime.fromisoformat(one) == datetime.fromisoformat(other)
    except (TypeError, ValueError):
        return False
