"""Results of checks in the form that the state file keeps them in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twinfra.engine.changes import CheckResult

_ORDER = ("error", "fail", "unknown", "pass")
_KINDS = {"resource": "resource", "output_value": "output", "check": "check", "input_variable": "var"}


def check_results_json(results: Iterable[CheckResult]) -> list[dict[str, Any]] | None:
    """One entry per configured object, with the status of each instance; None when nothing is checked."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for one in results:
        entry = found.setdefault(
            (one.kind, one.container),
            {
                "object_kind": _KINDS[one.kind],
                "config_addr": one.container,
                "status": "pass",
                "objects": None,
            },
        )
        if _ORDER.index(one.status) < _ORDER.index(entry["status"]):
            entry["status"] = one.status
        if one.address:
            item: dict[str, Any] = {"object_addr": one.address, "status": one.status}
            if one.problems:
                item["failure_messages"] = list(one.problems)
            if entry["objects"] is None:
                entry["objects"] = []
            entry["objects"].append(item)
    return list(found.values()) or None
