"""MLflow's model registry: facts of a release are tags on the model version, an alias names the one in force.

See https://mlflow.org/docs/latest/ml/model-registry. The client loads when it is first needed.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from twinfra.diagnostics import Diagnostic, DiagnosticError, error, nearest
from twinfra.releases.record import Model
from twinfra.releases.registry import NO_MODEL, NO_VERSION, is_unknown, named
from twinfra.releases.settings import MlflowSettings

T = TypeVar("T")

_MISSING = "RESOURCE_DOES_NOT_EXIST"
_FILE = "sqlite:///"
_PATIENCE = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
"""MLflow's own defaults try for minutes what nobody answers."""
_SHOWN = 200


class MlflowRegistry:
    """One registry for one environment; see `registry.Registry`. Owned by one thread."""

    key = "mlflow"
    title = "MLflow"

    def __init__(self, settings: MlflowSettings, environment: str) -> None:
        self._settings = settings
        self._environment = environment
        self._alias = settings.alias_in(environment)
        self._made: Any = None
        self._versions: dict[Model, str] = {}

    def covers(self, model: str) -> bool:
        return self._settings.covers(model)

    def check(self, model: Model, *, moving: bool) -> None:
        version = self._version(model)
        if not self._alias or moving:
            return
        now = self._aliased(model.name)
        if now != version:
            raise DiagnosticError(
                error(
                    "The alias names another version",
                    f'In MLflow the alias "{self._alias}" of {model.name} '
                    + (f"names version {now}, not {version}." if now else "is not set."),
                    self._settings.place,
                    mend="Set it there, or let the release set it: -move-alias",
                )
            )

    def note(self, model: Model, facts: Mapping[str, str]) -> None:
        version = self._version(model)
        for name, value in facts.items():
            self._set_tag(model.name, version, named(self._environment, name), value)

    def noted(self, model: Model) -> Mapping[str, str]:
        found = self._ask(lambda client: client.get_model_version(model.name, self._version(model)))
        prefix = named(self._environment, "")
        return {name[len(prefix) :]: value for name, value in found.tags.items() if name.startswith(prefix)}

    def points_to(self, model: str) -> str:
        if not self._alias:
            return ""
        now = self._aliased(model)
        return f'alias "{self._alias}" names {f"version {now}" if now else "nothing"}'

    def snapshot(self, models: Iterable[Model]) -> dict[str, str]:
        if not self._alias:
            return {}
        return {one.name: self._aliased(one.name) for one in models if self.covers(one.name)}

    def point(self, model: Model, left: Model | None) -> None:
        if self._alias:
            self._set_alias(model.name, self._version(model))

    def put_back(self, snapshot: dict[str, str]) -> None:
        for name, version in snapshot.items():
            if self._aliased(name) != version:
                self._set_alias(name, version)

    def holds(self, model: Model) -> str:
        try:
            version = self._version(model)
        except DiagnosticError as problem:
            if not is_unknown(problem):
                raise
            return problem.diagnostics[0].detail
        if self._alias and (now := self._aliased(model.name)) != version:
            return f'In MLflow the alias "{self._alias}" of {model.name} names {now or "nothing"}, not {version}.'
        return ""

    # -- asking

    def _set_tag(self, model: str, version: str, name: str, value: str) -> None:
        self._ask(lambda client: client.set_model_version_tag(model, version, name, value))

    def _set_alias(self, model: str, version: str) -> None:
        """Let the alias name a version, or nothing where that is empty."""
        if version:
            self._ask(lambda client: client.set_registered_model_alias(model, self._alias, version))
        else:
            self._ask(lambda client: client.delete_registered_model_alias(model, self._alias))

    def _version(self, model: Model) -> str:
        """The registry's own number of a model's version."""
        found = self._versions.get(model)
        if found is None:
            found = self._versions[model] = self._find(model)
        return found

    def _find(self, model: Model) -> str:
        tag = self._settings.version_tag
        if tag:
            return self._find_tagged(model, tag)
        if not model.version.isdigit():
            raise DiagnosticError(
                error(
                    NO_VERSION,
                    f'Versions in MLflow are whole numbers, and "{model.version}" is none.',
                    self._settings.place,
                    mend='Name MLflow\'s number, or the tag that has such versions: version_tag = "version"',
                )
            )
        try:
            found = self._ask(
                lambda client: client.get_model_version(model.name, model.version), missing=True
            )
        except _Missing:
            raise DiagnosticError(self._unknown(model)) from None
        return str(found.version)

    def _find_tagged(self, model: Model, tag: str) -> str:
        wanted = f"name = {_quoted(model.name)} and tag.`{tag}` = {_quoted(model.version)}"
        found = self._ask(lambda client: list(client.search_model_versions(wanted, max_results=2)))
        if not found:
            raise DiagnosticError(self._unknown(model))
        if len(found) > 1:
            numbers = ", ".join(str(one.version) for one in found)
            raise DiagnosticError(
                error(
                    "Which version?",
                    f"In MLflow several versions of {model.name} have the tag {tag} = {model.version}: {numbers}.",
                    self._settings.place,
                    mend="Leave that tag on one of them.",
                )
            )
        return str(found[0].version)

    def _unknown(self, model: Model) -> Diagnostic:
        try:
            self._ask(lambda client: client.get_registered_model(model.name), missing=True)
        except _Missing:
            names = self._ask(
                lambda client: [one.name for one in client.search_registered_models(max_results=1000)]
            )
            return error(
                NO_MODEL,
                f'MLflow has no model "{model.name}".',
                self._settings.place,
                mend=nearest(model.name, names)
                or "Register it first, or see what releases.mlflow.models covers.",
            )
        versions = self._ask(
            lambda client: [
                str(one.tags.get(self._settings.version_tag, ""))
                if self._settings.version_tag
                else str(one.version)
                for one in client.search_model_versions(
                    f"name = {_quoted(model.name)}", max_results=5, order_by=["version_number DESC"]
                )
            ]
        )
        known = [one for one in versions if one]
        return error(
            NO_VERSION,
            f"MLflow has no version {model.version} of {model.name}.",
            self._settings.place,
            mend=f"Its newest are: {', '.join(known)}." if known else "Register that version first.",
        )

    def _aliased(self, name: str) -> str:
        """The version that the alias names, empty where it names none."""
        try:
            found = self._ask(lambda client: client.get_registered_model(name), missing=True)
        except _Missing:
            return ""
        return str(found.aliases.get(self._alias, ""))

    def _ask(self, call: Callable[[Any], T], *, missing: bool = False) -> T:
        """What the client answers; with `missing`, `_Missing` is raised where there is no such thing."""
        client = self._client()
        from mlflow.exceptions import MlflowException

        try:
            return call(client)
        except MlflowException as problem:
            if missing and problem.error_code == _MISSING:
                raise _Missing from None
            said = " ".join(str(problem.message).split())[:_SHOWN]
            code = problem.error_code
        except Exception as problem:
            # Whatever it is built on speaks up in exceptions of its own: of sockets, of databases, of TLS.
            said, code = type(problem).__name__, "no answer"
        raise DiagnosticError(
            error(
                "MLflow does not answer as it should",
                f"{self._settings.registry_uri}: {code}: {said}",
                self._settings.place,
                mend="See that the server runs and that MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or "
                "MLFLOW_TRACKING_TOKEN, are set where it asks for them, then run the command again.",
            )
        )

    def _client(self) -> Any:
        if self._made is None:
            self._made = self._connect()
        return self._made

    def _connect(self) -> Any:
        uri = self._settings.registry_uri
        if uri.startswith(_FILE) and not Path(uri.removeprefix(_FILE)).exists():
            # The client would make an empty one.
            raise DiagnosticError(
                error(
                    "No such registry",
                    f"There is no file {uri.removeprefix(_FILE)}.",
                    self._settings.place,
                    mend="Correct tracking_uri or registry_uri.",
                )
            )
        os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
        for name, value in _PATIENCE.items():
            os.environ.setdefault(name, value)
        try:
            from mlflow.tracking import MlflowClient
        except ImportError:
            raise DiagnosticError(
                error(
                    "MLflow's client is not installed",
                    "[releases.mlflow] needs it to talk to the registry.",
                    self._settings.place,
                    mend='Install it: pip install "twinfra[mlflow]"',
                )
            ) from None
        for logger in ("mlflow", "alembic"):
            logging.getLogger(logger).setLevel(logging.ERROR)
        try:
            return MlflowClient(tracking_uri=self._settings.tracking_uri, registry_uri=uri)
        except Exception as problem:
            # A registry in a file or a database needs more than the client has, and may be none.
            raise DiagnosticError(
                error(
                    "MLflow cannot open that registry",
                    f"{uri}: {type(problem).__name__}: {' '.join(str(problem).split())[:_SHOWN]}",
                    self._settings.place,
                    mend="Name a tracking server; or install what a registry in a file needs: pip install "
                    "sqlalchemy alembic",
                )
            ) from None


class _Missing(Exception):
    """There is no such model or version."""


def _quoted(text: str) -> str:
    return f'"{text}"' if "'" in text else f"'{text}'"
