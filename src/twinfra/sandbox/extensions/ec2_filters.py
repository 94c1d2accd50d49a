"""EC2: a filter with several values finds what has any of them, as in the real service.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Filter.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import Any

from moto.ec2 import utils


def _any_of(original: Callable[[Any, str, Any], bool]) -> Callable[[Any, str, Any], bool]:
    def is_matching(thing: Any, name: str, wanted: Any) -> bool:
        value = thing.get_filter_value(name)
        if isinstance(wanted, list) and isinstance(value, Iterable) and not isinstance(value, str):
            return any(fnmatchcase(str(one), str(pattern)) for one in value for pattern in wanted)
        return original(thing, name, wanted)

    return is_matching


def install() -> None:
    """Put it in the place of moto's own comparison, which wants all of the values."""
    utils.is_filter_matching = _any_of(utils.is_filter_matching)
