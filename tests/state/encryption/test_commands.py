"""Commands with encryption configured: nothing that is written to the disk shows a secret."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
from tests.cli.conftest import Directory
from tests.state.conftest import twinfra  # noqa: F401
from tests.state.encryption import opentofu
from tests.state.encryption.blocks import PASSPHRASE, SIMPLE

SECRET = "kept-from-the-disk-value"
BLOCK = """
variable "passphrase" {
  type      = string
  sensitive = true
}
locals { key_passphrase = var.passphrase }
terraform {
  encryption {
    key_provider "pbkdf2" "main" {
      passphrase = local.key_passphrase
      iterations = 200000
    }
    method "aes_gcm" "main" { keys = key_provider.pbkdf2.main }
    state {
      method   = method.aes_gcm.main
      enforced = true
    }
    plan { method = method.aes_gcm.main }
  }
}
"""
THING = f'resource "terraform_data" "a" {{ input = "{SECRET}" }}\noutput "a" {{ value = terraform_data.a.output }}\n'


@pytest.fixture
def project(twinfra: Directory, monkeypatch: pytest.MonkeyPatch) -> Directory:  # noqa: F811
    monkeypatch.setenv("TF_VAR_passphrase", PASSPHRASE)
    monkeypatch.delenv("TF_ENCRYPTION", raising=False)
    twinfra.write(main_tf=THING, encryption_tf=BLOCK)
    return twinfra


def nothing_shows(directory: Path) -> None:
    for path in directory.rglob("*"):
        if path.is_file() and path.suffix != ".tf":
            assert SECRET.encode() not in path.read_bytes(), path


def test_plan_apply_and_look(project: Directory) -> None:
    project.ok("plan", "-out=saved.plan")
    nothing_shows(project.path)
    project.ok("apply", "saved.plan")
    nothing_shows(project.path)
    assert "terraform_data.a" in project.ok("state", "list").out
    assert SECRET in project.ok("output", "a").out
    assert SECRET in project.ok("state", "pull").out
    assert "No changes" in project.ok("plan").out
    state = (project.path / "terraform.tfstate").read_bytes()
    assert SECRET in opentofu.decrypt(state, PASSPHRASE).decode()


def test_what_opentofu_wrote_is_planned_on(project: Directory) -> None:
    project.ok("apply", "-auto-approve")
    plain = project.ok("state", "pull").out.encode()
    (project.path / "terraform.tfstate").write_bytes(opentofu.encrypt(plain, PASSPHRASE))
    assert "No changes" in project.ok("plan").out


def test_a_wrong_passphrase_stops_every_command(project: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    project.ok("apply", "-auto-approve")
    monkeypatch.setenv("TF_VAR_passphrase", "wrong passphrase, wrong passphrase")
    for command in (["plan"], ["apply", "-auto-approve"], ["state", "list"], ["output"], ["state", "pull"]):
        ran = project(*command)
        assert ran.code == 1
        assert "cannot be decrypted" in ran.all
        assert "wrong passphrase" not in ran.all


def test_a_state_in_the_clear_is_refused_where_encryption_is_enforced(project: Directory) -> None:
    (project.path / "encryption.tf").rename(project.path / "off")
    project.ok("apply", "-auto-approve")
    (project.path / "off").rename(project.path / "encryption.tf")
    ran = project("plan")
    assert ran.code == 1
    assert "not encrypted" in ran.all


def test_going_over_to_encryption_leaves_nothing_in_the_clear(
    project: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.path / "encryption.tf").unlink()
    for change in ("one", "two"):
        project.write(main_tf=THING.replace(SECRET, f"{SECRET}-{change}"))
        project.ok("apply", "-auto-approve")
    fallback = "state {\n method = method.aes_gcm.main\n fallback { method = method.unencrypted.off }\n}\n"
    text = SIMPLE.split("state {")[0] + fallback + 'method "unencrypted" "off" {}\n'
    monkeypatch.setenv("TF_ENCRYPTION", text)
    project.write(main_tf=THING)
    project.ok("apply", "-auto-approve")
    nothing_shows(project.path)
    assert "No changes" in project.ok("plan").out


def test_the_environment_alone_is_enough(project: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    (project.path / "encryption.tf").unlink()
    monkeypatch.setenv("TF_ENCRYPTION", SIMPLE)
    project.ok("apply", "-auto-approve")
    nothing_shows(project.path)
    assert "No changes" in project.ok("plan").out


def test_the_environment_holds_where_both_say_something(
    project: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TF_VAR_passphrase")
    monkeypatch.setenv("TF_ENCRYPTION", f'key_provider "pbkdf2" "main" {{ passphrase = "{PASSPHRASE}" }}')
    ran = project("plan", "-var", f"passphrase={PASSPHRASE}")
    assert ran.code == 0, ran.all
    project.ok("apply", "-auto-approve", "-var=passphrase=irrelevant")
    state = (project.path / "terraform.tfstate").read_bytes()
    assert SECRET in opentofu.decrypt(state, PASSPHRASE).decode()


def test_a_passphrase_given_as_an_option(project: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TF_VAR_passphrase")
    project.ok("apply", "-auto-approve", f"-var=passphrase={PASSPHRASE}")
    ran = project("state", "list")
    assert ran.code == 1
    assert "TF_VAR_passphrase" in ran.all


def test_a_plan_in_the_clear_is_refused_where_plans_are_encrypted(project: Directory) -> None:
    (project.path / "encryption.tf").rename(project.path / "off")
    project.ok("plan", "-out=saved.plan")
    (project.path / "off").rename(project.path / "encryption.tf")
    ran = project("apply", "saved.plan")
    assert ran.code == 1
    assert "not encrypted" in ran.all


def test_an_encrypted_plan_is_shown(project: Directory) -> None:
    project.ok("plan", "-out=saved.plan")
    assert "terraform_data.a" in project.ok("show", "saved.plan").out


def test_a_remote_state_is_decrypted(
    project: Directory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.ok("apply", "-auto-approve")
    reader = tmp_path / "reader"
    reader.mkdir()
    text = f"""
