"""`twinfra init`: check that everything a directory needs is there, before the first plan."""

from __future__ import annotations

import sys

from twinfra.cli.command import UsageProblem, command, flag, value
from twinfra.cli.options import seconds
from twinfra.cli.terminal import Terminal


@command("init")
@flag("backend", "set up the backend", default=True)
@value("backend-config", "a setting of the backend; not needed by the local one", multiple=True)
@flag("reconfigure", "do not compare with the backend that was used before")
@flag("upgrade", "accepted; providers are part of Twinfra and upgraded with it")
@flag("get", "load modules", default=True)
@flag("input", "ask for what is missing", default=True)
@flag("lock", "hold the lock of the state", default=True)
@value("lock-timeout", "how long to wait for the lock, such as 30s", default="0s")
@flag("json", "print JSON")
@flag("no-color", "no colour")
@flag("sandbox", "accepted; the embedded cloud is started when it is needed")
def init(
    backend: bool,
    backend_config: tuple[str, ...],
    reconfigure: bool,
    upgrade: bool,
    get: bool,
    input: bool,
    lock: bool,
    lock_timeout: str,
    json: bool,
    no_color: bool,
    sandbox: bool,
) -> int:
    """Prepare a working directory: check the configuration, its modules, providers and backend.

    Modules are read from where they are and providers are part of Twinfra, so that nothing is downloaded and
    no other command insists on this one.
    """
    from twinfra.cli.providers import needed_providers, refuse_unserved
    from twinfra.cli.workspace import connect_backend, try_configuration, workspace_name

    seconds(lock_timeout)
    if backend_config:
        raise UsageProblem(
            "-backend-config: the local backend takes its settings from the backend block only."
        )
    terminal = Terminal(json, no_color)
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
    if backend:
        connected = connect_backend(configuration)
        try:
            label = connected.label(workspace_name())
        finally:
            connected.close()
        _say(terminal, f"State:     {label} (workspace {workspace_name()})")
    modules = len(configuration.modules) - 1
    _say(terminal, f"Modules:   {modules or 'none'}")
    _say(terminal, "Providers: " + (", ".join(sorted(map(str, addresses))) or "none"))
    terminal.diagnostics(diagnostics)
    done = terminal.style("Ready.", "green", "bold")
    _say(terminal, f'\n{done} "twinfra plan" shows what would be made.')
    return 0


def _say(terminal: Terminal, text: str) -> None:
    if terminal.json:
        from twinfra.cli.machine.events import JsonEvents

        JsonEvents(sys.stdout).log(text.strip())
    else:
        terminal.say(text)


COMMANDS = {"init": init}
