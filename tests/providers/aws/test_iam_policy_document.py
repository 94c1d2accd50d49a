"""aws_iam_policy_document: the JSON it prints is that of the public provider, key by key and element by element."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.providers.aws.rig import Rig

from twinfra.providers.protocol import ProviderError

KIND = "aws_iam_policy_document"


@pytest.fixture
def offline() -> Rig:
    """A provider whose cloud nobody can reach."""
    return Rig("http://127.0.0.1:9")


def text(rig: Rig, given: dict[str, Any]) -> str:
    """The document."""
    found: str = rig.data(KIND, given)["json"]
    return found


def test_several_strings_go_from_the_highest_to_the_lowest_and_one_stands_alone(offline: Rig) -> None:
    given = {
        "policy_id": "x",
        "statement": [
            {
                "sid": "One",
                "actions": ["s3:Get", "s3:Put", "a:b"],
                "resources": ["arn:&{aws:username}", "b"],
                "principals": [
                    {"type": "AWS", "identifiers": ["b", "a", "c"]},
                    {"type": "Service", "identifiers": ["x.amazonaws.com"]},
                ],
                "condition": [
                    {"test": "StringLike", "variable": "aws:x", "values": ["z", "a", "<&>"]},
                    {"test": "Bool", "variable": "aws:y", "values": ["true"]},
                ],
            },
            {
                "sid": "Two",
                "effect": "Deny",
                "not_actions": ["a"],
                "not_resources": ["r", "s"],
                "not_principals": [{"type": "*", "identifiers": ["*"]}],
            },
            {"actions": ["q"], "resources": ["*"], "principals": [{"type": "AWS", "identifiers": ["*"]}]},
        ],
    }
    assert (
        text(offline, given)
        == """{
  "Version": "2012-10-17",
  "Id": "x",
  "Statement": [
    {
      "Sid": "One",
      "Effect": "Allow",
      "Action": [
        "s3:Put",
        "s3:Get",
        "a:b"
      ],
      "Resource": [
        "b",
        "arn:${aws:username}"
      ],
      "Principal": {
        "AWS": [
          "c",
          "b",
          "a"
        ],
        "Service": "x.amazonaws.com"
      },
      "Condition": {
        "Bool": {
          "aws:y": "true"
        },
        "StringLike": {
          "aws:x": [
            "z",
            "a",
            "\\u003c\\u0026\\u003e"
          ]
        }
      }
    },
    {
      "Sid": "Two",
      "Effect": "Deny",
      "NotAction": "a",
      "NotResource": [
        "s",
        "r"
      ],
      "NotPrincipal": "*"
    },
    {
      "Effect": "Allow",
      "Action": "q",
      "Resource": "*",
      "Principal": {
        "AWS": "*"
      }
    }
  ]
}"""
    )


def test_documents_are_merged_by_sid_in_order(offline: Rig) -> None:
    first = json.dumps(
        {"Statement": [{"Sid": "One", "Effect": "Allow", "Action": "a"}, {"Sid": "Two", "Effect": "Allow"}]}
    )
    second = json.dumps(
        {
            "Version": "2008-10-17",
            "Statement": [
                {
                    "Sid": "Three", "Effect": "Allow", "Action": ["x", "y", "a"],
                    "Principal": {"Service": "q", "AWS": ["a", "z"]}, "Condition": {"Bool": {"k": ["true"], "a": "x"}},
                },
                {"Effect": "Allow", "Principal": "*", "Resource": ["k"]},
            ],
        }
    )  # fmt: skip
    over = json.dumps(
        {"Id": "new", "Statement": [{"Sid": "One", "Effect": "Deny"}, {"Sid": "Five", "Effect": "Deny"}]}
    )
    found = json.loads(
        text(
            offline,
            {
                "source_policy_documents": [first, second],
                "override_policy_documents": [over],
                "statement": [{"sid": "Two", "actions": ["zz"]}, {"sid": "Four", "actions": ["ww"]}],
            },
        )
    )
    assert list(found) == ["Version", "Id", "Statement"]
    assert (found["Version"], found["Id"]) == ("2012-10-17", "new")
    assert [one.get("Sid") for one in found["Statement"]] == ["One", "Two", "Three", None, "Four", "Five"]
    assert found["Statement"][0] == {"Sid": "One", "Effect": "Deny"}
    assert found["Statement"][1] == {"Sid": "Two", "Effect": "Allow", "Action": "zz"}
    assert found["Statement"][2]["Principal"] == {"AWS": ["z", "a"], "Service": "q"}
    assert found["Statement"][2]["Action"] == ["x", "y", "a"]
    assert found["Statement"][2]["Condition"] == {"Bool": {"a": "x", "k": "true"}}
    assert found["Statement"][3]["Resource"] == ["k"]


def test_nothing_given_is_a_document_with_a_version_only(offline: Rig) -> None:
    found = offline.data(KIND)
    assert found["json"] == '{\n  "Version": "2012-10-17"\n}'
    assert found["minified_json"] == '{"Version":"2012-10-17"}'
    assert found["id"].isdigit()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"statement": [{"sid": "A"}, {"sid": "A"}]}, "used by two statements"),
        ({"source_policy_documents": ['{"Statement":[{"Sid":"A"}]}'] * 2}, "used by two source documents"),
        ({"override_policy_documents": ["{"]}, "not valid JSON"),
        ({"version": "2008-10-17", "statement": [{"resources": ["&{aws:username}"]}]}, "policy variable"),
        ({"statement": [{"effect": "Maybe"}]}, '"Allow", "Deny"'),
    ],
)
def test_what_makes_no_document_is_an_error_with_a_place(
    offline: Rig, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(ProviderError) as caught:
        offline.data(KIND, given)
    assert said in caught.value.diagnostics[0].detail
    assert caught.value.diagnostics[0].path
