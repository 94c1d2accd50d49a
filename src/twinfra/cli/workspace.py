"""Where a command works: the configuration of the directory, its inputs, its state's backend, its providers."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import copy_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinfra.addresses import BUILTIN_PROVIDER, ProviderAddress
from twinfra.cli.asking import answer, somebody_there
from twinfra.cli.command import UsageProblem
from twinfra.cli.environment import (
    current,
    data_of,
    declared_inputs,
    permitted_of,
    variable_options,
    workspace_of,
)
from twinfra.config.model import Configuration
from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, DiagnosticError, Diagnostics
from twinfra.engine.providers import Providers
from twinfra.engine.stop import Stop
from twinfra.state.backends.protocol import Backend, Place
from twinfra.state.locks import LockInfo
from twinfra.state.model import State
from twinfra.state.store import LockOptions, Store, current_state, open_store
from twinfra.state.workspaces import current_workspace, data_directory

if TYPE_CHECKING:
    from twinfra.cli.backends import Chosen
    from twinfra.engine.planfile import SavedPlan
    from twinfra.providers.permitted import Permitted
    from twinfra.providers.protocol import Provider
    from twinfra.state.encryption.codec import Codec
    from twinfra.state.journal import Journal
    from twinfra.values.value import Value

AWS = ProviderAddress("aws")


# -- configuration and inputs


def try_configuration(misfits: bool = True) -> tuple[Configuration, Diagnostics]:
    """The configuration of the working directory, and what is wrong with it; see `config.installer.load`."""
    from twinfra.config.installer import load

    return load(Path(), misfits=misfits)


def load_configuration(misfits: bool = True) -> Configuration:
    """The configuration of the working directory; raises `DiagnosticError` where it has errors."""
    configuration, found = try_configuration(misfits)
    found.raise_errors()
    return configuration


def saved_configuration(saved: SavedPlan | None) -> tuple[Configuration, Diagnostics]:
    """The configuration inside a saved plan, else that of the working directory, with its warnings.

    Raises `DiagnosticError` where it has errors, but for misfits; see `fitting_inputs`.
    """
    if saved is not None:
        return saved.configuration, Diagnostics()
    configuration, found = try_configuration(misfits=False)
    found.raise_errors()
    return configuration, found


def root_inputs(
    configuration: Configuration,
    var: tuple[str, ...],
    var_file: tuple[str, ...],
    *,
    ask: bool,
    partial: bool = False,
    order: Sequence[tuple[str, str]] | None = None,
) -> tuple[dict[str, Value], Diagnostics]:
    """The values given for the root module's variables, and warnings about them.

    `order`: the options of the command in their order, where they are not those that were given.

    A variable that has no value is asked for when `ask` says so and somebody is there; else it is an error,
    unless `partial` says that missing ones do not matter. Raises `DiagnosticError`.
    """
    from twinfra.config.inputs import missing_value, missing_variables, parse_input

    options = variable_options() if order is None else order
    inputs, found = given_inputs(configuration, var, var_file, options)
    found.raise_errors()
    missing = [] if partial else missing_variables(configuration, inputs)
    if missing and ask and somebody_there():
        for variable in missing:
            sys.stdout.write(f"var.{variable.name}\n")
            if variable.description:
                sys.stdout.write(f"  {variable.description}\n")
            line = answer("\n  Enter a value: ")
            if not line:
                break
            value, wrong = parse_input(variable, line.rstrip("\n"), "the answer to the prompt")
            wrong.raise_errors()
            inputs[variable.name] = value
            sys.stdout.write("\n")
    unanswered = [variable for variable in missing if variable.name not in inputs]
    if unanswered:
        raise DiagnosticError([*found, *map(missing_value, unanswered)])
    return inputs, found


def fitting_inputs(
    configuration: Configuration,
    warnings: Diagnostics,
    var: tuple[str, ...],
    var_file: tuple[str, ...],
    *,
    ask: bool,
    order: Sequence[tuple[str, str]] | None,
) -> dict[str, Value]:
    """What `root_inputs` gives, of a configuration whose misfits were not told yet.

    Its warnings are added to those that are known already. Raises `DiagnosticError`, with these among the errors.
    """
    from twinfra.config.installer import misfits_of

    try:
        inputs, found = root_inputs(configuration, var, var_file, ask=ask, order=order)
    except DiagnosticError as failed:
        raise DiagnosticError([*warnings, *failed.diagnostics]) from None
    warnings.extend(found)
    misfits = misfits_of(configuration)
    if misfits:
        raise DiagnosticError([*warnings, *misfits])
    return inputs


def given_inputs(
    configuration: Configuration,
    var: Sequence[str] = (),
    var_file: Sequence[str] = (),
    order: Sequence[tuple[str, str]] = (),
) -> tuple[dict[str, Value], Diagnostics]:
    """The values that are given for the root module's variables, the environment's among them, and problems.

    Nobody is asked. See `config.inputs.collect_inputs`. Raises `DiagnosticError` for an unknown environment.
    """
    from twinfra.config.inputs import collect_inputs

    declared = declared_inputs(current())
    return collect_inputs(configuration, Path(), var, var_file, os.environ, order, declared)


# -- providers


def make_providers(
    sandbox: bool = False, configuration: Configuration | None = None, directory: Path | None = None
) -> Providers:
    """Where commands get providers from. With `sandbox`, or in an environment that is declared so, those of a
    cloud talk to the embedded one, which is started when the first is needed. `configuration` says how states of
    others are encrypted, `directory` where states of others and the sandbox lie: the working directory where not
    given. Raises `DiagnosticError` for an unknown environment.
    """
    environment = current()
    permitted = permitted_of(environment, sandbox)
    sandbox = sandbox or (environment is not None and environment.sandbox)
    own = own_providers(configuration, directory, permitted)

    if not sandbox:
        return Providers(own)
    variables: list[dict[str, str]] = []

    def create(address: ProviderAddress) -> Provider:
        if address != AWS:
            return own(address)
        from twinfra.providers.aws import AwsProvider
        from twinfra.sandbox import server

        if not variables:
            kept = {name: value for name, value in os.environ.items() if name not in server.UNSET}
            variables.append(kept | server.environment(server.ensure_running(directory or Path.cwd())))
        return AwsProvider(variables[0], permitted)

    return Providers(create)


def own_providers(
    configuration: Configuration | None,
    directory: Path | None = None,
    permitted: Permitted | None = None,
) -> Callable[[ProviderAddress], Provider]:
    """Makes providers that act where their settings say; see `make_providers`."""
    from twinfra.providers import registry

    here = copy_context()

    def codec() -> Codec:
        from twinfra.cli.encryption import remote_codec

        # A thread of its own may ask, which knows nothing of the environment in use.
        return here.copy().run(remote_codec, configuration)

    def own(address: ProviderAddress) -> Provider:
        if address == AWS and permitted is not None:
            from twinfra.providers.aws import AwsProvider

            return AwsProvider(permitted=permitted)
        if address != BUILTIN_PROVIDER:
            return registry.create(address)
        from twinfra.providers.terraform import TerraformProvider

        return TerraformProvider(codec, directory)

    return own


# -- state


def workspace_name() -> str:
    """The workspace in use. Raises `DiagnosticError`."""
    environment = current()
    if environment is not None:
        return workspace_of(environment)
    return current_workspace(data_directory(Path()))


@dataclass(frozen=True, slots=True)
class LocalFiles:
    """The flags that the local backend takes: where to read the state, write it, and keep the old one."""

    state: str | None = None
    state_out: str | None = None
    backup: str | None = None

    @property
    def given(self) -> list[str]:
        """The flags that were given."""
        names = {"-state": self.state, "-state-out": self.state_out, "-backup": self.backup}
        return [name for name, value in names.items() if value is not None]


NO_FILES = LocalFiles()


def chosen_backend(configuration: Configuration | None, extra: Mapping[str, Any]) -> Chosen:
    """The backend that the root module declares, the environment's settings over it, and `extra` settings from
    `init` over those. Raises `DiagnosticError`.
    """
    from twinfra.cli.backends import declared

    environment = current()

    def inputs() -> Mapping[str, Value]:
        assert configuration is not None
        found, problems = given_inputs(configuration, order=variable_options())
        problems.raise_errors()
        return found

    return declared(configuration, inputs, workspace_name(), extra, environment)


def backend_of(chosen: Chosen) -> Backend:
    """Connect to a backend. Raises `DiagnosticError`."""
    from twinfra.state.backends.registry import connect

    directory = Path.cwd()
    return connect(chosen.type, chosen.settings, Place(directory, data_of(current(), directory)))


def connect_backend(configuration: Configuration | None, files: LocalFiles = NO_FILES) -> Backend:
    """The backend in use, which keeps states encrypted where that is configured. Raises `DiagnosticError`."""
    from twinfra.cli.encryption import state_codec
    from twinfra.state.encryption.backend import encrypted

    codec = state_codec(configuration)
    return encrypted(connect_without_keys(configuration, files), codec)


def connect_without_keys(configuration: Configuration | None, files: LocalFiles = NO_FILES) -> Backend:
    """The backend in use, for what needs no state: the one that the root module declares, else a local one.

    Raises `DiagnosticError`. It must be the one that was used here before: `init` changes over to another.
    """
    from twinfra.cli.backends import check_unchanged, remember, remembered
    from twinfra.state.backends.local import LocalBackend

    directory = Path.cwd()
    environment = current()
    data = data_of(environment, directory)
    before = remembered(data)
    chosen = chosen_backend(configuration, before.extra if before is not None else {})
    if chosen.type == "local" and files.given:
        return LocalBackend(
            directory,
            files.state or chosen.settings.get("path") or "terraform.tfstate",
            chosen.settings.get("workspace_dir") or "terraform.tfstate.d",
            out=files.state_out or "",
            backup=files.backup or "",
        )
    if files.given:
        raise UsageProblem(
            f"{', '.join(files.given)} works with the local backend only, not with {chosen.type}."
        )
    check_unchanged(chosen, before, directory, environment)
    connected = backend_of(chosen)
    if before is None and chosen.settings:
        # Where nothing can be written, the next command finds the same block; an apply asks for its journal first.
        with suppress(DiagnosticError):
            remember(data, chosen, {})
    return connected


def read_state(path: str | None = None) -> State:
    """The state for commands that only look: of the file at `path`, else of the workspace in use.

    What the journal of an interrupted run adds is in it. Raises `DiagnosticError`.
    """
    if path is not None:
        from twinfra.cli.encryption import decrypted
        from twinfra.state.encryption.envelope import is_envelope
        from twinfra.state.v4 import read_state as parse

        try:
            content = Path(path).read_bytes()
        except OSError as reason:
            from twinfra.state.files import file_problem

            raise file_problem(reason, "read the state", path) from None
        if is_envelope(content):
            content = decrypted(try_configuration()[0], content, path)
        return parse(content, path) or State()
    configuration, _ = try_configuration()
    backend = connect_backend(configuration)
    try:
        state, recovered = current_state(backend, workspace_name())
    finally:
        backend.close()
    if recovered is not None:
        print(recovered.text, file=sys.stderr)
    return state or State()


@dataclass(slots=True)
class Workspace:
    """A workspace opened for one operation, under its lock."""

    name: str
    operation: str
    store: Store

    @property
    def state(self) -> State:
        """The state as stored."""
        return self.store.state

    @contextmanager
    def recording(self, identities: State | None, stop: Stop) -> Iterator[Journal]:
        """The journal for one apply. When it cannot be written any more, nothing new is started."""
        failed: list[Diagnostic] = []

        def give_up(problem: Diagnostic) -> None:
            failed.append(problem)
            if stop.level == 0:
                stop.request()

        with self.store.recording(identities, give_up) as journal:
            yield journal
        if failed:
            raise DiagnosticError(failed)

    def save(self, state: State) -> None:
        """Store a state; raises `DiagnosticError` when that fails, having kept it in another place."""
        self.store.save(state)


@contextmanager
def open_workspace(
    configuration: Configuration | None,
    operation: str,
    *,
    files: LocalFiles = NO_FILES,
    lock: bool = True,
    lock_timeout: float = 0.0,
    waiting: Callable[[LockInfo | None], None] | None = None,
    stop: Stop | None = None,
    moving: bool = False,
) -> Iterator[Workspace]:
    """Lock and read the state of the workspace in use; `lock_timeout` in seconds, `moving` as for `open_store`.

    Raises `DiagnosticError`.
    """
    backend = connect_backend(configuration, files)
    try:
        name = workspace_name()
        options = LockOptions(lock, lock_timeout, waiting, None if stop is None else lambda: bool(stop.level))
        with open_store(backend, name, operation, Path.cwd(), options, moving) as store:
            yield Workspace(name, operation, store)
    finally:
        backend.close()
