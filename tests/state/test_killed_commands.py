"""Whole commands killed in the middle of an apply, by what they apply; and what the next command makes of it."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import Directory

KILLER = """
resource "terraform_data" "first" {
  provisioner "local-exec" {
    command = "true"
  }
}
resource "terraform_data" "second" {
  input = terraform_data.first.id
  provisioner "local-exec" {
    command = "test -e fixed || kill -9 $PPID"
  }
}
resource "terraform_data" "third" {
  input = terraform_data.second.id
}
output "o" {
  value = terraform_data.third.output
}
"""


def command(
    directory: Path, *arguments: str, largest_file: int = resource.RLIM_INFINITY
) -> subprocess.CompletedProcess[str]:
    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, resource.RLIM_INFINITY))

    return subprocess.run(
        [sys.executable, "-m", "twinfra", *arguments],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=limit,
    )


def test_a_killed_apply_is_told_of_and_completed_by_the_next(twinfra: Directory) -> None:
    twinfra.write(main_tf=KILLER)
    killed = command(twinfra.path, "apply", "-auto-approve")
    assert killed.returncode == -signal.SIGKILL
    assert twinfra.ok("state", "list").out.splitlines() == ["terraform_data.first", "terraform_data.second"]
    first = twinfra.ok("state", "show", "terraform_data.first").out
    assert "(tainted)" in twinfra.ok("state", "show", "terraform_data.second").out
    (twinfra.path / "fixed").touch()
    ran = twinfra.ok("apply", "-auto-approve")
    assert "An earlier run ended before it could save the state" in ran.all
    assert "Resources: 2 added, 0 changed, 1 destroyed" in ran.out
    assert twinfra.ok("state", "show", "terraform_data.first").out == first
    assert twinfra("plan", "-detailed-exitcode").code == 0
    left = {one for one in os.listdir(twinfra.path) if "tfstate" in one}
    assert left <= {"terraform.tfstate", "terraform.tfstate.backup", "terraform.tfstate.history"}


def test_a_killed_destroy_is_completed_by_the_next(twinfra: Directory) -> None:
    twinfra.write(
        main_tf="""
resource "terraform_data" "kept" {
  provisioner "local-exec" {
    when    = destroy
    command = "test -e fixed || kill -9 $PPID"
  }
}
resource "terraform_data" "gone" {
  input = terraform_data.kept.id
  provisioner "local-exec" {
    when    = destroy
    command = "true"
  }
}
"""
    )
    twinfra.ok("apply", "-auto-approve")
    killed = command(twinfra.path, "destroy", "-auto-approve")
    assert killed.returncode == -signal.SIGKILL
    assert twinfra.ok("state", "list").out == "terraform_data.kept\n"
    (twinfra.path / "fixed").touch()
    assert "1 destroyed" in twinfra.ok("destroy", "-auto-approve").out


def test_without_room_for_the_journal_nothing_is_begun(twinfra: Directory) -> None:
    twinfra.write(
        main_tf='resource "terraform_data" "a" {\n  provisioner "local-exec" {\n    command = "touch made"\n  }\n}\n'
    )
    done = command(twinfra.path, "apply", "-auto-approve", largest_file=100_000)
    assert done.returncode == 1
    assert "Could not write the journal" in done.stderr
    assert os.listdir(twinfra.path) == ["main.tf"]


def test_a_state_that_does_not_fit_any_more_is_kept_in_the_journal(twinfra: Directory) -> None:
    text = 'resource "terraform_data" "a" {\n  count = COUNT\n  input = "' + "x" * 900 + '"\n}\n'
    twinfra.write(main_tf=text.replace("COUNT", "10"))
    twinfra.ok("apply", "-auto-approve")
    before = (twinfra.path / "terraform.tfstate").read_bytes()
    twinfra.write(main_tf=text.replace("COUNT", "200"))
    done = command(twinfra.path, "apply", "-auto-approve", largest_file=400_000)
    assert done.returncode == 1
    assert "Could not write the state" in done.stderr
    assert "The journal has it" in done.stderr
    assert (twinfra.path / "terraform.tfstate").read_bytes() == before
    ran = twinfra.ok("apply", "-auto-approve")
    assert "Resources: 0 added" in ran.out
    assert len(twinfra.ok("state", "list").out.splitlines()) == 200


def test_a_killed_plan_leaves_nothing_that_matters(twinfra: Directory) -> None:
    twinfra.write(main_tf='resource "terraform_data" "a" {}\n')
    process = subprocess.Popen(
        [sys.executable, "-m", "twinfra", "plan"],
        cwd=twinfra.path,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.kill()
    process.wait(60)
    process.stdout.close()
    twinfra.ok("apply", "-auto-approve")
    assert twinfra.ok("state", "list").out == "terraform_data.a\n"
