"""Moves out of states that lie elsewhere, stopped in the middle: told to those on other machines, and ended by them."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable

import pytest
from tests.cli.conftest import Directory, twinfra
from tests.state.backends.conftest import Rig, block
from tests.state.states import state_of, thing

from twinfra.diagnostics import DiagnosticError, error
from twinfra.state.backends.local import LocalBackend
from twinfra.state.transfer_mark import FIELD, mark_in, mark_of, marked, unfinished, unmarked

__all__ = ["twinfra"]
emulated = pytest.mark.emulator

A = 'resource "terraform_data" "a" {\n  input = "a"\n}\n'
B = 'resource "terraform_data" "b" {\n  input = "b"\n}\n'
SPLIT = ("state", "split", "-to=../t.tfstate", "-plan=false", "-auto-approve", "terraform_data.a")


class Machines:
    """Two directories with one state, of a team: `one` began to move `a` to a file, and could not end that."""

    def __init__(self, twinfra: Directory, rig: Rig, writes: int) -> None:
        self.twinfra, self.rig = twinfra, rig
        for name in ("one", "two"):
            (twinfra.path / name).mkdir()
            (twinfra.path / name / "main.tf").write_text(block(rig) + A + B)
        self("one", "apply", "-auto-approve")
        for name in ("one", "two"):
            (twinfra.path / name / "main.tf").write_text(block(rig) + B)
        counted = itertools.count()
        rig.proxy.spoil("drop", lambda request: rig.writes(request) and next(counted) >= writes, 1000)
        self.failed = self("one", *SPLIT)
        rig.proxy.faults.clear()
        # What the other machine does not have.
        (twinfra.path / "two" / "terraform.tfstate").unlink(missing_ok=True)

    def __call__(self, name: str, *arguments: str) -> str:
        self.twinfra._monkeypatch.chdir(self.twinfra.path / name)
        ran = self.twinfra(*arguments)
        self.code = ran.code
        return " ".join(ran.all.replace("│", "").split())

    def marks(self) -> object:
        content = self.rig.open().read("default")
        assert content is not None
        return json.loads(content.data).get(FIELD)

    def arrived(self) -> bool:
        return "terraform_data" in (self.twinfra.path / "t.tfstate").read_text()


@pytest.fixture
def half(make_rig: Callable[[str], Rig], twinfra: Directory) -> Machines:
    """The move has arrived, and has not left."""
    return Machines(twinfra, make_rig("http"), writes=1)


@emulated
def test_a_half_move_is_told_on_another_machine_before_anything_is_destroyed(half: Machines) -> None:
    assert "The move is not finished" in half.failed
    assert half.arrived()
    told = half("two", "apply", "-auto-approve")
    assert half.code == 1
    assert "A move out of this state is not finished" in told
    assert str(half.twinfra.path / "one") in told
    assert "terraform_data.a" in half("two", "state", "list")
    assert "A move out of this state is not finished" in half("two", "state", "list")


@emulated
def test_the_machine_that_began_it_ends_it(half: Machines) -> None:
    assert half.marks()
    assert "they have now" in half("one", "plan", "-detailed-exitcode")
    assert half.code == 0
    assert half.marks() is None
    half("two", "plan", "-detailed-exitcode")
    assert half.code == 0


@emulated
def test_the_same_command_ends_it_on_another_machine(half: Machines) -> None:
    assert "to ../t.tfstate was begun and not finished. These have arrived" in half("two", *SPLIT, "-dry-run")
    assert half.marks()
    assert "let go of 1 resource instance" in half("two", *SPLIT)
    assert half.code == 0
    assert half.marks() is None
    assert half("two", "state", "list") == "terraform_data.b"
    # The first machine, whose note is still there, finds everything done.
    half("one", "plan", "-detailed-exitcode")
    assert half.code == 0
    assert not list((half.twinfra.path / "one" / ".terraform" / "journals").glob("*ing-*"))


@emulated
def test_a_move_to_another_state_is_not_taken_for_the_one_that_began(half: Machines) -> None:
    arguments = [one.replace("t.tfstate", "else.tfstate") for one in SPLIT]
    assert "Another move is not finished" in half("two", *arguments)
    assert half.code == 1
    assert half.marks()


@emulated
def test_what_had_not_arrived_is_moved_by_the_same_command(half: Machines) -> None:
    # As on a machine of a pipeline, of which nothing is left.
    shutil.rmtree(half.twinfra.path / "one")
    (half.twinfra.path / "t.tfstate").unlink()
    assert "Moved 1 resource instance" in half("two", *SPLIT)
    assert half.arrived()
    assert half.marks() is None


@emulated
@pytest.mark.parametrize("kind", ["s3", "gcs", "pg"])
def test_on_every_backend_a_move_leaves_no_mark(
    make_rig: Callable[[str], Rig], twinfra: Directory, kind: str
) -> None:
    machines = Machines(twinfra, make_rig(kind), writes=1000)
    assert "Moved 1 resource instance" in machines.failed
    assert machines.marks() is None
    assert machines.arrived()
    machines("two", "plan", "-detailed-exitcode")
    assert machines.code == 0


@emulated
def test_a_source_that_cannot_be_written_at_all_moves_nothing(
    make_rig: Callable[[str], Rig], twinfra: Directory
) -> None:
    machines = Machines(twinfra, make_rig("http"), writes=0)
    assert "Nothing was moved" in machines.failed
    assert machines.marks() is None
    assert not (twinfra.path / "t.tfstate").exists()
    machines("two", "plan", "-detailed-exitcode")
    assert machines.code == 2


@emulated
def test_a_target_that_cannot_be_written_takes_the_mark_back(
    make_rig: Callable[[str], Rig], twinfra: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []

    def refuse(self: LocalBackend, workspace: str, pieces: object, expected: str | None) -> str:
        content = rig.open().read("default")
        assert content is not None
        seen.append(json.loads(content.data)[FIELD])
        raise DiagnosticError(error("No room"))

    rig = make_rig("http")
    monkeypatch.setattr(LocalBackend, "write", refuse)
    machines = Machines(twinfra, rig, writes=1000)
    assert "Nothing was moved" in machines.failed
    assert len(seen) == 1
    assert machines.marks() is None
    assert machines("one", "state", "list").split() == ["terraform_data.a", "terraform_data.b"]


def test_a_mark_is_read_as_it_was_written_and_gone_when_taken_off() -> None:
    mark = mark_of("0123456789abcdef", "s3://b/k", "l", "/d", [(thing("a", "k"), thing("b"))])
    state = state_of("a")
    assert mark_in(marked(marked(state, mark), mark)) == mark
    assert unmarked(marked(state, mark)) == state
    assert mark_in(state) is None


@pytest.mark.parametrize("held", ["", [], [{}], [{"id": "x", "more": 1}], {"a": 1}, 7])
def test_a_mark_of_another_form_is_told(held: object) -> None:
    state = state_of("a")
    state.extra = ((FIELD, held),)
    with pytest.raises(DiagnosticError):
        mark_in(state)
    problem = unfinished(state, "a.tfstate")
    assert problem is not None
    assert "newer Twinfra" in problem.detail
