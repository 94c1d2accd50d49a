"""Planning from declarations: defaults, what stays, what is unknown, what replaces; and reading back."""

from __future__ import annotations

from typing import Any

import pytest

from twinfra.providers.aws.checks import base64_text, cidr, json_document
from twinfra.providers.aws.fields import (
    TAGS,
    any_case,
    block,
    block_set,
    boolean,
    json_text,
    number,
    one_block,
    output,
    string,
    string_map,
    string_set,
    unsupported,
)
from twinfra.providers.aws.mapping import (
    attributes_of,
    bare_nulls,
    plain,
    request_of,
    settle_all,
    shape,
    type_of,
)
from twinfra.providers.aws.planning import plan
from twinfra.providers.aws.resource import Resource, Tagging, call
from twinfra.providers.aws.schemas import resource_schema
from twinfra.providers.aws.settings import Settings
from twinfra.providers.aws.upgrading import upgrade
from twinfra.providers.aws.validation import validate
from twinfra.providers.protocol import Planned, Proposal, Stored
from twinfra.values.types import STRING
from twinfra.values.value import GetAttr, Index, Null, Unknown

THING = Resource(
    name="aws_thing",
    service="ec2",
    about="A thing.",
    fields={
        "name": string("Name", required=True, force_new=True),
        "size": number("Size", default=3),
        "kind": any_case("Kind"),
        "open": boolean("Open"),
        "zone": string("Zone", computed=True),
        "document": json_text("Document"),
        "ports": string_set("Ports"),
        "labels": string_map("Labels"),
        "disk": block(
            {
                "path": string("Path", required=True, force_new=True),
                "size": number("Size"),
                "id": output(STRING, "Id"),
            },
            "Disks",
        ),
        "rule": block_set(
            {"port": number("Port", required=True), "note": string("Note"), "id": output(STRING, "Id")},
            "Rules",
        ),
        "logging": one_block(
            {"target": string("Target"), "level": string("Level", default="info")}, "Logging"
        ),
        "chosen": one_block({"a": string("A")}, "Chosen", computed=True),
        "state": output(STRING, "State", follows=("size",)),
        "secret": string("", write_only=True),
        "old": unsupported(string(), "Use name."),
        **TAGS,
    },
    id="Id",
    create=call("create_thing"),
    read=call("get_thing"),
    delete=call("delete_thing"),
    tags=Tagging(change=lambda *_: None),
    timeouts=("create",),
)
BLOCK = resource_schema(THING).block
DEFAULTS = Settings(region="us-east-1", default_tags={"env": "test"})


def config(**given: Any) -> dict[str, Any]:
    """A configuration of a thing."""
    from tests.providers.aws.rig import value_of

    return value_of(BLOCK, {"name": "n", **given})


def planned(prior: dict[str, Any] | None = None, /, **given: Any) -> Planned:
    """The plan of a thing."""
    wanted = config(**given)
    return plan(
        THING, Proposal(None if prior is None else Stored(prior), wanted, wanted), DEFAULTS, "us-east-1"
    )


def made(**given: Any) -> dict[str, Any]:
    """A thing as it is stored once made."""
    found = planned(**given).planned
    assert found is not None
    told = {
        "id": "t-1",
        "state": "ready",
        "zone": "z1",
        "chosen": shape([{"a": "x"}], type_of(THING.fields["chosen"])),
    }
    stored: dict[str, Any] = known(found, told)
    return stored


def known(value: Any, told: dict[str, Any]) -> Any:
    """A plan in which what was unknown has come about."""
    kind = type(value)
    if kind is dict:
        return {
            key: told.get(key, "i") if type(one) is Unknown else known(one, {}) for key, one in value.items()
        }
    if isinstance(value, tuple):
        return kind([known(one, {}) for one in value], value.element)  # type: ignore[attr-defined]
    return value


def test_a_new_thing_has_defaults_and_unknowns() -> None:
    found = planned(disk=[{"path": "/"}], logging=[{"target": "t"}], tags={"a": "1"}).planned
    assert found is not None
    assert found["size"] == 3
    assert (
        type(found["id"]) is type(found["state"]) is type(found["zone"]) is type(found["chosen"]) is Unknown
    )
    assert found["kind"] is None
    assert found["region"] == "us-east-1"
    assert found["tags_all"] == {"a": "1", "env": "test"}
    assert found["disk"][0]["path"] == "/"
    assert type(found["disk"][0]["id"]) is Unknown
    assert found["logging"][0] == {"target": "t", "level": "info"}
    assert found["rule"] == ()


def test_what_means_the_same_is_planned_as_it_was() -> None:
    prior = made(
        kind="Big", document='{"a": [1]}', ports=["1", "2"], rule=[{"port": 1}, {"port": 2, "note": "x"}]
    )
    again = planned(
        prior, kind="BIG", document='{ "a":[1] }', ports=["2", "1"], open=False, labels={},
        rule=[{"port": 2, "note": "x"}, {"port": 1, "note": ""}],
    )  # fmt: skip
    assert again.planned == prior
    assert again.replace == ()


def test_a_value_taken_away_goes_back_to_the_default_or_to_nothing_unless_the_api_chose_it() -> None:
    prior = made(size=9, kind="big", zone="z9", chosen=[{"a": "q"}])
    found = planned(prior).planned
    assert found is not None
    assert (found["size"], found["kind"], found["zone"]) == (3, None, "z9")
    assert plain(found["chosen"]) == [{"a": "q"}]


def test_what_follows_a_changed_field_is_unknown_and_the_rest_stays() -> None:
    prior = made()
    found = planned(prior, size=4).planned
    assert found is not None
    assert type(found["state"]) is Unknown
    assert found["id"] == "t-1"
    unrelated = planned(prior, kind="x").planned
    assert unrelated is not None
    assert unrelated["state"] == "ready"


