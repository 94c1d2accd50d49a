"""`init -from-module`: the working directory begins with a copy of another directory's configuration."""

from __future__ import annotations

import shutil
from pathlib import Path

from twinfra.diagnostics import DiagnosticError, error
from twinfra.state.files import file_problem

_CONFIGURATION = (".tf", ".tf.json")


def copy_module(source: str, directory: Path) -> list[str]:
    """Copy what lies in the directory `source`, but no states and nothing hidden; what to tell, as lines.

    Raises `DiagnosticError` where `source` is no directory on this machine, or `directory` holds a configuration.
    """
    origin = Path(source).expanduser()
    if not source.startswith(("./", "../", "/", "~")) and source not in (".", ".."):
        raise DiagnosticError(
            error(
                "Module cannot be fetched",
                f'"{source}" is no path on this machine, and modules are read from paths only.',
                mend="Fetch it with its own tool, such as git clone, and name that directory, beginning with ./ or /.",
            )
        )
    if not origin.is_dir():
        raise DiagnosticError(
            error("No such module", f"There is no directory {source}.", mend="Correct that path.")
        )
    if _has_configuration(directory):
        raise DiagnosticError(
            error(
                "There is a configuration already",
                "-from-module makes a copy of a module, and this directory holds a configuration.",
                mend="Run it in an empty directory, or leave -from-module out.",
            )
        )
    if directory.resolve().is_relative_to(origin.resolve()):
        raise DiagnosticError(
            error(
                "Module cannot be copied into itself",
                f"This directory lies in {source}.",
                mend="Run it in a directory elsewhere.",
            )
        )
    if not _has_configuration(origin):
        raise DiagnosticError(
            error("No module", f"{source} holds no *.tf file.", mend="Name the directory of a configuration.")
        )
    try:
        shutil.copytree(origin, directory, ignore=_left_out, dirs_exist_ok=True)
    except shutil.Error as several:
        first = several.args[0][0]
        raise DiagnosticError(error("Module not copied as a whole", f"{first[0]}: {first[2]}.")) from None
    except OSError as reason:
        raise file_problem(reason, "copy the module from", origin) from None
    return [f"Copied:    {source}"]


def _has_configuration(directory: Path) -> bool:
    try:
        return any(one.name.endswith(_CONFIGURATION) for one in directory.iterdir())
    except OSError as reason:
        raise file_problem(reason, "list what is in", directory) from None


def _left_out(_: str, names: list[str]) -> list[str]:
    """Hidden files, and states: two directories with one state would both manage the same objects."""
    return [name for name in names if name.startswith(".") or ".tfstate" in name]
