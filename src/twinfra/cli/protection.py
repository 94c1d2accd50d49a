"""Keeps the protection that `twinfra.toml` declares for the environment in use; without an environment, nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from twinfra.cli.environment import current
from twinfra.diagnostics import Diagnostic, DiagnosticError, error

if TYPE_CHECKING:
    from twinfra.engine.planfile import SavedPlan
    from twinfra.environments.checkout import Checkout
    from twinfra.environments.declaration import Environment
    from twinfra.environments.git import GitFacts

LOOKING = frozenset({"plan", "drift"})
"""Operations that change nothing. Every other one is held against the protection."""

_PLANNED = {
    "apply": "Save a plan, look at it, and apply it: twinfra plan -out=FILE, then twinfra apply FILE",
    "destroy": "Save a plan, look at it, and apply it: twinfra plan -destroy -out=FILE, then twinfra apply FILE",
    "import": "Write an import block, and plan: twinfra plan -out=FILE, then twinfra apply FILE",
    "state mv": "Write a moved block, and plan: twinfra plan -out=FILE, then twinfra apply FILE",
    "state rm": "Write a removed block, and plan: twinfra plan -out=FILE, then twinfra apply FILE",
    "taint": "Plan the replacement: twinfra plan -replace=ADDRESS -out=FILE, then twinfra apply FILE",
}
"""Operations that a saved plan can do as well, and how."""

_ASKED = {
    "import": "Take it into the state",
    "state mv": "Move it",
    "state rm": "Remove it from the state",
    "state push": "Replace the state",
    "taint": "Mark it as broken",
    "untaint": "Take the mark off",
}
"""Operations on the state alone that ask nobody by themselves, as questions."""


def check_run(operation: str, saved: SavedPlan | None, at: Checkout | None) -> None:
    """Raise `DiagnosticError` where the environment is not to be changed from here, or not without a saved plan.

    To be called before anything is read or written. `at`: the commit that is worked in.
    """
    environment = current()
    if saved is not None:
        _check_meant(saved, environment)
    if environment is None or operation in LOOKING:
        return
    if saved is None:
        problems = _wrong_code(environment, at)
        if at is None:
            problems += _without_plan(environment, operation)
    else:
        problems = _wrong_plan(environment, saved)
    _raise(problems)


def _check_meant(saved: SavedPlan, environment: Environment | None) -> None:
    """Raise `DiagnosticError` where a saved plan is for another environment, or for none."""
    meant = str(saved.origin.get("environment", ""))
    name = environment.name if environment is not None else ""
    if meant == name:
        return
    made = f'in the environment "{meant}"' if meant else "in no environment"
    here = f'this is "{name}"' if name else "this is none"
    raise DiagnosticError(
        error(
            "Saved plan is for another environment",
            f"{saved.path} was made {made}; {here}.",
            mend=f"Apply it there: twinfra apply -env {meant} {saved.path}"
            if meant
            else "Apply it without -env and TWINFRA_ENV, or plan again.",
        )
    )


def check_by_hand(operation: str) -> None:
    """The same for a command on the state alone, just before it saves; asks for approval where that is needed."""
    environment = current()
    if environment is None:
        return
    _raise([*_wrong_code(environment, None), *_without_plan(environment, operation)])
    if environment.protection.approval and operation in _ASKED:
        from twinfra.cli.state_change import approved

        if not approved(f'{_ASKED[operation]} in the environment "{environment.name}"?'):
            raise DiagnosticError(
                error(
                    "Not approved",
                    f'The environment "{environment.name}" is changed only after somebody has approved. Nothing '
                    "was done.",
                    environment.place_of("approval"),
                )
            )


def refuse_unasked(auto_approve: bool, asking: str = "") -> None:
    """Raise `DiagnosticError` where approval is required and `-auto-approve` would ask nobody.

    `asking` says how to be asked, where leaving the option out is not the way.
    """
    environment = current()
    if environment is None or not auto_approve:
        return
    from twinfra.environments.protection import refuse_unapproved

    mend = asking or (
        "Leave -auto-approve out and answer the question; or save a plan, look at it, and apply that."
    )
    _raise([refuse_unapproved(environment, mend)])


def _wrong_code(environment: Environment, at: Checkout | None) -> list[Diagnostic | None]:
    if not (environment.protection.clean_commit or environment.branch):
        return []
    from twinfra.environments.git import describe
    from twinfra.environments.protection import refuse_code

    directory = Path.cwd() if at is None else at.source
    facts: GitFacts | None = describe(directory) if at is None else at.facts
    return list(refuse_code(environment, directory, facts))


def _without_plan(environment: Environment, operation: str) -> list[Diagnostic | None]:
    if operation not in _PLANNED:
        return []
    from twinfra.environments.protection import refuse_without_plan

    return [refuse_without_plan(environment, _PLANNED[operation])]


def _wrong_plan(environment: Environment, saved: SavedPlan) -> list[Diagnostic | None]:
    """A saved plan carries its own code: that of a commit which will do, or of what is checked out here."""
    if not (environment.protection.clean_commit or environment.branch):
        return []
    from twinfra.cli.workspace import load_configuration
    from twinfra.environments.fingerprint import code_digest
    from twinfra.environments.protection import is_right_code

    origin = saved.origin
    if is_right_code(
        environment, Path.cwd(), str(origin.get("commit") or ""), bool(origin.get("dirty", True))
    ):
        return []
    problems = _wrong_code(environment, None)
    if any(problems):
        return problems
    if code_digest(saved.configuration) == code_digest(load_configuration()):
        return []
    return [
        error(
            "Saved plan is of other code",
            f"{saved.path} was made from other code than is checked out here, and the environment "
            f'"{environment.name}" is changed from commits only.',
            environment.place_of("clean_commit" if environment.protection.clean_commit else "branch"),
            mend="Check out the commit that it was made from, or plan again.",
        )
    ]


def _raise(problems: list[Diagnostic | None]) -> None:
    found = [one for one in problems if one is not None]
    if found:
        raise DiagnosticError(found)
