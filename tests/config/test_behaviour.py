"""Whole configurations, planned and applied: what stock Terraform answered, and whether we answer the same.

The cases have the format of `tests/data/conformance/README.md`; they were recorded from stock Terraform 1.11.4.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conformance.cases import Case, read_cases
from tests.conformance.configurations import InProcess, differences

CASES = read_cases(Path(__file__).parents[1] / "data" / "config" / "configurations.jsonl")


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_we_answer_what_stock_terraform_answers(case: Case) -> None:
    assert differences(case, InProcess) == []
