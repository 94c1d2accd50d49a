"""A declarative pipeline for Jenkins (https://www.jenkins.io/doc/book/pipeline/syntax/), for a multibranch job.

It needs the plugins that Jenkins suggests, and OpenID Connect Provider where roles are assumed.
"""

from __future__ import annotations

import textwrap

from twinfra.pipelines.regions import Region
from twinfra.pipelines.settings import Settings, Stage
from twinfra.pipelines.steps import BASE, DIRECTORY, KEY_FILE, Steps

PATH = "Jenkinsfile"
COMMENT = "//"
_VENV = ".twinfra/venv"
_NIGHTLY = "triggeredBy 'TimerTrigger'"


def regions(steps: Steps) -> list[Region]:
    """The parts of the pipeline, in their order."""
    stages = steps.settings.stages
    made = [
        Region("pipeline", _head(steps)),
        _stage_region("setup", _setup(steps)),
        _stage_region("checks", _checks(steps)),
    ]
    made += [_stage_region(f"plan-{one.name}", _plan(steps, one)) for one in stages]
    made.append(_stage_region("comment", _comment(steps)))
    made += [_stage_region(f"apply-{one.name}", _apply(steps, one)) for one in stages]
    made += [_stage_region(f"drift-{one.name}", _drift(steps, one)) for one in stages]
    return [*made, Region("end", "    }\n}\n")]


def next_steps(settings: Settings) -> list[str]:
    """What a person has to do once."""
    tokens = [one.oidc for one in settings.stages if one.role]
    return [
        f"Make keys, commit {settings.verify_key}, and give the private one as the credential",
        f"{settings.credentials['signing key']} (secret file):",
        "  twinfra key new " + settings.verify_key.removesuffix(".pub"),
        f"Give a token for the comments as {settings.credentials['token']} (secret text).",
        *([f"Make the credentials {', '.join(tokens)} (OpenID Connect id token as file)."] if tokens else []),
    ]


def _stage_region(name: str, text: str) -> Region:
    return Region(name, textwrap.indent(text, " " * 8), " " * 8)


def _head(steps: Steps) -> str:
    settings = steps.settings
    hour, minute = settings.nightly
    agent = f"label {_quoted(settings.runner)}" if settings.runner else ""
    places = {
        "github": ("https://api.github.com", "GITHUB_API_URL", "GITHUB_REPOSITORY"),
        "gitlab": ("https://gitlab.com/api/v4", "CI_API_V4_URL", "CI_PROJECT_ID"),
    }
    url, api, repository = places[settings.forge]
    lines = [
        "pipeline {",
        f"    agent {{ {agent} }}" if agent else "    agent any",
        "    options {",
        "        disableConcurrentBuilds()",
        f"        buildDiscarder(logRotator(artifactDaysToKeepStr: '{settings.keep_days}'))",
        "    }",
        "    triggers {",
        f"        cron(env.BRANCH_NAME == {_quoted(settings.branch)} ? 'TZ=Etc/UTC\\n{minute} {hour} * * *' : '')",
        "    }",
        "    parameters {",
        "        string(name: 'TWINFRA_APPROVED', defaultValue: '',",
        "            description: 'The digest of a plan that waits for approval')",
        "    }",
        "    environment {",
        f"        {api} = {_quoted(settings.api or url)}",
        f"        {repository} = {_quoted(settings.repository)}",
        f'        {BASE} = "origin/${{env.CHANGE_TARGET}}"',
        "    }",
        "    stages {",
    ]
    return "\n".join(lines) + "\n"


def _setup(steps: Steps) -> str:
    return _stage("Setup", "", [_installed(steps)])


def _installed(steps: Steps) -> str:
    # Where the job brings them itself, with a credential of its own, this does nothing.
    submodules = "git submodule update --init --recursive\n" if steps.submodules else ""
    install = f'python3 -m venv "$WORKSPACE/{_VENV}"\n{steps.settings.install}\n'
    return _shell(".", f"set -eu\n{submodules}{install}")


def _checks(steps: Steps) -> str:
    # A workspace is used again: what an earlier build found must not be told of this one.
    script = steps.checks().replace("\n", f"\nrm -rf {DIRECTORY}\n", 1)
    told = _wrapped("script", [_wrapped("if (env.CHANGE_ID)", _telling(steps))])
    return _stage("Checks", f"not {{ {_NIGHTLY} }}", [_shell(steps.prefix, script)], failed=[told])


def _telling(steps: Steps) -> list[str]:
    """The comment on the pull request."""
    given = [_text(steps.settings.credentials["token"], "TWINFRA_CI_TOKEN")]
    return _with(given, [_shell(steps.prefix, steps.comment())])


def _plan(steps: Steps, stage: Stage) -> str:
    body = _body(steps, stage, steps.plan(stage, if_touched=True))
    return _stage(
        f"Plan {stage.name}",
        "changeRequest()",
        # A plan that fails is told in the comment, which a stage after it makes.
        [_wrapped("catchError", _given(steps, stage, stage.plan_role, body, signing=True))],
        stage,
        [_kept(steps, stage), *([_stashed(steps, stage)] if stage.runner else [])],
    )


def _comment(steps: Steps) -> str:
    body = [f"unstash {_quoted(_stash(one))}" for one in steps.settings.stages if one.runner]
    return _stage("Comment", "changeRequest()", [*body, *_telling(steps)])


