"""Messages of providers without the sensitive values of what they speak of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from twinfra.diagnostics import Diagnostic
from twinfra.values.secrets import secrets_in
from twinfra.values.value import Value

_INSTEAD = "(sensitive value)"
_SHORTEST = 3
"""Shorter texts, such as a digit, are in every message by chance."""


def hidden_texts(*marked: Value) -> list[str]:
    """The texts in the sensitive parts of these values, in the order in which to hide them."""
    return _in_order(secrets_in(*marked))


def recorded_texts(attributes: Mapping[str, Any], sensitive: Iterable[str]) -> list[str]:
    """The texts anywhere in these attributes, which are JSON as the state records it, of whatever schema."""
    found: set[str] = set()
    waiting = [attributes[name] for name in sensitive if name in attributes]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            found.add(one)
        elif isinstance(one, Mapping):
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return _in_order(found)


def redacted(diagnostic: Diagnostic, hidden: Sequence[str]) -> Diagnostic:
    """A diagnostic that tells none of these texts; itself where there are none."""
    if not hidden:
        return diagnostic
    # All in one pass, so that no text is looked for in what stands for another.
    anyone = re.compile("|".join(map(re.escape, hidden)))
    return replace(
        diagnostic,
        summary=anyone.sub(_INSTEAD, diagnostic.summary),
        detail=anyone.sub(_INSTEAD, diagnostic.detail),
        mend=anyone.sub(_INSTEAD, diagnostic.mend),
    )


def _in_order(texts: Iterable[str]) -> list[str]:
    # A part of another is looked for after it.
    return sorted((text for text in texts if len(text) >= _SHORTEST), key=len, reverse=True)
