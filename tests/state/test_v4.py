"""The version 4 file: what is read, what is written, what is refused."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.state.states import AWS, BUILTIN, EXACT, data_object, state_of, thing

from twinfra.addresses import ModuleInstance, ProviderAddress, ProviderConfig
from twinfra.diagnostics import DiagnosticError
from twinfra.state.model import InstanceObject, OutputState, State
from twinfra.state.v4 import VERBATIM, parse_provider, read_state, write_state

STOCK = Path(__file__).parents[1] / "data" / "state" / "stock" / "state.json"


def written(state: State) -> str:
    return b"".join(write_state(state)).decode()


def read(document: Any) -> State:
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    state = read_state(content, "terraform.tfstate")
    assert state is not None
    return state


def again(state: State) -> State:
    return read(written(state).encode())


def refused(content: Any) -> str:
    with pytest.raises(DiagnosticError) as caught:
        read(content)
    (one,) = caught.value.diagnostics
    assert one.mend
    return f"{one.summary}: {one.detail}"


def file_with(*instances: dict[str, Any], **resource: Any) -> dict[str, Any]:
    entry = {
        "mode": "managed",
        "type": "terraform_data",
        "name": "a",
        "provider": 'provider["terraform.io/builtin/terraform"]',
        "instances": list(instances),
        **resource,
    }
    return {"version": 4, "serial": 1, "lineage": "x", "resources": [entry]}


def test_a_file_of_stock_terraform_is_written_back_byte_for_byte() -> None:
    content = STOCK.read_bytes()
    state = read_state(content, "stock.tfstate")
    assert state is not None
    assert written(state).encode() == content


def test_order_does_not_depend_on_the_order_of_records() -> None:
    content = STOCK.read_bytes()
    state = read(content)
    state.resources = dict(reversed(state.resources.items()))
    state.outputs = dict(reversed(state.outputs.items()))
    for resource in state.resources.values():
        resource.instances = dict(reversed(resource.instances.items()))
    assert written(state).encode() == content


def test_an_empty_state_is_written_as_stock_terraform_does() -> None:
    assert written(State(serial=6, lineage="x")) == (
        '{\n  "version": 4,\n  "terraform_version": "1.11.4",\n  "serial": 6,\n  "lineage": "x",\n'
        '  "outputs": {},\n  "resources": [],\n  "check_results": null\n}\n'
    )


@pytest.mark.parametrize("content", [b"", b" \n"])
def test_an_empty_file_is_no_state(content: bytes) -> None:
    assert read_state(content, "terraform.tfstate") is None


@pytest.mark.parametrize(
    "number",
    [0, -1, 2**70, 10**4500, Decimal("1.50"), EXACT, Decimal("-1E-40"), Decimal("1E+90000000")],
    ids=["zero", "negative", "large", "huge", "fraction", "fine", "small", "wide"],
)
def test_numbers_are_never_rounded(number: Any) -> None:
    state = State(outputs={"n": OutputState(number, "number")}, lineage="x")
    found = again(state).outputs["n"].value
    assert Decimal(found) == Decimal(number)


def test_whole_numbers_are_read_as_int_and_others_as_decimal() -> None:
    state = read(b'{"version": 4, "outputs": {"n": {"value": [1, 1.5, 1e3], "type": "dynamic"}}}')
    assert list(map(type, state.outputs["n"].value)) == [int, Decimal, Decimal]


def test_a_private_note_of_ours_is_read_back() -> None:
    state = State(lineage="x")
    state.put(thing("a"), BUILTIN, data_object("1", private={"é": [1, {"b": None}], "c": Decimal("1.5")}))
    assert again(state) == state_with_version(state)


def state_with_version(state: State) -> State:
    state.terraform_version = "1.11.4"
    return state


@pytest.mark.parametrize(
    "note", [b"\x00\x01\xff", b'{"a" : 1}', b"[1]", b'{"a":1.0e1}', b"{}", b'{"b":"\\u00e9"}', b'{"a":NaN}']
)
def test_private_bytes_of_another_provider_are_kept_verbatim(note: bytes) -> None:
    text = base64.b64encode(note).decode()
    state = read(file_with({"attributes": {}, "private": text}))
    (resource,) = json.loads(written(state))["resources"]
    assert resource["instances"][0]["private"] == text


def test_private_text_that_is_not_base64_is_kept_verbatim() -> None:
    state = read(file_with({"attributes": {}, "private": "%%%"}))
    found = state.current(thing("a"))
    assert found is not None
    assert found.private == {VERBATIM: "%%%"}
    assert json.loads(written(state))["resources"][0]["instances"][0]["private"] == "%%%"


def test_identities_of_clouds_travel_with_the_objects() -> None:
    state = State(lineage="x", identities={str(AWS): {"account": "1", "region": "ü"}})
    state.put(thing("a"), AWS, data_object("1", private={"note": 1}))
    state.put(thing("b"), BUILTIN, data_object("1"))
    found = again(state)
    assert found.identities == state.identities
    assert found.resources == state.resources


def test_an_identity_is_a_note_that_public_provider_frameworks_accept() -> None:
    state = State(lineage="x", identities={str(AWS): {"account": "1"}})
    state.put(thing("a"), AWS, data_object("1"))
    private = json.loads(written(state))["resources"][0]["instances"][0]["private"]
    notes = json.loads(base64.b64decode(private))
    assert all(json.loads(base64.b64decode(note)) for note in notes.values())


def test_fields_of_the_future_are_kept_everywhere() -> None:
    document = file_with({"attributes": {}, "schema_version": 0, "identity": {"x": 1}}, each="map")
    document |= {"outputs": {"o": {"value": 1, "type": "number", "ephemeral": False}}, "new": [1.25]}
    found = json.loads(written(read(document)))
    assert found["resources"][0]["instances"][0]["identity"] == {"x": 1}
    assert found["resources"][0]["each"] == "map"
    assert found["outputs"]["o"]["ephemeral"] is False
    assert found["new"] == [1.25]


def test_deposed_objects_stand_beside_the_current_one() -> None:
    state = state_of("a")
    state.put(thing("a"), BUILTIN, data_object("old", tainted=True), "0a1b2c3d")
    state.put(thing("b"), BUILTIN, data_object("alone"), "00000001")
    found = again(state)
    assert found.resources == state.resources
    instances = json.loads(written(state))["resources"][0]["instances"]
    assert [(one.get("deposed"), one.get("status")) for one in instances] == [
        (None, None),
        ("0a1b2c3d", "tainted"),
    ]


def test_modules_with_keys_are_addresses() -> None:
    module = ModuleInstance((("net", 'a"${x}\\\n%{'), ("inner", 3)))
    state = State(lineage="x")
    state.put(thing("a", "é", module), BUILTIN, data_object("1"))
    assert again(state).resources == state.resources


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'provider["example.com/a/b"].west',
            ProviderConfig(ProviderAddress("b", "a", "example.com"), "west"),
        ),
        (
            'module.x.module.y.provider["registry.terraform.io/hashicorp/aws"]',
            ProviderConfig(ProviderAddress("aws"), "", ("x", "y")),
        ),
        ("provider.aws", ProviderConfig(ProviderAddress("aws", "-"))),
        ("module.x.provider.aws.west", ProviderConfig(ProviderAddress("aws", "-"), "west", ("x",))),
    ],
)
def test_provider_configurations_are_read(text: str, expected: ProviderConfig) -> None:
    assert parse_provider(text) == expected


def test_lone_halves_of_characters_do_not_stop_reading_or_writing() -> None:
    state = read(
        b'{"version": 4, "outputs": {"n": {"value": "a\\ud800 \\ud83d\\ude00 \\\\ud800", "type": "string"}}}'
    )
    assert state.outputs["n"].value == "a\ufffd \U0001f600 \\ud800"
    state.outputs["n"] = OutputState("\udc00", "string")
    assert again(state).outputs["n"].value == "\ufffd"


def test_a_byte_order_mark_is_passed_over() -> None:
    assert read(b'\xef\xbb\xbf{"version": 4, "serial": 3}').serial == 3


def test_a_truncated_file_is_refused_with_its_end() -> None:
    text = refused(STOCK.read_bytes()[:5000])
    assert "terraform.tfstate, line " in text
    assert "damaged" in text


def test_a_syntax_error_is_refused_with_its_place() -> None:
    assert "line 2, column 16" in refused(b'{\n  "version": 4 "serial": 1}')


def test_bytes_that_are_not_text_are_refused_with_their_place() -> None:
    assert "line 2, byte 14" in refused(b'{\n  "version": \xff4}')


def test_a_value_that_makes_no_sense_is_refused_with_its_place() -> None:
    content = b'{"version": 4, "resources": [\n  {"mode": "managed", "type": "t", "name": "n", "provider":\n   "nope"}]}'
    text = refused(content)
    assert "line 3, column 4 (at resources[0].provider)" in text


@pytest.mark.parametrize(
    ("results", "place"),
    [
        ({}, "check_results"),
        ([None], "check_results[0]"),
        ([{"object_kind": "check", "config_addr": "check.c"}], "check_results[0]"),
        ([{"object_kind": "resource", "config_addr": "c", "status": "pass"}], "check_results[0].config_addr"),
        (
            [
                {
                    "object_kind": "check",
                    "config_addr": "check.c",
                    "status": "pass",
                    "objects": [{"status": "pass"}],
                }
            ],
            "check_results[0].objects[0]",
        ),
    ],
)
def test_results_of_checks_in_another_form_are_refused_with_their_place(results: object, place: str) -> None:
    assert f"(at {place})" in refused({"version": 4, "check_results": results})


def test_no_value_of_the_state_is_shown_in_a_message() -> None:
    document = file_with({"attributes": {"password": "hunter2"}, "status": "hunter2"})
    assert "hunter2" not in refused(document)


def test_an_object_that_occurs_twice_is_refused() -> None:
    assert "terraform_data.a[0] occurs twice" in refused(
        file_with({"index_key": 0, "attributes": {}}, {"index_key": 0, "attributes": {}})
    )


def test_a_deposed_object_that_occurs_twice_is_refused() -> None:
    twin = {"deposed": "00000001", "attributes": {}}
    assert "(deposed 00000001) occurs twice" in refused(file_with(twin, twin))


def test_a_resource_in_two_entries_is_one_resource() -> None:
    document = file_with({"index_key": 0, "attributes": {}})
    document["resources"].append(
        dict(document["resources"][0], instances=[{"index_key": 1, "attributes": {}}])
    )
    (resource,) = read(document).resources.values()
    assert list(resource.instances) == [0, 1]


def test_a_resource_with_two_providers_is_refused() -> None:
    document = file_with({"index_key": 0, "attributes": {}})
    document["resources"].append(dict(document["resources"][0], provider="provider.aws"))
    assert "different providers" in refused(document)


@pytest.mark.parametrize(
    "wrong",
    [
        b"[]",
        b"3",
        b'"x"',
        b"null",
        b"{}",
        b'{"version": "4"}',
        b'{"version": true}',
        b'{"version": 4, "serial": "1"}',
        b'{"version": 4, "serial": -1}',
        b'{"version": 4, "lineage": 1}',
        b'{"version": 4, "resources": {}}',
        b'{"version": 4, "resources": [1]}',
        b'{"version": 4, "outputs": []}',
        b'{"version": 4, "outputs": {"a": 1}}',
        b'{"version": 4, "serial": NaN}',
        b'{"version": 4, "x": -Infinity}',
        b'{"version": 4, "x": 1e99999999999999999999}',
        b"[" * 100_000,
        b'{"version": 4, "x": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b'{"version": 4, "x": ' + b"1" * 5000 + b", }",
    ],
)
def test_what_is_no_state_is_refused(wrong: bytes) -> None:
    assert "terraform.tfstate" in refused(wrong)


@pytest.mark.parametrize(
    "instance",
    [
        1,
        {},
        {"attributes": []},
        {"attributes_flat": {"id": "x"}},
        {"attributes": {}, "schema_version": "1"},
        {"attributes": {}, "status": "odd"},
        {"attributes": {}, "index_key": 1.5},
        {"attributes": {}, "index_key": True},
        {"attributes": {}, "sensitive_attributes": [1]},
        {"attributes": {}, "sensitive_attributes": [[{"type": "index", "value": 1}]]},
        {"attributes": {}, "private": 1},
        {"attributes": {}, "dependencies": [1]},
        {"attributes": {}, "deposed": 1},
    ],
)
def test_an_instance_of_another_form_is_refused(instance: Any) -> None:
    assert "resources[0].instances[0]" in refused(file_with(instance))


def test_a_newer_format_is_refused_with_who_wrote_it() -> None:
    assert "format version 5 (written by version 2.0.0)" in refused(
        {"version": 5, "terraform_version": "2.0.0"}
    )


def test_an_old_format_is_refused_with_the_way_to_upgrade() -> None:
    with pytest.raises(DiagnosticError) as caught:
        read({"version": 3, "modules": []})
    assert "refresh-only" in caught.value.diagnostics[0].mend


def test_an_encrypted_file_is_told_from_a_damaged_one() -> None:
    assert "encrypted" in refused(
        {"serial": 1, "lineage": "x", "meta": {}, "encrypted_data": "", "encryption_version": "v0"}
    )


def test_a_large_state_is_written_in_pieces() -> None:
    state = state_of(*(f"n{number}" for number in range(3000)))
    pieces = list(write_state(state))
    assert len(pieces) > 3
    assert max(map(len, pieces)) < 400_000
    assert again(state).resources == state.resources


def test_types_with_no_json_form_are_a_bug_not_a_file() -> None:
    with pytest.raises(TypeError):
        written(State(outputs={"x": OutputState({1, 2}, "dynamic")}))


def test_attributes_may_hold_any_object_of_the_model() -> None:
    state = State(lineage="x")
    state.put(thing("a"), BUILTIN, InstanceObject({"x": ("a", ("b",)), "y": [], "z": {}}))
    assert json.loads(written(state))["resources"][0]["instances"][0]["attributes"] == {
        "x": ["a", ["b"]],
        "y": [],
        "z": {},
    }
