"""The section `[ci]` of `twinfra.toml`: what a generated pipeline is to be like."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType

from twinfra import __version__
from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, error, nearest
from twinfra.environments.declaration import Environment, Project
from twinfra.environments.table import Table

ACTIONS: Mapping[str, str] = MappingProxyType(
    {
        "checkout": "actions/checkout@1af3b93b6815bc44a9784bd300feb67ff0d1eeb3 # v6.0.0",
        "setup-python": "actions/setup-python@e797f83bcb11b83ae66e0230d6156d7c80228e7c # v6.0.0",
        "upload-artifact": "actions/upload-artifact@b7c566a772e6b6bfb58ed0dc250532a479d7789f # v6.0.0",
        "download-artifact": "actions/download-artifact@37930b1c2abaa49bbe596cd826c3c89aef350131 # v7.0.0",
        "aws-credentials": "aws-actions/configure-aws-credentials@61815dcd50bd041e203e49132bacad1fd04d2708 # v5.1.1",
    }
)
"""GitHub's actions that a workflow uses, by commit, since a tag can be moved; behind it a comment with the version.

`[ci.github.actions]` names others, such as a fork or a newer commit.
"""

FORGES = ("github", "gitlab")
"""Who keeps pull requests, where Jenkins builds them."""

_ROLE = re.compile(r"arn:[a-z-]+:iam::\d{12}:role/[\w+=,.@/-]+")
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_PYTHON = re.compile(r"\d+\.\d+")
_BRANCH = re.compile(r"[\w.][\w./-]*")
_REGION = re.compile(r"[a-z0-9-]+")
_ACTION = re.compile(r"[\w.-]+/[\w./-]+@[\w./-]+( # [\w./-]+)?")


@dataclass(frozen=True, slots=True)
class Stage:
    """What a pipeline needs to know of an environment.

    `role` is assumed to apply, `plan_role` to plan and to look for drift; both empty where no cloud's role is
    needed. `runner` runs its jobs. `oidc` is the ID of the credential that gives Jenkins a token.
    """

    name: str
    twin_of: str = ""
    role: str = ""
    plan_role: str = ""
    region: str = ""
    runner: str = ""
    oidc: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """`[ci]` with its defaults. `stages`: the environments in the order in which they are applied.

    `nightly` is (hour, minute) in UTC. `secrets` are names of the platform's secrets that jobs which plan or apply are
    given as environment variables of the same name. `verify_key` is a path from the project's directory. `runner`:
    empty for the platform's default. `credentials` are IDs of Jenkins' credentials by what they are for.
    """

    stages: tuple[Stage, ...]
    branch: str = "main"
    install: str = ""
    python: str = "3.12"
    runner: str = ""
    nightly: tuple[int, int] = (2, 17)
    verify_key: str = "twinfra-ci.pub"
    keep_days: int = 30
    lock_timeout: str = "10m"
    secrets: tuple[str, ...] = ()
    actions: Mapping[str, str] = field(default_factory=lambda: ACTIONS)
    image: str = ""
    audience: str = "sts.amazonaws.com"
    forge: str = "github"
    api: str = ""
    repository: str = ""
    credentials: Mapping[str, str] = field(default_factory=dict)

    def stage(self, name: str) -> Stage | None:
        """That of an environment."""
        return next((one for one in self.stages if one.name == name), None)

    def pairs(self, name: str = "") -> list[tuple[str, str]]:
        """Twins that are in the pipeline: all, or those of which `name` is the later one."""
        order = [one.name for one in self.stages]
        return [
            (one.twin_of, one.name) for one in self.stages if one.twin_of in order and name in ("", one.name)
        ]


def read_settings(project: Project) -> Settings:
    """The settings of a project. Raises `DiagnosticError`."""
    section = project.section("ci")
    stages = _stages(section, project)
    nightly = _TIME.fullmatch(section.text("nightly", "02:17"))
    if nightly is None:
        section.fail("Unsuitable value", 'nightly is a time in UTC such as "02:17".', "nightly")
    python = section.text("python", "3.12")
    if not _PYTHON.fullmatch(python):
        section.fail("Unsuitable value", f'python is a version such as "3.12", not "{python}".', "python")
    branch = section.text("branch", "main")
    if not _BRANCH.fullmatch(branch):
        section.fail("Unsuitable value", f'"{branch}" is not a branch that pipelines can name.', "branch")
    verify_key = section.text("verify_key", "twinfra-ci.pub")
    if verify_key.startswith("/"):
        section.fail(
            "Unsuitable value", "verify_key is a path from the project's directory on.", "verify_key"
        )
    github, gitlab, jenkins = (section.table(one) for one in ("github", "gitlab", "jenkins"))
    settings = Settings(
        stages,
        branch=branch,
        install=section.text("install", f'python -m pip install "twinfra[aws]=={__version__}"'),
        python=python,
        runner=section.text("runner"),
        nightly=(int(nightly[1]), int(nightly[2])) if nightly is not None else (2, 17),
        verify_key=verify_key,
        keep_days=section.number("keep_days", 30, least=1),
        lock_timeout=section.text("lock_timeout", "10m"),
        secrets=_secrets(section),
        actions=_actions(github.table("actions")),
        image=gitlab.text("image"),
        audience=gitlab.text("audience", "sts.amazonaws.com"),
        forge=jenkins.choice("forge", FORGES, "github"),
        api=jenkins.text("api"),
        repository=jenkins.text("repository"),
        credentials={
            "token": jenkins.text("token", "twinfra-forge-token"),
            "signing key": jenkins.text("signing_key", "twinfra-signing-key"),
            "artifacts": jenkins.text("artifacts"),
        },
    )
    for table in (github, gitlab, jenkins, section):
        table.finish()
    section.found.raise_errors()
    return settings


def check_jenkins(project: Project, settings: Settings) -> None:
    """Raise `DiagnosticError` where Jenkins is not told of which repository it builds the pull requests."""
    if settings.repository:
        return
    section = project.section("ci").table("jenkins")
    section.fail(
        "Missing key",
        "Jenkins does not tell where the pull requests are that it builds.",
        mend='Add it: [ci.jenkins] repository = "owner/name" (for GitLab, the number or path of the project).',
    )
    section.found.raise_errors()


def _stages(section: Table, project: Project) -> tuple[Stage, ...]:
    environments = project.environments
    order = section.texts("order")
    for name in order:
        if name not in environments:
            section.fail(
                "No such environment",
                f'order names "{name}", which is not declared.',
                "order",
                mend=nearest(name, environments),
            )
    if len(set(order)) != len(order):
        section.fail("Unsuitable value", "order names an environment twice.", "order")
    names = [one for one in order if one in environments] or _after_their_twins(environments)
    if not names:
        section.fail(
            "No environments",
            "A pipeline plans and applies environments, and none is declared.",
            mend="Declare one: [environments.staging]",
        )
    own = section.table("environments")
    stages = [_stage(own.table(name), environments[name]) for name in names]
    for name in own.values:
        if name not in names:
            own.fail(
                "No such environment",
                f'"{name}" is not an environment of this pipeline.',
                name,
                mend=nearest(name, names),
            )
    return tuple(stages)


def _after_their_twins(environments: Mapping[str, Environment]) -> list[str]:
    """All environments in the order of the file, but what another one follows before it."""
    order: dict[str, None] = {}
    for name in environments:
        chain = [name]
        while (leader := environments[chain[-1]].twin_of) and leader not in chain:
            chain.append(leader)
        order.update(dict.fromkeys(reversed(chain)))
    return list(order)


def _stage(table: Table, environment: Environment) -> Stage:
    role = table.text("role")
    plan_role = table.text("plan_role", role)
    for key, one in (("role", role), ("plan_role", plan_role)):
        if one and not _ROLE.fullmatch(one):
            table.fail("Unsuitable value", f'{key} is the ARN of a role, not "{one}".', key)
    region = table.text("region", environment.regions[0] if environment.regions else "")
    if region and not _REGION.fullmatch(region):
        table.fail("Unsuitable value", f'region is such as "eu-central-1", not "{region}".', "region")
    if plan_role and not role:
        table.fail("Missing key", "plan_role needs role, too.", "plan_role")
    if role and not region:
        table.fail(
            "Missing key",
            f'The environment "{environment.name}" has a role and no region.',
            "role",
            mend="Declare region in [environments.NAME], or in [ci.environments.NAME].",
        )
    if environment.accounts and not role:
        table.found.add(_no_role(environment))
    stage = Stage(
        environment.name,
        environment.twin_of,
        role,
        plan_role,
        region,
        table.text("runner"),
        table.text("oidc", f"twinfra-oidc-{environment.name}"),
    )
    table.finish()
    return stage


def _secrets(section: Table) -> tuple[str, ...]:
    names = section.texts("secrets")
    for one in names:
        if not re.fullmatch(r"[A-Za-z_]\w*", one):
            section.fail("Unsuitable value", f'"{one}" is no name of an environment variable.', "secrets")
    return names


def _no_role(environment: Environment) -> Diagnostic:
    return error(
        "No role",
        f'The environment "{environment.name}" stands in an account, and a pipeline has no role there.',
        environment.place_of("account"),
        mend=f'Add it: [ci.environments.{environment.name}] role = "arn:aws:iam::ACCOUNT:role/NAME"',
    )


def _actions(table: Table) -> dict[str, str]:
    found = {name: table.text(name, default) for name, default in ACTIONS.items()}
    for name, one in found.items():
        if not _ACTION.fullmatch(one):
            table.fail("Unsuitable value", f'{name} is such as "{ACTIONS[name]}", not "{one}".', name)
    table.finish()
    return found