data "terraform_remote_state" "other" {{
  backend = "local"
  config = {{ path = "{project.path}/terraform.tfstate" }}
}}
output "got" {{ value = data.terraform_remote_state.other.outputs.a }}
"""
    (reader / "main.tf").write_text(text)
    monkeypatch.chdir(reader)
    ran = project("plan")
    assert ran.code == 1
    assert "encrypted" in ran.all
    remote = "remote_state_data_sources {\n default { method = method.aes_gcm.main }\n}\n"
    monkeypatch.setenv("TF_ENCRYPTION", SIMPLE.split("state {")[0] + remote)
    project.ok("apply", "-auto-approve")
    assert SECRET in project.ok("output", "got").out


def test_an_encrypted_state_is_pushed_and_read_by_name(project: Directory) -> None:
    project.ok("apply", "-auto-approve")
    stored = (project.path / "terraform.tfstate").read_bytes()
    (project.path / "copy").write_bytes(stored)
    assert "terraform_data.a" in project.ok("state", "list", "-state=copy").out
    (project.path / "terraform.tfstate").unlink()
    project.ok("state", "push", "copy")
    assert "terraform_data.a" in project.ok("state", "list").out
    nothing_shows(project.path)


def test_the_journal_and_a_state_that_cannot_be_saved_are_encrypted(
    project: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    from twinfra.state.backends.local import LocalBackend
    from twinfra.state.backends.protocol import Conflict
    from twinfra.state.journal import Journal

    def refuse(*_: object) -> str:
        journal = next(project.path.glob(".*.journal")).read_bytes()
        assert journal.startswith(b"twinfra sealed journal")
        assert journal.count(b"\n") > 2
        raise Conflict

    monkeypatch.setattr(Journal, "remove", Journal.close)
    with monkeypatch.context() as patched:
        patched.setattr(LocalBackend, "write", refuse)
        assert project("apply", "-auto-approve").code == 1
    nothing_shows(project.path)
    (project.path / "errored.tfstate").unlink()
    assert "ended before it could save" in project.ok("plan").all
    assert json.loads(project.ok("output", "-json").out)
    assert "No changes" in project.ok("plan").out
    nothing_shows(project.path)


def test_a_state_goes_to_another_backend_encrypted(project: Directory) -> None:
    project.ok("apply", "-auto-approve")
    project.write(backend_tf='terraform {\n backend "local" { path = "elsewhere/own.tfstate" }\n}\n')
    project.ok("init", "-migrate-state", "-force-copy")
    moved = (project.path / "elsewhere" / "own.tfstate").read_bytes()
    assert SECRET in opentofu.decrypt(moved, PASSPHRASE).decode()
    nothing_shows(project.path)
    assert "No changes" in project.ok("plan").out


def test_a_write_that_is_stopped_leaves_the_state_that_was(
    project: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.ok("apply", "-auto-approve")
    before = (project.path / "terraform.tfstate").read_bytes()
    project.write(main_tf=THING.replace(SECRET, f"{SECRET}-changed"))
    replace = os.replace

    def stop(source: str, target: str) -> None:
        if str(target).endswith("terraform.tfstate"):
            raise OSError(errno.EIO, "stopped")
        replace(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", stop)
        assert project("apply", "-auto-approve").code == 1
    assert (project.path / "terraform.tfstate").read_bytes() == before
    nothing_shows(project.path)
    project.ok("plan")
    assert f"{SECRET}-changed" in project.ok("output", "a").out


def test_the_history_of_an_encrypted_state(project: Directory) -> None:
    project.ok("apply", "-auto-approve")
    project.write(main_tf=THING.replace(SECRET, f"{SECRET}-changed"))
    project.ok("apply", "-auto-approve")
    nothing_shows(project.path)
    assert json.loads(project.ok("state", "history", "-json").out)["versions"][0]["serial"] == 1
    assert "input" in project.ok("state", "diff", "1").out
    project.ok("state", "restore", "-auto-approve", "1")
    nothing_shows(project.path)


def test_a_lock_is_released_without_any_key(project: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    project.ok("apply", "-auto-approve")
    monkeypatch.delenv("TF_VAR_passphrase")
    ran = project("force-unlock", "-force", "an-id")
    assert ran.code == 1
    assert "Nothing to unlock" in ran.all
