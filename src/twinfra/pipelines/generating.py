"""Makes a pipeline's file: new, or in the place of the generated regions of the one that is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, DiagnosticError, error
from twinfra.environments.declaration import Project
from twinfra.environments.git import describe, not_in_repository
from twinfra.pipelines import github_file, gitlab_file, jenkins_file
from twinfra.pipelines.regions import merge, new_file
from twinfra.pipelines.settings import Settings, check_jenkins
from twinfra.pipelines.steps import make_steps

NEW, CHANGED, CURRENT = "new", "changed", "current"

_PLATFORMS: dict[str, ModuleType] = {
    "github": github_file,
    "gitlab": gitlab_file,
    "jenkins": jenkins_file,
}


@dataclass(frozen=True, slots=True)
class Made:
    """A file as it is to be. `status`: whether it is new, changed, or is so already.

    `edited` are generated regions that people changed, which are lost in `text`; `next_steps` what a person has to do
    once.
    """

    path: Path
    text: str
    status: str
    edited: tuple[Diagnostic, ...] = ()
    next_steps: tuple[str, ...] = ()


def make_pipeline(
    platform: str, project: Project, settings: Settings, directory: Path, out: str | None
) -> Made:
    """The pipeline of a platform for the configuration in `directory`. `out`: another file than the usual one.

    Writes nothing. Raises `DiagnosticError`.
    """
    module = _PLATFORMS[platform]
    facts = describe(directory)
    if facts is None:
        raise DiagnosticError(not_in_repository(directory))
    if platform == "jenkins":
        check_jenkins(project, settings)
    path = Path(out) if out else facts.top / module.PATH
    regions = module.regions(make_steps(settings, project, directory))
    steps: Callable[[Settings], list[str]] = module.next_steps
    before = _read(path)
    if before is None or not before.strip():
        return Made(path, new_file(regions, module.COMMENT), NEW, next_steps=tuple(steps(settings)))
    merged = merge(before, str(path), regions, module.COMMENT)
    status = CURRENT if merged.text == before else CHANGED
    return Made(path, merged.text, status, merged.edited)


def write_pipeline(made: Made) -> None:
    """Write it. Raises `DiagnosticError`."""
    try:
        made.path.parent.mkdir(parents=True, exist_ok=True)
        made.path.write_text(made.text, encoding="utf-8")
    except OSError as reason:
        raise DiagnosticError(
            error(
                "Cannot write the pipeline",
                f"{made.path}: {reason.strerror or reason}.",
                mend="Name another file: -out=FILE.",
            )
        ) from None


def _read(path: Path) -> str | None:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as reason:
        raise DiagnosticError(
            error("Cannot read the pipeline", f"{path}: {getattr(reason, 'strerror', None) or reason}.")
        ) from None
