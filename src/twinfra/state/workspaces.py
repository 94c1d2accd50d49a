"""Which workspace a directory works in: `.terraform/environment` or `TF_WORKSPACE`, as in stock Terraform."""

from __future__ import annotations

import os
from pathlib import Path

from twinfra.diagnostics import DiagnosticError, error
from twinfra.state.backends.protocol import DEFAULT_WORKSPACE
from twinfra.state.files import file_problem, make_directory, replace_file


def data_directory(directory: Path) -> Path:
    """Where a working directory keeps what it need not share: `.terraform`, or what `TF_DATA_DIR` says."""
    return directory / (os.environ.get("TF_DATA_DIR") or ".terraform")


def workspace_is_given() -> bool:
    """Whether the environment names the workspace, so that selecting another one changes nothing."""
    return bool(os.environ.get("TF_WORKSPACE"))


def current_workspace(data: Path) -> str:
    """The name of the workspace in use. `data` is the data directory. Raises `DiagnosticError`."""
    given = os.environ.get("TF_WORKSPACE")
    if given:
        return given
    path = data / "environment"
    try:
        return path.read_text(encoding="utf-8").strip() or DEFAULT_WORKSPACE
    except (FileNotFoundError, NotADirectoryError):
        return DEFAULT_WORKSPACE
    except UnicodeDecodeError:
        raise DiagnosticError(
            error(
                "The name of the workspace is damaged",
                f"{path} is not UTF-8 text.",
                mend=f"Remove {path} to work in the default workspace.",
            )
        ) from None
    except OSError as reason:
        raise file_problem(reason, "read the workspace's name from", path) from None


def select_workspace(data: Path, name: str) -> None:
    """Remember the workspace to work in from now on. Raises `DiagnosticError`."""
    path = data / "environment"
    try:
        make_directory(data)
        replace_file(path, (name.encode(),))
    except OSError as reason:
        raise file_problem(reason, "write the workspace's name to", path) from None
