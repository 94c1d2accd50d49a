"""A commit materialised beside today's working tree, so that its configuration can be planned against today's state.

    with materialised(Path.cwd(), "v1.9") as checkout:          # a temporary Git worktree, removed at the end
        with work(options, "rollback", at=checkout) as run:     # cli.running: today's state, that commit's code
            result = make_plan(run, "normal", {})

`work(..., at=checkout)` opens the state that the working directory has today (its backend, its workspace, its lock,
its keys), then reads configuration, variables and files from the checkout. Of an environment, where its state is and
what protects it are as declared today; its variables and files of variables are those of the commit.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from twinfra.config.inputs import automatic_files
from twinfra.dataclass import dataclass
from twinfra.diagnostics import DiagnosticError, error
from twinfra.environments.declaration import Environment, load_project
from twinfra.environments.git import GitFacts, describe, not_in_repository, read_commits, resolve, run_git
from twinfra.environments.submodules import add_submodules

_PREFIX = "twinfra-checkout-"
_OURS = re.compile(rf"{_PREFIX}(\d+)-\w+")


@dataclass(frozen=True, slots=True)
class Checkout:
    """A commit on disk.

    `directory` is what the working directory `source` is in the commit, `top` and `source_top` the roots of both
    trees. `commit` is its full ID, `subject` the first line of its message. `now` is what `source` is at. `borrowed`
    are files of variables that Git does not have, taken as they are today.
    """

    commit: str
    subject: str
    directory: Path
    top: Path
    source: Path
    source_top: Path
    now: GitFacts
    borrowed: tuple[str, ...] = ()

    @property
    def facts(self) -> GitFacts:
        """What the checkout is at, for receipts."""
        return GitFacts(self.top, self.now.prefix, self.commit, "", self.subject, (), self.now.shallow)


@contextmanager
def materialised(directory: Path, revision: str) -> Iterator[Checkout]:
    """Put the commit that `revision` names into a temporary Git worktree, removed at the end.

    `directory` lies in a repository; nothing in it, its index or its branches changes. Raises `DiagnosticError`
    where it does not, where the commit is not there, or does not have that directory.
    """
    source = directory.resolve()
    now = describe(source)
    if now is None:
        raise DiagnosticError(not_in_repository(source))
    commit = resolve(source, revision)
    subject = read_commits(source, [commit])[commit].subject
    _remove_abandoned(source)
    base = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-")).resolve()
    top = base / now.top.name
    try:
        # Hooks of the repository are for people's own work.
        run_git(
            source,
            *(
                "-c",
                f"core.hooksPath={os.devnull}",
                "worktree",
                "add",
                "--quiet",
                "--detach",
                str(top),
                commit,
            ),
            doing=f"check out {commit[:12]}",
        )
        add_submodules(top, now.top, commit)
        target = top / now.prefix
        if not target.is_dir():
            raise DiagnosticError(
                error(
                    "No such directory in that commit",
                    f'The commit {commit[:12]} ("{subject}") has no directory {now.prefix}.',
                    mend="Name a commit in which the configuration lies where it lies today.",
                )
            )
        borrowed = tuple(_borrow(source, target))
        yield Checkout(commit, subject, target, top, source, now.top, now, borrowed)
    finally:
        _remove(source, top)


def environment_then(checkout: Checkout, today: Environment) -> Environment:
    """An environment for a run of a commit: inputs as the commit declares them, all else as declared today.

    Where the commit does not declare it, the inputs too are today's. Raises `DiagnosticError` where the commit's
    file cannot be read.
    """
    project = load_project(checkout.directory)
    then = project.environments.get(today.name) if project is not None else None
    if then is None:
        return replace(today, var_files=tuple(_then(checkout, one) for one in today.var_files))
    return replace(
        then,
        var_files=tuple(_there(checkout, one) for one in then.var_files),
        backend=today.backend,
        workspace=today.workspace,
        sandbox=today.sandbox,
        accounts=today.accounts,
        regions=today.regions,
        branch=today.branch,
        protection=today.protection,
    )


def _then(checkout: Checkout, path: Path) -> Path:
    """A file of today's tree in the commit, if the commit has it."""
    if path.is_relative_to(checkout.source_top):
        counterpart = checkout.top / path.relative_to(checkout.source_top)
        if counterpart.exists():
            return counterpart
    return path


def _there(checkout: Checkout, path: Path) -> Path:
    """A file that a commit names; today's, where Git does not have it, as it should be with secrets."""
    if not path.exists() and path.is_relative_to(checkout.top):
        today = checkout.source_top / path.relative_to(checkout.top)
        if today.exists():
            return today
    return path


def _borrow(source: Path, target: Path) -> Iterator[str]:
    """Link the files of variables that are read by themselves and that Git does not have; their names."""
    names = [path.name for path in automatic_files(source) if not (target / path.name).exists()]
    if not names:
        return
    untracked = run_git(
        source, "ls-files", "-z", "--others", "--", *names, doing="list what is not committed"
    )
    for name in sorted(set(untracked.split("\0")) & set(names)):
        (target / name).symlink_to(source / name)
        yield name


def _remove(source: Path, top: Path) -> None:
    """Remove a worktree of ours. Those of others that are not there just now, as on a drive, stay known to Git."""
    shutil.rmtree(top.parent, ignore_errors=True)
    with suppress(DiagnosticError):
        run_git(source, "worktree", "remove", "--force", "--force", str(top), doing="forget a worktree")


def _remove_abandoned(source: Path) -> None:
    """Remove the worktrees of processes of ours that were killed."""
    listed = run_git(source, "worktree", "list", "--porcelain", doing="list the worktrees")
    for line in listed.splitlines():
        path = Path(line.removeprefix("worktree "))
        match = _OURS.fullmatch(path.parent.name) if line.startswith("worktree ") else None
        if match is not None and not _runs(int(match[1])):
            _remove(source, path)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
