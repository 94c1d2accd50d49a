"""What Git knows of a directory: its commit, its branch, what is not committed; and what commits say.

Asks the git command, and changes nothing. A directory outside of any repository has no facts.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, DiagnosticError, error, nearest

_BY_PRODUCTS = re.compile(
    r"(?:.*/)?(?:\.terraform/|\.twinfra/|terraform\.tfstate\.d/|[^/]*\.tfstate(?:$|[./])|\.[^/]*\.lock\.info$|"
    r"\.[^/]*\.tfstate\.(?:journal$|receipts/)|\.terraform\.lock\.hcl$)"
)
"""What commands themselves put into a working directory; that it is not committed says nothing of the code."""
_OF_HOOKS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
_UNIT, _MESSAGE_FIELDS = "\x1f", 6


@dataclass(frozen=True, slots=True)
class GitFacts:
    """What a directory is at.

    `top` is the root of the working tree, `prefix` the directory within it (`.` for the root itself). `commit` is
    empty before the first commit, `branch` where the head is detached. `changes`: paths from `top` that differ from
    the commit or are not in it, without what `.gitignore` leaves out and what commands of ours leave behind.
    """

    top: Path
    prefix: Path
    commit: str
    branch: str
    subject: str
    changes: tuple[str, ...]
    shallow: bool

    @property
    def dirty(self) -> bool:
        """Whether the files are not those of the commit."""
        return bool(self.changes)


@dataclass(frozen=True, slots=True)
class Commit:
    """What a commit says. Times are RFC 3339 with the committer's own offset."""

    id: str
    author: str
    email: str
    time: str
    subject: str
    message: str


def describe(directory: Path) -> GitFacts | None:
    """The facts of a directory; None outside of a repository, or where there is no git command.

    Raises `DiagnosticError` where git refuses to say, such as for a repository that belongs to another user.
    """
    where = _run(directory, "rev-parse", "--show-toplevel", "--is-shallow-repository", "--show-prefix")
    if where is None:
        return None
    top, shallow, prefix = (*where.split("\n"), "", "")[:3]
    if not top:
        return None
    status = _run(
        directory, "status", "--porcelain=v2", "--branch", "--untracked-files=all", "-z", "--no-renames"
    )
    commit = branch = ""
    changes = []
    for line in (status or "").split("\0"):
        if line.startswith("# branch.oid "):
            commit = line.removeprefix("# branch.oid ").replace("(initial)", "")
        elif line.startswith("# branch.head "):
            branch = line.removeprefix("# branch.head ").replace("(detached)", "")
        elif line.startswith("? "):
            if not _BY_PRODUCTS.match(line[2:]):
                changes.append(line[2:])
        elif line[:2] in ("1 ", "u "):
            changes.append(line.split(" ", 8 if line[0] == "1" else 10)[-1])
    subject = _run(directory, "log", "-1", "--no-show-signature", "--format=%s") if commit else ""
    return GitFacts(
        Path(top),
        Path(prefix or "."),
        commit,
        branch,
        (subject or "").strip(),
        tuple(sorted(changes)),
        shallow == "true",
    )


def read_commits(directory: Path, ids: Iterable[str]) -> dict[str, Commit]:
    """Those of these commits (by full ID) that the repository has; empty outside of one.

    One process, however many there are. Raises `DiagnosticError`.
    """
    wanted = sorted({id for id in ids if _is_id(id)})
    if not wanted:
        return {}
    fields = "%H%x1f%an%x1f%ae%x1f%cI%x1f%s%x1f%B"
    found = _run(
        directory,
        *("log", "-z", "--no-show-signature", "--no-walk=unsorted", "--ignore-missing", "--stdin"),
        f"--format={fields}",
        given="".join(f"{id}\n" for id in wanted),
    )
    commits = {}
    for text in (found or "").split("\0"):
        parts = text.split(_UNIT, _MESSAGE_FIELDS - 1)
        if len(parts) == _MESSAGE_FIELDS:
            id, author, email, time, subject, message = parts
            commits[id] = Commit(id, author, email, time, subject, message.strip())
    # Without anything to show, the command shows what is checked out.
    return {id: commits[id] for id in wanted if id in commits}


