"""Which forge a job works with, by the variables that the platform sets, and with which token."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping

from twinfra.dataclass import dataclass
from twinfra.diagnostics import DiagnosticError, error
from twinfra.pipelines.forge.github import GitHub, event, number_of_event
from twinfra.pipelines.forge.gitlab import GitLab
from twinfra.pipelines.forge.http import Api
from twinfra.pipelines.forge.jenkins import Jenkins
from twinfra.pipelines.forge.protocol import Artifacts, Forge

TOKEN = "TWINFRA_CI_TOKEN"
JENKINS_TOKEN = "TWINFRA_JENKINS_TOKEN"
_SHORTEST = 6


@dataclass(frozen=True, slots=True)
class Platform:
    """Where a job runs: who keeps pull requests, and who keeps the files of jobs."""

    forge: Forge
    artifacts: Artifacts


def find_platform(variables: Mapping[str, str], directory: str, within: str = ".") -> Platform:
    """The platform by the environment variables of a job. `directory`: where jobs keep plans, from `within` on, which
    is where the configuration lies, from the top on.

    Raises `DiagnosticError` where none is told, or it has no token.
    """
    forge: GitHub | GitLab
    if variables.get("GITHUB_REPOSITORY"):
        forge = _github(variables, within)
    elif variables.get("CI_PROJECT_ID"):
        forge = _gitlab(variables)
    else:
        raise DiagnosticError(
            error(
                "No forge",
                "Neither GITHUB_REPOSITORY nor CI_PROJECT_ID says where the pull requests are.",
                mend="This runs in a pipeline: twinfra ci github (or gitlab, jenkins) writes one.",
            )
        )
    return Platform(
        forge,
        _jenkins(variables, f"{within}/{directory}".removeprefix("./"))
        if variables.get("JENKINS_URL")
        else forge,
    )


def secrets_of(variables: Mapping[str, str], names: Iterable[str] = ()) -> list[str]:
    """What must not be in any comment: tokens and keys that the job was given, and what variables of these names hold.

    Short ones are left out: they would be found by chance.
    """
    marks = ("TOKEN", "SECRET", "PASSWORD", "PASSPHRASE", "PRIVATE_KEY", "SIGNING_KEY", "ACCESS_KEY")
    named = set(names)
    found = {
        value.strip()
        for name, value in variables.items()
        if name in named
        or (any(mark in name.upper() for mark in marks) and not name.upper().endswith(("_FILE", "_URL")))
    }
    return sorted((one for one in found if len(one) >= _SHORTEST), key=len, reverse=True)


def is_public(variables: Mapping[str, str]) -> bool:
    """Whether anybody may read what the jobs of this repository keep, as far as the platform tells."""
    repository = event(variables).get("repository")
    private = repository.get("private") if isinstance(repository, dict) else None
    return private is False or variables.get("CI_PROJECT_VISIBILITY") == "public"


def _github(variables: Mapping[str, str], within: str) -> GitHub:
    headers = {
        "Authorization": f"Bearer {_token(variables, 'GITHUB_TOKEN')}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    api = Api(
        variables.get("GITHUB_API_URL") or "https://api.github.com", headers, f"{TOKEN} or GITHUB_TOKEN"
    )
    number = _number(variables.get("CHANGE_ID")) or number_of_event(variables)
    return GitHub(api, variables["GITHUB_REPOSITORY"], number, within)


def _gitlab(variables: Mapping[str, str]) -> GitLab:
    headers = {"PRIVATE-TOKEN": _token(variables, "GITLAB_TOKEN")}
    api = Api(
        variables.get("CI_API_V4_URL") or "https://gitlab.com/api/v4", headers, f"{TOKEN} or GITLAB_TOKEN"
    )
    number = _number(variables.get("CHANGE_ID")) or _number(variables.get("CI_MERGE_REQUEST_IID"))
    return GitLab(api, variables["CI_PROJECT_ID"], number)


def _jenkins(variables: Mapping[str, str], directory: str) -> Jenkins:
    token = variables.get(JENKINS_TOKEN, "")
    headers = {"Authorization": "Basic " + base64.b64encode(token.encode()).decode()} if token else {}
    api = Api(variables.get("JOB_URL") or variables["JENKINS_URL"], headers, f"{JENKINS_TOKEN} (USER:TOKEN)")
    return Jenkins(api, directory)


def _token(variables: Mapping[str, str], other: str) -> str:
    token = variables.get(TOKEN) or variables.get(other)
    if token:
        return token.strip()
    raise DiagnosticError(
        error(
            "No token",
            f"Neither {TOKEN} nor {other} gives a token for the forge's API.",
            mend=f"Give the job one as {TOKEN}; docs/pipelines.md says what it must be allowed to do.",
        )
    )


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None
