"""Places as written in rules, such as `aws_eks_node_group.gpu.scaling_config[*].desired_size`.

A pattern covers the place it names and all inside it. `*` stands for any part of a name, `[*]` for any key; keys
may be left out.
"""

from __future__ import annotations

import re
from functools import lru_cache

_TOKEN = re.compile(r'\.?([^.\[\]"]+)|(\[(?:"(?:[^"\\]|\\.)*"|[^\]"]*)\])')


def covers(pattern: str, place: str) -> bool:
    """Whether a place lies in what a pattern names."""
    return _covers(_tokens(pattern), _tokens(place))


@lru_cache(maxsize=4096)
def _tokens(text: str) -> tuple[str, ...]:
    return tuple(name or key for name, key in _TOKEN.findall(text))


def _covers(pattern: tuple[str, ...], place: tuple[str, ...]) -> bool:
    at = 0
    for token in place:
        if at == len(pattern):
            return True
        if token.startswith("["):
            if pattern[at].startswith("[") and _key_fits(pattern[at], token):
                at += 1
            elif pattern[at].startswith("[") and pattern[at] != "[*]":
                return False
        else:
            if pattern[at] == "[*]":
                # A key that is not there.
                at += 1
                if at == len(pattern):
                    return True
            if not _name_fits(pattern[at], token):
                return False
            at += 1
    return all(one == "[*]" for one in pattern[at:])


def _key_fits(pattern: str, key: str) -> bool:
    return pattern == "[*]" or pattern == key or _name_fits(pattern, key)


def _name_fits(pattern: str, name: str) -> bool:
    if "*" not in pattern:
        return pattern == name
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name, re.DOTALL) is not None


def problem(pattern: str) -> str:
    """What is wrong with a pattern; empty where nothing is."""
    rest = _TOKEN.sub("", pattern)
    if rest:
        return f'"{rest}" is no part of a place'
    return "" if len(_tokens(pattern)) >= 2 else "it names no place: an address and an attribute are needed"
