"""Real Git repositories on disk, of nobody's configuration but their own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


class Repository:
    """A repository at `path`, with a working tree."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def git(self, *arguments: str) -> str:
        """What a git command printed; raises `CalledProcessError`."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            env=environment(),
            check=True,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return done.stdout.strip()

    def write(self, **files: str) -> None:
        """Files by path, with `_` for the dot: `infra/main_tf`."""
        for name, text in files.items():
            stem, _, suffix = name.rpartition("_")
            path = self.path / f"{stem}.{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def commit(self, message: str, **files: str) -> str:
        """Write files and commit everything; the ID of the commit."""
        self.write(**files)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def clone(self, path: Path, *options: str) -> Repository:
        """A clone at `path`, over a transport that honours `--depth`."""
        self.git("clone", "-q", *options, f"file://{self.path}", str(path))
        return Repository(path)


def environment() -> dict[str, str]:
    """That of a git command which reads no one's settings."""
    ours = {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.org",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return kept | ours


def new_repository(path: Path) -> Repository:
    """An empty repository with the branch `main`."""
    path.mkdir(parents=True, exist_ok=True)
    made = Repository(path)
    made.git("init", "-q", "-b", "main")
    return made
