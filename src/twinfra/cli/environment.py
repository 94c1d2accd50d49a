"""Which environment of `twinfra.toml` a command works in, and environments opened beside it.

`-env NAME` or TWINFRA_ENV choose it; what that means for inputs, state and providers is in `workspace`, which asks
`current` here. Without either, everything is as with plain Terraform.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from twinfra.diagnostics import Diagnostic, DiagnosticError, Diagnostics, error
from twinfra.state.workspaces import data_directory

if TYPE_CHECKING:
    from twinfra.config.inputs import Declared
    from twinfra.config.model import Configuration
    from twinfra.engine.providers import Providers
    from twinfra.environments.declaration import Environment, Project
    from twinfra.providers.permitted import Permitted
    from twinfra.state.backends.protocol import Backend
    from twinfra.state.model import State
    from twinfra.values.value import Value

VARIABLE = "TWINFRA_ENV"


def project() -> Project | None:
    """The project that the working directory belongs to, None where there is none. Raises `DiagnosticError`."""
    from twinfra.environments.declaration import load_project

    return load_project(Path.cwd())


def needed_project() -> Project:
    """The project that the working directory belongs to; raises `DiagnosticError` where there is none."""
    found = project()
    if found is None:
        raise DiagnosticError(_no_project("This needs the environments of a project"))
    return found


def named(name: str) -> Environment:
    """The environment of this name; raises `DiagnosticError` where there is none."""
    found = project()
    if found is None:
        raise DiagnosticError(_no_project(f'The environment "{name}" is asked for'))
    return found.environment(name)


class _Choice:
    """A name, which is looked up when somebody asks."""

    def __init__(self, name: str) -> None:
        self._name = name

    @cached_property
    def environment(self) -> Environment:
        return named(self._name)


class _Made:
    def __init__(self, environment: Environment | None, own: bool) -> None:
        self.environment = environment
        self.own = own


_IN_USE: ContextVar[_Choice | _Made | None] = ContextVar("environment", default=None)


def current() -> Environment | None:
    """The environment in use, None for plain work. Raises `DiagnosticError` where there is none of its name."""
    choice = _IN_USE.get()
    return None if choice is None else choice.environment


@contextmanager
def chosen(name: str) -> Iterator[None]:
    """Work in the environment that `-env` names, else in that of TWINFRA_ENV. Raises `DiagnosticError`.

    A name given with `-env` must be right whatever the command does; that of the variable only where it matters.
    """
    given = name or os.environ.get(VARIABLE, "")
    choice = _Choice(given) if given else None
    token = _IN_USE.set(choice)
    try:
        if name and choice is not None:
            _ = choice.environment
        yield
    finally:
        _IN_USE.reset(token)


@contextmanager
def using(environment: Environment | None, *, own: bool = False) -> Iterator[None]:
    """Work in this environment for a while, or in none. `own`: the options of the command are meant for it."""
    token = _IN_USE.set(_Made(environment, own))
    try:
        yield
    finally:
        _IN_USE.reset(token)


def refuse_another(names: Collection[str], told: str) -> None:
    """Raise `UsageProblem` where `-env` names none of the environments that a command's arguments are about.

    `told` says what is done with those. What the variable names does not matter then.
    """
    import click

    from twinfra.cli.command import ENVIRONMENT, UsageProblem

    given = click.get_current_context().meta.get(ENVIRONMENT)
    if given is not None and given not in names:
        raise UsageProblem(f"-env {given} has no place here: {told}.")


# -- what an environment means for a run


def variable_options() -> list[tuple[str, str]]:
    """The options `-var` and `-var-file` of the command, in their order: they are for its own environment only."""
    from twinfra.cli.command import given_order

    choice = _IN_USE.get()
    return [] if isinstance(choice, _Made) and not choice.own else given_order("var", "var-file")


def data_of(environment: Environment | None, directory: Path) -> Path:
    """Where a working directory keeps what it need not share: an environment's is apart from all others'."""
    shared = data_directory(directory)
    return shared if environment is None else shared / "environments" / environment.name


def workspace_of(environment: Environment) -> str:
    """The workspace of an environment. Raises `DiagnosticError` where TF_WORKSPACE names another."""
    given = os.environ.get("TF_WORKSPACE")
    if given and given != environment.workspace:
        raise DiagnosticError(
            error(
                "Two workspaces",
                f'TF_WORKSPACE names the workspace "{given}"; the environment "{environment.name}" has its '
                f'state in "{environment.workspace}".',
                environment.place_of("workspace"),
                mend="Unset TF_WORKSPACE, or work without -env.",
            )
        )
    return environment.workspace


def declared_inputs(environment: Environment | None) -> Declared | None:
    """What an environment gives to variables, before the options of the command."""
    if environment is None:
        return None
    from twinfra.config.inputs import Declared

    place = environment.place
    assert place is not None
    return Declared(
        f'the environment "{environment.name}"',
        tuple(
            (path, environment.place_of("var_files", number) or place)
            for number, path in enumerate(environment.var_files)
        ),
        {
            name: (value, environment.place_of("variables", name) or place)
            for name, value in environment.variables.items()
        },
        place.filename,
    )


def permitted_of(environment: Environment | None, sandbox: bool) -> Permitted | None:
    """Where providers may act; None for anywhere. `sandbox`: the embedded cloud is asked for by an option.

    Raises `DiagnosticError` where that is not what the environment is declared to be in.
    """
    if environment is None or not (environment.accounts or environment.regions):
        return None
    if sandbox and environment.accounts:
        raise DiagnosticError(
            error(
                "Two clouds",
                f'The environment "{environment.name}" is in account {", ".join(environment.accounts)}, and '
                "-sandbox is another cloud.",
                environment.place_of("account"),
                mend="Leave -sandbox out, or work in an environment that is declared with sandbox = true.",
            )
        )
    from twinfra.providers.permitted import Permitted

    return Permitted(
        f'The environment "{environment.name}"',
        environment.accounts,
        environment.regions,
        environment.place_of("account"),
        environment.place_of("region"),
    )


def check_cloud(configuration: Configuration, inputs: Mapping[str, Value], providers: Providers) -> None:
    """Ask every provider who it is; raises `DiagnosticError` where that is not what the environment declares.

    To be called before anything is read or written. Where nothing is declared, nobody is asked.
    """
    environment = current()
    if environment is None or not (environment.accounts or environment.regions):
        return
    from twinfra.engine import api

    _, found = api.identify(configuration, inputs, providers, workspace_of(environment))
    found.raise_errors()


# -- several environments in one command


class Opened:
    """An environment with what a command needs of it; the backend connects when it is first asked for.

    `inputs` are the values of the root variables (`warnings`: what was found about them), `workspace` the name
    of the workspace, `providers` those that act where the environment says.
    """

    def __init__(
        self,
        environment: Environment,
        configuration: Configuration,
        inputs: Mapping[str, Value],
        warnings: Diagnostics,
        workspace: str,
        providers: Providers,
    ) -> None:
        self.environment = environment
        self.configuration = configuration
        self.inputs = inputs
        self.warnings = warnings
        self.workspace = workspace
        self.providers = providers
        self._backend: Backend | None = None

    @property
    def backend(self) -> Backend:
        """Where its state is; what is encrypted is decrypted. Raises `DiagnosticError`."""
        if self._backend is None:
            from twinfra.cli.workspace import connect_backend

            with using(self.environment):
                self._backend = connect_backend(self.configuration)
        return self._backend

    def state(self) -> State | None:
        """Its state as stored, with what the journal of an interrupted run adds; None where there is none yet.

        Raises `DiagnosticError`.
        """
        from twinfra.state.store import current_state

        return current_state(self.backend, self.workspace)[0]

    def check_cloud(self) -> None:
        """See `check_cloud`: to be called before a cloud is asked for anything else."""
        with using(self.environment):
            check_cloud(self.configuration, self.inputs, self.providers)

    def close(self) -> None:
        """Let go of backend and providers."""
        self.providers.close()
        if self._backend is not None:
            self._backend.close()


@contextmanager
def opened(
    environment: Environment, configuration: Configuration | None = None, *, sandbox: bool = False
) -> Iterator[Opened]:
    """An environment opened for looking at it, whatever environment the command itself works in.

    `configuration`: that of the working directory where not given. `sandbox`: the embedded cloud, whatever is
    declared. Nothing is locked, nobody is asked, and no cloud is called. Raises `DiagnosticError`.
    """
    from twinfra.cli.workspace import load_configuration, make_providers, root_inputs, workspace_name

    with using(environment):
        if configuration is None:
            configuration = load_configuration()
        inputs, warnings = root_inputs(configuration, (), (), ask=False)
        found = Opened(
            environment,
            configuration,
            inputs,
            warnings,
            workspace_name(),
            make_providers(sandbox, configuration),
        )
    try:
        yield found
    finally:
        found.close()


def _no_project(detail: str) -> Diagnostic:
    return error(
        "No twinfra.toml",
        f"{detail}, and there is no twinfra.toml here, nor in a parent within the Git work tree.",
        mend="Write one that declares [environments.NAME], or leave -env and TWINFRA_ENV out.",
    )
