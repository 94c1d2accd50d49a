"""What drifted, on the page of an estate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from twinfra.environments.declaration import Environment
from twinfra.report.drifting import drift_section
from twinfra.report.estate import Drift, Estate, Looked, Standing
from twinfra.report.markup import joined

WHEN = "2026-01-02T03:04:05Z"


def shown(**facts: Any) -> str:
    """The section for one value that drifted."""
    attribute = {
        "path": "input",
        "element": False,
        "before": "a",
        "after": "b",
        "sensitive": False,
        "declared": {"filename": "main.tf", "line": 3},
        "restored": False,
        "violates": False,
        "echo": False,
        **facts,
    }
    finding = {"address": "terraform_data.a", "kind": "changed", "id": "", "changes": []}
    document = {"findings": [{**finding, "attributes": [attribute]}], "rules": []}
    drift = Drift(Looked(WHEN, 1, 1, 0, 1, 0), document, ())
    standing = Standing(Environment("staging", Path()), drift=drift)
    return joined(*drift_section(Estate("Shop", WHEN, "1", standings=(standing,))))


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ({"violates": True, "restored": True}, "violates main.tf:3"),
        ({"violates": True}, "violates main.tf:3"),
        ({}, "declared at main.tf:3"),
        ({"declared": None}, "nobody declared it"),
    ],
)
def test_a_value_violates_what_the_configuration_says_as_the_text_of_drift_has_it(
    facts: dict[str, Any], told: str
) -> None:
    assert told in shown(**facts)


def test_a_sensitive_value_is_not_on_the_page() -> None:
    text = shown(sensitive=True, before=None, after=None)
    assert "(sensitive), changed" in text
    assert "<del>" not in text
