"""The signatures, compared with those of stock Terraform."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest

from twinfra.lang.functions.document import metadata

# Stock Terraform takes nulls here too, but says it does not.
_LAZY = ("try", "can")


@pytest.fixture(scope="module")
def stock() -> dict[str, Any]:
    program = shutil.which("terraform")
    if program is None:
        pytest.skip("stock Terraform is not installed")
    done = subprocess.run(
        [program, "metadata", "functions", "-json"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def shape(signature: dict[str, Any]) -> dict[str, Any]:
    """A signature without its words."""
    if isinstance(signature, list):
        return [shape(one) for one in signature]  # type: ignore[return-value]
    if isinstance(signature, dict):
        return {key: shape(value) for key, value in signature.items() if key != "description"}
    return signature


@pytest.mark.witness
def test_every_function_of_stock_terraform_is_there_and_no_other(stock: dict[str, Any]) -> None:
    assert set(metadata()["function_signatures"]) == set(stock["function_signatures"])


@pytest.mark.witness
def test_signatures_are_those_of_stock_terraform(stock: dict[str, Any]) -> None:
    ours = metadata()["function_signatures"]
    different = {
        name: (shape(ours[name]), shape(signature))
        for name, signature in stock["function_signatures"].items()
        if name in ours
        and not name.removeprefix("core::").startswith(_LAZY)
        and shape(ours[name]) != shape(signature)
    }
    assert different == {}
