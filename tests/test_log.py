"""The log, and what neither it nor anything that a command prints ever tells."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tests import planted
from tests.cli.conftest import Directory, twinfra
from tests.planted import PLANTED

from twinfra import log

__all__ = ["twinfra"]
SECRET = f"{PLANTED}-in-a-variable"
DECLARED = f'variable "s" {{\n  type = string\n  sensitive = true\n  default = "{SECRET}"\n}}\n'
KEPT = DECLARED + 'resource "terraform_data" "a" {\n  input = "x${var.s}"\n}\n'


def lines(directory: Directory, level: str, *arguments: str) -> list[str]:
    path = directory.path / "own.log"
    directory._monkeypatch.setenv("TWINFRA_LOG", level)
    directory._monkeypatch.setenv("TWINFRA_LOG_PATH", str(path))
    directory(*arguments)
    return path.read_text().splitlines() if path.exists() else []


def test_an_apply_is_told_step_by_step(twinfra: Directory) -> None:
    twinfra.write(main_tf=KEPT)
    told = lines(twinfra, "debug", "apply", "-auto-approve", f"-var=s={SECRET}")
    events = [one.split(" ", 2)[2].partition(":")[0] for one in told]
    for event in (
        "command begins",
        "lock taken",
        "planned",
        "operation done",
        "state written",
        "command ended",
    ):
        assert event in events, told
    assert 'options="-auto-approve -var"' in told[0]
    assert not any("journal synced" in one for one in told)


def test_the_command_is_named_and_not_the_value_of_an_option_before_it(twinfra: Directory) -> None:
    twinfra.write(main_tf=KEPT, twinfra_toml="[environments.production]\n")
    told = lines(twinfra, "info", "-env", "production", "validate")
    assert "command begins: command=validate options=-env " in told[0]


@pytest.mark.parametrize(
    ("level", "some"), [("off", False), ("error", False), ("info", True), ("trace", True)]
)
def test_a_level_leaves_out_what_is_finer(twinfra: Directory, level: str, some: bool) -> None:
    twinfra.write(main_tf=KEPT)
    told = lines(twinfra, level, "plan")
    assert bool(told) is some
    assert any(" debug " in one for one in told) is (level == "trace")


def test_the_file_is_for_its_owner_and_grows(twinfra: Directory) -> None:
    first = lines(twinfra, "info", "validate")
    path = twinfra.path / "own.log"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert lines(twinfra, "info", "validate")[: len(first)] == first


def test_a_level_that_there_is_not_is_told(twinfra: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWINFRA_LOG", "loud")
    ran = twinfra("validate")
    assert ran.code == 1
    assert "TWINFRA_LOG is one of off, error" in ran.err


def test_terraforms_variables_serve_too(twinfra: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TWINFRA_LOG")
    monkeypatch.delenv("TWINFRA_LOG_PATH")
    monkeypatch.setenv("TF_LOG", "JSON")
    assert "info command begins: command=validate" in twinfra("validate").err


def test_a_log_that_cannot_be_written_stops_nothing(
    twinfra: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    twinfra.write(main_tf=KEPT)
    monkeypatch.setenv("TWINFRA_LOG_PATH", "/dev/full")
    twinfra.ok("apply", "-auto-approve")
    monkeypatch.setenv("TWINFRA_LOG_PATH", str(twinfra.path))
    assert twinfra("plan").code == 1


def test_facts_are_one_line_whatever_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    log.start({"TWINFRA_LOG": "info"})
    log.say(log.INFO, "event", text='a "b"\nc', none=None, number=1, flag=True, empty="")
    log.stop()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith('info event: text="a \\"b\\"\\nc" number=1 flag=true empty=""')


# -- what is never told

MISTAKES = {
    "a plan": KEPT,
    "an output": DECLARED + 'output "o" {\n  value = var.s\n  sensitive = true\n}\n',
    "an output that is not declared sensitive": DECLARED + 'output "o" {\n  value = var.s\n}\n',
    "a failed conversion": DECLARED + 'output "o" {\n  value = tonumber(var.s)\n  sensitive = true\n}\n',
    "a failed function": DECLARED + 'resource "terraform_data" "a" {\n  input = cidrhost(var.s, 1)\n}\n',
    "a failed index": DECLARED + 'resource "terraform_data" "a" {\n  input = { a = 1 }[var.s]\n}\n',
    "for_each": DECLARED + 'resource "terraform_data" "a" {\n  for_each = toset([var.s])\n}\n',
    "count": DECLARED + 'resource "terraform_data" "a" {\n  count = var.s\n}\n',
    "a condition": DECLARED.replace(
        "sensitive = true",
        'sensitive = true\n  validation {\n    condition = var.s == "other"\n    error_message = "no: ${var.s}"\n  }',
    ),
    "a precondition": DECLARED
    + 'resource "terraform_data" "a" {\n  lifecycle {\n    precondition {\n      condition = var.s == ""\n      error_message = "was ${var.s}"\n    }\n  }\n}\n',
    "a check": DECLARED
    + 'check "c" {\n  assert {\n    condition = var.s == ""\n    error_message = "was ${var.s}"\n  }\n}\n',
    "a provisioner": DECLARED
    + 'resource "terraform_data" "a" {\n  provisioner "local-exec" {\n    command = "echo ${var.s}; exit 3"\n  }\n}\n',
    "a type": DECLARED.replace("type = string", "type = number"),
    "a file": DECLARED + 'output "o" {\n  value = file(var.s)\n  sensitive = true\n}\n',
    "a remote state": DECLARED
    + 'data "terraform_remote_state" "o" {\n  backend = "local"\n  config = { path = var.s }\n}\n',
}


@pytest.mark.parametrize("json", [False, True])
@pytest.mark.parametrize("text", MISTAKES.values(), ids=MISTAKES.keys())
def test_no_output_and_no_log_tells_a_secret(
    twinfra: Directory, monkeypatch: pytest.MonkeyPatch, text: str, json: bool
) -> None:
    """The fixture `twinfra` and the one that sets the log search all there is (see `tests.planted`)."""
    twinfra.write(main_tf=text)
    flags = ["-json"] if json else []
    ran = twinfra("apply", "-auto-approve", *flags)
    assert ran.all
    for name in ("show", "output", "state"):
        twinfra(name, *(["list"] if name == "state" else []))
    twinfra("state", "secrets", *flags)
    twinfra("destroy", "-auto-approve", *flags)


def test_a_mistake_of_ours_tells_no_secret(twinfra: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    from twinfra.engine import planner

    def fail(*arguments: object) -> None:
        raise RuntimeError(f"{SECRET} {arguments}")

    twinfra.write(main_tf=KEPT)
    monkeypatch.setattr(planner.Planner, "run", fail)
    ran = twinfra("plan")
    assert "RuntimeError" in ran.err


def test_credentials_of_a_backend_are_not_told(twinfra: Directory) -> None:
    twinfra.write(
        main_tf=f'terraform {{\n  backend "http" {{\n    address = "http://u:{PLANTED}@127.0.0.1:9/?t={PLANTED}"\n'
        f'    password = "{PLANTED}"\n    username = "u"\n    retry_max = 0\n  }}\n}}\n'
    )
    assert twinfra("plan").code == 1


# -- that the search finds what there is


def test_a_planted_secret_in_the_log_is_found(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with pytest.raises(AssertionError, match="in the log"), planted.watched_files(path):
        path.write_text(f"x {PLANTED}")


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (["plan"], False),
        (["apply", "-json"], False),
        (["output"], False),
        (["output", "name"], True),
        (["output", "-json"], True),
        (["show"], False),
        (["show", "-json"], True),
        (["state", "show", "a.b"], False),
        (["state", "pull"], True),
        (["-chdir=show", "plan"], False),
    ],
)
def test_only_what_asks_for_values_may_print_them(arguments: list[str], asked: bool) -> None:
    assert planted.asks_for_values(arguments) is asked
    if asked:
        planted.check_output(arguments, PLANTED, "")
    else:
        with pytest.raises(AssertionError):
            planted.check_output(arguments, PLANTED, "")
    with pytest.raises(AssertionError):
        planted.check_output(arguments, "", PLANTED)


def test_what_other_processes_print_is_searched(tmp_path: Path) -> None:
    program = tmp_path / "twinfra"
    program.write_text(f"#!/bin/sh\necho {PLANTED}\n")
    program.chmod(0o755)
    with pytest.raises(AssertionError, match="what twinfra plan prints"):
        subprocess.run([str(program), "plan"], capture_output=True, check=True, timeout=120)
    assert (
        json.loads(
            subprocess.run(
                [sys.executable, "-c", "print(1)"], capture_output=True, check=True, timeout=120
            ).stdout
        )
        == 1
    )
