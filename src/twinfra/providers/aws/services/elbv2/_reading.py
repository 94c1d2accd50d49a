"""Reading load balancers, target groups and listeners: many with one call, with their tags; their attributes,
which are pairs of names and texts, one by one.

An attribute that does not apply (each kind of load balancer has its own) is not told. What was declared for
it stays then, so that it is no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from twinfra.dataclass import dataclass
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.failures import ApiError
from twinfra.providers.aws.fields import Field
from twinfra.providers.aws.resource import Api, Attributes
from twinfra.providers.aws.settings import TRACE_TAG
from twinfra.providers.aws.tagging import TagFunction, Tagging, arn_tags

_CHUNK = 20
"""How many the calls take at a time."""

ATTRIBUTES, HELD = "Attributes", "Held"
"""Where the object read has its attributes as a structure, and what was declared."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A describe call: its `items`, the member `ids` that narrows it, and the `key` of an item."""

    operation: str
    items: str
    ids: str
    key: str

    def many(self, context: Context, every: Sequence[Attributes]) -> list[Api | None]:
        """One object per instance, in order, with its tags; None where it is gone."""
        wanted = [one["id"] for one in every]
        found: dict[str, Api] = {}
        for start in range(0, len(wanted), _CHUNK):
            for item in self._some(context, sorted(set(wanted[start : start + _CHUNK]))):
                found[item[self.key]] = item
        return [found.get(one) for one in wanted]

    def one(self, context: Context, attributes: Attributes) -> Api | None:
        """The same for one."""
        return self.many(context, [attributes])[0]

    def _some(self, context: Context, arns: list[str]) -> list[Api]:
        try:
            listed = context.pages(self.operation, self.items, **{self.ids: arns})
            return with_tags(context, listed, self.key)
        except ApiError as problem:
            if problem.code not in context.not_found:
                raise
        if len(arns) == 1:
            return []
        half = len(arns) // 2
        return self._some(context, arns[:half]) + self._some(context, arns[half:])


def with_tags(context: Context, listed: Iterable[Api], key: str) -> list[Api]:
    """Objects (20 at most) with their tags, which another call tells."""
    items = list(listed)
    if not items:
        return []
    answer = context.call("describe_tags", ResourceArns=[one[key] for one in items])
    tags = {one["ResourceArn"]: one.get("Tags", []) for one in answer["TagDescriptions"]}
    return [one | {"Tags": tags.get(one[key], [])} for one in items]


def named(context: Context, operation: str, items: str, name: str) -> Api | None:
    """The load balancer or target group of a name, None where there is none."""
    found = context.find(operation, Names=[name])
    listed: list[Api] = [] if found is None else found[items]
    return listed[0] if listed else None


def extended(operation: str, member: str) -> Callable[[Context, Attributes, Api], Api]:
    """What adds the attributes to an object read: `operation` tells them of the ARN in `member`."""

    def extend(context: Context, held: Attributes, found: Api) -> Api:
        answer = context.call(operation, **{member: found[member]})
        told = {one["Key"]: one.get("Value", "") for one in answer["Attributes"]}
        return found | {ATTRIBUTES: told, HELD: held}

    return extend


# Attributes


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute behind an argument: its key, and the kinds that have it (all where empty)."""

    key: str
    kinds: tuple[str, ...] = ()


def reads(
    name: str, key: str, default: Any = None, kinds: tuple[str, ...] = ()
) -> Callable[[Api, Context], Any]:
    """The reading of the argument `name` from the attribute `key`, which only these kinds (all where empty)
    let be set.
    """

    def read(found: Api, _: Context) -> Any:
        told = found.get(ATTRIBUTES)
        if told is None:
            return None
        applies = not kinds or found.get("Type") in kinds
        held = found[HELD].get(name)
        if held is None or (applies and key in told):
            return told.get(key, default if applies else None)
        return held

    return read


def attribute(
    make: Callable[..., Field], name: str, key: str, kinds: tuple[str, ...] = (), **options: Any
) -> Field:
    """An argument (made by `string`, `boolean` or `number`) that is an attribute."""
    return make("", read=reads(name, key, options.get("default"), kinds), **options)


def text(value: Any) -> str:
    """A value as attributes have it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def pairs(wanted: Mapping[str, str], before: Mapping[str, str]) -> list[dict[str, str]]:
    """What a modifying call takes: the attributes that differ."""
    return [{"Key": key, "Value": value} for key, value in sorted(wanted.items()) if before.get(key) != value]


# Tags


def elb_tags(*, trace: bool = False) -> Tagging:
    """AddTags and RemoveTags. `trace`: with the operation's token as a temporary tag (see `recovery`)."""
    made = arn_tags("add_tags", "remove_tags", member="ResourceArns", source="id", many=True)
    change: TagFunction = made.change
    return Tagging(change=change, trace=trace)


def traced(context: Context, listed: Iterable[Api], key: str, token: str) -> Api | None:
    """Of objects just listed, the one that the create with this token made."""
    items = list(listed)
    for start in range(0, len(items), _CHUNK):
        for one in with_tags(context, items[start : start + _CHUNK], key):
            if {"Key": TRACE_TAG, "Value": token} in one["Tags"]:
                return one
    return None


def drop_trace(context: Context, attributes: Attributes, _: str) -> None:
    """Removes the temporary tag."""
    context.call("remove_tags", ResourceArns=[attributes["id"]], TagKeys=[TRACE_TAG])
