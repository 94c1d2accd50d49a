"""Disks that are full, or can only be read: nothing is begun that could not be recorded, and nothing is lost.

They are real: small file systems in memory, which only the superuser can mount.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.conftest import Directory, twinfra

__all__ = ["twinfra"]


def mount(*arguments: str) -> bool:
    done = subprocess.run(["mount", *arguments], capture_output=True, check=False, timeout=120)
    return done.returncode == 0


@pytest.fixture
def disk(twinfra: Directory) -> Iterator[Path]:
    """A working directory on a disk of its own, of two megabytes."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only the superuser can mount a small disk")
    path = twinfra.path / "disk"
    path.mkdir()
    if not mount("-t", "tmpfs", "-o", "size=2m", "none", str(path)):
        pytest.skip("nothing can be mounted here")
    twinfra._monkeypatch.chdir(path)
    yield path
    twinfra._monkeypatch.chdir(twinfra.path)
    subprocess.run(["umount", "-l", str(path)], check=True, timeout=120)


def fill(disk: Path, leave: int = 0) -> None:
    """Take all room but for so many bytes."""
    with (disk / "ballast").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass
        if leave:
            file.truncate(max(0, file.tell() - leave))


def things(count: int, command: str = "true") -> str:
    """Two steps: one thing whose creation runs a command, then many that depend on it."""
    return (
        f'resource "terraform_data" "first" {{\n  provisioner "local-exec" {{\n    command = "{command}"\n  }}\n}}\n'
        f'resource "terraform_data" "many" {{\n  count = {count}\n  input = "${{terraform_data.first.id}}-{"x" * 900}"\n}}\n'
    )


def words(text: str) -> str:
    return " ".join(text.replace("│", " ").split())


def test_a_full_disk_lets_nothing_begin(twinfra: Directory, disk: Path) -> None:
    (disk / "main.tf").write_text(things(1, "touch /dev/shm/never-made"))
    fill(disk)
    ran = twinfra("apply", "-auto-approve")
    assert ran.code == 1
    assert "No space left on device" in words(ran.err)
    (disk / "ballast").unlink()
    assert "No state" in twinfra("state", "list").err
    assert "Resources: 2 added" in twinfra.ok("apply", "-auto-approve").out


@pytest.mark.parametrize("leave", [0, 64 * 1024, 200 * 1024])
def test_a_disk_that_fills_up_during_an_apply_loses_nothing(
    twinfra: Directory, disk: Path, leave: int
) -> None:
    command = f"head -c 3000000 /dev/zero > ballast; truncate -s -{leave} ballast; true"
    (disk / "main.tf").write_text(things(700, command))
    ran = twinfra("apply", "-auto-approve")
    assert ran.code == 1, ran.all
    assert "No space left on device" in words(ran.err)
    made = len(twinfra("state", "list").out.splitlines())
    assert made >= 1
    (disk / "ballast").unlink()
    (disk / "main.tf").write_text(things(300))
    before = json_ids(twinfra)
    ran = twinfra.ok("apply", "-auto-approve")
    assert "An earlier run ended before it could save the state" in ran.out
    after = json_ids(twinfra)
    assert len(after) == 301
    kept = {address: id for address, id in before.items() if address in after}
    assert kept
    assert all(after[address] == id for address, id in kept.items())


def json_ids(twinfra: Directory) -> dict[str, str]:
    import json

    document = json.loads(twinfra.ok("show", "-json").out)
    resources = document.get("values", {}).get("root_module", {}).get("resources", [])
    return {one["address"]: one["values"]["id"] for one in resources}


def test_a_read_only_disk_lets_nothing_begin_and_can_be_looked_at(twinfra: Directory, disk: Path) -> None:
    (disk / "main.tf").write_text(things(1))
    twinfra.ok("apply", "-auto-approve")
    (disk / "main.tf").write_text(things(2, "touch /dev/shm/never-made"))
    assert mount("-o", "remount,ro", str(disk))
    try:
        ran = twinfra("apply", "-auto-approve")
        assert ran.code == 1
        assert "Read-only file system" in words(ran.err)
        assert "Traceback" not in ran.all
        assert len(twinfra.ok("state", "list").out.splitlines()) == 2
        assert "terraform_data.many[1]" in twinfra.ok("plan", "-lock=false").out
    finally:
        assert mount("-o", "remount,rw", str(disk))
    assert "Resources: 1 added" in twinfra.ok("apply", "-auto-approve").out


def test_a_journal_on_a_disk_that_can_only_be_read_now_is_still_seen(twinfra: Directory, disk: Path) -> None:
    command = "head -c 3000000 /dev/zero > ballast; true"
    (disk / "main.tf").write_text(things(3, command))
    assert twinfra("apply", "-auto-approve").code == 1
    (disk / "ballast").unlink()
    assert mount("-o", "remount,ro", str(disk))
    try:
        assert "terraform_data.first" in twinfra.ok("state", "list").out
        ran = twinfra("plan")
        assert ran.code == 1
        assert "Read-only file system" in words(ran.err)
    finally:
        assert mount("-o", "remount,rw", str(disk))
    (disk / "main.tf").write_text(things(3))
    twinfra.ok("apply", "-auto-approve")
    assert len(twinfra.ok("state", "list").out.splitlines()) == 4


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_an_apply_whose_output_cannot_be_written_goes_on_to_its_end(twinfra: Directory) -> None:
    twinfra.write(main_tf=things(20))
    command = [sys.executable, "-c", "from twinfra.cli.main import main; main()"]
    with Path("/dev/full").open("w") as full:
        for arguments in (("apply", "-auto-approve"), ("version",)):
            ran = subprocess.run(
                [*command, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, check=False
            )
            assert ran.returncode == 1
            assert "Output was lost" in ran.stderr
            assert "No space left on device" in ran.stderr
    assert len(twinfra.ok("state", "list").out.splitlines()) == 21
    assert twinfra("plan", "-detailed-exitcode").code == 0


def test_a_checkout_that_can_only_be_read_is_looked_from(twinfra: Directory, disk: Path) -> None:
    """Which backend was used last can then not be noted."""
    block = f'terraform {{\n  backend "local" {{\n    path = "{twinfra.path}/elsewhere.tfstate"\n  }}\n}}\n'
    (twinfra.path / "main.tf").write_text(block + things(1))
    twinfra._monkeypatch.chdir(twinfra.path)
    twinfra.ok("apply", "-auto-approve")
    twinfra._monkeypatch.chdir(disk)
    (disk / "main.tf").write_text(block + things(1))
    assert mount("-o", "remount,ro", str(disk))
    try:
        assert len(twinfra.ok("state", "list").out.splitlines()) == 2
        assert twinfra("plan", "-detailed-exitcode").code == 0
        assert "Read-only file system" in words(twinfra("init").err)
    finally:
        assert mount("-o", "remount,rw", str(disk))