def test_replacement_names_the_path_that_forces_it() -> None:
    prior = made(disk=[{"path": "/a"}, {"path": "/b"}])
    assert planned(prior, name="m", disk=[{"path": "/a"}, {"path": "/b"}]).replace == ((GetAttr("name"),),)
    changed = planned(prior, disk=[{"path": "/a"}, {"path": "/c"}])
    assert changed.replace == ((GetAttr("disk"), Index(1), GetAttr("path")),)
    assert planned(prior, disk=[{"path": "/a"}]).replace == ((GetAttr("disk"),),)
    assert planned(prior, disk=[{"path": "/a", "size": 5}, {"path": "/b"}]).replace == ()
    assert planned(prior, region="eu-west-1", disk=[{"path": "/a"}, {"path": "/b"}]).replace == (
        (GetAttr("region"),),
    )


def test_computed_members_of_blocks_stay_with_their_block() -> None:
    prior = made(disk=[{"path": "/a"}], rule=[{"port": 1}, {"port": 2}])
    found = planned(
        prior, disk=[{"path": "/a", "size": 2}, {"path": "/b"}], rule=[{"port": 2}, {"port": 3}]
    ).planned
    assert found is not None
    assert found["disk"][0]["id"] == "i"
    assert type(found["disk"][1]["id"]) is Unknown
    by_port = {one["port"]: one["id"] for one in found["rule"]}
    assert by_port[2] == "i"
    assert type(by_port[3]) is Unknown


def test_something_unknown_stays_unknown_and_forces_what_it_may() -> None:
    prior = made()
    wanted = config() | {"name": Unknown(STRING), "tags": Unknown(TAGS["tags"].type)}
    found = plan(THING, Proposal(Stored(prior), wanted, wanted), DEFAULTS, "us-east-1")
    assert found.replace == ((GetAttr("name"),),)
    assert found.planned is not None
    assert type(found.planned["tags_all"]) is Unknown


def test_write_only_values_and_typed_nulls_are_never_planned() -> None:
    found = planned(secret="s3cret").planned
    assert found is not None
    assert found["secret"] is None
    assert bare_nulls(config() | {"kind": Null(STRING)}) == config()


def test_timeouts_are_kept_as_written() -> None:
    found = planned(timeouts={"create": "5m"}).planned
    assert found is not None
    assert found["timeouts"] == {"create": "5m"}


def test_requests_hold_what_is_given_and_answers_are_read_back() -> None:
    given = made(disk=[{"path": "/", "size": 1}], logging=[{"target": "t"}], labels={"a": "b"}, open=True)
    sent = request_of(THING.fields, given)
    assert sent == {
        "Name": "n", "Size": 3, "Open": True, "Zone": "z1", "Labels": {"a": "b"}, "Chosen": {"A": "x"},
        "Disks": [{"Path": "/", "Size": 1}], "Logging": {"Target": "t", "Level": "info"},
    }  # fmt: skip
    answered = {**sent, "Id": "t-1", "State": "ready", "Disks": [{"Path": "/", "Size": "1", "Id": "i"}]}
    read = attributes_of(THING.fields, answered, None)  # type: ignore[arg-type]
    settled = settle_all(THING.fields, given, read)
    assert {name: settled[name] for name in ("disk", "logging", "labels", "open", "size")} == {
        name: given[name] for name in ("disk", "logging", "labels", "open", "size")
    }


def test_rules_about_values_are_told_with_their_place() -> None:
    problems = list(validate("aws_thing", THING.fields, config(old="x", document="{")))
    assert [(one.summary, one.path) for one in problems] == [
        ("Invalid value", (GetAttr("document"),)),
        ("Unsupported argument", (GetAttr("old"),)),
    ]
    assert "Use name." in problems[1].detail


def test_stored_attributes_of_another_version_are_conformed() -> None:
    found = upgrade(
        THING,
        0,
        {"name": "n", "gone": 1, "disk": [{"path": "/", "more": 2}], "timeouts": {"create": "1m", "x": "y"}},
    )
    assert found.keys() == BLOCK.type.attributes.keys()
    assert found["disk"] == [{"path": "/", "size": None, "id": None}]
    assert found["rule"] == []
    assert found["timeouts"] == {"create": "1m"}


@pytest.mark.parametrize(
    ("text", "said"),
    [("10.0.0.0/16", ""), ("10.0.0.1/16", "host bits"), ("10.0.0.0", "no prefix length"), ("x", "not a network"),
     ("10.0.0.0/8", "from /16 to /28"), ("fd00::/64", "not an IPv4")],
)  # fmt: skip
def test_networks_are_checked(text: str, said: str) -> None:
    assert said in cidr(4, 16, 28)(text)
    assert bool(said) == bool(cidr(4, 16, 28)(text))


@pytest.mark.parametrize("text", ["{", "[" * 100_000, "nul"])
def test_what_is_no_json_document_is_told(text: str) -> None:
    assert json_document(text)


@pytest.mark.parametrize(
    ("text", "fits"), [("", True), ("aGVs\nbG8=\n", True), ("aGVsbG8", False), ("-_==", False)]
)
def test_base_64_is_told_from_other_text(text: str, fits: bool) -> None:
    assert (base64_text(text) == "") is fits


def test_all_tags_of_a_thing_without_any_are_an_empty_map() -> None:
    prior = Proposal(None, config(), config())
    found = plan(THING, prior, Settings(), "us-east-1").planned
    assert found is not None
    assert found["tags_all"] == {}
