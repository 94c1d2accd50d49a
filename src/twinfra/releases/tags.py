"""Git tags of releases: which there are at a commit, and making one."""

from __future__ import annotations

from pathlib import Path

from twinfra.diagnostics import DiagnosticError, error
from twinfra.environments.git import describe, not_in_repository, resolve, run_git

_REF = "refs/tags/"


def commit_of_tag(directory: Path, name: str) -> str:
    """The full ID of the commit that a tag names; empty where there is no such tag, or no repository."""
    if describe(directory) is None:
        return ""
    found = run_git(directory, "tag", "--list", name, doing="list the tags")
    return resolve(directory, f"{_REF}{name}") if found.strip() == name else ""


def check_tag(directory: Path, name: str, commit: str, *, making: bool) -> bool:
    """Whether there is a tag of this name at a commit; `making` says that there is to be one.

    Raises `DiagnosticError` where it is at another commit, or could not be made: nothing is changed.
    """
    if making:
        if describe(directory) is None:
            raise DiagnosticError(not_in_repository(directory))
        resolve(directory, commit)
    there = commit_of_tag(directory, name)
    if there and there != commit:
        raise DiagnosticError(
            error(
                "A tag of that name is elsewhere",
                f"The Git tag {name} is at {there[:12]}; what runs was applied from {commit[:12]}.",
                mend="Choose another name, or move the tag: git tag -f " + f"{name} {commit[:12]}",
            )
        )
    return bool(there)


def make_tag(directory: Path, name: str, commit: str, message: str) -> None:
    """Make an annotated tag. Raises `DiagnosticError`."""
    run_git(
        directory, "tag", "--annotate", f"--message={message}", name, commit, doing=f"make the tag {name}"
    )


def remove_tag(directory: Path, name: str) -> None:
    """Take back a tag that was just made. Raises `DiagnosticError`."""
    run_git(directory, "tag", "--delete", name, doing=f"remove the tag {name}")