def resolve(directory: Path, revision: str) -> str:
    """The full ID of the commit that a branch, a tag, an abbreviated ID or such names.

    Raises `DiagnosticError` where the repository has no such commit, with what would fetch it.
    """
    found = _run(
        directory,
        "rev-parse",
        "--verify",
        "--quiet",
        "--end-of-options",
        f"{revision}^{{commit}}",
        quiet=True,
    )
    if found and _is_id(id := found.strip().rpartition("\n")[2]):
        return id
    facts = describe(directory)
    raise DiagnosticError(
        not_in_repository(directory) if facts is None else _no_commit(directory, revision, facts)
    )


def is_ancestor(directory: Path, older: str, newer: str) -> bool:
    """Whether one commit is in the history of another, or is it; False also where that cannot be told."""
    return _run(directory, "merge-base", "--is-ancestor", older, newer, quiet=True) is not None


def branch_refs(directory: Path, branch: str) -> list[str]:
    """The references that a branch has in this clone: its own, and those of remotes. Raises `DiagnosticError`."""
    found = _run(
        directory, "for-each-ref", "--format=%(refname)", f"refs/heads/{branch}", f"refs/remotes/*/{branch}"
    )
    return (found or "").split()


def ask_git(directory: Path, *arguments: str) -> str | None:
    """What a git command prints that changes nothing; None where it fails, for whatever reason."""
    return _run(directory, *arguments, quiet=True)


def run_git(directory: Path, *arguments: str, doing: str) -> str:
    """Run a git command that changes something; what it printed. `doing` says what for, in messages.

    Raises `DiagnosticError` where it fails, or there is no git command.
    """
    try:
        done = _process(directory, arguments, None)
    except FileNotFoundError:
        raise DiagnosticError(
            error(
                "No git command",
                f"The git command is needed to {doing}, and there is none on the PATH.",
                mend="Install Git.",
            )
        ) from None
    if done.returncode:
        said = _said(done)
        raise DiagnosticError(error("Git failed", f"Git could not {doing}: {said}"))
    return _text(done.stdout)


def not_in_repository(directory: Path) -> Diagnostic:
    """Says that a directory is in no repository."""
    return error(
        "Not in a Git repository",
        f"{directory.absolute()} is not in a Git repository, so that it has no commits.",
        mend="Work in a clone of the repository that the configuration comes from, with git on the PATH.",
    )


def _no_commit(directory: Path, revision: str, facts: GitFacts) -> Diagnostic:
    names = (_run(directory, "for-each-ref", "--format=%(refname:short)") or "").split()
    near = nearest(revision, names)
    if facts.shallow:
        mend = (
            "This clone is shallow, so that it lacks older commits. Fetch them: git fetch --unshallow --tags"
        )
    else:
        mend = f"{near} If it is in another clone: git fetch --all --tags".strip()
    return error("No such commit", f'The repository in {facts.top} has no commit "{revision}".', mend=mend)


def _is_id(text: str) -> bool:
    return re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", text) is not None


def _run(directory: Path, *arguments: str, given: str | None = None, quiet: bool = False) -> str | None:
    """What a git command prints; None where it cannot be asked here, or with `quiet` where it fails."""
    try:
        done = _process(directory, arguments, given)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if done.returncode == 0:
        return _text(done.stdout)
    said = _said(done)
    if quiet or "not a git repository" in said or "must be run in a work tree" in said:
        return None
    ours = "dubious ownership" in said
    raise DiagnosticError(
        error(
            "Git does not tell about this directory",
            f"git {arguments[0]} failed in {directory.absolute()}: {said}",
            mend="Make the repository belong to the user of this process, or trust it: git config --global --add "
            f"safe.directory {directory.absolute()}"
            if ours
            else "",
        )
    )


def _process(
    directory: Path, arguments: Sequence[str], given: str | None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["git", *arguments],
        cwd=directory,
        env={**_environment(), "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"},
        input=b"" if given is None else given.encode(),
        capture_output=True,
        check=False,
    )


def _environment() -> dict[str, str]:
    """The environment without what a hook of a repository is given: that is of another directory, or an index."""
    return {name: value for name, value in os.environ.items() if name not in _OF_HOOKS}


def _text(output: bytes) -> str:
    return output.decode("utf-8", "replace").rstrip("\n")


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = [line.strip() for line in _text(done.stderr).splitlines() if line.strip()]
    return " ".join(lines[:3])[:400].removeprefix("fatal: ") or f"exit code {done.returncode}"
