"""`twinfra fingerprint`: the digests of the code, of its inputs, and of the state that came of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from twinfra.cli.command import command, flag, value

if TYPE_CHECKING:
    from twinfra.config.model import Configuration
    from twinfra.diagnostics import Diagnostic
    from twinfra.environments.fingerprint import Code, Fingerprint, Key
    from twinfra.state.backends.protocol import Backend
    from twinfra.state.model import State
    from twinfra.values.value import Value


def secrets_key(backend: Backend, workspace: str) -> Key:
    """The key under which secrets of a workspace are hashed: beside its state, so that all who share it have the same.

    Without a project, and where nothing is beside the state yet, nothing is put there; nor can it be where the
    backend has no place for it. Then the key is in the data directory. Raises `DiagnosticError`.
    """
    from twinfra.cli.environment import current, data_of, project
    from twinfra.environments.fingerprint import local_key, shared_key
    from twinfra.state.backends.records import keeps_records, records_of

    if keeps_records(backend) and (project() is not None or records_of(backend).list_records(workspace)):
        return shared_key(backend, workspace)
    return local_key(data_of(current(), Path.cwd()))


def check_something(configuration: Configuration) -> None:
    """Raise `DiagnosticError` where there is no configuration at all: most likely it is another directory."""
    from twinfra.diagnostics import DiagnosticError, error

    if not configuration.files:
        raise DiagnosticError(
            error(
                "No configuration",
                "There is no .tf or .tf.json file here.",
                mend="Work in another directory (-chdir=DIR).",
            )
        )


@command("fingerprint")
@flag("json", "print JSON: the three digests")
@flag("no-color", "no colour")
@flag("sandbox", "accepted; no cloud is called")
@value("var", "a variable: NAME=VALUE", multiple=True)
@value("var-file", "a file of variables", multiple=True)
def fingerprint(
    json: bool, no_color: bool, sandbox: bool, var: tuple[str, ...], var_file: tuple[str, ...]
) -> None:
    """Show the digests of the code, of the inputs, and of the state."""
    from twinfra.cli.environment import project
    from twinfra.cli.terminal import Terminal
    from twinfra.cli.workspace import (
        connect_backend,
        load_configuration,
        make_providers,
        root_inputs,
        workspace_name,
    )
    from twinfra.environments.fingerprint import fingerprint_of, read_code, volatile_rules
    from twinfra.state.model import State
    from twinfra.state.store import current_state

    rules = volatile_rules(project())
    configuration = load_configuration()
    check_something(configuration)
    inputs, found = root_inputs(configuration, var, var_file, ask=False)
    backend = connect_backend(configuration)
    providers = make_providers(False, configuration)
    try:
        name = workspace_name()
        state = current_state(backend, name)[0] or State()
        code = read_code(configuration)
        key = secrets_key(backend, name)
        made = fingerprint_of(
            configuration, code, inputs, state, providers, workspace=name, key=key, volatile=rules
        )
    finally:
        providers.close()
        backend.close()
    terminal = Terminal(False, no_color)
    if json:
        from json import dumps

        print(dumps(made.document()))
        return
    found.extend(_uncovered(code))
    terminal.diagnostics(found)
    terminal.say(_text(made, configuration, code, inputs, state))


def _uncovered(code: Code) -> list[Diagnostic]:
    from twinfra.diagnostics import warning

    return [
        warning(
            "File not covered",
            f"Which file {function} reads here is known only when it is evaluated, so its content is no part of "
            "the digest of the code.",
            place,
            mend="Build the path from literals, path.module, path.root and local values of such.",
        )
        for function, place in code.uncovered
    ]


def _text(
    made: Fingerprint, configuration: Configuration, code: Code, inputs: Mapping[str, Value], state: State
) -> str:
    from twinfra import __version__
    from twinfra.addresses import MANAGED

    instances = sum(
        len(one.instances) for address, one in state.resources.items() if address.resource.mode == MANAGED
    )
    modules = len(configuration.modules)
    places = dict.fromkeys(
        "/".join(found[name] for name in ("account", "region") if found.get(name))
        for found in state.identities.values()
    )
    clouds = ", ".join(filter(None, places)) or "no cloud yet"
    given = sum(1 for name in inputs if name in configuration.root.variables)
    lines = [
        ("code", made.code, f"{_count(modules, 'module')}, Twinfra {__version__}"),
        ("inputs", made.inputs, f"{_count(given, 'variable')} given, {clouds}"),
        (
            "state",
            made.state,
            f"{_count(instances, 'resource instance')}, {_count(len(state.outputs), 'output')}",
        ),
    ]
    return "".join(f"{name:<6} {digest}\n       {about}\n" for name, digest, about in lines).rstrip("\n")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


COMMANDS = {"fingerprint": fingerprint}
