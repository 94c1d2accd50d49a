"""Stock Terraform in a directory, as a witness of the format and of locks."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

TERRAFORM = shutil.which("terraform")

needs_stock = pytest.mark.skipif(TERRAFORM is None, reason="stock terraform is not on the PATH")


class Stock:
    """Runs stock Terraform in `directory`, with nothing of the person's own settings."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        settings = directory / ".settings.tfrc"
        settings.write_text("")
        self.environment = dict(
            os.environ, TF_CLI_CONFIG_FILE=str(settings), CHECKPOINT_DISABLE="1", NO_COLOR="1"
        )

    def write(self, text: str, name: str = "main.tf") -> Stock:
        (self.directory / name).write_text(text)
        return self

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [TERRAFORM or "terraform", *arguments],
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert not check or done.returncode == 0, done.stderr + done.stdout
        return done

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [TERRAFORM or "terraform", *arguments],
            cwd=self.directory,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
