"""A command killed at every step of its writing: its receipt is there afterwards, once and whole."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.conftest import Directory

from twinfra.cli.main import run
from twinfra.state.backends.local import LocalBackend
from twinfra.state.ledger.log import open_ledger
from twinfra.state.ledger.verification import verify

_MOST = 40


def killed_at(step: int, *arguments: str) -> bool:
    """Run a command in a process of its own that is killed when it would do its `step`th renaming of a file.

    False where it ended before that.
    """
    process = os.fork()
    if process == 0:
        left, replace = [step], os.replace

        def dying(*given: object, **more: object) -> None:
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)
            replace(*given, **more)  # type: ignore[arg-type]

        os.replace = dying  # type: ignore[assignment]
        try:
            run(list(arguments))
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(process, 0)[1])


def at_every_step(directory: Path, begin: Callable[[], None], *arguments: str) -> list[list[str]]:
    """The outcomes of all entries after a kill at each step and one more command."""
    outcomes = []
    for step in range(1, _MOST):
        for path in (*directory.glob("*tfstate*"), *directory.glob(".terraform.*")):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        begin()
        before = states(directory)
        if not killed_at(step, *arguments):
            return outcomes
        changed = states(directory) != before
        run(["refresh"])
        ledger = open_ledger(LocalBackend(directory), "default")
        assert verify(ledger).findings == []
        assert not list(directory.glob(".*receipts"))
        entries = ledger.entries()
        assert len({one.id for one in entries}) == len(entries)
        outcomes.append([f"{one.kind} {one.body['outcome']}" for one in entries])
        # Whatever was done when it was killed has its entry.
        assert not changed or any(one.kind == arguments[0] for one in entries)
    raise AssertionError(f"it is not done after {_MOST} steps")


def states(directory: Path) -> list[bytes]:
    """What there is of a state and of its journal."""
    paths = (directory / name for name in ("terraform.tfstate", ".terraform.tfstate.journal"))
    return [path.read_bytes() for path in paths if path.exists() and path.stat().st_size]


@pytest.fixture
def project(twinfra: Directory) -> Directory:
    twinfra.write(main_tf='resource "terraform_data" "a" {\n  input = 1\n}\n', twinfra_toml="")
    return twinfra


def test_an_apply_killed_anywhere_is_recorded_once(project: Directory) -> None:
    outcomes = at_every_step(project.path, lambda: None, "apply", "-auto-approve")
    assert len(outcomes) > 5
    for found in outcomes:
        assert found[:-1] in ([], ["apply interrupted"], ["apply done"])
    # In phases: nothing was done yet, it was under way, it was done.
    assert sorted(outcomes, key=outcomes.index) == outcomes
    assert ["apply interrupted", "refresh done"] in outcomes
    assert outcomes[-1] == ["apply done", "refresh done"]


def test_what_was_done_to_the_state_is_never_without_an_entry(project: Directory) -> None:
    def begin() -> None:
        run(["apply", "-auto-approve"])

    def tainted() -> bool:
        state = json.loads((project.path / "terraform.tfstate").read_text())
        return state["resources"][0]["instances"][0].get("status") == "tainted"

    outcomes = at_every_step(project.path, begin, "taint", "terraform_data.a")
    assert len(outcomes) > 4
    for found in outcomes:
        assert found[0] == "apply done"
        assert found[1:-1] in ([], ["taint interrupted"], ["taint done"])
    assert outcomes[-1][1] == "taint done"
    assert tainted()


def test_what_was_planned_is_known_of_an_apply_that_was_killed(project: Directory) -> None:
    project.write(
        main_tf='resource "terraform_data" "a" {\n  provisioner "local-exec" {\n    command = "kill -9 $PPID"\n  }\n}\n'
    )
    assert killed_at(_MOST, "apply", "-auto-approve")
    project.write(main_tf='resource "terraform_data" "a" {}\n')
    run(["refresh"])
    first = open_ledger(LocalBackend(project.path), "default").entries()[0].body
    assert (first["outcome"], first["mode"], first["plan"][:7]) == ("interrupted", "normal", "sha256:")
    assert first["changes"] == [{"address": "terraform_data.a", "action": "create"}]
    assert "counts" not in first
