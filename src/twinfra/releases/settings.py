"""`[releases]` of `twinfra.toml`: the model registries that releases are told to."""

from __future__ import annotations

import re
from dataclasses import field
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import urlsplit

from twinfra.dataclass import dataclass
from twinfra.diagnostics import SourceRange
from twinfra.environments.declaration import Project
from twinfra.environments.table import Table

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_SCHEMES = ("http", "https", "sqlite", "postgresql", "mysql", "mssql", "databricks")
_FILE = "sqlite:///"


@dataclass(frozen=True, slots=True)
class MlflowSettings:
    """`[releases.mlflow]`. `alias` has no placeholder any more once `alias_in` was asked."""

    tracking_uri: str
    registry_uri: str
    alias: str = ""
    version_tag: str = ""
    models: tuple[str, ...] = ()
    place: SourceRange | None = field(default=None, compare=False)

    def alias_in(self, environment: str) -> str:
        """The alias that names what an environment runs; empty for none."""
        return self.alias.replace("{environment}", environment or "default")

    def covers(self, model: str) -> bool:
        """Whether a model is in this registry."""
        return _covers(self.models, model)


@dataclass(frozen=True, slots=True)
class SagemakerSettings:
    """`[releases.sagemaker]`. An empty `region` is the environment's own."""

    region: str = ""
    approved: bool = True
    reject: bool = False
    version_key: str = ""
    models: tuple[str, ...] = ()
    place: SourceRange | None = field(default=None, compare=False)

    def covers(self, model: str) -> bool:
        """Whether a model is in this registry."""
        return _covers(self.models, model)


@dataclass(frozen=True, slots=True)
class ReleaseSettings:
    """The section; None for a registry that is not configured."""

    mlflow: MlflowSettings | None = None
    sagemaker: SagemakerSettings | None = None


def read_settings(project: Project | None) -> ReleaseSettings:
    """The settings of a project. Raises `DiagnosticError`."""
    if project is None:
        return ReleaseSettings()
    section = project.section("releases")
    mlflow, sagemaker = section.table("mlflow"), section.table("sagemaker")
    found = ReleaseSettings(
        _mlflow(mlflow, project.directory) if mlflow.given else None,
        _sagemaker(sagemaker) if sagemaker.given else None,
    )
    section.finish()
    section.found.raise_errors()
    return found


def _mlflow(table: Table, directory: Path) -> MlflowSettings:
    tracking = _uri(table, "tracking_uri", directory, required=True)
    alias = table.text("alias")
    for name in _PLACEHOLDER.findall(alias):
        if name != "environment":
            table.fail(
                "Unsuitable value",
                f"alias knows {{environment}} only, not {{{name}}}.",
                "alias",
                mend="Correct it.",
            )
    found = MlflowSettings(
        tracking,
        _uri(table, "registry_uri", directory) or tracking,
        alias,
        table.text("version_tag"),
        table.texts("models"),
        table.place(),
    )
    table.finish()
    return found


def _uri(table: Table, name: str, directory: Path, *, required: bool = False) -> str:
    text = table.text(name, required=required)
    if not text:
        return ""
    scheme = text.partition(":")[0].partition("+")[0].lower()
    if scheme not in _SCHEMES:
        table.fail(
            "Unsuitable value",
            f"{name} is the address of a tracking server or of a database: it begins with "
            f"{', '.join(f'{one}:' for one in _SCHEMES)}.",
            name,
            mend='Write it such as "https://mlflow.example.com" or "sqlite:///mlflow.db".',
        )
    elif _has_secret(text):
        table.fail(
            "A password in the file",
            f"{name} has a user or a password in it, and the file belongs to the code.",
            name,
            mend="Leave it out, and set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD or "
            "MLFLOW_TRACKING_TOKEN.",
        )
    elif text.startswith(_FILE) and not text.startswith(f"{_FILE}/"):
        return f"{_FILE}{directory / text.removeprefix(_FILE)}"
    return text


def _has_secret(text: str) -> bool:
    try:
        parts = urlsplit(text)
        # What stands alone before a server's name may be a token.
        return parts.password is not None or (
            parts.scheme in ("http", "https") and parts.username is not None
        )
    except ValueError:
        return False


def _sagemaker(table: Table) -> SagemakerSettings:
    found = SagemakerSettings(
        table.text("region"),
        table.flag("approved", True),
        table.flag("reject"),
        table.text("version_key"),
        table.texts("models"),
        table.place(),
    )
    table.finish()
    return found


def _covers(patterns: tuple[str, ...], model: str) -> bool:
    return not patterns or any(fnmatchcase(model, one) for one in patterns)
