"""Where mistakes in configurations and inputs are found: the same places as stock Terraform's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.config.projects import Place, Project, places

from twinfra.config.inputs import collect_inputs
from twinfra.config.provider_resolution import resolve_providers
from twinfra.diagnostics import Diagnostics

_DATA = Path(__file__).parents[1] / "data" / "config" / "diagnostics.jsonl"
CASES: list[dict[str, Any]] = [json.loads(line) for line in _DATA.read_text(encoding="utf-8").splitlines()]


def _found(project: Project, case: dict[str, Any]) -> Diagnostics:
    configuration, found = project.load(case["files"])
    if not found.has_errors:
        found.extend(resolve_providers(configuration).diagnostics)
    if not found.has_errors and "args" in case:
        arguments = iter(case["args"])
        var: list[str] = []
        files: list[str] = []
        for one in arguments:
            if one == "-var":
                var.append(next(arguments))
            else:
                files.append(one.removeprefix("-var-file="))
        found.extend(collect_inputs(configuration, Path(), var, files, case.get("env", {}))[1])
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_mistakes_are_found_where_they_are(project: Project, case: dict[str, Any]) -> None:
    expected: list[Place] = sorted(map(tuple, case["diagnostics"]), key=str)

    found = _found(project, case)

    assert places(found) == expected, [f"{one.subject}: {one.summary}: {one.detail}" for one in found]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_every_error_says_what_to_do(project: Project, case: dict[str, Any]) -> None:
    for one in _found(project, case):
        assert one.summary
        assert one.detail.endswith((".", "?", ":"))
