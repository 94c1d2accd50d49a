"""Taking states from one backend to another: what was is let go of only when what arrived was read back and is it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from twinfra.cli.backends import Chosen
from twinfra.cli.terminal import print_diagnostics
from twinfra.cli.workspaces import make
from twinfra.dataclass import dataclass
from twinfra.diagnostics import DiagnosticError, error
from twinfra.state.backends.protocol import DEFAULT_WORKSPACE, Backend
from twinfra.state.comparison import same_content
from twinfra.state.ledger.moving import copy_records
from twinfra.state.model import State
from twinfra.state.recovery import interrupted
from twinfra.state.store import LockOptions, Store, open_store, read_stored


@dataclass(frozen=True, slots=True)
class Route:
    """The workspace that a state comes from, and the one that it goes to."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Migration:
    """What was copied, and the workspaces whose states stay where they were since the new place keeps one state."""

    source: Backend
    copied: tuple[Route, ...]
    left: tuple[str, ...]
    versions: dict[str, str]

    def let_go(self, chosen: Chosen) -> str:
        """Put a local state that was copied aside as a backup; what to say about the old place.

        To be called when the new place is noted. A state that changed after it was copied is left alone.
        """
        kept = "The old place still has its copy; delete it when you are sure."
        if chosen.type != "local" or DEFAULT_WORKSPACE not in self.versions:
            return kept
        now = self.source.read(DEFAULT_WORKSPACE)
        if now is None or now.version != self.versions[DEFAULT_WORKSPACE]:
            return kept
        path = Path(chosen.settings.get("path") or "terraform.tfstate")
        backup = path.with_name(path.name + ".backup")
        path.replace(backup)
        others = "" if len(self.versions) == 1 else " The old copies of other workspaces are where they were."
        return f"What was in {path} is now in {backup}.{others}"


@contextmanager
def migrated(
    source: Backend,
    target: Backend,
    workspace: str,
    lock: LockOptions,
    approve: Callable[[list[str]], bool],
) -> Iterator[Migration]:
    """Copy every workspace's state, read each back and compare; the locks of both are held until the end.

    `workspace`: the one in use, which alone is copied to a backend that keeps one state. `approve` is asked once,
    with what will be copied in words. Raises `DiagnosticError`; the source is as it was then.
    """
    routes, left = _routes(source, target, workspace)
    waiting = [one for one in routes if not _is_there(source, target, one)]
    said = [f"{source.label(one.old)} to {target.label(one.new)}" for one in waiting]
    if waiting and not approve(said):
        raise DiagnosticError(
            error("State was not migrated", "It was not approved.", mend="Nothing has changed.")
        )
    directory = Path.cwd()
    with ExitStack() as locks:
        # All of the old place first: where both are one database, its lock for new workspaces is one, too.
        old = [locks.enter_context(open_store(source, one.old, "init", directory, lock)) for one in waiting]
        for store in old:
            unfinished = interrupted(store.recovered) if store.recovered is not None else None
            if unfinished is not None:
                raise DiagnosticError(unfinished)
        new = []
        for one in waiting:
            if one.new != DEFAULT_WORKSPACE and one.new not in target.workspaces():
                target.create(one.new)
            new.append(locks.enter_context(open_store(target, one.new, "init", directory, lock)))
        left_behind = []
        for here, there in zip(old, new, strict=True):
            problem = copy_records(here.backend, here.workspace, there.backend, there.workspace)
            left_behind += [problem] if problem is not None else []
            _copy(here, there)
        print_diagnostics(left_behind)
        for name in _empty(source, target):
            make(target, name, lock)
        versions = {one.old: store.version for one, store in zip(waiting, old, strict=True)}
        yield Migration(source, tuple(waiting), left, versions)


def _routes(source: Backend, target: Backend, workspace: str) -> tuple[list[Route], tuple[str, ...]]:
    """Which state goes where, and the workspaces that are left: those that the target has no place for."""
    names = [name for name in source.workspaces() if read_stored(source, name).existed]
    if target.label("other") != target.label(DEFAULT_WORKSPACE):
        return [Route(name, name) for name in names], ()
    left = tuple(name for name in names if name != workspace)
    return ([Route(workspace, DEFAULT_WORKSPACE)] if workspace in names else []), left


def _empty(source: Backend, target: Backend) -> list[str]:
    """The workspaces in which nothing was stored yet, and that the target has a place for but does not know."""
    if target.label("other") == target.label(DEFAULT_WORKSPACE):
        return []
    there = target.workspaces()
    return [
        name for name in source.workspaces() if name not in there and not read_stored(source, name).existed
    ]


def _is_there(source: Backend, target: Backend, route: Route) -> bool:
    """Whether the target has this very state already; raises `DiagnosticError` where it has another one."""
    new = read_stored(target, route.new)
    if not new.existed:
        return False
    old = read_stored(source, route.old)
    return _is_same(old.state, source.label(route.old), new.state, target.label(route.new))


def _is_same(old: State, source: str, new: State, target: str) -> bool:
    if old.lineage == new.lineage and same_content(old, new):
        return True
    if old.lineage == new.lineage and new.serial < old.serial:
        return False
    if not new.resources and not new.outputs and new.lineage != old.lineage:
        return False
    raise DiagnosticError(
        error(
            "There is another state where this one is to go",
            f"{target} holds serial {new.serial} of lineage {new.lineage}; "
            f"{source} holds serial {old.serial} of lineage {old.lineage}.",
            mend="Use the one that is there (twinfra init -reconfigure), or give the backend another place.",
        )
    )


def _copy(old: Store, new: Store) -> None:
    # Looked at again: it may have been written between the question and the lock.
    if new.existed and _is_same(old.state, old.label, new.state, new.label):
        return
    new.overwrite(old.state, force=True)
    arrived = read_stored(new.backend, new.workspace).state
    if (arrived.lineage, arrived.serial) != (old.state.lineage, old.state.serial) or not same_content(
        arrived, old.state
    ):
        raise DiagnosticError(
            error(
                "State did not arrive as it was sent",
                f"{new.label} does not hold what {old.label} does, which was left as it is.",
                mend="Look at the new place before anything is applied; then run init again.",
            )
        )
