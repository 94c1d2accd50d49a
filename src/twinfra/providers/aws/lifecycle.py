"""Running a declaration: create, read (one or many), update, delete and recovery of one resource type.

What a failed operation leaves behind is told with the failure, so that nothing made is ever forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial as partial_of
from typing import Any

from twinfra.providers.aws.comparison import has_unknown, is_empty, same
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.failures import ApiError, WaitError
from twinfra.providers.aws.mapping import (
    arguments,
    attributes_of,
    place,
    plain,
    request_of,
    same_field,
    settle_all,
    shape,
    type_of,
    without_unknown,
)
from twinfra.providers.aws.naming import find_prefixes
from twinfra.providers.aws.once import adopt, create_once
from twinfra.providers.aws.resource import Api, Attributes, Call, Change, Describe, Resource, Retry, Update
from twinfra.providers.aws.tagging import read_tags, request_tags, tag_difference
from twinfra.providers.aws.waiting import dig
from twinfra.providers.protocol import ProviderError, Stored
from twinfra.values.value import Unknown

_NEW_SECONDS = 60.0
"""For how long something just made may be not found yet."""

_UNSEEN_SECONDS = 20.0
"""For how long calls on something just made may answer that it does not exist."""


class HalfDone(Exception):
    """An operation failed after something was made: `attributes` are what is known of it."""

    def __init__(self, cause: Exception, attributes: Attributes) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.attributes = attributes


def limits_of(attributes: Mapping[str, Any] | None) -> dict[str, str]:
    """The `timeouts` block's values."""
    given = None if attributes is None else attributes.get("timeouts")
    return {name: value for name, value in given.items() if value} if isinstance(given, dict) else {}


# Reading


def find(resource: Resource, context: Context, attributes: Attributes) -> Api | None:
    """The API's object of one instance with all that `extend` adds, None when it is gone."""
    found = locate(resource, context, attributes)
    if found is None or resource.extend is None:
        return found
    try:
        return resource.extend(context, attributes, found)
    except ApiError as problem:
        if problem.code in resource.not_found:
            return None
        raise


def locate(resource: Resource, context: Context, attributes: Attributes) -> Api | None:
    """The API's object of one instance without `extend`, which is what waiting looks at."""
    reader = resource.read
    try:
        if isinstance(reader, Describe):
            return _describe(reader, context, [attributes])[0]
        if isinstance(reader, Call):
            return context.make(reader, attributes)
        return reader(context, attributes)
    except ApiError as problem:
        if problem.code in resource.not_found:
            return None
        raise


def find_many(resource: Resource, context: Context, every: Sequence[Attributes]) -> list[Api | None]:
    """`find` for many with as few calls as the API allows, without `extend`. Only where `is_batched`."""
    if resource.read_many is not None:
        return list(resource.read_many(context, every))
    assert isinstance(resource.read, Describe)
    return _describe(resource.read, context, every)


def is_batched(resource: Resource) -> bool:
    """Whether many are read with fewer calls than one each."""
    return resource.read_many is not None or isinstance(resource.read, Describe)


def _describe(how: Describe, context: Context, every: Sequence[Attributes]) -> list[Api | None]:
    wanted = [plain(attributes.get(how.attribute)) for attributes in every]
    narrowed = bool(how.filter or how.ids)
    size = how.chunk if narrowed else max(len(wanted), 1)
    found: dict[Any, Api] = {}
    for start in range(0, len(wanted), size):
        chunk = sorted({one for one in wanted[start : start + size] if one is not None}, key=str)
        if not chunk:
            continue
        for item in _listed(how, context, chunk, every[0]):
            if how.gone is None or not how.gone(item):
                found[dig(item, how.key)] = item
    return [found.get(one) for one in wanted]


