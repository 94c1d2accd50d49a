"""Bodies that stock Terraform planned with the official AWS provider, and what it made of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.decode.schemas import BLOCKS
from tests.lang.scopes import TableScope

from twinfra.decode import prepare
from twinfra.diagnostics import DiagnosticError, Source
from twinfra.lang.parser import parse_config
from twinfra.values.marks import unmark_deep
from twinfra.values.types import STRING, ListType
from twinfra.values.value import UNKNOWN, List, Marked, Null

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data/decode/stock.jsonl").read_text("utf-8").splitlines()
]
VALUES = {
    "s": Marked(List(("10.0.0.0/8",), STRING), frozenset(("sensitive",))),
    "n": Null(ListType(STRING)),
    "d": {"id": UNKNOWN},
}


def written(value):
    """What is left of a value without nulls, and without what the provider sets where nothing is written."""
    if isinstance(value, dict):
        return {name: written(inner) for name, inner in value.items() if inner not in (None, "", (), False)}
    return [written(inner) for inner in value] if isinstance(value, tuple) else value


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_body_means_what_stock_terraform_takes_it_to_mean(case):
    body, problems = parse_config(Source("main.tf", case["body"]))
    assert not problems
    decoder, found = prepare(body, BLOCKS[case["type"]])
    value = None
    errors = found.errors
    try:
        value = decoder.evaluate(TableScope(VALUES))
    except DiagnosticError as failed:
        errors += failed.diagnostics
    if "error_lines" in case:
        assert {one.subject.first.line for one in errors} == set(case["error_lines"])
    else:
        assert not errors
        assert written(unmark_deep(value)[0]) == case["value"]
