"""The two states of a `state split` or `state merge`: where the other one is, and what a plan of either would say."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from twinfra.cli.command import UsageProblem
from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, DiagnosticError, error, nearest

if TYPE_CHECKING:
    from twinfra.config.model import Configuration
    from twinfra.state.model import State
    from twinfra.state.store import Store


@dataclass(frozen=True, slots=True)
class Place:
    """Where a state is: the one that commands started in `directory` use, in `workspace` (the selected one where
    empty); or the state file `file`, which has no configuration.
    """

    directory: Path
    workspace: str = ""
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """An open state, with the configuration that it belongs to (None for a state file)."""

    place: Place
    store: Store
    configuration: Configuration | None

    @property
    def label(self) -> str:
        """How people know the state, from where the command was started."""
        label = self.store.label
        if self.place.file is not None:
            return label
        path = self.place.directory / label
        if "://" not in label and not Path(label).is_absolute() and self.place.directory != Path.cwd():
            return os.path.relpath(path)
        return label


@dataclass(frozen=True, slots=True)
class Proof:
    """What a plan of a side says once the move is done. `proven`: there was a configuration to plan with.

    `changes` are addresses with what would be done, `outputs` names of root outputs that would change.
    """

    label: str
    proven: bool
    changes: tuple[tuple[str, str], ...] = ()
    outputs: tuple[str, ...] = ()
    instances: int = 0


def other_place(option: str, given: str | None, workspace: str | None) -> Place:
    """What the options `-to` and `-to-workspace` (or `-from...`) name. Raises `UsageProblem`."""
    from twinfra.cli.environment import current

    environment = current()
    if workspace is not None and environment is not None:
        raise UsageProblem(
            f'-{option}-workspace has no place here: the environment "{environment.name}" has its state in the '
            f'workspace "{environment.workspace}".'
        )
    if given is None:
        if workspace is None:
            raise UsageProblem(
                f"Which other state? Give -{option}=DIRECTORY, -{option}=FILE or -{option}-workspace=NAME."
            )
        return Place(Path.cwd(), workspace)
    path = Path(given).absolute()
    if path.is_dir():
        return Place(path.resolve(), workspace or "")
    if workspace is not None:
        raise UsageProblem(f"-{option}-workspace names a workspace of a directory, and {given} is none.")
    if not path.exists() and path.suffix != ".tfstate":
        raise UsageProblem(
            f"There is no directory {given}. (A new state file has a name that ends in .tfstate.)"
        )
    if not path.parent.is_dir():
        raise UsageProblem(f"There is no directory {path.parent}.")
    return Place(path.parent, file=path)


@contextmanager
def both(operation: str, here: Place, there: Place, lock_timeout: str) -> Iterator[tuple[Side, Side]]:
    """Both states, opened and locked; the locks are always taken in one order. Raises `DiagnosticError`."""
    if _key(here) == _key(there):
        raise DiagnosticError(_same_state())
    with ExitStack() as stack:
        sides: dict[Place, Side] = {}
        for place in sorted(
            (here, there), key=lambda one: (str(one.directory), one.workspace, str(one.file))
        ):
            sides[place] = stack.enter_context(_opened(operation, place, lock_timeout))
        yield sides[here], sides[there]


@contextmanager
def _opened(operation: str, place: Place, lock_timeout: str) -> Iterator[Side]:
    from twinfra.cli.state_change import opened
    from twinfra.cli.workspace import try_configuration

    if place.file is not None:
        with _opened_file(operation, place.file, lock_timeout) as store:
            yield Side(place, store, None)
        return
    with ExitStack() as stack:
        with working_at(place):
            configuration, _ = try_configuration()
            if place.workspace:
                _require_workspace(configuration, place)
            workspace = stack.enter_context(
                opened(
                    operation, lock=True, lock_timeout=lock_timeout, state=None, must_exist=False, moving=True
                )
            )
        yield Side(place, workspace.store, configuration if configuration.files else None)


def _require_workspace(configuration: Configuration, place: Place) -> None:
    from twinfra.cli.workspace import connect_without_keys

    backend = connect_without_keys(configuration)
    try:
        known = backend.workspaces()
    finally:
        backend.close()
    if place.workspace not in known:
        raise DiagnosticError(
            error(
                "No such workspace",
                f'There is no workspace "{place.workspace}" in {place.directory}.',
                mend=nearest(place.workspace, known) or f"Make it: twinfra workspace new {place.workspace}",
            )
        )


@contextmanager
def _opened_file(operation: str, path: Path, lock_timeout: str) -> Iterator[Store]:
    from twinfra.cli.encryption import state_codec
    from twinfra.cli.options import seconds
    from twinfra.cli.workspace import try_configuration
    from twinfra.state.backends.local import LocalBackend
    from twinfra.state.encryption.backend import encrypted
    from twinfra.state.store import LockOptions, open_store

    backend = encrypted(LocalBackend(Path.cwd(), str(path)), state_codec(try_configuration()[0]))
    options = LockOptions(timeout=seconds(lock_timeout))
    with open_store(backend, "default", operation, Path.cwd(), options, moving=True) as store:
        yield store


@contextmanager
def working_at(place: Place) -> Iterator[None]:
    """As if the command had been started there."""
    before, selected = Path.cwd(), os.environ.get("TF_WORKSPACE")
    os.chdir(place.directory)
    if place.workspace:
        os.environ["TF_WORKSPACE"] = place.workspace
    try:
        yield
    finally:
        os.chdir(before)
        if selected is not None:
            os.environ["TF_WORKSPACE"] = selected
        elif place.workspace:
            os.environ.pop("TF_WORKSPACE", None)


def prove(side: Side, state: State, sandbox: bool) -> Proof:
    """Plan a side as if its state were `state`. Raises `DiagnosticError` where no plan can be made."""
    from twinfra.cli.workspace import load_configuration, make_providers, root_inputs
    from twinfra.engine import api
    from twinfra.engine.changes import Action

    if side.configuration is None:
        return Proof(side.label, proven=False)
    with working_at(side.place):
        configuration = load_configuration()
        inputs, _ = root_inputs(configuration, (), (), ask=False)
        providers = make_providers(sandbox, configuration)
        try:
            options = api.PlanOptions(workspace=side.store.workspace)
            result = api.plan(configuration, state, inputs, providers, options)
        finally:
            providers.close()
    if result.plan.errored or result.diagnostics.has_errors:
        raise DiagnosticError([*result.diagnostics, _no_plan(side.label)])
    idle = (Action.NO_OP, Action.READ)
    return Proof(
        side.label,
        True,
        tuple(
            (str(one.address), one.action.value)
            for one in result.plan.changes
            if one.action not in idle or one.importing
        ),
        tuple(one.name for one in result.plan.outputs if one.action is not Action.NO_OP),
        sum(len(record.instances) for record in state.resources.values()),
    )


def _key(place: Place) -> tuple[Path, str]:
    from twinfra.cli.workspace import workspace_name

    if place.file is not None:
        return place.file, ""
    with working_at(place):
        return place.directory, workspace_name()


def _same_state() -> Diagnostic:
    return error(
        "Both are one state",
        "What is to move is in the state that it is to go to.",
        mend="To give something another address in its state: twinfra state mv",
    )


def _no_plan(label: str) -> Diagnostic:
    return error(
        "Nothing was moved",
        f"No plan of {label} can be made, so that nobody can tell what would change afterwards.",
        mend="Mend what is named above; or give -plan=false to move without a proof.",
    )
