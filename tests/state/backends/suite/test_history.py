"""Every kind of backend has a history: versions of its own, or copies beside; it is listed, compared and restored."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from tests.cli.conftest import Directory, twinfra
from tests.state.backends.conftest import Rig, block
from tests.state.encryption.blocks import SIMPLE

from twinfra.state.history import MOST

__all__ = ["twinfra"]
pytestmark = pytest.mark.emulator


def thing(value: str) -> str:
    return f'resource "terraform_data" "a" {{\n  input = "{value}"\n}}\n'


def copies(twinfra: Directory) -> list[Path]:
    return sorted((twinfra.path / ".terraform" / "history").glob("*/*"))


def test_what_was_is_listed_compared_and_brought_back(rig: Rig, twinfra: Directory) -> None:
    for value in ("one", "two", "three"):
        twinfra.write(main_tf=block(rig) + thing(value))
        twinfra.ok("apply", "-auto-approve")
    document = json.loads(twinfra.ok("state", "history", "-json").out)
    assert [one["serial"] for one in document["versions"]] == [2, 1]
    assert 'input: "one" -> "three"' in twinfra.ok("state", "diff", "1").out
    twinfra.ok("state", "restore", "-auto-approve", "1")
    assert '"one"' in twinfra.ok("state", "show", "terraform_data.a").out
    document = json.loads(twinfra.ok("state", "history", "-json").out)
    assert document["current"] == 4
    assert [one["serial"] for one in document["versions"]] == [3, 2, 1]
    kept = copies(twinfra)
    assert all(stat.S_IMODE(one.stat().st_mode) == 0o600 for one in kept)
    assert bool(kept) is (rig.type != "local")


def test_copies_are_bounded_and_encrypted(
    rig: Rig, twinfra: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    if rig.type not in ("http", "pg"):
        pytest.skip(f"{rig.type} keeps versions of its own, or was looked at above")
    monkeypatch.setenv("TF_ENCRYPTION", SIMPLE)
    twinfra.write(main_tf=block(rig) + thing("hidden"))
    twinfra.ok("apply", "-auto-approve")
    for at in range(MOST + 2):
        name = ("a", "b")[at % 2]
        twinfra.ok("state", "mv", f"terraform_data.{name}", f"terraform_data.{('b', 'a')[at % 2]}")
    kept = copies(twinfra)
    assert len(kept) == MOST
    assert all(one.name.endswith(".sealed.gz") for one in kept)
    listed = json.loads(twinfra.ok("state", "history", "-json").out)["versions"]
    assert len(listed) == MOST
    assert "terraform_data" in twinfra.ok("state", "diff", str(listed[0]["serial"])).out


def test_a_deleted_workspace_takes_its_copies_with_it(rig: Rig, twinfra: Directory) -> None:
    if not rig.has_workspaces or rig.type == "local":
        pytest.skip(f"{rig.type} has no workspaces, or was looked at elsewhere")
    twinfra.write(main_tf=block(rig) + thing("one"))
    twinfra.ok("workspace", "new", "gone")
    twinfra.ok("apply", "-auto-approve")
    twinfra.ok("destroy", "-auto-approve")
    assert copies(twinfra)
    twinfra.ok("workspace", "select", "default")
    twinfra.ok("workspace", "delete", "gone")
    assert not copies(twinfra)
