"""A workflow for GitHub Actions (https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax)."""

from __future__ import annotations

import re
from typing import Any

from twinfra.pipelines.forge.github import artifact_name
from twinfra.pipelines.regions import Region
from twinfra.pipelines.settings import Settings, Stage
from twinfra.pipelines.steps import BASE, KEY, KEY_FILE, Steps
from twinfra.pipelines.yaml_text import dump

PATH = ".github/workflows/twinfra.yml"
COMMENT = "#"
_RUNNER = "ubuntu-24.04"
_NAMES = "ENVIRONMENTS"
_VERSION = re.compile(r"^( *uses: )'(\S+ # \S+)'$", re.MULTILINE)

_PULL_REQUEST = (
    "github.event_name == 'pull_request' && "
    "github.event.pull_request.head.repo.full_name == github.repository"
)
"""Pull requests of forks are given no secrets, so that nothing can be planned for them."""


def regions(steps: Steps) -> list[Region]:
    """The parts of the workflow, in their order."""
    settings = steps.settings
    jobs = {"checks": _checks(steps)}
    jobs |= {f"plan-{one.name}": _plan(steps, one) for one in settings.stages}
    jobs["comment"] = _comment(steps)
    before = "checks"
    for one in settings.stages:
        jobs[f"apply-{one.name}"] = _apply(steps, one, before)
        before = f"apply-{one.name}"
    jobs |= {f"drift-{one.name}": _drift(steps, one) for one in settings.stages}
    made = [Region("workflow", _head(steps))]
    return made + [Region(name, _job(name, job), "  ") for name, job in jobs.items()]


def next_steps(settings: Settings) -> list[str]:
    """What a person has to do once."""
    roles = [one for one in settings.stages if one.role]
    return [
        f"Make keys, commit {settings.verify_key}, and give the private one as the secret {KEY}:",
        "  twinfra key new " + settings.verify_key.removesuffix(".pub"),
        "Make the GitHub environments "
        + ", ".join(one.name for one in settings.stages)
        + "; their reviewers are asked before each apply.",
        *(
            ["Let the roles be assumed by token.actions.githubusercontent.com (docs/pipelines.md)."]
            if roles
            else []
        ),
    ]


def _head(steps: Steps) -> str:
    settings = steps.settings
    hour, minute = settings.nightly
    document: dict[str, Any] = {
        "name": steps.title,
        "on": {
            "pull_request": {"branches": [settings.branch]},
            "push": {"branches": [settings.branch]},
            "schedule": [{"cron": f"{minute} {hour} * * *"}],
            "workflow_dispatch": {
                "inputs": {
                    "approved": {
                        "description": "The digest of a plan that waits for approval",
                        "required": False,
                        "type": "string",
                        "default": "",
                    }
                }
            },
        },
        "permissions": {"contents": "read"},
        "concurrency": {
            "group": "${{ github.workflow }}-${{ github.event.pull_request.number || github.run_id }}",
            "cancel-in-progress": True,
        },
    }
    if steps.prefix != ".":
        document["defaults"] = {"run": {"working-directory": steps.prefix}}
    return dump(document).replace("'on':", "on:", 1) + "\njobs:\n"


def _job(name: str, job: dict[str, Any]) -> str:
    """The text of a job. The version behind an action is a comment to YAML, and none to what writes it."""
    return _VERSION.sub(r"\1\2", dump({name: job}, 2))


def _checks(steps: Steps) -> dict[str, Any]:
    changed = (
        f'names=$(twinfra ci changed "${BASE}" -names)\necho "environments=$names" >> "$GITHUB_OUTPUT"\n'
    )
    return {
        "name": "Checks",
        "if": "github.event_name != 'schedule'",
        "runs-on": steps.settings.runner or _RUNNER,
        "outputs": {"environments": "${{ steps.changed.outputs.environments }}"},
        "steps": [
            *_begin(steps),
            {"name": "Check", "run": steps.checks()},
            {
                "name": "Which environments are touched",
                "id": "changed",
                "if": "github.event_name == 'pull_request'",
                "env": {BASE: "origin/${{ github.base_ref }}"},
                "run": steps.changed() + changed,
            },
        ],
    }


def _plan(steps: Steps, stage: Stage) -> dict[str, Any]:
    settings = steps.settings
    name = stage.name
    return {
        "name": f"Plan {name}",
        "needs": "checks",
        "if": f"{_PULL_REQUEST} && contains(fromJSON(needs.checks.outputs.environments), '{name}')",
        "runs-on": _runner(settings, stage),
        "permissions": _permissions(stage.plan_role),
        **_secrets(settings),
        "steps": [
            *_begin(steps),
            _signing_key(),
            *_credentials(settings, stage, stage.plan_role),
            {"name": "Plan", "run": steps.plan(stage, if_touched=False)},
            _keep(steps, name, "github.event.pull_request.head.sha"),
        ],
    }


