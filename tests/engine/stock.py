"""Runs the same steps with stock Terraform and with us, and brings what each says into one form."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from twinfra.cli.main import run

CASES = Path(__file__).parents[1] / "data" / "engine" / "stock"
STOCK = shutil.which("terraform") or ""

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@dataclass
class Step:
    """What one step came to."""

    code: int
    plan: dict[str, Any] = field(default_factory=dict)
    diagnostics: list[tuple[Any, ...]] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    applied: int = -1
    state: dict[str, Any] = field(default_factory=dict)
    errors: str = ""


def steps_of(case: str) -> list[Path]:
    """The configurations of a case, in order."""
    return sorted((CASES / case).glob("*.tf"), key=lambda path: int(path.stem))


class Ran(NamedTuple):
    """What a command came to."""

    code: int
    output: str
    errors: str


Command: TypeAlias = Callable[[Path, Sequence[str]], Ran]


def stock(directory: Path, arguments: Sequence[str]) -> Ran:
    """Run stock Terraform in a directory."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "CHECKPOINT_DISABLE": "1",
        "TF_IN_AUTOMATION": "1",
    }
    ran = subprocess.run(
        [STOCK, *arguments],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return Ran(ran.returncode, ran.stdout, ran.stderr)


def own(directory: Path, arguments: Sequence[str]) -> Ran:
    """Run a command of ours in a directory, in this process."""
    before = Path.cwd()
    output, errors = io.StringIO(), io.StringIO()
    os.chdir(directory)
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            code = run([*arguments])
    finally:
        os.chdir(before)
    return Ran(code, output.getvalue(), errors.getvalue())


def run_case(case: str, command: Command, directory: Path) -> list[Step]:
    """Plan and apply each step of a case in turn."""
    shutil.copytree(CASES / case, directory, ignore=shutil.ignore_patterns("[0-9]*.*"), dirs_exist_ok=True)
    has_modules = any(path.is_dir() for path in directory.iterdir())
    done: list[Step] = []
    for path in steps_of(case):
        shutil.copy(path, directory / "main.tf")
        if has_modules or not done:
            command(directory, ["init", "-input=false"])
        extra = path.with_suffix(".args")
        arguments = extra.read_text().split() if extra.exists() else []
        (directory / "p").unlink(missing_ok=True)
        planned = command(directory, ["plan", "-json", "-input=false", "-out=p", *arguments])
        step = Step(planned.code, errors=planned.errors)
        for line in planned.output.splitlines():
            _take(json.loads(line), step)
        if (directory / "p").exists() and planned.code == 0:
            step.plan = _document(command(directory, ["show", "-json", "p"]))
            applied = command(directory, ["apply", "-json", "-input=false", "p"])
            step.applied = applied.code
            for line in applied.output.splitlines():
                _take(json.loads(line), step)
            step.state = _document(command(directory, ["show", "-json"]))
        done.append(step)
    return done


def _take(event: dict[str, Any], step: Step) -> None:
    if event.get("type") == "diagnostic":
        found = event["diagnostic"]
        place = found.get("range") or {}
        start = place.get("start") or {}
        step.diagnostics.append((found["severity"], place.get("filename"), start.get("line")))
    elif event.get("type") in ("apply_start", "apply_complete", "planned_change", "resource_drift"):
        hook = event.get("hook") or event.get("change")
        step.events.append(f"{event['type']} {hook['resource']['addr']} {hook['action']}")


def _document(ran: Ran) -> dict[str, Any]:
    assert ran.code == 0, ran.errors + ran.output
    return json.loads(_TIME.sub("<time>", _UUID.sub("<uuid>", ran.output)))  # type: ignore[no-any-return]


_PLAN_PARTS = (
    "resource_changes",
    "output_changes",
    "resource_drift",
    "relevant_attributes",
    "checks",
    "planned_values",
    "prior_state",
    "variables",
    "applyable",
    "complete",
    "errored",
)


def comparable(step: Step) -> dict[str, Any]:
    """What both must agree in, in one order."""
    plan = {name: step.plan.get(name) for name in _PLAN_PARTS}
    for name in ("resource_changes", "resource_drift"):
        plan[name] = sorted(
            plan[name] or [], key=lambda change: (change["address"], str(change.get("deposed")))
        )
    plan["relevant_attributes"] = sorted(plan["relevant_attributes"] or [], key=json.dumps)
    plan["checks"] = _checks(plan["checks"])
    if plan["prior_state"]:
        plan["prior_state"].pop("terraform_version", None)
        _sort_resources(plan["prior_state"].get("values", {}).get("root_module", {}))
        plan["prior_state"]["checks"] = _checks(plan["prior_state"].get("checks"))
    _sort_resources((plan["planned_values"] or {}).get("root_module", {}))
    state = dict(step.state)
    state.pop("terraform_version", None)
    _sort_resources(state.get("values", {}).get("root_module", {}))
    state["checks"] = _checks(state.get("checks"))
    return {
        "code": (step.code, step.applied),
        "diagnostics": sorted(step.diagnostics, key=str),
        "events": sorted(step.events),
        "plan": plan,
        "state": state,
    }


def _sort_resources(module: dict[str, Any]) -> None:
    if "resources" in module:
        # Stock lists what will be forgotten among what is planned to be, without any value.
        module["resources"] = [one for one in module["resources"] if "values" in one]
        module["resources"].sort(key=lambda one: one["address"])
    module.get("child_modules", []).sort(key=lambda one: one["address"])
    for child in module.get("child_modules", []):
        _sort_resources(child)
    if "child_modules" in module:
        kept = [one for one in module["child_modules"] if one.get("resources") or one.get("child_modules")]
        module["child_modules"] = kept


def _checks(found: Any) -> Any:
    for one in found or []:
        for instance in one.get("instances", []):
            instance.get("problems", []).sort(key=json.dumps)
    return sorted(found or [], key=lambda one: one["address"]["to_display"])
