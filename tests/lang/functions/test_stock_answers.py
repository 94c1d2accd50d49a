"""What stock Terraform answered to some thousand calls, and whether we answer the same (see `record.py`)."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conformance.cases import Case, read_cases
from tests.conformance.expressions import differences

CASES: dict[str, list[Case]] = {}
for one in read_cases(Path(__file__).parents[2] / "data" / "functions" / "expressions.jsonl"):
    CASES.setdefault(one["topic"], []).append(one)


@pytest.mark.parametrize("topic", CASES)
def test_values_types_and_errors_are_those_of_stock_terraform(topic: str) -> None:
    assert {case["expr"]: found for case in CASES[topic] if (found := differences(case))} == {}
