"""Runs the steps of generated pipelines as a platform would: each job in a clone of its own, by bash, in its variables.

What a step of somebody else's does (checking out, installing, keeping files) is done here in its place.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import yaml
from tests.environments.repositories import Repository, environment
from tests.pipelines.forge_server import TOKEN, ForgeServer, archive

KEPT = ".twinfra/ci"


@dataclass
class Ended:
    """How a job ended: the exit code of its last script, what was printed, and its clone."""

    code: int
    out: str
    clone: Path


@dataclass
class Platform:
    """The steps of one platform's file. `origin` is the bare repository, `variables` what every job is given, `bin` has
    the command `twinfra`."""

    root: Path
    origin: Repository
    forge: ForgeServer
    variables: dict[str, str]
    bin: Path
    jobs: int = 0
    left: dict[str, Path] = field(default_factory=dict)
    counting: Lock = field(default_factory=Lock)

    def clone(self, commit: str) -> Path:
        """A clone as a job gets it: the whole history, at a commit, on no branch."""
        with self.counting:
            self.jobs += 1
            path = self.root / f"job-{self.jobs}"
        refs = "+refs/pull/*:refs/remotes/pull/*"
        self.origin.git("clone", "-q", "--no-checkout", "-c", f"remote.origin.fetch={refs}", ".", str(path))
        clone = Repository(path)
        clone.git("checkout", "-q", "--detach", commit)
        return path

    def bash(self, clone: Path, scripts: list[str], more: Mapping[str, str]) -> Ended:
        """Run scripts one after the other in a clone; the first that fails ends it."""
        given = {
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "HOME": str(clone),
            "WORKSPACE": str(clone),
            **{name: value for name, value in environment().items() if name.startswith("GIT_")},
            **{name: os.environ[name] for name in ("TWINFRA_LOG", "TWINFRA_LOG_PATH")},
            **self.variables,
            **more,
        }
        out = ""
        for script in scripts:
            done = subprocess.run(
                ["bash", "-e", "-c", script],
                cwd=clone,
                env=given,
                capture_output=True,
                text=True,
                check=False,
                timeout=240,
            )
            out += done.stdout + done.stderr
            assert TOKEN not in out
            assert "PRIVATE KEY" not in out
            if done.returncode:
                return Ended(done.returncode, out, clone)
        return Ended(0, out, clone)


class GitHubJobs(Platform):
    """Jobs of the workflow, by their names in it."""

    def document(self, clone: Path) -> dict[str, Any]:
        return dict(yaml.safe_load((clone / ".github/workflows/twinfra.yml").read_text())["jobs"])

    def run(self, name: str, commit: str, event: Path, **expressions: str) -> Ended:
        """Run a job at a commit; `expressions` are the values of `${{ }}` that its steps are given in `env`."""
        clone = self.clone(commit)
        job = self.document(clone)[name]
        output = self.root / f"output-{self.jobs}"
        known = {"github.token": TOKEN, "inputs.approved": "", **self._secrets(), **expressions}
        scripts, more = (
            [],
            {"GITHUB_EVENT_PATH": str(event), "GITHUB_OUTPUT": str(output), "GITHUB_ENV": str(output)},
        )
        more |= {"RUNNER_TEMP": str(self.root), "TWINFRA_SIGNING_KEY_FILE": str(self.root / "twinfra.key")}
        for name_, value in job.get("env", {}).items():
            more[name_] = self._value(str(value), known)
        for step in job["steps"]:
            if step.get("name") == "Outcomes":
                for kept in self.root.glob("kept-*"):
                    (clone / KEPT).mkdir(parents=True, exist_ok=True)
                    for one in kept.iterdir():
                        (clone / KEPT / one.name).write_bytes(one.read_bytes())
            if "run" not in step or step["name"] == "Twinfra":
                continue
            more |= {one: self._value(str(value), known) for one, value in step.get("env", {}).items()}
            scripts.append(step["run"])
        ended = self.bash(clone, scripts, more)
        for step in job["steps"]:
            if step.get("name") == "Keep the plan":
                artifact = self._value(step["with"]["name"], {**known, "github.sha": commit})
                pattern = Path(step["with"]["path"].strip())
                if list((clone / pattern.parent).glob(pattern.name)):
                    self.forge.artifacts.append((artifact, archive(clone / pattern.parent, "", pattern.name)))
                    self._keep(clone, pattern)
        return ended

    def _keep(self, clone: Path, pattern: Path) -> None:
        kept = self.root / f"kept-{pattern.stem}"
        kept.mkdir(exist_ok=True)
        for one in (clone / pattern.parent).glob(pattern.name):
            (kept / one.name).write_bytes(one.read_bytes())

    def _secrets(self) -> dict[str, str]:
        return {"secrets.TWINFRA_SIGNING_KEY": (self.root / "ci.key").read_text()}

    @staticmethod
    def _value(text: str, known: Mapping[str, str]) -> str:
        return re.sub(r"\$\{\{ (.*?) \}\}", lambda match: known[match[1]], text)


class GitLabJobs(Platform):
    """Jobs of the pipeline, by their names in it."""

    def run(self, name: str, commit: str, pipeline: dict[str, Any], **more: str) -> Ended:
        """Run a job at a commit as a part of a pipeline, which keeps its artifacts."""
        clone = self.clone(commit)
        document = yaml.safe_load((clone / ".gitlab-ci.yml").read_text())
        job = {**document[".twinfra"], **document[name]}
        tokens = dict.fromkeys(job.get("id_tokens", {}), "an-id-token")
        for needed in job.get("needs", ()):
            for one, content in pipeline["files"].get(needed, {}).items():
                (clone / KEPT).mkdir(parents=True, exist_ok=True)
                (clone / KEPT / one).write_bytes(content)
        base = {"TWINFRA_BASE": more.pop("CI_MERGE_REQUEST_DIFF_BASE_SHA", "")}
        # The lines of a job are one script to one shell.
        ended = self.bash(clone, ["\n".join(job["script"])], {**tokens, **base, **more})
        pattern = Path(job["artifacts"]["paths"][0]) if "artifacts" in job else None
        if pattern is not None:
            files = {one.name: one.read_bytes() for one in (clone / pattern.parent).glob(pattern.name)}
            pipeline["files"][name] = files
            if files:
                content = archive(clone / pattern.parent, f"{KEPT}/", pattern.name)
                pipeline["jobs"].append((name, content))
        return ended


class JenkinsJobs(Platform):
    """Stages of the pipeline, by their names in it."""

    def run(self, name: str, commit: str, build: str, **more: str) -> Ended:
        """Run a stage at a commit; `build` is the path under which Jenkins keeps its files."""
        clone = self.left.get(f"{build}@{commit}") or self.clone(commit)
        self.left[f"{build}@{commit}"] = clone
        text = (clone / "Jenkinsfile").read_text()
        stage = re.search(rf"stage\('{re.escape(name)}'\) \{{\n(.*?)\n        \}}\n", text, re.DOTALL)
        assert stage is not None, name
        steps, _, post = stage[1].partition("            post {\n")
        given = dict(re.findall(r"(?:file|string)\(credentialsId: '(.*?)', variable: '(.*?)'\)", stage[1]))
        values = {
            "twinfra-signing-key": str(self.root / "ci.key"),
            "twinfra-forge-token": TOKEN,
            "twinfra-oidc-staging": str(self.root / "id-token"),
            "twinfra-oidc-production": str(self.root / "id-token"),
        }
        variables = {variable: values[credential] for credential, variable in given.items()}
        for listed in re.findall(r"withEnv\(\[(.*?)\]\)", stage[1]):
            variables |= dict(one.split("=", 1) for one in re.findall(r"'(.*?)'", listed))
        head = dict(re.findall(r"^        (\w+) = '(.*?)'$", text, re.MULTILINE))
        ended = self.bash(clone, self._scripts(steps), {**head, **variables, **more})
        if ended.code and "failure {" in post:
            self.bash(clone, self._scripts(post), {**head, **variables, **more})
        if (kept := re.search(r"archiveArtifacts artifacts: '(.*?)'", stage[1])) is not None:
            for one in clone.glob(kept[1]):
                self.forge.builds[f"{build}/lastCompletedBuild/artifact/{KEPT}/{one.name}"] = one.read_bytes()
        return ended

    @staticmethod
    def _scripts(text: str) -> list[str]:
        found = re.findall(r"sh '''(.*?)'''", text, re.DOTALL)
        return [re.sub(r"\\(.)", r"\1", script) for script in found]
