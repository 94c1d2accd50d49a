"""Secrets that would be shown by chance."""

import json

import pytest
from tests.cli.conftest import Directory

from twinfra.cli.render.redaction import covered
from twinfra.values.secrets import hide, secrets_in
from twinfra.values.value import SENSITIVE, Marked


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('  secret_key = "abc"', '  secret_key = "***"'),
        ('  "db_password": "a\\"bc",', '  "db_password": "*****",'),
        ('  conn = { token = "abcd", user = "me" }', '  conn = { token = "****", user = "me" }'),
        ("  password = var.password", "  password = var.password"),
        ('  bucket = "open"', '  bucket = "open"'),
    ],
)
def test_literals_of_telling_names_are_covered(line: str, shown: str) -> None:
    assert covered(line) == shown
    assert len(covered(line)) == len(line)


def test_a_diagnostic_does_not_show_a_literal_secret(twinfra: Directory) -> None:
    twinfra.write(
        main_tf='provider "aws" {\n  secret_key = "hunter2hunter2" + 1\n}\nresource "aws_vpc" "x" {}\n'
    )
    for arguments in (["validate"], ["validate", "-json"], ["plan"], ["plan", "-json"]):
        ran = twinfra(*arguments)
        assert ran.code == 1
        assert "secret_key" in ran.all
        assert "hunter2" not in ran.all


def test_copies_of_what_is_sensitive_are_hidden() -> None:
    held = {
        "input": Marked("s3cret-text", frozenset({SENSITIVE})),
        "output": "s3cret-text",
        "url": "u:s3cret-text@h",
    }
    shown = hide(held, secrets_in(held))
    assert {name for name, value in shown.items() if type(value) is Marked} == {"input", "output", "url"}


def test_short_secrets_are_hidden_only_where_they_are_the_whole() -> None:
    held = {"pin": Marked("12", frozenset({SENSITIVE})), "same": "12", "other": "2012"}
    shown = hide(held, secrets_in(held))
    assert shown["other"] == "2012"
    assert type(shown["same"]) is Marked
    assert json.dumps(shown["other"]) == '"2012"'
