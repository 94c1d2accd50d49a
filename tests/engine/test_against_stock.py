"""Each case, step by step, with stock Terraform and with us: plans, events, places of diagnostics and states agree."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.engine.stock import CASES, STOCK, comparable, own, run_case, stock


@pytest.mark.skipif(not STOCK, reason="stock Terraform is not on this machine")
@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir()))
def test_we_do_what_stock_terraform_does(case: str, tmp_path: Path) -> None:
    theirs = run_case(case, stock, tmp_path / "stock")
    ours = run_case(case, own, tmp_path / "own")
    for number, (their, our) in enumerate(zip(theirs, ours, strict=True), 1):
        expected, actual = comparable(their), comparable(our)
        for part in expected:
            assert actual[part] == expected[part], f"step {number}: {part}\n{our.errors}"
