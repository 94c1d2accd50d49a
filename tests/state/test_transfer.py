"""Objects that go from one state to another: what both say afterwards, whatever stops it, and the commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Directory
from tests.state import transfers
from tests.state.conftest import twinfra  # noqa: F401
from tests.state.encryption.blocks import SIMPLE
from tests.state.states import AWS, BUILTIN, data_object, state_of, thing
from tests.state.test_crashes import moments

from twinfra.addresses import Instance, ProviderConfig
from twinfra.diagnostics import DiagnosticError
from twinfra.state import transfer_note
from twinfra.state.backends.local import LocalBackend
from twinfra.state.backends.protocol import Conflict
from twinfra.state.model import State
from twinfra.state.store import current_state, open_store
from twinfra.state.transfer import including, transfer

NET = """
resource "terraform_data" "vpc" {
  input = "vpc"
}
resource "terraform_data" "subnet" {
  count = 2
  input = terraform_data.vpc.id
}
"""
CALL = 'module "net" {\n  source = "%s"\n}\n'
APP = 'resource "terraform_data" "app" {\n  input = "app"\n}\n'


def dependent(*names: str) -> State:
    """Things of which each depends on the one before."""
    state = state_of()
    for at, name in enumerate(names):
        before = (f"terraform_data.{names[at - 1]}",) if at else ()
        state.put(thing(name), BUILTIN, data_object(f"id-{name}", name, dependencies=before))
    return state


def needs(state: State, address: Instance) -> tuple[str, ...]:
    found = state.current(address)
    assert found is not None
    return found.dependencies


def refusal(source: State, target: State, *pairs: tuple[Instance, Instance]) -> str:
    with pytest.raises(DiagnosticError) as caught:
        transfer(source, target, list(pairs))
    return "\n".join(f"{one.summary}: {one.detail}" for one in caught.value.diagnostics)


# -- what both states say


def test_dependencies_are_kept_among_what_moves_and_dropped_across_states() -> None:
    moved = [(thing("b"), thing("x")), (thing("c"), thing("c"))]
    done = transfer(dependent("a", "b", "c", "d"), state_of(), moved)
    assert needs(done.target, thing("x")) == ()
    assert needs(done.target, thing("c")) == ("terraform_data.x",)
    assert needs(done.source, thing("d")) == ()
    assert set(map(str, done.source.resources)) == {"terraform_data.a", "terraform_data.d"}


def test_what_depends_on_instances_that_stay_still_does() -> None:
    state = state_of()
    for key in (0, 1):
        state.put(thing("a", key), BUILTIN, data_object(f"id-{key}"))
    state.put(thing("b"), BUILTIN, data_object("id-b", dependencies=("terraform_data.a",)))
    done = transfer(state, state_of(), [(thing("a", 0), thing("a", 0))])
    assert needs(done.source, thing("b")) == ("terraform_data.a",)


def test_a_taken_address_is_refused() -> None:
    assert "Address is taken" in refusal(state_of("a"), state_of("a"), (thing("a"), thing("a")))


def test_two_objects_for_one_address_are_refused() -> None:
    pairs = ((thing("a"), thing("c")), (thing("b"), thing("c")))
    assert "Two objects for one address" in refusal(state_of("a", "b"), state_of(), *pairs)


def test_states_of_two_accounts_are_not_mixed() -> None:
    source, target = state_of(), state_of()
    source.put(thing("a"), AWS, data_object("id-a"))
    source.identities[str(AWS)] = {"account": "1"}
    target.identities[str(AWS)] = {"account": "2"}
    assert "acts on account 2 there, and on account 1 here" in refusal(
        source, target, (thing("a"), thing("a"))
    )


def test_the_cloud_that_objects_are_of_is_remembered_with_them() -> None:
    source = state_of()
    source.put(thing("a"), AWS, data_object("id-a"))
    source.identities = {str(AWS): {"account": "1"}, str(ProviderConfig(AWS.provider, "b")): {"account": "3"}}
    done = transfer(source, state_of(), [(thing("a"), thing("a"))])
    assert done.target.identities == {str(AWS): {"account": "1"}}


def test_what_others_gave_another_address_meanwhile_is_not_added_again() -> None:
    arriving = state_of("a")
    there = state_of()
    there.put(thing("renamed"), BUILTIN, data_object("id-a", "a"))
    assert including(there, arriving, exact=False)[1] == []
    assert including(there, arriving)[1] == [thing("a")]


# -- whatever stops it


@pytest.mark.slow
def test_a_process_killed_anywhere_leaves_each_object_in_one_state(tmp_path: Path) -> None:
    assert moments("tests.state.transfers", tmp_path) > 100


@pytest.mark.slow
def test_a_loss_of_power_anywhere_leaves_each_object_in_one_state(tmp_path: Path) -> None:
    assert moments("tests.state.powerloss", tmp_path, "transfers") > 50


def stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, side: str, problem: Exception
) -> DiagnosticError:
    """A transfer in which the write of one side fails."""
    transfers.begin(tmp_path)
    real = LocalBackend.write

    def write(self: LocalBackend, workspace: str, pieces: object, expected: str | None) -> str:
        if self._directory == tmp_path / side:
            raise problem
        return real(self, workspace, pieces, expected)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(LocalBackend, "write", write)
        with pytest.raises(DiagnosticError) as caught:
            transfers.move(tmp_path)
    return caught.value


@pytest.mark.parametrize("problem", [Conflict(), DiagnosticError([])])
def test_a_target_that_cannot_be_written_leaves_both_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    failed = stopped(tmp_path, monkeypatch, "target", problem)
    assert failed.diagnostics[-1].summary == "Nothing was moved"
    state, found = current_state(LocalBackend(tmp_path / "source"), "default")
    assert found is None
    assert state is not None
    assert len(state.resources) == 3
    transfers.account(tmp_path, "target")


@pytest.mark.parametrize("problem", [Conflict(), DiagnosticError([])])
def test_a_source_that_cannot_be_written_lets_go_with_its_next_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    failed = stopped(tmp_path, monkeypatch, "source", problem)
    assert failed.diagnostics[-1].summary == "The move is not finished"
    directory = tmp_path / "source"
    with open_store(LocalBackend(directory), "default", "plan", directory) as store:
        assert store.recovered is not None
        assert "was stopped before these had left" in store.recovered.text
        assert "  terraform_data.m\n" in store.recovered.text
    transfers.account(tmp_path, "target")


def test_what_finds_its_address_taken_after_a_stop_is_kept_beside_the_state(tmp_path: Path) -> None:
    transfers.begin(tmp_path)
    directory = tmp_path / "target"
    note = transfer_note.Note(
        transfer_note.new_id(),
        LocalBackend(tmp_path / "source").journal_path("default"),
        LocalBackend(directory).journal_path("default"),
        transfer_note.Half("source", "of-the-source", 4, "", b""),
        transfer_note.Half("target", "a-lineage", 0, "", transfers_content("m")),
    )
    other = state_of(lineage="a-lineage")
    other.put(thing("m"), BUILTIN, data_object("id-of-another"))
    (directory / "terraform.tfstate").write_bytes(transfers_bytes(other))
    transfer_note.write(note)
    with open_store(LocalBackend(directory), "default", "plan", directory) as store:
        assert store.recovered is not None
        assert "state merge -from=errored.tfstate" in store.recovered.text
        assert store.state.current(thing("m")) == data_object("id-of-another")
    assert "id-m" in (directory / "errored.tfstate").read_text()


def transfers_bytes(state: State) -> bytes:
    from twinfra.state.v4 import write_state

    return b"".join(write_state(state))


def transfers_content(name: str) -> bytes:
    return transfers_bytes(state_of(name))


def test_a_damaged_note_is_told_and_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped(tmp_path, monkeypatch, "source", DiagnosticError([]))
    directory = tmp_path / "source"
    (note,) = directory.glob(".*.sending-*")
    note.write_bytes(note.read_bytes()[:-20] + b"x" * 20)
    with pytest.raises(DiagnosticError, match="note of a move is damaged"):
        open_store(LocalBackend(directory), "default", "plan", directory).__enter__()
    assert note.exists()


def test_a_note_that_cannot_be_written_or_withdrawn_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    source, target = tmp_path / "source" / "journal", tmp_path / "file" / "journal"
    half = transfer_note.Half("a state", "a-lineage", 1, "", b"")
    note = transfer_note.Note(transfer_note.new_id(), source, target, half, half)
    with pytest.raises(DiagnosticError, match="Cannot write a file"):
        transfer_note.write(note)
    assert list(transfer_note.outgoing(source)) == []


def test_a_note_that_cannot_be_removed_is_told(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    half = transfer_note.Half("a state", "a-lineage", 1, "", b"")
    note = transfer_note.Note(transfer_note.new_id(), journal, journal, half, half)
    (tmp_path / f"journal.receiving-{note.id}").mkdir()
    with pytest.raises(DiagnosticError, match="Cannot remove a file"):
        transfer_note.target_done(note)


# -- the commands


@pytest.fixture
def two(twinfra: Directory) -> Directory:  # noqa: F811
    """A directory `a`, in which a module and an application were made, and `b`, to which the module is to go."""
    for name in ("a", "b", "net"):
        (twinfra.path / name).mkdir()
    (twinfra.path / "net" / "main.tf").write_text(NET)
    (twinfra.path / "a" / "main.tf").write_text(APP + CALL % "../net")
    twinfra.ok("-chdir=a", "apply", "-auto-approve")
    twinfra._monkeypatch.chdir(twinfra.path)
    (twinfra.path / "a" / "main.tf").write_text(APP)
    (twinfra.path / "b" / "main.tf").write_text(CALL % "../net")
    return twinfra


def at(two: Directory, name: str) -> Directory:
    two._monkeypatch.chdir(two.path / name)
    return two


def test_a_module_goes_to_another_directory_and_neither_plan_changes_anything(two: Directory) -> None:
    ran = at(two, "a").ok("state", "split", "-to=../b", "module.net", stdin="yes\n")
    assert "A plan of terraform.tfstate (1 resource instance) says: nothing would change" in ran.out
    assert "A plan of ../b/terraform.tfstate (3 resource instances) says: nothing would change" in ran.out
    assert two.ok("state", "list").out == "terraform_data.app\n"
    assert two("plan", "-detailed-exitcode").code == 0
    assert at(two, "b")("plan", "-detailed-exitcode").code == 0
    assert len(two.ok("state", "list").out.splitlines()) == 3


def test_a_move_after_which_something_would_change_is_refused(two: Directory) -> None:
    (two.path / "b" / "main.tf").write_text(APP)
    ran = at(two, "a")("state", "split", "-to=../b", "-auto-approve", "module.net")
    assert ran.code == 1
    assert "module.net.terraform_data.vpc (delete)" in " ".join(ran.err.split()).replace("│ ", "")
    assert len(two.ok("state", "list").out.splitlines()) == 4


def test_a_dry_run_writes_neither_state(two: Directory) -> None:
    before = (two.path / "a" / "terraform.tfstate").read_bytes()
    ran = at(two, "a").ok("state", "split", "-to=../b", "-dry-run", "-json", "module.net")
    document = json.loads(ran.out)
    assert not document["moved"]
    assert [one["proven"] for one in document["plans"]] == [True, True]
    assert len(document["moves"]) == 3
    assert (two.path / "a" / "terraform.tfstate").read_bytes() == before
    assert not (two.path / "b" / "terraform.tfstate").exists()


def test_merge_brings_everything_of_the_other_state_here(two: Directory) -> None:
    (two.path / "a" / "main.tf").unlink()
    (two.path / "b" / "main.tf").write_text(APP + CALL % "../net")
    at(two, "b").ok("state", "merge", "-from=../a", "-auto-approve")
    assert len(two.ok("state", "list").out.splitlines()) == 4
    assert two("plan", "-detailed-exitcode").code == 0


def test_what_a_module_holds_goes_to_the_root_of_a_file(two: Directory) -> None:
    at(two, "a").ok("state", "split", "-to=new.tfstate", "-auto-approve", "module.net => .")
    listed = two.ok("state", "list", "-state=new.tfstate").out.splitlines()
    assert "terraform_data.vpc" in listed
    held = json.loads((two.path / "a" / "new.tfstate").read_text())
    needed = [one["instances"][0].get("dependencies") for one in held["resources"]]
    assert ["terraform_data.vpc"] in needed


def test_another_workspace_of_this_directory_can_be_the_other_side(two: Directory) -> None:
    (two.path / "a" / "main.tf").write_text(APP + CALL % "../net")
    at(two, "a").ok("workspace", "new", "w")
    two.ok("workspace", "select", "default")
    two.ok("state", "split", "-to-workspace=w", "-plan=false", "-auto-approve", "terraform_data.app")
    assert "terraform_data.app" not in two.ok("state", "list").out
    two.ok("workspace", "select", "w")
    assert two.ok("state", "list").out == "terraform_data.app\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-to=.", "module.net"), "Both are one state"),
        (("-to-workspace=nope", "module.net"), "No such workspace"),
        (("-to=nowhere", "module.net"), "There is no directory nowhere"),
        (("module.net",), "Which other state?"),
        (("-to=../b", "module.other"), "The state holds nothing at module.other"),
        (("-to=../b", "-json", "module.net"), "-json cannot ask"),
    ],
)
def test_wrong_usage_is_told(two: Directory, arguments: tuple[str, ...], said: str) -> None:
    ran = at(two, "a")("state", "split", *arguments)
    assert ran.code == 1
    assert said in ran.err


def test_a_workspace_beside_an_environment_is_told(two: Directory) -> None:
    (two.path / "a" / "twinfra.toml").write_text("[environments.staging]\n")
    ran = at(two, "a")("state", "split", "-env=staging", "-to-workspace=w", "module.net")
    assert (ran.code, "-to-workspace has no place here" in ran.err) == (1, True)


def test_a_lock_on_either_side_keeps_the_move_out(two: Directory) -> None:
    directory = two.path / "b"
    with open_store(LocalBackend(directory), "default", "apply", directory):
        ran = at(two, "a")("state", "split", "-to=../b", "-auto-approve", "module.net")
    assert ran.code == 1
    assert "State is locked" in ran.err


def test_an_encrypted_state_leaves_nothing_readable_in_the_note(
    twinfra: Directory,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TF_ENCRYPTION", SIMPLE)
    twinfra.write(main_tf='resource "terraform_data" "a" {\n  input = "planted-in-a-note"\n}\n')
    twinfra.ok("apply", "-auto-approve")
    twinfra.write(main_tf="")
    kept: list[bytes] = []
    real = transfer_note.write

    def watch(note: transfer_note.Note) -> None:
        real(note)
        kept.extend(one.read_bytes() for one in twinfra.path.glob(".*ing-*"))

    monkeypatch.setattr(transfer_note, "write", watch)
    twinfra.ok("state", "split", "-to=o.tfstate", "-auto-approve", "-plan=false", "terraform_data.a")
    assert len(kept) == 2
    assert not any(b"planted" in one or b"cGxhbnRlZ" in one for one in kept)
