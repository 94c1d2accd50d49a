"""Commands on every kind of backend, as a person types them: apply, look, workspaces, lost networks, secrets."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.conftest import Directory, twinfra
from tests.state.backends.conftest import BUCKET, Rig, block

from twinfra.state.ledger.log import open_ledger
from twinfra.state.locks import new_lock

__all__ = ["twinfra"]
pytestmark = pytest.mark.emulator

THING = (
    'resource "terraform_data" "a" {\n  input = "x"\n}\noutput "o" {\n  value = terraform_data.a.output\n}\n'
)
SECRETS = ("not-a-secret",)


def test_an_apply_and_all_that_looks_at_it(rig: Rig, twinfra: Directory) -> None:
    twinfra.write(main_tf=block(rig) + THING)
    printed = twinfra.ok("init").all
    printed += twinfra.ok("apply", "-auto-approve").all
    assert twinfra.ok("state", "list").out == "terraform_data.a\n"
    assert twinfra.ok("output", "-raw", "o").out == "x"
    assert twinfra.ok("plan", "-detailed-exitcode").code == 0
    printed += twinfra.ok("destroy", "-auto-approve").all
    assert twinfra.ok("state", "list").out == ""
    assert not Path("terraform.tfstate").exists()
    assert not any(secret in printed for secret in SECRETS)


def test_a_workspace_that_was_made_is_known_to_all(rig: Rig, twinfra: Directory) -> None:
    twinfra.write(main_tf=block(rig) + THING)
    if not rig.has_workspaces:
        assert "keeps one state" in twinfra("workspace", "new", "dev").all
        return
    twinfra.ok("workspace", "new", "dev")
    assert rig.open().workspaces() == ["default", "dev"]
    twinfra.ok("workspace", "select", "default")
    twinfra.ok("workspace", "delete", "dev")
    assert rig.open().workspaces() == ["default"]


def test_a_command_that_is_kept_out_says_by_whom_and_can_force_its_way(rig: Rig, twinfra: Directory) -> None:
    twinfra.write(main_tf=block(rig) + THING)
    lock = new_lock("apply")
    rig.open().lock("default", lock)
    refused = twinfra("apply", "-auto-approve")
    assert refused.code == 1
    assert lock.id in refused.all
    twinfra.ok("force-unlock", "-force", lock.id)
    twinfra.ok("apply", "-auto-approve")


def test_a_network_that_is_lost_at_the_end_of_an_apply_loses_nothing(rig: Rig, twinfra: Directory) -> None:
    twinfra.write(main_tf=block(rig) + THING)
    rig.proxy.spoil("drop", rig.writes, 1000)
    failed = twinfra("apply", "-auto-approve")
    assert failed.code == 1
    assert Path("errored.tfstate").exists()
    assert not any(secret in failed.all for secret in SECRETS)
    rig.proxy.faults.clear()
    if holder := rig.open().holder("default"):
        twinfra.ok("force-unlock", "-force", holder.id)
    assert twinfra("plan", "-detailed-exitcode").code == 0
    assert twinfra.ok("state", "list").out == "terraform_data.a\n"


def test_an_apply_writes_to_s3_once_between_lock_and_unlock(
    make_rig: Callable[[str], Rig], twinfra: Directory
) -> None:
    rig = make_rig("s3")
    twinfra.write(main_tf=block(rig) + THING)
    twinfra.ok("apply", "-auto-approve")
    twinfra.write(main_tf=block(rig) + THING.replace('"x"', '"y"'))
    del rig.proxy.seen[:]
    twinfra.ok("apply", "-auto-approve")
    key = rig.settings["key"]
    asked = [one.split("?")[0].strip().replace(f"/{BUCKET}/{key}", "KEY") for one in rig.proxy.seen]
    assert asked == ["PUT KEY.tflock", "GET KEY", "PUT KEY", "DELETE KEY.tflock"]


def test_a_ledger_that_others_began_is_gone_on_with_once_init_has_seen_it(
    make_rig: Callable[[str], Rig], twinfra: Directory
) -> None:
    rig = make_rig("s3")
    twinfra.write(main_tf=block(rig) + THING)
    twinfra.ok("apply", "-auto-approve")
    open_ledger(rig.open(), "default").append("apply", {})
    twinfra.ok("taint", "terraform_data.a")
    assert len(open_ledger(rig.open(), "default").entries()) == 1
    twinfra.ok("init")
    twinfra.ok("untaint", "terraform_data.a")
    assert [one.kind for one in open_ledger(rig.open(), "default").entries()] == ["apply", "untaint"]


def test_what_is_remembered_of_a_ledger_counts_for_a_day(
    make_rig: Callable[[str], Rig], twinfra: Directory
) -> None:
    rig = make_rig("s3")
    twinfra.write(main_tf=block(rig) + THING)
    twinfra.ok("apply", "-auto-approve")
    open_ledger(rig.open(), "default").append("apply", {})
    (note,) = Path(".terraform/ledgers").iterdir()
    os.utime(note, (time.time() - 25 * 3600,) * 2)
    twinfra.ok("taint", "terraform_data.a")
    assert [one.kind for one in open_ledger(rig.open(), "default").entries()] == ["apply", "taint"]


def test_a_directory_goes_on_recording_when_its_project_is_gone(
    make_rig: Callable[[str], Rig], twinfra: Directory
) -> None:
    rig = make_rig("s3")
    twinfra.write(main_tf=block(rig) + THING, twinfra_toml="")
    twinfra.ok("apply", "-auto-approve")
    Path("twinfra.toml").unlink()
    twinfra.ok("taint", "terraform_data.a")
    assert [one.kind for one in open_ledger(rig.open(), "default").entries()] == ["apply", "taint"]


def test_settings_may_be_given_when_the_directory_is_prepared(
    make_rig: Callable[[str], Rig], twinfra: Directory
) -> None:
    rig = make_rig("pg")
    twinfra.write(main_tf='terraform {\n  backend "pg" {}\n}\n' + THING)
    settings = [f"-backend-config={name}={value}" for name, value in rig.settings.items()]
    twinfra.ok("init", *settings)
    twinfra.ok("apply", "-auto-approve")
    assert rig.open().read("default") is not None


def test_the_outputs_of_a_state_are_read_by_another_configuration(rig: Rig, twinfra: Directory) -> None:
    twinfra.write(main_tf=block(rig) + THING)
    twinfra.ok("apply", "-auto-approve")
    other = Path("other")
    other.mkdir()
    os.chdir(other)
    lines = "\n".join(f"    {name} = {json.dumps(value)}" for name, value in rig.settings.items())
    Path("main.tf").write_text(
        f'data "terraform_remote_state" "a" {{\n  backend = "{rig.type}"\n  config = {{\n{lines}\n  }}\n}}\n'
        'output "o" {\n  value = data.terraform_remote_state.a.outputs.o\n}\n'
    )
    ran = twinfra.ok("apply", "-auto-approve")
    assert twinfra.ok("output", "-raw", "o").out == "x"
    assert not any(secret in ran.all for secret in SECRETS)


def test_receipts_lie_beside_the_state_and_wait_for_a_network_that_was_lost(
    rig: Rig, twinfra: Directory
) -> None:
    twinfra.write(main_tf=block(rig) + THING, twinfra_toml="[environments.staging]\n")
    first = twinfra.ok("apply", "-auto-approve")
    if rig.type == "http":
        assert "A backend without history" in first.err
        assert "A backend without history" in twinfra("history").err
        return
    assert first.err == ""

    def records(request: str) -> bool:
        return "records" in request and (rig.type == "pg" or request.startswith(("PUT", "POST")))

    rig.proxy.spoil("drop", records, 1000)
    assert "Not recorded: taint" in twinfra.ok("taint", "terraform_data.a").err
    rig.proxy.faults.clear()
    assert len(json.loads(twinfra.ok("history", "-json").out)["entries"]) == 1
    twinfra.ok("apply", "-auto-approve")
    found = json.loads(twinfra.ok("history", "-json").out)["entries"]
    assert [one["kind"] for one in found] == ["apply", "taint", "apply"]
    assert twinfra("audit", "verify").code == 0