def _apply(steps: Steps, stage: Stage) -> str:
    settings = steps.settings
    body = _body(steps, stage, steps.apply(stage))
    given = [_text(settings.credentials["token"], "TWINFRA_CI_TOKEN")]
    if settings.credentials["artifacts"]:
        credential = _quoted(settings.credentials["artifacts"])
        given.append(f"usernameColonPassword(credentialsId: {credential}, variable: 'TWINFRA_JENKINS_TOKEN')")
    when = f"branch {_quoted(settings.branch)}\nnot {{ {_NIGHTLY} }}"
    return _stage(
        f"Apply {stage.name}",
        when,
        _given(steps, stage, stage.role, body, signing=True, more=given),
        stage,
        [_kept(steps, stage)],
    )


def _drift(steps: Steps, stage: Stage) -> str:
    body = _body(steps, stage, steps.drift(stage))
    when = f"branch {_quoted(steps.settings.branch)}\n{_NIGHTLY}"
    # Each environment is looked at, whatever was found in the one before it.
    looking = [_wrapped("catchError", _given(steps, stage, stage.plan_role, body))]
    return _stage(f"Drift of {stage.name}", when, looking, stage)


def _body(steps: Steps, stage: Stage, script: str) -> list[str]:
    """A script of an environment; another agent has another workspace, with nothing installed."""
    return [*([_installed(steps)] if stage.runner else []), _shell(steps.prefix, script)]


def _stage(
    name: str,
    when: str,
    body: list[str],
    stage: Stage | None = None,
    after: list[str] | None = None,
    failed: list[str] | None = None,
) -> str:
    """A stage. `after` are steps that end it however it went, `failed` those that end it where it failed."""
    lines = [f"stage({_quoted(name)}) {{"]
    if stage is not None and stage.runner:
        lines.append(f"    agent {{ label {_quoted(stage.runner)} }}")
    if when:
        # An agent is not waited for in vain.
        early = ["        beforeAgent true"] if stage is not None and stage.runner else []
        lines += ["    when {", *early, textwrap.indent(when, " " * 8), "    }"]
    lines += ["    steps {", *(textwrap.indent(one, " " * 8, lambda line: True) for one in body), "    }"]
    for condition, ending in (("always", after), ("failure", failed)):
        if ending:
            inner = "\n".join(textwrap.indent(one, " " * 12) for one in ending)
            lines += ["    post {", f"        {condition} {{", inner, "        }", "    }"]
    return "\n".join([*lines, "}"]) + "\n"


def _given(
    steps: Steps,
    stage: Stage,
    role: str,
    body: list[str],
    *,
    signing: bool = False,
    more: list[str] | None = None,
) -> list[str]:
    """The body with what it needs: the signing key, the job's own token for the role, secrets of variables."""
    settings = steps.settings
    given = [_text(one, one) for one in settings.secrets]
    if signing:
        given.append(_file(settings.credentials["signing key"], KEY_FILE))
    given += more or []
    if not role:
        return _with(given, body)
    given.append(_file(stage.oidc, "AWS_WEB_IDENTITY_TOKEN_FILE"))
    variables = {
        "AWS_ROLE_ARN": role,
        "AWS_ROLE_SESSION_NAME": f"twinfra-{stage.name}",
        "AWS_REGION": stage.region,
    }
    listed = ", ".join(_quoted(f"{name}={value}") for name, value in variables.items())
    return [_wrapped(f"withEnv([{listed}])", _with(given, body))]


def _with(given: list[str], body: list[str]) -> list[str]:
    if not given:
        return body
    listed = ",\n".join(f"    {one}" for one in given)
    return [_wrapped(f"withCredentials([\n{listed},\n])", body)]


def _wrapped(head: str, body: list[str]) -> str:
    inner = "\n".join(textwrap.indent(one, " " * 4) for one in body)
    return f"{head} {{\n{inner}\n}}"


def _text(credential: str, variable: str) -> str:
    return f"string(credentialsId: {_quoted(credential)}, variable: {_quoted(variable)})"


def _file(credential: str, variable: str) -> str:
    return f"file(credentialsId: {_quoted(credential)}, variable: {_quoted(variable)})"


def _shell(prefix: str, script: str) -> str:
    """A step that runs a script, with what was installed in this workspace."""
    first, _, rest = script.partition("\n")
    text = f'{first}\nexport PATH="$WORKSPACE/{_VENV}/bin:$PATH"\n{rest}'
    step = f"sh '''{_escaped(text)}'''"
    return step if prefix == "." else _wrapped(f"dir({_quoted(prefix)})", [step])


def _kept(steps: Steps, stage: Stage) -> str:
    return f"archiveArtifacts artifacts: {_quoted(f'{steps.kept}/{stage.name}.*')}, allowEmptyArchive: true"


def _stash(stage: Stage) -> str:
    return f"twinfra-{stage.name}"


def _stashed(steps: Steps, stage: Stage) -> str:
    """What another agent found, for the stage that comments: not the plan itself."""
    included = _quoted(f"{steps.kept}/{stage.name}.json")
    return f"stash name: {_quoted(_stash(stage))}, includes: {included}, allowEmpty: true"


def _quoted(text: str) -> str:
    return f"'{_escaped(text)}'"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
