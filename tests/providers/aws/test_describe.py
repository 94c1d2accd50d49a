"""Reading many with few calls, also where one that is gone fails the call."""

from __future__ import annotations

from typing import Any

from twinfra.providers.aws.failures import ApiError
from twinfra.providers.aws.lifecycle import find_many, is_batched
from twinfra.providers.aws.resource import Describe, Resource, call


class Cloud:
    """Stands for a context: a list call over things, refused as soon as one asked for does not exist."""

    not_found = ("Gone",)

    def __init__(self, there: set[str]) -> None:
        self.there = there
        self.calls = 0

    def pages(self, operation: str, items: str, **request: Any) -> list[dict[str, Any]]:
        """One call."""
        self.calls += 1
        asked = request.get("Ids") or [one for each in request.get("Filters", ()) for one in each["Values"]]
        if "Ids" in request and not self.there.issuperset(asked):
            raise ApiError("thing", operation, "Gone", "no such thing", 400)
        return [{"Id": one} for one in asked or sorted(self.there) if one in self.there]


def thing(**how: Any) -> Resource:
    """A type read by a list call."""
    read = Describe(operation="describe_things", items="Things", key="Id", **how)
    return Resource(
        name="aws_thing",
        service="thing",
        about="",
        fields={},
        create=call("c"),
        read=read,
        delete=call("d"),
        id="Id",
    )


def asked(cloud: Cloud, resource: Resource, names: list[str]) -> list[str | None]:
    """What reading these finds."""
    assert is_batched(resource)
    found = find_many(resource, cloud, [{"id": name} for name in names])  # type: ignore[arg-type]
    return [None if one is None else one["Id"] for one in found]


NAMES = [f"t-{number}" for number in range(300)]


def test_a_filter_takes_two_hundred_at_a_time_and_leaves_out_what_is_gone() -> None:
    cloud = Cloud(set(NAMES) - {"t-7"})
    found = asked(cloud, thing(filter="thing-id"), NAMES)
    assert found == [None if name == "t-7" else name for name in NAMES]
    assert cloud.calls == 2


def test_one_that_is_gone_is_found_by_halves() -> None:
    cloud = Cloud(set(NAMES) - {"t-7"})
    found = asked(cloud, thing(ids="Ids", chunk=300), NAMES)
    assert found == [None if name == "t-7" else name for name in NAMES]
    assert cloud.calls < 25


def test_without_a_way_to_narrow_everything_is_listed_once() -> None:
    cloud = Cloud(set(NAMES))
    assert asked(cloud, thing(), ["t-1", "x"]) == ["t-1", None]
    assert cloud.calls == 1
