"""Which attributes of a state a fingerprint leaves out or renames: what the providers declare, and twinfra.toml."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field, replace
from functools import lru_cache
from typing import Any

from twinfra.dataclass import dataclass
from twinfra.schema import ResourceSchema

_PARTS = re.compile(r'(?:[^."\[]|\[(?:"[^"]*"|[^\]"]*)\])+')
"""What stands between the dots of a path: those in keys are none."""

_KEY = re.compile(r'\["([^"]*)"\]')


@dataclass(frozen=True, slots=True)
class VolatileRule:
    """A rule of `[[fingerprint.volatile]]`: attributes that say nothing about what was declared, and why.

    `path` is an address with the attribute's name, such as `aws_eks_cluster.main.platform_version`; `*` stands for
    any characters but dots, `[*]` for any key.
    """

    path: str
    reason: str


@dataclass(slots=True)
class Part:
    """What is declared about the attributes below one place: children by name, and what holds for the place.

    `generated`: it is an identifier that the cloud chooses; `only_with`: the attribute beside it that must have a
    text for that to be so (empty where there is no condition). `volatile`: it is left out; `follows`: so it is
    where this attribute beside it has a value; `shown_by`: so it is where a resource of this type has the id of this
    one in this attribute.
    """

    children: dict[str, Part] = field(default_factory=dict)
    generated: bool = False
    only_with: str = ""
    volatile: bool = False
    follows: str = ""
    shown_by: tuple[str, str] | None = None

    def left_out(self, owner: Mapping[str, Any]) -> bool:
        """Whether it is left out of an object, given the attributes beside it."""
        return self.volatile or (bool(self.follows) and bool(owner.get(self.follows)))

    def made_up(self, owner: Mapping[str, Any]) -> bool:
        """Whether the cloud chose its value, given the attributes beside it."""
        return self.generated and (not self.only_with or bool(owner.get(self.only_with)))


def declared_parts(schema: ResourceSchema) -> Part:
    """The declarations of a type as a tree."""
    root = Part()
    for text in schema.identifiers:
        path, _, other = text.partition(" if ")
        part = _place(root, path.split("."))
        part.generated = True
        part.only_with = other
    for text in schema.volatile:
        path, _, other = text.partition(" if ")
        part = _place(root, path.split("."))
        kind, dot, attribute = other.partition(".")
        if dot:
            part.shown_by = (kind, attribute)
        elif other:
            part.follows = other
        else:
            part.volatile = True
    return root


def mirrors(part: Part) -> bool:
    """Whether something at the top is volatile only where other resources refer to the instance."""
    return any(child.shown_by is not None for child in part.children.values())


def resolved(part: Part, refers: Callable[[str, str], bool]) -> Part:
    """The declarations for one instance; `refers` tells whether a resource of a type names it by an attribute."""
    children = {
        name: replace(child, volatile=True) if child.shown_by and refers(*child.shown_by) else child
        for name, child in part.children.items()
    }
    return replace(part, children=children)


def with_rules(
    part: Part, address: str, attributes: Mapping[str, Any], rules: Iterable[VolatileRule]
) -> Part:
    """The same, and what the rules say about one instance, which has these attributes."""
    found: Part | None = None
    for rule in rules:
        for steps in _spelled(_below(rule.path, address), [attributes]):
            found = found or _copy(part)
            _place(found, steps).volatile = True
    return found or part


def _place(root: Part, steps: list[str]) -> Part:
    for step in steps:
        root = root.children.setdefault(step, Part())
    return root


def _copy(part: Part) -> Part:
    children = {name: _copy(child) for name, child in part.children.items()}
    return replace(part, children=children)


def _below(path: str, address: str) -> list[str]:
    """The attribute's steps when a rule's path covers an instance; none when it does not."""
    parts = _PARTS.findall(path)
    for depth in range(1, len(parts)):
        if _pattern(".".join(parts[:depth])).fullmatch(address):
            # Keys of maps are names like others; elements of lists are all alike.
            return [name for part in parts[depth:] for name in (part.partition("[")[0], *_KEY.findall(part))]
    return []


def _spelled(steps: list[str], values: list[Any]) -> Iterator[list[str]]:
    """The paths that steps with `*` stand for, by the names that are in these values."""
    if not steps:
        return
    objects = [one for one in values if isinstance(one, dict)]
    names: Iterable[str] = steps[:1]
    if "*" in steps[0]:
        fits = _pattern(steps[0]).fullmatch
        names = dict.fromkeys(name for one in objects for name in one if fits(name))
    for name in names:
        if len(steps) == 1:
            yield [name]
            continue
        inside = [one[name] for one in objects if name in one]
        inner = [each for one in inside for each in (one if isinstance(one, list | tuple) else (one,))]
        yield from ([name, *rest] for rest in _spelled(steps[1:], inner))


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    """An address in which `*` stands for anything without dots, and an instance without its key for all of them."""
    escaped = re.escape(text).replace(r"\[\*\]", r"(\[[^\]]*\])?").replace(r"\*", "[^.]*")
    return re.compile(escaped + r"(\[[^\]]*\])?")
