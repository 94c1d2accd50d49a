"""Questions at a real terminal: Ctrl-C leaves at once, and what is closed is nobody."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

NULL = 'resource "terraform_data" "one" {}\n'
COMMAND = [sys.executable, "-m", "twinfra"]


def typed(directory: Path, keys: bytes, *arguments: str) -> tuple[int, str]:
    """Run a command at a terminal of its own, answer its question with keys; its exit code and all it showed."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(directory)
        os.execv(sys.executable, [*COMMAND, *arguments])
    shown = b""
    answered = False
    # One that hangs must not hang the others too.
    end = threading.Timer(120, os.kill, (pid, signal.SIGKILL))
    end.start()
    while True:
        try:
            more = os.read(terminal, 65536)
        except OSError:
            break
        shown += more
        if not more:
            break
        if not answered and b"Enter a value: " in shown:
            answered = True
            os.write(terminal, keys)
    os.close(terminal)
    end.cancel()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


@pytest.mark.parametrize("question", ["apply", "plan"])
def test_ctrl_c_at_a_question_leaves_and_does_nothing(tmp_path: Path, question: str) -> None:
    text = NULL if question == "apply" else NULL + 'variable "x" {}\n'
    (tmp_path / "main.tf").write_text(text)
    code, shown = typed(tmp_path, b"\x03", question)
    assert code == 130, shown
    assert "Interrupted." in shown
    assert "Traceback" not in shown
    assert not (tmp_path / "terraform.tfstate").exists()
    assert not list(tmp_path.glob(".terraform.tfstate.lock*"))


def test_yes_at_a_terminal_is_an_approval(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(NULL)
    code, shown = typed(tmp_path, b"yes\n", "apply")
    assert code == 0, shown
    assert (tmp_path / "terraform.tfstate").exists()


def test_where_standard_input_is_closed_nobody_approves(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(NULL)
    ran = subprocess.run(
        ["sh", "-c", '"$@" <&-', "sh", *COMMAND, "apply"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ran.returncode == 1, ran.stderr
    assert "crash" not in ran.stderr
    assert "Enter a value" in ran.stdout
    assert not (tmp_path / "terraform.tfstate").exists()


def test_closed_streams_are_not_taken_for_the_files_of_a_run(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(NULL)
    ran = subprocess.run(
        ["sh", "-c", '"$@" <&- >&- 2>&-', "sh", *COMMAND, "apply", "-auto-approve"],
        cwd=tmp_path,
        check=False,
        timeout=120,
    )
    assert ran.returncode == 0
    assert (tmp_path / "terraform.tfstate").read_text().startswith("{")
