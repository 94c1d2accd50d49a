"""Tags, uniformly for every type: `tags`, `tags_all`, default and ignored ones, and the ways APIs take
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from twinfra.providers.aws.mapping import arguments, shape
from twinfra.providers.aws.resource import Attributes, Source, TagFunction, Tagging
from twinfra.providers.aws.settings import TRACE_TAG, Settings
from twinfra.values.types import STRING, MapType
from twinfra.values.value import Map, Unknown

if TYPE_CHECKING:
    from twinfra.providers.aws.context import Context

_TYPE = MapType(STRING)


def planned_tags(tags: Any, settings: Settings) -> Any:
    """`tags_all` for given `tags`: default tags under them, ignored ones left out; `Unknown` where it is."""
    if type(tags) is Unknown or "default_tags" in settings.unknown:
        return Unknown(_TYPE)
    merged = {
        **settings.default_tags,
        **{key: value for key, value in (tags or {}).items() if value is not None},
    }
    return Map({key: merged[key] for key in sorted(merged) if not settings.ignores(key)}, STRING)


def tag_values(raw: Any) -> dict[str, str]:
    """Tags of an API object, a structure or a list of Key and Value, as a plain dict."""
    if not raw:
        return {}
    values = shape(raw, _TYPE)
    return {key: value or "" for key, value in values.items()}


def read_tags(raw: Any, held: Mapping[str, Any], settings: Settings) -> tuple[Any, Any]:
    """(`tags`, `tags_all`) for the tags read.

    A default tag counts as given by the resource only where `held` (the prior or planned attributes) has it.
    """
    found = {key: value for key, value in tag_values(raw).items() if not settings.ignores(key)}
    before = held.get("tags")
    given = before if isinstance(before, dict) else {}
    own = {
        key: value for key, value in found.items()
        if key in given or key not in settings.default_tags or settings.default_tags[key] != value
    }  # fmt: skip
    tags = None if not own and (before is None or type(before) is Unknown) else Map(own, STRING)
    return tags, Map(found, STRING)


def request_tags(tagging: Tagging, attributes: Attributes, token: str = "") -> dict[str, Any]:
    """The creating call's member for `tags_all` (and the trace of `token`); nothing where there are none."""
    plain = {key: value or "" for key, value in sorted((attributes.get("tags_all") or {}).items())}
    if tagging.trace and token:
        plain[TRACE_TAG] = token
    if not tagging.at_create or not plain:
        return {}
    if tagging.shape == "map":
        return {tagging.at_create: plain}
    listed = tag_list(plain)
    if tagging.shape == "list":
        return {tagging.at_create: listed}
    return {tagging.at_create: [{"ResourceType": tagging.shape, "Tags": listed}]}


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as the list of Key and Value that most APIs take."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def tag_difference(before: Any, after: Any) -> tuple[dict[str, str], list[str]]:
    """(tags to set, keys to remove)."""
    old = before if isinstance(before, dict) else {}
    new = after if isinstance(after, dict) else {}
    return (
        {key: value for key, value in sorted(new.items()) if old.get(key) != value},
        sorted(old.keys() - new.keys()),
    )


# Ways in which APIs take them


def ec2_tags(kind: str, *, trace: bool = False) -> Tagging:
    """EC2: a tag specification for resource type `kind` at creation, then CreateTags and DeleteTags by id."""
    return Tagging(at_create="TagSpecifications", shape=kind, change=change_ec2_tags, trace=trace)


def change_ec2_tags(
    context: Context, attributes: Attributes, set_: dict[str, str], remove: list[str], _all: dict[str, str]
) -> None:
    """Bring the tags of the EC2 resource `attributes["id"]` to what they should be."""
    if remove:
        context.call("delete_tags", Resources=[attributes["id"]], Tags=[{"Key": key} for key in remove])
    if set_:
        context.call("create_tags", Resources=[attributes["id"]], Tags=tag_list(set_))


def arn_tags(
    tag: str = "tag_resource",
    untag: str = "untag_resource",
    *,
    member: str = "ResourceArn",
    source: Source = "arn",
    many: bool = False,
    tags: str = "Tags",
    keys: str = "TagKeys",
    shape: str = "list",
    at_create: str | None = None,
    read: str = "Tags",
) -> Tagging:
    """A tag and an untag call on one resource, named in `member` (a list of it where `many`) by `source`.

    `tags`, `keys`: the calls' members. `shape`: `list` of Key and Value, or `map`.
    """

    def change(
        context: Context,
        attributes: Attributes,
        set_: dict[str, str],
        remove: list[str],
        _all: dict[str, str],
    ) -> None:
        named = arguments({member: source}, attributes)
        if many:
            named[member] = [named[member]]
        if remove:
            context.call(untag, **named, **{keys: remove})
        if set_:
            context.call(tag, **named, **{tags: set_ if shape == "map" else tag_list(set_)})

    return Tagging(at_create=tags if at_create is None else at_create, shape=shape, read=read, change=change)


__all__ = [
    "TagFunction",
    "Tagging",
    "arn_tags",
    "change_ec2_tags",
    "ec2_tags",
    "planned_tags",
    "read_tags",
    "request_tags",
    "tag_difference",
    "tag_list",
    "tag_values",
]
