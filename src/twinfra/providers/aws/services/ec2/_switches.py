"""Switches written as text: true, false, or an empty text for neither."""

from __future__ import annotations

from typing import Any

from twinfra.providers.aws.fields import Field, string

_TRUE = ("true", "1")


def is_true(text: Any) -> bool:
    """Whether a switch is on."""
    return str(text).lower() in _TRUE


def _same(one: Any, other: Any) -> bool:
    return is_true(one) is is_true(other)


def switch(api: str, **options: Any) -> Field:
    """A switch that may also be neither on nor off; the API member is a boolean."""
    return string(
        api,
        write=lambda value: {api: is_true(value)},
        equal=_same,
        allowed=("true", "false", "1", "0", ""),
        **options,
    )
