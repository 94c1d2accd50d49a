"""What fuzzing starts from: the examples, and the data of the tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"


def _files(*patterns: str) -> Iterator[str]:
    for pattern in patterns:
        for path in sorted(ROOT.glob(pattern)):
            yield path.read_text(encoding="utf-8")[:4096]


def _parser() -> Iterator[str]:
    yield from _files("examples/**/*.tf", "examples/**/*.tfvars", "tests/data/**/*.tf")


def _json() -> Iterator[str]:
    yield json.dumps({"resource": {"terraform_data": {"a": {"count": 2, "input": "${var.x}"}}}})
    yield json.dumps(
        {"//": "a comment", "variable": {"x": {"type": "list(string)", "default": ["${1 + 1}"]}}}
    )
    yield json.dumps(
        {"terraform_data": [{"dynamic": {"a": {"for_each": [1], "content": {"b": None}}}}]}, indent=2
    )


def _evaluator() -> Iterator[str]:
    for path in sorted((DATA / "conformance").rglob("expressions*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)["expr"]


def _state() -> Iterator[str]:
    yield from _files("tests/data/state/*.tfstate", "tests/data/state/*.json")
    resource = {
        "mode": "managed",
        "type": "a",
        "name": "b",
        "provider": 'provider["terraform.io/builtin/terraform"]',
    }
    instance = {"schema_version": 0, "attributes": {"id": "x"}, "sensitive_attributes": [], "index_key": 0}
    yield json.dumps(
        {
            "version": 4, "terraform_version": "1.11.4", "serial": 1, "lineage": "l",
            "outputs": {"o": {"value": [1], "type": ["tuple", ["number"]]}},
            "resources": [{**resource, "instances": [instance]}], "check_results": None,
        }
    )  # fmt: skip


SEEDS: dict[str, Callable[[], Iterator[str]]] = {
    "parser": _parser,
    "json": _json,
    "evaluator": _evaluator,
    "state": _state,
}