def _listed(how: Describe, context: Context, chunk: list[Any], attributes: Attributes) -> list[Api]:
    request = arguments(how.args, attributes)
    if how.filter:
        request["Filters"] = [*request.get("Filters", []), {"Name": how.filter, "Values": chunk}]
    elif how.ids:
        place(request, how.ids, chunk)
    try:
        return context.pages(how.operation, how.items, **request)
    except ApiError as problem:
        if problem.code not in context.not_found:
            raise
        if not how.ids or len(chunk) == 1:
            return []
    # One of them is gone: halves find out which with few calls.
    half = len(chunk) // 2
    parts = (chunk[:half], chunk[half:])
    return [item for part in parts for item in _listed(how, context, part, attributes)]


def attributes_from(
    resource: Resource, context: Context, found: Api, held: Attributes, lenient: bool = False
) -> Attributes:
    """Attributes out of the API's object; `held` are those known before (prior, or planned)."""
    fields = resource.all_fields()
    result = attributes_of(fields, found, context, held, lenient)
    if resource.tags is not None:
        result["tags"], result["tags_all"] = read_tags(dig(found, resource.tags.read), held, context.settings)
    if resource.regional:
        result["region"] = context.region
    result["id"] = identifier(resource, found, result, held)
    return result


def identifier(resource: Resource, found: Api, attributes: Attributes, held: Attributes) -> Any:
    """The id: read from the object, or put together from attributes."""
    known = {**held, **{name: value for name, value in attributes.items() if value is not None}}
    if callable(resource.id):
        return resource.id(known)
    if "{" in resource.id:
        return _format(resource.id, known) or held.get("id")
    value = dig(found, resource.id)
    return held.get("id") if value is None else str(value)


def _format(template: str, attributes: Mapping[str, Any]) -> str | None:
    names = re.findall(r"{(\w+)}", template)
    values = {name: attributes.get(name) for name in names}
    if any(is_empty(value) or type(value) is Unknown for value in values.values()):
        return None
    return template.format(**values)


def read(resource: Resource, context: Context, current: Attributes) -> Attributes | None:
    """The instance as it is now, or None; values that mean what the state has keep its form."""
    found = find(resource, context, current)
    return None if found is None else refreshed(resource, context, found, current)


def refreshed(resource: Resource, context: Context, found: Api, current: Attributes) -> Attributes:
    """Attributes out of an object read, in the form that `current` has where they mean the same."""
    fields = resource.all_fields()
    result = settle_all(fields, current, attributes_from(resource, context, found, current))
    find_prefixes(resource, result)
    if resource.timeouts:
        result["timeouts"] = current.get("timeouts")
    return result


# Creating


def create(resource: Resource, context: Context, planned: Attributes) -> Attributes:
    """Make it, wait for it, do what the creating call does not take, and return all attributes.

    Raises `ApiError` or `WaitError` where nothing was made, `HalfDone` where something was.
    """
    fields = resource.all_fields()
    known = without_unknown(planned) | context.unstored
    later = _later(resource)
    try:
        made = context.retry(
            lambda: create_once(
                resource, context, known, lambda: _create_call(resource, context, fields, known, later)
            ),
            resource.retry_create,
        )
    except ApiError as problem:
        adopted = adopt(resource, context, known, problem)
        if adopted is None:
            raise
        made = adopted
    partial = _partial(resource, context, made, planned)
    try:
        return _finish_create(resource, context, planned, known, made, partial)
    except (ApiError, WaitError, ProviderError) as problem:
        raise HalfDone(problem, partial) from problem


def _later(resource: Resource) -> frozenset[str]:
    return frozenset(name for update in resource.updates if update.after_create for name in update.fields)


def _create_call(
    resource: Resource, context: Context, fields: Mapping[str, Any], known: Attributes, later: frozenset[str]
) -> Api:
    if not isinstance(resource.create, Call):
        return resource.create(context, known)
    request = request_of(fields, known, [name for name in fields if name not in later and name != "region"])
    if resource.tags is not None:
        request |= request_tags(resource.tags, known, context.token)
    return context.make(resource.create, known, request)


