"""Brings the plan that somebody has looked at from the job that kept it: of the pull request, or an approved one."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from twinfra.dataclass import dataclass
from twinfra.diagnostics import DiagnosticError, error
from twinfra.pipelines.forge.choosing import Platform
from twinfra.state.files import file_problem, replace_file

_LARGEST = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was found: `number` is the pull request (0 for none), `digest` that of the plan, empty for none."""

    number: int
    digest: str


def fetch_reviewed(platform: Platform, commit: str, environment: str, path: Path) -> Fetched:
    """Write the newest plan of the pull request that `commit` comes from to `path`; nothing where there is none.

    Raises `DiagnosticError`.
    """
    request = platform.forge.merged(commit)
    if request is None:
        return Fetched(0, "")
    for plan in _plans(platform.artifacts.of_pull_request(request, environment), environment):
        return Fetched(request.number, _write(path, plan))
    return Fetched(request.number, "")


def fetch_approved(platform: Platform, commit: str, environment: str, approved: str, path: Path) -> bool:
    """Write the plan with this digest, which a job prepared at `commit`, to `path`; False where there is none.

    Raises `DiagnosticError`.
    """
    for plan in _plans(platform.artifacts.of_commit(commit, environment), environment):
        if _digest(plan) == approved:
            _write(path, plan)
            return True
    return False


def _plans(archives: Iterable[bytes], environment: str) -> Iterable[bytes]:
    """The plans of an environment in archives, wherever in them they lie."""
    name = f"{environment}.plan"
    for content in archives:
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                for one in archive.infolist():
                    if PurePosixPath(one.filename).name == name and one.file_size <= _LARGEST:
                        yield archive.read(one)
                        break
        except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError):
            raise DiagnosticError(
                error(
                    "Cannot read what a job kept",
                    f"The artifact with the plan of {environment} is no ZIP archive that can be read.",
                    mend="Run the job of the pull request again, so that it is kept anew.",
                )
            ) from None


def _write(path: Path, plan: bytes) -> str:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, [plan])
    except OSError as reason:
        raise file_problem(reason, "write the plan to", path) from None
    return _digest(plan)


def _digest(plan: bytes) -> str:
    return f"sha256:{hashlib.sha256(plan).hexdigest()}"
