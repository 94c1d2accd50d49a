"""The section `[report]` of `twinfra.toml`."""

from __future__ import annotations

from pathlib import Path

from twinfra.dataclass import dataclass
from twinfra.environments.declaration import Project


@dataclass(frozen=True, slots=True)
class Settings:
    """`title`: what stands at the top of the page. `drift_summary`: the file that `drift -summary` appends to."""

    title: str
    drift_summary: Path | None = None


def read_settings(project: Project) -> Settings:
    """What a project declares; its title is the name of its directory where it gives none. Raises `DiagnosticError`."""
    section = project.section("report")
    title = section.text("title", project.directory.resolve().name)
    summary = section.text("drift_summary")
    section.finish()
    section.found.raise_errors()
    return Settings(title, project.directory / summary if summary else None)