def _partial(resource: Resource, context: Context, made: Api, planned: Attributes) -> Attributes:
    """What is known of something just made: the plan's values, and the creating call's where they are
    told.
    """
    known = without_unknown(planned)
    read = attributes_from(resource, context, made, known, lenient=True)
    result: Attributes = {}
    for name in resource.all_fields():
        value = planned.get(name)
        result[name] = read.get(name) if type(value) is Unknown or value is None else known[name]
    if resource.timeouts:
        result["timeouts"] = known.get("timeouts")
    return result


def _finish_create(
    resource: Resource,
    context: Context,
    planned: Attributes,
    known: Attributes,
    made: Api,
    partial: Attributes,
) -> Attributes:
    fields = resource.all_fields()
    seen: Api | None = made if resource.complete_create else None
    called = False
    if resource.created is not None:
        seen = context.wait(
            resource.created, lambda: locate(resource, context, partial), action="create", first=seen
        )
    # What was made a moment ago is not seen everywhere at once.
    unseen = tuple(Retry(code, seconds=_UNSEEN_SECONDS) for code in resource.not_found)
    before: Attributes = dict.fromkeys(fields)
    there = _settled(resource, context, seen)
    for update in resource.updates:
        if update.after_create and (
            given := [
                name
                for name in update.fields
                if not is_empty(known.get(name)) and not _is_so(fields[name], known[name], there.get(name))
            ]
        ):
            # `made` may be handed to functions through the attributes: the id and what the call told.
            change = Change(before, partial | _given(known), frozenset(given))
            context.retry(partial_of(_update, resource, context, update, change), unseen)
            called = True
    tagging = resource.tags
    if tagging is not None and not tagging.at_create and known.get("tags_all"):
        tags = dict(known["tags_all"])
        context.retry(lambda: tagging.change(context, partial, tags, [], tags), unseen)
    if seen is None or called:
        seen = _look_for_new(resource, context, partial)
    elif resource.extend is not None:
        seen = resource.extend(context, partial, seen)
    return _applied(resource, context, planned, seen)


def _settled(resource: Resource, context: Context, seen: Api | None) -> Attributes:
    """What something new already has of the settings that are made after the creating call, where it was read."""
    if seen is None:
        return {}
    fields = resource.all_fields()
    return attributes_of({name: fields[name] for name in _later(resource)}, seen, context, lenient=True)


def _is_so(field: Any, wanted: Any, found: Any) -> bool:
    return found is not None and same_field(field, wanted, found)


def _given(known: Attributes) -> Attributes:
    return {name: value for name, value in known.items() if value is not None}


def _look_for_new(resource: Resource, context: Context, attributes: Attributes) -> Api:
    """Read something just made, which may take a while to be seen."""
    from twinfra.providers.aws.resource import Wait
    from twinfra.providers.aws.waiting import wait_for

    wait = Wait(interval=5.0, noun="reading")
    found = wait_for(
        wait, lambda: find(resource, context, attributes), seconds=_NEW_SECONDS, progress=context.progress
    )
    assert found is not None
    return found


def _applied(resource: Resource, context: Context, planned: Attributes, seen: Api) -> Attributes:
    """Attributes to store after an apply: what was planned where known, what was read where not."""
    read = attributes_from(resource, context, seen, without_unknown(planned))
    result = {
        name: _fill(field, planned.get(name), read.get(name)) for name, field in resource.all_fields().items()
    }
    if resource.timeouts:
        result["timeouts"] = planned.get("timeouts")
    return result


def _fill(field: Any, planned: Any, read: Any) -> Any:
    """The planned value with everything unknown in it replaced by what was read."""
    if type(planned) is Unknown:
        return read
    if not has_unknown(planned):
        return planned
    if field.fields is None:
        return read
    if isinstance(planned, dict) and isinstance(read, dict):
        return {
            name: _fill(nested, planned.get(name), read.get(name)) for name, nested in field.fields.items()
        }
    if isinstance(planned, tuple) and isinstance(read, tuple) and len(planned) == len(read):
        left = list(read)
        inner = []
        for one in planned:
            at = _counterpart(field, one, left)
            inner.append(
                {
                    name: _fill(nested, one.get(name), left[at].get(name))
                    for name, nested in field.fields.items()
                }
            )
            del left[at]
        return shape(inner, type_of(field))
    return read


