"""The two programs that are compared, each in a directory of its own with the same configuration."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.processes import Run, best

MIRROR = os.environ.get("TWINFRA_OFFICIAL_AWS", "")
"""A filesystem mirror with the official AWS provider; without, only ours runs on AWS resources."""

PROVIDER_VERSION = "3.39.0"


def environment() -> dict[str, str]:
    """The variables that both see: nothing of AWS, Terraform, Twinfra or Python but what a benchmark sets."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "TF_", "TWINFRA_", "PYTHON"))
    }
    return kept | {"CHECKPOINT_DISABLE": "1", "AWS_EC2_METADATA_DISABLED": "true", "NO_COLOR": "1"}


@dataclass
class Program:
    """A command that runs configurations."""

    name: str
    command: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=environment)

    def run(self, directory: Path, *arguments: str, times: int = 1, expected: tuple[int, ...] = (0,)) -> Run:
        """Run a subcommand; the best of so many runs. Raises `CommandFailed`."""
        return best(times, (*self.command, *arguments), directory, self.variables, expected)


def ours() -> Program:
    """Twinfra, of the environment that runs the benchmarks; its modules are compiled before it is measured."""
    script = Path(sys.executable).with_name("twinfra")
    command = (str(script),) if script.exists() else (sys.executable, "-m", "twinfra")
    subprocess.run([*command, "version"], env=environment(), capture_output=True, check=True)
    return Program("twinfra", command)


def stock(scratch: Path) -> Program | None:
    """Stock Terraform, where it is on the PATH."""
    found = shutil.which("terraform")
    if found is None:
        return None
    settings = scratch / "terraformrc"
    text = "disable_checkpoint = true\n"
    if MIRROR:
        text += f'provider_installation {{\n  filesystem_mirror {{\n    path = "{Path(MIRROR).resolve()}"\n  }}\n}}\n'
    settings.write_text(text)
    return Program("terraform", (found,), environment() | {"TF_CLI_CONFIG_FILE": str(settings)})
