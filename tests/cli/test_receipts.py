"""Receipts: what commands leave in the ledger, and what becomes of them when that fails."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Directory
from tests.environments.repositories import Repository, new_repository

from twinfra.state.backends.local import LocalBackend
from twinfra.state.encryption.backend import encrypted
from twinfra.state.ledger.entries import Entry
from twinfra.state.ledger.log import open_ledger
from twinfra.state.ledger.verification import verify

MAIN = 'variable "size" {\n  default = 1\n}\nresource "terraform_data" "a" {\n  input = var.size\n}\n'


def entries(path: Path, workspace: str = "default") -> list[Entry]:
    ledger = open_ledger(LocalBackend(path), workspace)
    assert verify(ledger).findings == []
    return ledger.entries()


def last(path: Path) -> dict[str, Any]:
    entry = entries(path)[-1]
    return {"kind": entry.kind, "who": entry.who, **entry.body}


@pytest.fixture
def project(twinfra: Directory, monkeypatch: pytest.MonkeyPatch) -> Directory:
    monkeypatch.setenv("TWINFRA_ACTOR", "ada")
    twinfra.write(main_tf=MAIN, twinfra_toml="[environments.staging]\n")
    return twinfra


@pytest.fixture
def repository(project: Directory) -> Repository:
    return new_repository(project.path)


def test_without_a_project_nothing_is_left_beside_the_state(twinfra: Directory) -> None:
    twinfra.write(main_tf=MAIN)
    twinfra.ok("apply", "-auto-approve")
    twinfra.ok("taint", "terraform_data.a")
    assert sorted(path.name for path in twinfra.path.iterdir()) == [
        "main.tf",
        "terraform.tfstate",
        "terraform.tfstate.backup",
        "terraform.tfstate.history",
    ]


def test_an_apply_leaves_a_receipt(project: Directory, repository: Repository) -> None:
    commit = repository.commit("Grow", _gitignore="terraform.tfstate*\n")
    ran = project.ok("apply", "-auto-approve", "-var", "size=2")
    assert ran.err == ""
    receipt = last(project.path)
    state = json.loads((project.path / "terraform.tfstate").read_text())
    fingerprint = json.loads(project.ok("fingerprint", "-json", "-var", "size=2").out)
    assert {name: receipt[name] for name in ("code", "inputs", "state")} == fingerprint
    assert (receipt["serial"], receipt["lineage"]) == (state["serial"], state["lineage"])
    assert (receipt["commit"], receipt["branch"], receipt["subject"]) == (commit, "main", "Grow")
    assert (receipt["kind"], receipt["who"], receipt["mode"]) == ("apply", "ada", "normal")
    assert (receipt["outcome"], receipt["complete"], receipt["dirty"]) == ("done", True, False)
    assert (receipt["counts"], receipt["targets"], receipt["environment"]) == ({"added": 1}, [], "")
    assert receipt["plan"].startswith("sha256:")
    assert receipt["started"] <= receipt["finished"]


def test_destroy_refresh_and_targets_are_told_apart(project: Directory) -> None:
    project.ok("apply", "-auto-approve", "-target=terraform_data.a")
    assert last(project.path)["targets"] == ["terraform_data.a"]
    assert last(project.path)["complete"] is False
    project.ok("refresh")
    assert (last(project.path)["kind"], last(project.path)["mode"]) == ("refresh", "refresh-only")
    project.ok("destroy", "-auto-approve")
    assert (last(project.path)["kind"], last(project.path)["counts"]) == ("destroy", {"destroyed": 1})


def test_a_failed_apply_leaves_a_receipt(project: Directory) -> None:
    project.write(
        main_tf=MAIN
        + 'resource "terraform_data" "b" {\n  input = terraform_data.a.id\n'
        + '  lifecycle {\n    postcondition {\n      condition = length(self.output) > 99\n      error_message = "no"\n'
        + "    }\n  }\n}\n"
    )
    assert project("apply", "-auto-approve").code == 1
    receipt = last(project.path)
    assert (receipt["outcome"], receipt["complete"]) == ("failed", False)
    assert receipt["serial"] == 1


def test_an_environment_is_named_and_has_a_ledger_of_its_own(project: Directory) -> None:
    project.ok("apply", "-auto-approve", "-env", "staging")
    found = entries(project.path, "staging")
    assert [one.body["environment"] for one in found] == ["staging"]
    assert entries(project.path) == []


def test_a_saved_plan_that_can_be_read_once_is_known_by_what_was_read(project: Directory) -> None:
    project.ok("plan", "-out", "tf.plan")
    content = (project.path / "tf.plan").read_bytes()
    reading, writing = os.pipe()
    try:
        with open(writing, "wb") as pipe:
            pipe.write(content)
        project.ok("apply", f"/dev/fd/{reading}")
    finally:
        os.close(reading)
    assert last(project.path)["plan"] == f"sha256:{hashlib.sha256(content).hexdigest()}"


def test_a_saved_plan_is_known_by_its_file_and_by_what_it_was_made_of(
    project: Directory, repository: Repository
) -> None:
    planned = repository.commit("Planned")
    project.ok("plan", "-out=tf.plan")
    repository.commit("Later")
    digest = subprocess.run(
        ["sha256sum", "tf.plan"], capture_output=True, text=True, cwd=project.path, timeout=120
    )
    project.ok("apply", "tf.plan")
    receipt = last(project.path)
    assert receipt["plan"] == f"sha256:{digest.stdout.split()[0]}"
    assert (receipt["saved_plan"], receipt["commit"], receipt["subject"]) == (True, planned, "Planned")


def test_what_is_declined_leaves_nothing(project: Directory) -> None:
    assert project("apply", stdin="no\n").code == 1
    assert entries(project.path) == []
    assert not list(project.path.glob(".*receipts"))


def test_a_ledger_goes_on_without_the_file_that_began_it(project: Directory) -> None:
    project.ok("apply", "-auto-approve")
    (project.path / "twinfra.toml").unlink()
    project.ok("apply", "-auto-approve", "-var=size=3")
    assert len(entries(project.path)) == 2


def test_a_receipt_that_cannot_be_appended_waits_for_the_next_command(project: Directory) -> None:
    records = project.path / "terraform.tfstate.records"
    records.write_text("in the way")
    ran = project.ok("apply", "-auto-approve")
    assert "Not recorded: apply" in ran.err
    assert "the receipt waits for the next command" in " ".join(ran.err.replace("│", "").split())
    assert (project.path / "terraform.tfstate").exists()
    assert "still wait" in project.ok("plan").err
    records.unlink()
    assert project.ok("plan").err == ""
    assert [one.body["outcome"] for one in entries(project.path)] == ["done"]
    assert not list(project.path.glob(".*receipts"))


def test_an_apply_that_was_killed_is_recorded_as_interrupted_by_the_next_command(project: Directory) -> None:
    project.write(
        main_tf=MAIN + 'resource "terraform_data" "b" {\n  provisioner "local-exec" {\n'
        '    command = "kill -9 $PPID"\n  }\n}\n'
    )
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    killed = subprocess.run(
        [sys.executable, "-m", "twinfra", "apply", "-auto-approve"],
        cwd=project.path,
        env=environment,
        capture_output=True,
        timeout=120,
    )
    assert killed.returncode == -signal.SIGKILL
    assert entries(project.path) == []
    project("plan")
    assert [(one.kind, one.body["outcome"], one.who) for one in entries(project.path)] == [
        ("apply", "interrupted", "ada")
    ]


def test_a_receipt_appended_just_before_a_kill_is_not_appended_again(project: Directory) -> None:
    from twinfra.state.ledger.authors import about
    from twinfra.state.ledger.pending import pending_of

    backend = LocalBackend(project.path)
    made = about("apply", {"outcome": "done"})
    pending_of(backend, "default").put(made)
    open_ledger(backend, "default").append_made(made)
    project.ok("plan")
    assert len(entries(project.path)) == 1
    assert not list(project.path.glob(".*receipts"))


def test_receipts_wait_sealed_where_the_state_is_encrypted(
    project: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.state.encryption.blocks import SIMPLE, encryption

    monkeypatch.setenv("TF_ENCRYPTION", SIMPLE)
    monkeypatch.setenv("TWINFRA_ACTOR", "somebody-planted")
    records = project.path / "terraform.tfstate.records"
    records.write_text("in the way")
    project.ok("apply", "-auto-approve")
    waiting = next(project.path.glob(".*receipts/*.json")).read_text()
    assert "somebody-planted" not in waiting
    records.unlink()
    project.ok("plan")
    assert "somebody-planted" not in next(records.glob("ledger-0*")).read_text()
    backend = encrypted(LocalBackend(project.path), encryption(SIMPLE).state())
    assert [one.who for one in open_ledger(backend, "default").entries()] == ["somebody-planted"]


# -- commands on the state


def test_commands_on_the_state_are_recorded(project: Directory) -> None:
    project.ok("apply", "-auto-approve")
    project.ok("state", "mv", "terraform_data.a", "terraform_data.b")
    assert last(project.path)["moves"] == [{"from": "terraform_data.a", "to": "terraform_data.b"}]
    project.ok("taint", "terraform_data.b")
    project.ok("untaint", "terraform_data.b")
    (project.path / "copy.tfstate").write_text(project.ok("state", "pull").out)
    project.ok("state", "rm", "terraform_data.b")
    assert last(project.path)["objects"] == ["terraform_data.b"]
    project.ok("state", "push", "-force", "copy.tfstate")
    project.ok("state", "restore", "-auto-approve", "1")
    project.ok("state", "replace-provider", "-auto-approve", "terraform.io/builtin/terraform", "hashicorp/x")
    project.ok("state", "rm", "terraform_data.a")
    project.write(main_tf=MAIN)
    project.ok("import", "terraform_data.a", "some-id")
    assert [one.kind for one in entries(project.path)] == [
        "apply",
        "state mv",
        "taint",
        "untaint",
        "state rm",
        "state push",
        "state restore",
        "state replace-provider",
        "state rm",
        "import",
    ]
    assert last(project.path)["import_id"] == "some-id"
    assert last(project.path)["serial"] == last(project.path)["serial_before"] + 1


def test_what_only_tells_is_not_recorded(project: Directory) -> None:
    project.ok("apply", "-auto-approve")
    project.ok("state", "mv", "-dry-run", "terraform_data.a", "terraform_data.b")
    project.ok("state", "rm", "-dry-run", "terraform_data.a")
    project.ok("state", "list")
    project.ok("plan")
    assert len(entries(project.path)) == 1


def test_a_workspace_that_is_deleted_is_remembered_in_the_default_one(project: Directory) -> None:
    project.ok("workspace", "new", "dev")
    project.ok("apply", "-auto-approve")
    ended = entries(project.path, "dev")[-1]
    project.ok("workspace", "select", "default")
    project.ok("workspace", "delete", "-force", "dev")
    found = last(project.path)
    assert (found["kind"], found["deleted"], found["ledger"]) == (
        "workspace delete",
        "dev",
        f"1:{ended.hash}",
    )
    assert not (project.path / "terraform.tfstate.d" / "dev").exists()


def test_a_lock_that_was_released_is_recorded_with_its_holder(project: Directory) -> None:
    project.ok("apply", "-auto-approve")
    path = project.path / ".terraform.tfstate.lock.info"
    path.write_text('{"ID":"some-id","Operation":"OperationTypeApply","Who":"eve@host"}')
    project.ok("force-unlock", "-force", "some-id")
    assert (last(project.path)["kind"], last(project.path)["lock"]["who"]) == ("force-unlock", "eve@host")


def test_states_that_go_to_another_backend_take_their_history_along(project: Directory) -> None:
    project.ok("apply", "-auto-approve")
    before = entries(project.path)
    project.write(backend_tf='terraform {\n  backend "local" {\n    path = "other.tfstate"\n  }\n}\n')
    project.ok("init", "-force-copy")
    ledger = open_ledger(LocalBackend(project.path, "other.tfstate"), "default")
    assert ledger.entries() == before
    assert verify(ledger).findings == []
    project.ok("apply", "-auto-approve")
    assert len(ledger.entries()) == 2
