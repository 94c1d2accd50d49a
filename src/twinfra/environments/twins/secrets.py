"""The texts in a state that must not be shown, wherever they turn up: providers copy them to other attributes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

from twinfra.environments.twins.inputs import Input
from twinfra.state.model import InstanceObject
from twinfra.values.marks import unmark
from twinfra.values.value import GetAttr, Path

Place: TypeAlias = tuple[str, ...]
"""Names and keys from an object on; numbers as texts."""

_SHORTEST = 4
"""Texts shorter than this turn up anywhere by chance."""


def secrets_of(stored: InstanceObject | None) -> frozenset[str]:
    """The secret texts of an object."""
    found: set[str] = set()
    if stored is not None:
        for path in stored.sensitive:
            value: Any = stored.attributes
            for step in path:
                key = step["value"]
                value = _inside(value, key["value"] if isinstance(key, dict) else key)
            found.update(_texts(value))
    return frozenset(one for one in found if len(one) >= _SHORTEST)


def secret_places(stored: InstanceObject | None) -> frozenset[Place]:
    """Where in an object its secrets are."""
    found: set[Place] = set()
    for path in () if stored is None else stored.sensitive:
        place: list[str] = []
        for step in path:
            key = step["value"]
            inner = key["value"] if isinstance(key, dict) else key
            if not isinstance(inner, str | int | float):
                # An element of a set: of that, all is taken for secret.
                break
            place.append(_key_text(inner))
        found.add(tuple(place))
    return frozenset(found)


def place_of(path: Path) -> Place:
    """A path of the language as `secret_places` has it."""
    return tuple(one.name if isinstance(one, GetAttr) else _key_text(one.key) for one in path)


def is_secret(place: Place, secret: Iterable[Place]) -> bool:
    """Whether there is a secret at a place, inside of it, or around it."""
    return any(place[: len(one)] == one[: len(place)] for one in secret)


def _key_text(key: Any) -> str:
    return key if isinstance(key, str) else f"{float(key):g}" if isinstance(key, int | float) else ""


def secret_inputs(inputs: Iterable[Input]) -> frozenset[str]:
    """The secret texts among inputs."""
    found = {
        text for one in inputs if one.sensitive for value in one.values for text in _texts(unmark(value)[0])
    }
    return frozenset(one for one in found if len(one) >= _SHORTEST)


def _inside(value: Any, key: Any) -> Any:
    try:
        return value[int(key)] if isinstance(value, list | tuple) else value[key]
    except (KeyError, IndexError, TypeError, ValueError):
        return None


def _texts(value: Any) -> Iterator[str]:
    value = unmark(value)[0]
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        # An attribute of any type has its value and its type beside it.
        inner = [value["value"]] if value.keys() == {"value", "type"} else value.values()
        for one in inner:
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
