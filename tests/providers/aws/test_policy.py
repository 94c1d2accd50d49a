"""JSON documents and access policies compared by meaning."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinfra.providers.aws.policy import equal_json, equal_policies, normalised

WORDS = st.sampled_from(["s3:Get*", "s3:Put", "ec2:Run", "*", "arn:aws:s3:::b/*", "arn:aws:s3:::b"])
VALUES = st.one_of(WORDS, st.lists(WORDS, min_size=1, max_size=3))
STATEMENTS = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny"]), "Action": VALUES, "Resource": VALUES},
    optional={
        "Sid": st.sampled_from(["", "A", "B"]),
        "Principal": st.one_of(
            st.just("*"), st.dictionaries(st.sampled_from(["AWS", "Service"]), VALUES, min_size=1)
        ),
        "Condition": st.dictionaries(
            st.sampled_from(["StringEquals", "Bool"]),
            st.dictionaries(st.sampled_from(["aws:x", "aws:y"]), VALUES, min_size=1),
            min_size=1,
        ),
    },
)
POLICIES = st.fixed_dictionaries(
    {"Version": st.just("2012-10-17"), "Statement": st.lists(STATEMENTS, max_size=3)}
)


def shuffled(value: Any, draw: Any) -> Any:
    """The same policy with its lists in another order, and lists of one unwrapped or scalars wrapped."""
    if isinstance(value, dict):
        keys = draw(st.permutations(sorted(value)))
        return {
            key: value[key] if key in ("Version", "Sid", "Effect") else shuffled(value[key], draw)
            for key in keys
        }
    if isinstance(value, list):
        inner = [
            shuffled(one, draw) if isinstance(one, dict) else one for one in draw(st.permutations(value))
        ]
        return inner[0] if len(inner) == 1 and draw(st.booleans()) else inner
    return [value] if isinstance(value, str) and value != "*" and draw(st.booleans()) else value


@given(st.data(), POLICIES)
def test_order_and_wrapping_mean_nothing(data: st.DataObject, policy: dict[str, Any]) -> None:
    other = shuffled(policy, data.draw)
    assert equal_policies(json.dumps(policy), json.dumps(other, indent=1))


@given(POLICIES, POLICIES)
def test_equality_is_symmetric_and_told_apart_by_effects(one: dict[str, Any], other: dict[str, Any]) -> None:
    first, second = json.dumps(one), json.dumps(other)
    assert equal_policies(first, second) == equal_policies(second, first)
    if sorted(s["Effect"] for s in one["Statement"]) != sorted(s["Effect"] for s in other["Statement"]):
        assert not equal_policies(first, second)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"Principal": {"AWS": "123456789012"}}, {"Principal": {"AWS": "arn:aws:iam::123456789012:root"}}),
        ({"Principal": "*"}, {"Principal": {"AWS": "*"}}),
        ({"Action": "S3:getobject"}, {"Action": "s3:GetObject"}),
        (
            {"Condition": {"Bool": {"aws:SecureTransport": False}}},
            {"Condition": {"Bool": {"aws:securetransport": "false"}}},
        ),
        ({"Condition": {"NumericLessThan": {"x": 5}}}, {"Condition": {"NumericLessThan": {"x": ["5"]}}}),
        ({"Sid": ""}, {}),
    ],
)
def test_what_means_the_same_is_the_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    def document(statement: dict[str, Any]) -> str:
        return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})

    assert equal_policies(document(one), document(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"Resource": "a"}, {"Resource": "A"}),
        ({"Action": "a"}, {"NotAction": "a"}),
        ({"Principal": {"AWS": "a"}}, {"Principal": {"Service": "a"}}),
        ({"Sid": "A"}, {"Sid": "B"}),
    ],
)
def test_what_means_another_thing_is_not_the_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert not equal_policies(json.dumps({"Statement": [one]}), json.dumps({"Statement": [other]}))


@given(st.text(), st.text())
def test_texts_that_are_no_json_never_raise(one: str, other: str) -> None:
    assert equal_policies(one, one)
    equal_policies(one, other)
    equal_json(one, other)
    normalised(one)


def test_text_nested_without_end_never_raises() -> None:
    deep = "[" * 100_000
    assert not equal_policies(deep, "[]")
    assert not equal_json(deep, "[]")
    assert normalised(deep) == deep


def test_json_is_compared_by_content() -> None:
    assert equal_json('{"a": 1, "b": [true, null]}', '{ "b":[true,null],"a":1.0 }')
    assert not equal_json('{"a": 1}', '{"a": true}')
    assert not equal_json("[1, 2]", "[2, 1]")
    assert normalised('{"b": 1, "a": "é"}') == '{"a":"é","b":1}'