def _counterpart(field: Any, planned: Any, left: list[Any]) -> int:
    """Which element read is the planned one: the first that agrees in all that is known, else the first."""
    for at, candidate in enumerate(left):
        if all(
            has_unknown(planned.get(name)) or same_field(nested, planned.get(name), candidate.get(name))
            for name, nested in field.fields.items()
        ):
            return at
    return 0


# Changing and deleting


def update(resource: Resource, context: Context, prior: Attributes, planned: Attributes) -> Attributes:
    """Bring it to what is planned; returns all attributes. Raises `HalfDone` where some calls were made."""
    fields = resource.all_fields()
    known = without_unknown(planned) | context.unstored
    for name in fields:
        # Computed attributes that change with this update are still what they were while it runs.
        if type(planned.get(name)) is Unknown:
            known[name] = prior.get(name)
    changed = frozenset(
        name
        for name, field in fields.items()
        if not field.write_only and not same_field(field, known.get(name), prior.get(name))
    )
    done: Attributes = dict(prior)
    reread = not resource.complete_update
    try:
        for one in resource.updates:
            concerned = changed.intersection(one.fields)
            if not concerned:
                continue
            _update(resource, context, one, Change(prior, known, changed))
            done |= {name: known[name] for name in concerned}
            if one.wait and resource.updated is not None:
                context.wait(resource.updated, lambda: locate(resource, context, known), action="update")
        if resource.tags is not None and not same(known.get("tags_all"), prior.get("tags_all")):
            set_, remove = tag_difference(prior.get("tags_all"), known.get("tags_all"))
            resource.tags.change(context, known, set_, remove, dict(known.get("tags_all") or {}))
            done |= {"tags": known.get("tags"), "tags_all": known.get("tags_all")}
        if not has_unknown(planned) and not reread:
            return planned
        seen = find(resource, context, known)
        if seen is None:
            raise WaitError("it was gone after the change")
    except (ApiError, WaitError, ProviderError) as problem:
        raise HalfDone(problem, done) from problem
    return _applied(resource, context, planned, seen)


def _update(resource: Resource, context: Context, update: Update, change: Change) -> None:
    if not isinstance(update.call, Call):
        update.call(context, change)
        return
    names = update.fields if update.whole else [name for name in update.fields if name in change.changed]
    request = request_of(resource.all_fields(), change.planned, names, clear=True)
    context.make(update.call, change.planned, request)


def delete(resource: Resource, context: Context, attributes: Attributes) -> None:
    """Delete it and wait until it is gone; being gone already is success."""

    def act() -> None:
        if isinstance(resource.delete, Call):
            context.make(resource.delete, attributes)
        else:
            resource.delete(context, attributes)

    try:
        context.retry(act, resource.retry_delete)
    except ApiError as problem:
        if problem.code not in resource.not_found:
            raise
        return
    if resource.deleted is not None:
        context.wait(
            resource.deleted, lambda: locate(resource, context, attributes), action="delete", gone=True
        )


# Recovery


def recover(resource: Resource, context: Context, planned: Attributes) -> Attributes | None:
    """What an interrupted create made, or None where it made nothing."""
    known = without_unknown(planned)
    found = None if resource.recover is None else resource.recover(context, known, context.token)
    if found is None:
        return None
    partial = _partial(resource, context, found, planned)
    seen = find(resource, context, partial)
    if seen is None:
        return None
    result = attributes_from(resource, context, seen, partial)
    if resource.timeouts:
        result["timeouts"] = known.get("timeouts")
    return result


def stored(attributes: Attributes, private: Mapping[str, Any] | None = None) -> Stored:
    """An instance for the state."""
    return Stored(attributes, dict(private or {}))
