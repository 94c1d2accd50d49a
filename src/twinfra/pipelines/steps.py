"""What the jobs of a pipeline run, as shell scripts: the same on every platform."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

from twinfra.dataclass import dataclass
from twinfra.diagnostics import DiagnosticError
from twinfra.environments.declaration import Project
from twinfra.environments.git import describe, not_in_repository
from twinfra.pipelines.settings import Settings, Stage

DIRECTORY = ".twinfra/ci"
"""Where jobs keep plans and outcomes, in the directory of the configuration."""
KEY = "TWINFRA_SIGNING_KEY"
KEY_FILE = "TWINFRA_SIGNING_KEY_FILE"
"""The secret with the private key, and the variable that tells jobs where it lies as a file."""
BASE = "TWINFRA_BASE"
"""The variable with the commit that a pull request is compared with."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The scripts for a configuration. `prefix`: its directory from the top of the repository, `.` for the top.

    `verify_key` is the public key's path from that directory. `submodules`: the repository has some, which jobs need.
    """

    settings: Settings
    prefix: str
    verify_key: str
    submodules: bool = False

    @property
    def kept(self) -> str:
        """Where jobs keep plans, from the top of the repository."""
        return DIRECTORY if self.prefix == "." else f"{self.prefix}/{DIRECTORY}"

    @property
    def title(self) -> str:
        """What the pipeline is called: by the directory of the configuration, where that is not the top."""
        return "twinfra" if self.prefix == "." else f"twinfra-{self.prefix.replace('/', '.')}"

    def checks(self) -> str:
        """What is checked before anything is planned."""
        twins = [self._twins(*pair) for pair in self.settings.pairs()]
        return _script("twinfra fmt -check -diff -recursive", "twinfra validate", *twins)

    def changed(self) -> str:
        """Which environments a pull request touches, told and for later jobs."""
        return _script(f'twinfra ci changed "${BASE}"')

    def plan(self, stage: Stage, *, if_touched: bool) -> str:
        """Plan an environment for a pull request. `if_touched`: only where it is touched."""
        since = f' -since="${BASE}"' if if_touched else ""
        return _script(f'twinfra ci plan -env {stage.name}{since} {self._timeout} -sign="${KEY_FILE}"')

    @property
    def names(self) -> str:
        """The environments, as a JSON list."""
        return json.dumps([one.name for one in self.settings.stages], separators=(",", ":"))

    def comment(self, variable: str = "") -> str:
        """Say it on the pull request. `variable` has the list of environments that were to be planned; else it is all
        of them.
        """
        expected = f'"${variable}"' if variable else shlex.quote(self.names)
        return _script(f"twinfra ci comment -expect={expected}")

    def apply(self, stage: Stage) -> str:
        """After a merge: compare twins, fetch the reviewed plan, apply exactly that, and say how it ended."""
        name = stage.name
        key = shlex.quote(f"-verify-key={self.verify_key}")
        quietly = '|| echo "The comment could not be changed." >&2'
        one = shlex.quote(json.dumps([name]))
        before = [
            *(self._twins(*pair) for pair in self.settings.pairs(name)),
            f"twinfra ci fetch -env {name}",
            f'twinfra ci prepare -env {name} {self._timeout} -sign="${KEY_FILE}" {key}',
        ]
        return _script(
            f"rm -f {DIRECTORY}/{name}.json {DIRECTORY}/{name}.plan",
            "code=0",
            *(f'[ "$code" != 0 ] || {each} || code=$?' for each in before),
            f'if [ "$code" = 0 ] && [ -e {DIRECTORY}/{name}.plan ]; then',
            f"  twinfra apply -env {name} -input=false {self._timeout} {key} {DIRECTORY}/{name}.plan || code=$?",
            f'  twinfra ci comment -env {name} -exit-code="$code" {quietly}',
            "else",
            f"  twinfra ci comment -env {name} -expect={one} {quietly}",
            "fi",
            'exit "$code"',
        )

    def drift(self, stage: Stage) -> str:
        """Look for drift: exit code 2 where there is some."""
        return _script(f"twinfra drift -env {stage.name} -input=false {self._timeout}")

    @property
    def _timeout(self) -> str:
        return shlex.quote(f"-lock-timeout={self.settings.lock_timeout}")

    def _twins(self, first: str, second: str) -> str:
        return f"twinfra twins {first} {second}"


def make_steps(settings: Settings, project: Project, directory: Path) -> Steps:
    """The scripts for the configuration in `directory`. Raises `DiagnosticError` outside of a Git repository."""
    facts = describe(directory)
    if facts is None:
        raise DiagnosticError(not_in_repository(directory))
    key = os.path.relpath(project.directory / settings.verify_key, directory.resolve())
    submodules = (facts.top / ".gitmodules").is_file()
    return Steps(settings, facts.prefix.as_posix().rstrip("/") or ".", key, submodules)


def _script(*lines: str) -> str:
    return "\n".join(("set -eu", *lines)) + "\n"