def _comment(steps: Steps) -> dict[str, Any]:
    settings = steps.settings
    return {
        "name": "Comment",
        "needs": ["checks", *(f"plan-{one.name}" for one in settings.stages)],
        "if": f"!cancelled() && {_PULL_REQUEST}",
        "runs-on": settings.runner or _RUNNER,
        "permissions": {"contents": "read", "pull-requests": "write"},
        "steps": [
            *_begin(steps),
            {
                "name": "Outcomes",
                "uses": settings.actions["download-artifact"],
                "with": {"pattern": "twinfra-plan-*", "path": steps.kept, "merge-multiple": True},
            },
            {
                "name": "Comment",
                "env": {
                    "GITHUB_TOKEN": "${{ github.token }}",
                    # Where checks failed, nothing was planned: that is told of all.
                    _NAMES: f"${{{{ needs.checks.outputs.environments || '{steps.names}' }}}}",
                },
                "run": steps.comment(_NAMES),
            },
        ],
    }


def _apply(steps: Steps, stage: Stage, before: str) -> dict[str, Any]:
    settings = steps.settings
    name = stage.name
    return {
        "name": f"Apply {name}",
        "needs": before,
        "if": f"github.event_name != 'pull_request' && github.ref == 'refs/heads/{settings.branch}'",
        "runs-on": _runner(settings, stage),
        "environment": name,
        "concurrency": {"group": f"{steps.title}-apply-{name}", "cancel-in-progress": False},
        "permissions": {**_permissions(stage.role), "actions": "read", "pull-requests": "write"},
        **_secrets(settings),
        "steps": [
            *_begin(steps),
            _signing_key(),
            *_credentials(settings, stage, stage.role),
            {
                "name": "Apply",
                "env": {
                    "GITHUB_TOKEN": "${{ github.token }}",
                    "TWINFRA_APPROVED": "${{ inputs.approved }}",
                },
                "run": steps.apply(stage),
            },
            _keep(steps, name, "github.sha"),
        ],
    }


def _drift(steps: Steps, stage: Stage) -> dict[str, Any]:
    settings = steps.settings
    return {
        "name": f"Drift of {stage.name}",
        "if": "github.event_name == 'schedule'",
        "runs-on": _runner(settings, stage),
        "permissions": _permissions(stage.plan_role),
        **_secrets(settings),
        "steps": [
            *_begin(steps),
            *_credentials(settings, stage, stage.plan_role),
            {"name": "Drift", "run": steps.drift(stage)},
        ],
    }


def _begin(steps: Steps) -> list[dict[str, Any]]:
    settings = steps.settings
    submodules = {"submodules": "recursive"} if steps.submodules else {}
    return [
        {
            "name": "Checkout",
            "uses": settings.actions["checkout"],
            "with": {"fetch-depth": 0, **submodules, "persist-credentials": False},
        },
        {
            "name": "Python",
            "uses": settings.actions["setup-python"],
            "with": {"python-version": settings.python},
        },
        {"name": "Twinfra", "run": settings.install},
    ]


def _signing_key() -> dict[str, Any]:
    return {
        "name": "Signing key",
        "env": {KEY: f"${{{{ secrets.{KEY} }}}}"},
        "run": (
            "set -eu\numask 077\n"
            f'printf \'%s\\n\' "${KEY}" > "$RUNNER_TEMP/twinfra.key"\n'
            f'echo "{KEY_FILE}=$RUNNER_TEMP/twinfra.key" >> "$GITHUB_ENV"\n'
        ),
    }


def _credentials(settings: Settings, stage: Stage, role: str) -> list[dict[str, Any]]:
    if not role:
        return []
    return [
        {
            "name": "Credentials for an hour",
            "uses": settings.actions["aws-credentials"],
            "with": {
                "role-to-assume": role,
                "role-session-name": f"twinfra-{stage.name}"[:64],
                "aws-region": stage.region,
            },
        }
    ]


def _keep(steps: Steps, name: str, commit: str) -> dict[str, Any]:
    return {
        "name": "Keep the plan",
        "if": "always()",
        "uses": steps.settings.actions["upload-artifact"],
        "with": {
            "name": artifact_name(name, f"${{{{ {commit} }}}}", steps.prefix),
            "path": f"{steps.kept}/{name}.*\n",
            "include-hidden-files": True,
            "if-no-files-found": "ignore",
            "overwrite": True,
            "retention-days": steps.settings.keep_days,
        },
    }


def _permissions(role: str) -> dict[str, str]:
    return {"contents": "read", **({"id-token": "write"} if role else {})}


def _secrets(settings: Settings) -> dict[str, Any]:
    return {"env": {one: f"${{{{ secrets.{one} }}}}" for one in settings.secrets}} if settings.secrets else {}


def _runner(settings: Settings, stage: Stage) -> str:
    return stage.runner or settings.runner or _RUNNER
