"""A pipeline for GitLab (https://docs.gitlab.com/ci/yaml/)."""

from __future__ import annotations

import shlex
from typing import Any

from twinfra.pipelines.forge.gitlab import APPLYING, PLANNING
from twinfra.pipelines.regions import Region
from twinfra.pipelines.settings import Settings, Stage
from twinfra.pipelines.steps import BASE, KEY_FILE, Steps
from twinfra.pipelines.yaml_text import dump

PATH = ".gitlab-ci.yml"
COMMENT = "#"
_REQUEST = '$CI_PIPELINE_SOURCE == "merge_request_event"'
_NIGHTLY = '$CI_PIPELINE_SOURCE == "schedule"'
_ID_TOKEN = "TWINFRA_ID_TOKEN"


def regions(steps: Steps) -> list[Region]:
    """The parts of the pipeline, in their order."""
    settings = steps.settings
    jobs = {"checks": _checks(steps)}
    jobs |= {PLANNING.format(environment=one.name): _plan(steps, one) for one in settings.stages}
    jobs["comment"] = _comment(steps)
    before = "checks"
    for one in settings.stages:
        name = APPLYING.format(environment=one.name)
        jobs[name] = _apply(steps, one, before)
        before = name
    jobs |= {f"drift:{one.name}": _drift(steps, one) for one in settings.stages}
    made = [
        Region("pipeline", dump(_head(steps)) + "\n"),
        Region("job", dump({".twinfra": _template(steps)})),
    ]
    return made + [Region(name.replace(":", "-"), dump({name: job})) for name, job in jobs.items()]


def next_steps(settings: Settings) -> list[str]:
    """What a person has to do once."""
    hour, minute = settings.nightly
    return [
        f"Make keys, commit {settings.verify_key}, and give the private one as the CI/CD variable",
        f"{KEY_FILE}, of the type File:",
        "  twinfra key new " + settings.verify_key.removesuffix(".pub"),
        "Give a project access token (scope api, masked) as the CI/CD variable TWINFRA_CI_TOKEN.",
        f"Make a pipeline schedule for {settings.branch}: {minute} {hour} * * *",
    ]


def _head(steps: Steps) -> dict[str, Any]:
    branch = f'$CI_COMMIT_BRANCH == "{steps.settings.branch}"'
    return {
        "workflow": {
            "rules": [
                {"if": _REQUEST},
                {"if": f"{branch} && $CI_PIPELINE_SOURCE =~ /^(push|web|api|schedule)$/"},
            ]
        },
        "stages": ["check", "plan", "comment", "apply", "drift"],
    }


def _template(steps: Steps) -> dict[str, Any]:
    settings = steps.settings
    enter = [] if steps.prefix == "." else [f"cd {shlex.quote(steps.prefix)}"]
    runner = {"tags": [settings.runner]} if settings.runner else {}
    submodules = {"GIT_SUBMODULE_STRATEGY": "recursive"} if steps.submodules else {}
    return {
        "image": settings.image or f"python:{settings.python}",
        **runner,
        "variables": {"GIT_DEPTH": "0", **submodules, BASE: "$CI_MERGE_REQUEST_DIFF_BASE_SHA"},
        "before_script": [*enter, settings.install],
    }


def _job(stage: str, condition: str, **more: Any) -> dict[str, Any]:
    return {"extends": ".twinfra", "stage": stage, "rules": [{"if": condition}], **more}


def _on_merge(settings: Settings) -> str:
    return f'$CI_COMMIT_BRANCH == "{settings.branch}" && $CI_PIPELINE_SOURCE != "schedule"'


def _checks(steps: Steps) -> dict[str, Any]:
    return _job("check", '$CI_PIPELINE_SOURCE != "schedule"', script=[steps.checks()])


def _plan(steps: Steps, stage: Stage) -> dict[str, Any]:
    return _job(
        "plan",
        _REQUEST,
        needs=["checks"],
        **_placed(stage),
        **_token(steps.settings, stage.plan_role),
        script=[*_credentials(steps, stage, stage.plan_role), steps.plan(stage, if_touched=True)],
        artifacts=_kept(steps, stage),
    )


def _comment(steps: Steps) -> dict[str, Any]:
    planned = [PLANNING.format(environment=one.name) for one in steps.settings.stages]
    job = _job("comment", _REQUEST, needs=["checks", *planned], script=[steps.comment()])
    # Also where planning failed: that is told.
    return {**job, "rules": [{"if": _REQUEST, "when": "always"}]}


def _apply(steps: Steps, stage: Stage, before: str) -> dict[str, Any]:
    return _job(
        "apply",
        _on_merge(steps.settings),
        needs=[before],
        **_placed(stage),
        environment={"name": stage.name},
        resource_group=f"{steps.title}-{stage.name}",
        interruptible=False,
        **_token(steps.settings, stage.role),
        script=[*_credentials(steps, stage, stage.role), steps.apply(stage)],
        artifacts=_kept(steps, stage),
    )


def _drift(steps: Steps, stage: Stage) -> dict[str, Any]:
    return _job(
        "drift",
        _NIGHTLY,
        needs=[],
        **_placed(stage),
        **_token(steps.settings, stage.plan_role),
        script=[*_credentials(steps, stage, stage.plan_role), steps.drift(stage)],
    )


def _placed(stage: Stage) -> dict[str, Any]:
    return {"tags": [stage.runner]} if stage.runner else {}


def _token(settings: Settings, role: str) -> dict[str, Any]:
    return {"id_tokens": {_ID_TOKEN: {"aud": settings.audience}}} if role else {}


def _credentials(steps: Steps, stage: Stage, role: str) -> list[str]:
    """Where the AWS SDK finds the job's own token, which it exchanges for credentials of an hour."""
    if not role:
        return []
    lines = (
        "umask 077",
        "mkdir -p .twinfra",
        f'printf %s "${_ID_TOKEN}" > .twinfra/id-token',
        'export AWS_WEB_IDENTITY_TOKEN_FILE="$PWD/.twinfra/id-token"',
        f'export AWS_ROLE_ARN="{role}"',
        f'export AWS_ROLE_SESSION_NAME="twinfra-{stage.name}"',
        f'export AWS_REGION="{stage.region}"',
    )
    return ["\n".join(lines) + "\n"]


def _kept(steps: Steps, stage: Stage) -> dict[str, Any]:
    return {
        "when": "always",
        "access": "developer",
        "expire_in": f"{steps.settings.keep_days} days",
        "paths": [f"{steps.kept}/{stage.name}.*"],
    }
