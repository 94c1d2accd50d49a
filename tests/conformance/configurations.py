"""Cases of whole configurations: each step's exit status, diagnostics, plan and state, as its case expects them."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest import mock

from tests.conformance.cases import Case

Json = Any
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_WORKERS = min(os.cpu_count() or 1, 8)
_SECONDS = 300


def run(cases: Sequence[Case], command: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """The name of each case with what differs, in order; `command` is the program to run, with its arguments."""
    with ThreadPoolExecutor(_WORKERS) as pool:
        found = pool.map(lambda case: differences(case, lambda where: Program(where, command)), cases)
        for case, one in zip(cases, found, strict=True):
            yield case["name"], one


def differences(case: Case, make: Callable[[Path], Program]) -> list[str]:
    """In what our answers differ from the recorded ones, with the number of the step; nothing when they agree.

    `make` gives the program to run in a directory.
    """
    with tempfile.TemporaryDirectory(prefix="conformance-") as name:
        directory = Path(name)
        _write(directory, case["files"])
        program = make(directory)
        program.run("init", "-input=false")
        for number, step in enumerate(case["steps"], 1):
            if step.get("overlay"):
                _write(directory, step["overlay"])
                program.run("init", "-input=false")
            try:
                found = _step(program, step)
            except (ValueError, KeyError, OSError, subprocess.SubprocessError) as reason:
                found = [f"{type(reason).__name__}: {reason}"]
            if found:
                return [f"step {number}: {one}" for one in found]
    return []


def _write(directory: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8"))


class Program:
    """The program under test, run in one directory."""

    def __init__(self, directory: Path, command: Sequence[str]) -> None:
        self.directory = directory
        self.command = command
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("TF_VAR_", "TF_CLI_ARGS"))
        }
        self.environment["CHECKPOINT_DISABLE"] = "1"

    def run(self, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run it once."""
        return subprocess.run(
            [*self.command, *arguments],
            cwd=self.directory,
            env=self.environment | (env or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=_SECONDS,
        )

    def json(self, *arguments: str) -> Json:
        """The JSON it prints."""
        done = self.run(*arguments)
        if done.returncode:
            raise ValueError(f"{' '.join(arguments)} failed: {done.stderr.strip()[-300:]}")
        return json.loads(done.stdout)


class InProcess(Program):
    """Our program, run inside this process: quicker, for tests of one case at a time."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, ())

    def run(self, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run it once."""
        from twinfra.cli.main import run as run_ours

        out, err = io.StringIO(), io.StringIO()
        before = Path.cwd()
        os.chdir(self.directory)
        try:
            with (
                mock.patch.dict(os.environ, self.environment | (env or {}), clear=True),
                mock.patch("sys.stdin", io.StringIO()),
                redirect_stdout(out),
                redirect_stderr(err),
            ):
                code = run_ours(list(arguments))
        finally:
            os.chdir(before)
        return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def _step(program: Program, step: dict[str, Any]) -> list[str]:
    verb, *flags = step["args"]
    fixed = (
        ["-json", "-input=false", "-out=p"] if verb == "plan" else ["-json", "-auto-approve", "-input=false"]
    )
    done = program.run(verb, *fixed, *flags, env=step.get("env"))
    expected = step["expect"]
    found: list[str] = []
    _compare("exit", expected["exit"], done.returncode, found)
    _compare("diagnostics", _reduced(expected["diagnostics"]), _reduced(_logged(done.stdout)), found)
    if "diagnostics" in expected and not _is_log(done.stdout):
        found.append(f"no JSON log: {(done.stdout + done.stderr).strip()[-300:]}")
    if found:
        return found
    if {"resource_changes", "output_changes", "checks"} & expected.keys():
        found += _check_plan(expected, program.json("show", "-json", "p"))
    if "outputs" in expected:
        _compare("outputs", expected["outputs"], _nameless(program.json("output", "-json")), found)
    if "addresses" in expected:
        _compare("addresses", expected["addresses"], program.run("state", "list").stdout.split(), found)
    if "state" in expected:
        _compare("state", _sorted_state(expected["state"]), _state(program.directory), found)
    return found


def _is_log(text: str) -> bool:
    return all(line.startswith("{") for line in text.splitlines() if line.strip())


def _logged(text: str) -> list[Json]:
    """The diagnostics of a JSON log."""
    found = []
    for line in text.splitlines():
        if line.startswith("{"):
            event = json.loads(line)
            if event.get("type") == "diagnostic":
                found.append(event["diagnostic"])
    return found


def _reduced(diagnostics: list[Json]) -> list[tuple[str, str, int, int]]:
    """Severity and place of each, in some fixed order."""
    reduced = []
    for one in diagnostics:
        place = one.get("range") or {}
        start = place.get("start", place)
        reduced.append(
            (one["severity"], place.get("filename", ""), start.get("line", 0), start.get("column", 0))
        )
    return sorted(reduced)


def _check_plan(expected: Json, plan: Json) -> list[str]:
    found: list[str] = []
    if "resource_changes" in expected:
        given = _by_address(_nameless(plan.get("resource_changes", [])))
        wanted = _by_address(expected["resource_changes"])
        _compare(
            "addresses of changes",
            [one["address"] for one in wanted],
            [one["address"] for one in given],
            found,
        )
        for want, one in zip(wanted, given, strict=False):
            _compare_keys(want["address"], want, one, ("previous_address", "action_reason"), found)
            optional = ("replace_paths", "importing")
            _compare_keys(want["address"], want["change"], one["change"], optional, found)
    if "output_changes" in expected:
        given = _nameless(plan.get("output_changes", {}))
        _compare("outputs that change", sorted(expected["output_changes"]), sorted(given), found)
        for name, want in expected["output_changes"].items():
            _compare_keys(f"output {name}", want, given.get(name, {}), (), found)
    if "checks" in expected:
        checks = [
            {"address": one["address"]["to_display"], "status": one["status"]}
            for one in plan.get("checks", [])
        ]
        _compare("checks", _by_address(expected["checks"]), _by_address(checks), found)
    return found


def _compare_keys(
    what: str, expected: Json, given: Json, optional: tuple[str, ...], found: list[str]
) -> None:
    """Compare under all keys that are expected, and those `optional` ones that are only given."""
    for key in {*expected, *(name for name in optional if given.get(name))}:
        if key != "change":
            _compare(f"{what}: {key}", expected.get(key), given.get(key), found)


def _by_address(items: list[Json]) -> list[Json]:
    return sorted(items, key=lambda one: str(one["address"]))


def _nameless(value: Json) -> Json:
    """The value with random ids replaced by `<id>`."""
    if isinstance(value, str):
        return _ID.sub("<id>", value)
    if isinstance(value, list):
        return [_nameless(one) for one in value]
    if isinstance(value, dict):
        return {key: _nameless(one) for key, one in value.items()}
    return value


def _state(directory: Path) -> list[Json]:
    """The instances of the state file."""
    path = directory / "terraform.tfstate"
    if not path.exists():
        return []
    found = []
    for resource in json.loads(path.read_text(encoding="utf-8"))["resources"]:
        prefix = "data." if resource["mode"] == "data" else ""
        base = f"{prefix}{resource['type']}.{resource['name']}"
        if resource.get("module"):
            base = f"{resource['module']}.{base}"
        for instance in resource["instances"]:
            key = instance.get("index_key")
            one = {
                "address": base if key is None else f"{base}[{json.dumps(key)}]",
                "attributes": _nameless(instance["attributes"]),
                "sensitive_attributes": instance.get("sensitive_attributes", []),
            }
            if instance.get("dependencies"):
                one["dependencies"] = sorted(instance["dependencies"])
            if instance.get("status"):
                one["status"] = instance["status"]
            found.append(one)
    return _sorted_state(found)


def _sorted_state(instances: list[Json]) -> list[Json]:
    for one in instances:
        one["sensitive_attributes"] = sorted(one.get("sensitive_attributes", []), key=json.dumps)
        if "dependencies" in one:
            one["dependencies"] = sorted(one["dependencies"])
    return _by_address(instances)


def _compare(what: str, expected: Json, given: Json, found: list[str]) -> None:
    if given != expected:
        found.append(f"{what}: expected {json.dumps(expected)}, got {json.dumps(given)}")
