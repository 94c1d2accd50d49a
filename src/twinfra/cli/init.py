"""`twinfra init`: check that everything a directory needs is there, before the first plan."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twinfra.cli.asking import approves
from twinfra.cli.automation import is_automated, may_ask
from twinfra.cli.command import UsageProblem, command, flag, value
from twinfra.cli.environment import current, data_of
from twinfra.cli.options import seconds
from twinfra.cli.terminal import Terminal
from twinfra.config.model import Configuration
from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, DiagnosticError, warning

if TYPE_CHECKING:
    from twinfra.state.store import LockOptions


@command("init")
@flag("backend", "set up the backend", default=True)
@value("backend-config", "settings of the backend: NAME=VALUE, or a file of them", multiple=True)
@flag("reconfigure", "use the backend as declared, and leave states where they are")
@flag("migrate-state", "take the states of the backend that was used before along")
@flag("force-copy", "migrate without asking; includes -migrate-state")
@value("var", "a variable that the backend block uses: NAME=VALUE", multiple=True)
@value("var-file", "a file of variables", multiple=True)
@flag("upgrade", "accepted; providers are part of Twinfra and upgraded with it")
@flag("get", "load modules", default=True)
@flag("input", "ask for what is missing", default=True)
@flag("lock", "hold the lock of the state", default=True)
@value("lock-timeout", "how long to wait for the lock, such as 30s", default="0s")
@flag("json", "print JSON")
@flag("no-color", "no colour")
@flag("sandbox", "accepted; the embedded cloud is started when it is needed")
@value("from-module", "begin with a copy of this directory's configuration")
@value("plugin-dir", "accepted; providers are part of Twinfra", multiple=True)
@value(
    "lockfile", "accepted, as readonly; there is no lock file of providers", type=click.Choice(["readonly"])
)
@value("test-directory", "accepted; init reads no tests")
@flag("ignore-remote-version", "accepted; no backend here runs another version of its own")
def init(
    backend: bool,
    backend_config: tuple[str, ...],
    reconfigure: bool,
    migrate_state: bool,
    force_copy: bool,
    var: tuple[str, ...],
    var_file: tuple[str, ...],
    upgrade: bool,
    get: bool,
    input: bool,
    lock: bool,
    lock_timeout: str,
    json: bool,
    no_color: bool,
    sandbox: bool,
    from_module: str | None,
    plugin_dir: tuple[str, ...],
    lockfile: str | None,
    test_directory: str | None,
    ignore_remote_version: bool,
) -> int:
    """Prepare a working directory: check the configuration, its modules, providers and backend.

    Modules are read from where they are and providers are part of Twinfra, so that nothing is downloaded and
    no other command insists on this one.
    """
    from twinfra.cli.providers import needed_providers, refuse_unserved
    from twinfra.cli.workspace import try_configuration
    from twinfra.state.store import LockOptions

    if reconfigure and (migrate_state or force_copy):
        raise UsageProblem(
            "-reconfigure leaves states where they are, -migrate-state takes them along: give one."
        )
    if upgrade and lockfile is not None:
        raise UsageProblem("-upgrade and -lockfile=readonly exclude each other.")
    change = Change(
        backend_config,
        reconfigure,
        migrate_state or force_copy,
        force_copy,
        input and may_ask(),
        LockOptions(lock, seconds(lock_timeout)),
    )
    terminal = Terminal(json, no_color)
    if from_module is not None:
        from twinfra.cli.from_module import copy_module

        for line in copy_module(from_module, Path.cwd()):
            _say(terminal, line)
    configuration, diagnostics = try_configuration()
    if not configuration.files and not diagnostics.has_errors:
        _say(terminal, "This directory holds no configuration yet. Write a *.tf file, then run this again.")
        return 0
    if diagnostics.has_errors:
        terminal.diagnostics(diagnostics)
        return 1
    needed, problems = needed_providers(configuration)
    addresses = set().union(*needed.values())
    problems.extend(refuse_unserved(addresses))
    diagnostics.extend(problems)
    if problems.has_errors:
        terminal.diagnostics(diagnostics)
        return 1
    if backend and backend_config and configuration.root.backend is None:
        diagnostics.extend([_no_block()])
    if backend:
        for line in set_up(configuration, change):
            _say(terminal, line)
    modules = len(configuration.modules) - 1
    _say(terminal, f"Modules:   {modules or 'none'}")
    _say(terminal, "Providers: " + (", ".join(sorted(map(str, addresses))) or "none"))
    terminal.diagnostics(diagnostics)
    done = terminal.style("Ready.", "green", "bold")
    _say(terminal, f"\n{done}" + ("" if is_automated() else ' "twinfra plan" shows what would be made.'))
    return 0


@dataclass(frozen=True, slots=True)
class Change:
    """How to go over to another backend. `ask`: whether somebody may be asked."""

    extra: tuple[str, ...]
    reconfigure: bool
    migrate: bool
    approved: bool
    ask: bool
    lock: LockOptions


def set_up(configuration: Configuration, change: Change) -> list[str]:
    """Go over to the backend that is declared, with its states where that is asked for; what to tell, as lines."""
    from contextlib import ExitStack, suppress

    from twinfra.cli.backends import LOCAL, check_unchanged, forget, read_extra, remember, remembered
    from twinfra.cli.encryption import state_codec
    from twinfra.cli.migration import migrated
    from twinfra.cli.workspace import backend_of, chosen_backend, workspace_name
    from twinfra.state.encryption.backend import encrypted
    from twinfra.state.ledger.known import look_for_ledger

    directory = Path.cwd()
    environment = current()
    data = data_of(environment, directory)
    before = None if change.reconfigure else remembered(data)
    declared = configuration.root.backend
    same_type = before is not None and declared is not None and before.chosen.type == declared.type
    extra = dict(before.extra) if before is not None and same_type else {}
    if change.extra and declared is not None:
        extra |= read_extra(change.extra, declared.type)
    chosen = chosen_backend(configuration, extra)
    codec = state_codec(configuration)
    told: list[str] = []
    with ExitStack() as opened:
        target = encrypted(backend_of(chosen), codec)
        opened.callback(target.close)
        migration = None
        old = before.chosen if before is not None else LOCAL
        if change.migrate and old.digest != chosen.digest:
            source = encrypted(backend_of(old), codec)
            opened.callback(source.close)
            migration = opened.enter_context(
                migrated(source, target, workspace_name(), change.lock, lambda what: _approved(what, change))
            )
        elif not change.reconfigure and not change.migrate:
            check_unchanged(chosen, before, directory, environment)
        target.workspaces()  # so that a place that cannot be reached, or is not there, is told now
        if migration is not None and (migration.left or any(one.old != one.new for one in migration.copied)):
            _work_in_default()
        if chosen == LOCAL:
            forget(data)
        else:
            remember(data, chosen, extra)
            # Where that is not allowed, or not possible, the first command that has a receipt to keep says so.
            with suppress(DiagnosticError):
                look_for_ledger(target, workspace_name())
        if migration is not None and migration.copied:
            names = ", ".join(one.old for one in migration.copied)
            told.append(f"Copied:    {names}, read back and compared. {migration.let_go(old)}")
        if migration is not None and migration.left:
            told.append(
                f"Left:      {', '.join(migration.left)}: the new place keeps one state, "
                "and the old one still has these."
            )
        told.append(f"State:     {target.label(workspace_name())} (workspace {workspace_name()})")
    return told


def _work_in_default() -> None:
    """Where one state is kept there is one workspace."""
    from twinfra.cli.workspace import workspace_name
    from twinfra.state.backends.protocol import DEFAULT_WORKSPACE
    from twinfra.state.workspaces import data_directory, select_workspace, workspace_is_given

    if workspace_name() == DEFAULT_WORKSPACE:
        return
    if workspace_is_given() or current() is not None:
        who = "TF_WORKSPACE" if workspace_is_given() else "The environment in use"
        raise UsageProblem(
            "The new place keeps one state, that of the default workspace. "
            f'{who} names the workspace "{workspace_name()}": change that first.'
        )
    select_workspace(data_directory(Path()), DEFAULT_WORKSPACE)


def _no_block() -> Diagnostic:
    return warning(
        "No backend block",
        "-backend-config gives settings of a backend, and the root module declares none: they have no effect.",
        mend='Write terraform { backend "TYPE" {} } in it, or leave -backend-config out.',
    )


def _approved(what: list[str], change: Change) -> bool:
    if change.approved:
        return True
    if not change.ask:
        raise UsageProblem("Migrating asks first, and -input=false forbids it: give -force-copy.")
    sys.stdout.write("These states will be copied:\n" + "".join(f"  {one}\n" for one in what))
    return approves("\nCopy them? Only 'yes' is taken as approval: ")


def _say(terminal: Terminal, text: str) -> None:
    if terminal.json:
        from twinfra.cli.machine.events import JsonEvents

        JsonEvents(sys.stdout).log(text.strip())
    else:
        terminal.say(text)


COMMANDS = {"init": init}
