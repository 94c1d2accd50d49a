"""The model registries of the environment in use, ready to be asked; and releases that they are still to be told of."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from twinfra.cli.environment import current, project
from twinfra.diagnostics import Diagnostic, DiagnosticError, Severity, warning

if TYPE_CHECKING:
    from twinfra.environments.declaration import Environment
    from twinfra.providers.aws.session import Session
    from twinfra.releases.record import Release
    from twinfra.releases.registry import Registry
    from twinfra.releases.settings import SagemakerSettings
    from twinfra.releases.timeline import Timeline
    from twinfra.state.ledger.log import Ledger


@contextmanager
def registries(sandbox: bool = False) -> Iterator[list[Registry]]:
    """Those that `twinfra.toml` names; none is asked anything yet. `sandbox`: clouds are the embedded one.

    Raises `DiagnosticError`.
    """
    from twinfra.releases.settings import read_settings

    settings = read_settings(project())
    environment = current()
    name = environment.name if environment is not None else ""
    found: list[Registry] = []
    with ExitStack() as stack:
        if settings.mlflow is not None:
            from twinfra.releases.mlflow_registry import MlflowRegistry

            found.append(MlflowRegistry(settings.mlflow, name))
        if settings.sagemaker is not None:
            from twinfra.releases.sagemaker_registry import SagemakerRegistry

            session = _session(settings.sagemaker, environment, sandbox)
            stack.callback(session.close)
            accounts = environment.accounts if environment is not None else ()
            found.append(SagemakerRegistry(settings.sagemaker, session, name, accounts))
        yield found


def _session(settings: SagemakerSettings, environment: Environment | None, sandbox: bool) -> Session:
    from twinfra.providers.aws.session import Session
    from twinfra.providers.aws.settings import Settings

    region = settings.region
    if not region and environment is not None and len(environment.regions) == 1:
        region = environment.regions[0]
    if not (sandbox or (environment is not None and environment.sandbox)):
        return Session(Settings(region=region))
    from twinfra.sandbox import server

    kept = {name: value for name, value in os.environ.items() if name not in server.UNSET}
    variables = kept | server.environment(server.ensure_running(Path.cwd()))
    return Session(Settings(region=region, sandbox=True), variables)


def tell(release: Release, registry: Registry, ledger: Ledger, *, moves: bool) -> None:
    """Tell one registry of one release, and note in the ledger that it knows. Raises `DiagnosticError`.

    `moves`: it is to point to the models, too. What was told already is told again without harm.
    """
    from twinfra.releases.record import REGISTERED, model_body
    from twinfra.releases.registry import facts_of

    covered = tuple(one for one in release.models if registry.covers(one.name))
    facts = facts_of(release)
    for model in covered:
        registry.check(model, moving=True)
        registry.note(model, facts)
    if moves:
        for model in covered:
            registry.point(model, None)
    ledger.append(
        REGISTERED,
        {
            "release": release.name,
            "registry": registry.key,
            "models": model_body(covered),
            "moved": moves,
        },
    )


def tell_waiting(
    timeline: Timeline, found: Iterable[Registry], ledger: Ledger
) -> tuple[list[tuple[Release, Registry]], list[tuple[Release, Diagnostic]]]:
    """Tell registries of all releases that they do not know yet: what was told, and what went wrong with which.

    An alias is moved only for the release that is in force: it says what runs now.
    """
    told: list[tuple[Release, Registry]] = []
    problems: list[tuple[Release, Diagnostic]] = []
    by_key = {one.key: one for one in found}
    for release in timeline.all_waiting():
        for key in timeline.waiting(release):
            registry = by_key.get(key)
            if registry is None:
                problems.append((release, _not_configured(release, key)))
                continue
            try:
                tell(release, registry, ledger, moves=release.moves and release is timeline.current)
            except DiagnosticError as failed:
                problems += [(release, one) for one in failed.diagnostics]
                continue
            timeline.registered.add((release.name, key))
            told.append((release, registry))
    return told, problems


def _not_configured(release: Release, key: str) -> Diagnostic:
    return warning(
        "A registry that is not configured any more",
        f"The release {release.name} was to be told to {key}, and twinfra.toml has no [releases.{key}].",
        mend=f"Configure it again, then run: twinfra release repair; without it, {release.name} stays as it is.",
    )


def as_warnings(problems: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The same, as what did not stop anything."""
    from dataclasses import replace

    return [replace(one, severity=Severity.WARNING) for one in problems]
