"""Submodules of a commit that lies beside the working tree: from the clones that are here, and else fetched.

Nothing is written into those clones: what is put beside borrows their objects.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from twinfra.diagnostics import DiagnosticError, error
from twinfra.environments.git import ask_git, run_git

_LINK = "160000"
"""The mode of a submodule in an index."""
_BARE = ("--git-dir=.", "--work-tree=.")
"""Asked in Git's own directory of a clone, whose working tree may be gone."""


def add_submodules(top: Path, source: Path, commit: str) -> None:
    """Put its submodules, and theirs, into a working tree. Raises `DiagnosticError` where one cannot be fetched.

    `source` is the working tree of today; `commit` is the one at `top`, for messages.
    """
    told = (
        ask_git(source, "rev-parse", "--absolute-git-dir", "--path-format=absolute", "--git-common-dir") or ""
    )
    left = list(_add_those_here(top, source, [Path(one) for one in dict.fromkeys(told.splitlines())]))
    if not left:
        return
    try:
        run_git(
            top,
            *("submodule", "update", "--init", "--recursive", "--quiet", "--", *left),
            doing=f"fetch the submodules of {commit[:12]}",
        )
    except DiagnosticError as failed:
        names = ", ".join(left)
        raise DiagnosticError(
            error(
                "Submodules cannot be fetched",
                f"{failed.diagnostics[0].detail} It is about what {commit[:12]} has at {names}.",
                mend="Fetch it in this clone, then nothing is asked for: git submodule update --init --recursive, "
                "and git fetch in the submodule.",
            )
        ) from None


def _add_those_here(tree: Path, beside: Path, homes: Iterable[Path]) -> Iterator[str]:
    """Add the submodules of a tree whose commits are here; the paths of all others.

    `beside` is what the tree is today, which may be nothing; `homes` are Git's own directories of it.
    """
    names = _names(tree)
    if not names:
        return
    listed = run_git(tree, "ls-files", "--stage", "-z", "--", *names, doing="list the submodules")
    for entry in listed.split("\0"):
        facts, _, path = entry.partition("\t")
        mode, _, rest = facts.partition(" ")
        if mode != _LINK or path not in names:
            continue
        commit = rest.partition(" ")[0]
        places = [one / "modules" / names[path] for one in homes]
        clone = _clone_with(commit, beside / path, places)
        if clone is None or not _check_out(tree / path, clone, commit):
            yield path
            continue
        for further in _add_those_here(tree / path, beside / path, [clone]):
            run_git(
                tree / path,
                *("submodule", "update", "--init", "--recursive", "--quiet", "--", further),
                doing=f"fetch the submodule {path}/{further}",
            )


def _names(tree: Path) -> dict[str, str]:
    """The names of the declared submodules, by their paths."""
    if not (tree / ".gitmodules").is_file():
        return {}
    pattern = r"^submodule\..*\.path$"
    told = ask_git(tree, "config", "-z", "--file", ".gitmodules", "--get-regexp", pattern) or ""
    pairs = (one.partition("\n") for one in told.split("\0") if one)
    return {path: key.removeprefix("submodule.").removesuffix(".path") for key, _, path in pairs}


def _clone_with(commit: str, beside: Path, places: Iterable[Path]) -> Path | None:
    """Git's own directory of a clone that has the commit."""
    if (beside / ".git").exists():
        own = ask_git(beside, "rev-parse", "--absolute-git-dir")
        places = [*([Path(own)] if own else []), *places]
    for place in places:
        if place.is_dir() and ask_git(place, *_BARE, "cat-file", "-e", f"{commit}^{{commit}}") is not None:
            return place
    return None


def _check_out(target: Path, clone: Path, commit: str) -> bool:
    """Put a commit of a clone into a directory; False where the clone has not all of it."""
    kind = ask_git(clone, *_BARE, "rev-parse", "--show-object-format") or "sha1"
    objects = ask_git(clone, *_BARE, "rev-parse", "--path-format=absolute", "--git-path", "objects") or ""
    try:
        target.mkdir(parents=True, exist_ok=True)
        run_git(
            target,
            *("init", "--quiet", "--template=", f"--object-format={kind}"),
            doing="make room for a submodule",
        )
        (target / ".git/objects/info").mkdir(exist_ok=True)
        (target / ".git/objects/info/alternates").write_text(f"{objects}\n", encoding="utf-8")
        run_git(
            target,
            *("-c", f"core.hooksPath={os.devnull}", "checkout", "--quiet", "--detach", commit),
            doing=f"check out {commit[:12]}",
        )
    except (DiagnosticError, OSError):
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(exist_ok=True)
        return False
    return True
