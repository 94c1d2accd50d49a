"""Taking states from one backend to another: what was is let go of only when what arrived was read back and is it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from twinfra.cli.backends import Chosen
from twinfra.diagnostics import DiagnosticError, error
from twinfra.state.backends.protocol import DEFAULT_WORKSPACE, Backend
from twinfra.state.comparison import same_content
from twinfra.state.recovery import interrupted
from twinfra.state.store import LockOptions, Store, open_store, read_stored


def migrate(
    source: Backend, target: Backend, lock: LockOptions, approve: Callable[[list[str]], bool]
) -> list[str]:
    """Copy every workspace's state, each under the locks of both; returns the workspaces that were copied.

    `approve` is asked once, with what will be copied in words. Raises `DiagnosticError`; the source is as it was then.
    """
    names = [name for name in source.workspaces() if read_stored(source, name).existed]
    waiting = [name for name in names if not _is_there(source, target, name)]
    if not waiting:
        return []
    said = [f"{source.label(name)} to {target.label(name)}" for name in waiting]
    if not approve(said):
        raise DiagnosticError(
            error("State was not migrated", "It was not approved.", mend="Nothing has changed.")
        )
    for name in waiting:
        if name != DEFAULT_WORKSPACE and name not in target.workspaces():
            target.create(name)
        directory = Path.cwd()
        with (
            open_store(source, name, "init", directory, lock) as old,
            open_store(target, name, "init", directory, lock) as new,
        ):
            _copy(old, new)
    return waiting


def _is_there(source: Backend, target: Backend, name: str) -> bool:
    """Whether the target has this very state already; raises `DiagnosticError` where it has another one."""
    if name not in target.workspaces():
        return False
    old, new = read_stored(source, name), read_stored(target, name)
    if not new.existed:
        return False
    if old.state.lineage == new.state.lineage and same_content(old.state, new.state):
        return True
    if old.state.lineage == new.state.lineage and new.state.serial < old.state.serial:
        return False
    if not new.state.resources and not new.state.outputs and new.state.lineage != old.state.lineage:
        return False
    raise DiagnosticError(
        error(
            "There is another state where this one is to go",
            f"{target.label(name)} holds serial {new.state.serial} of lineage {new.state.lineage}; "
            f"{source.label(name)} holds serial {old.state.serial} of lineage {old.state.lineage}.",
            mend="Use the one that is there (twinfra init -reconfigure), or give the backend another place.",
        )
    )


def _copy(old: Store, new: Store) -> None:
    unfinished = interrupted(old.recovered) if old.recovered is not None else None
    if unfinished is not None:
        raise DiagnosticError(unfinished)
    new.overwrite(replace(old.state), force=True)
    arrived = read_stored(new.backend, new.workspace)
    if arrived.state.lineage != old.state.lineage or not same_content(arrived.state, old.state):
        raise DiagnosticError(
            error(
                "State did not arrive as it was sent",
                f"{new.label} does not hold what {old.label} does, which was left as it is.",
                mend="Look at the new place before anything is applied; then run init again.",
            )
        )


def let_go(chosen: Chosen, copied: list[str]) -> str:
    """Put a local state that was copied aside as a backup; what to say about the old place."""
    path = Path(chosen.settings.get("path") or "terraform.tfstate")
    if chosen.type != "local" or DEFAULT_WORKSPACE not in copied:
        return "The old place still has its copy; delete it when you are sure."
    backup = path.with_name(path.name + ".backup")
    path.replace(backup)
    return f"What was in {path} is now in {backup}."
