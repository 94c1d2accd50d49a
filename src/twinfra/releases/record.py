"""What a release is: a name, the models in it, and the receipt, commit and outputs it was made of.

A release is an entry of the ledger beside the state; nothing here reads or writes one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from twinfra.dataclass import dataclass
from twinfra.diagnostics import DiagnosticError, error
from twinfra.state.ledger.entries import Entry

RELEASE = "release"
"""The kind of the entry of a release."""
REGISTERED = "release registered"
"""That a model registry knows of a release, too."""
ROLLBACK = "release rollback"
"""That an environment went back to a release, or was meant to."""

DIGESTS = ("code", "inputs", "state")

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._+-]*[A-Za-z0-9_+-])?")
_MOST = 100
_MODEL = re.compile(r"[^\s:\x00-\x1f\x7f][^:\x00-\x1f\x7f]*")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


@dataclass(frozen=True, slots=True, order=True)
class Model:
    """One version of a model."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}:{self.version}"


@dataclass(frozen=True, slots=True)
class Release:
    """A release as the ledger has it: `entry`, read."""

    entry: Entry
    name: str
    models: tuple[Model, ...]

    @property
    def receipt(self) -> Mapping[str, Any]:
        """What it says of the apply that it was made of: `n`, `hash`, `kind`, `finished`, digests, `serial`..."""
        found = self.entry.body.get("receipt")
        return found if isinstance(found, Mapping) else {}

    @property
    def commit(self) -> str:
        """The full ID of its commit."""
        return str(self.entry.body.get("commit") or "")

    @property
    def tag(self) -> str:
        """The Git tag at that commit, empty where there was none."""
        return str(self.entry.body.get("tag") or "")

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The outputs by name, each `{"value", "type"}`, or its digest where it is long; no sensitive ones."""
        found = self.entry.body.get("outputs")
        return found if isinstance(found, Mapping) else {}

    @property
    def registries(self) -> tuple[str, ...]:
        """The model registries that are to know of it."""
        return tuple(map(str, self.entry.body.get("registries") or ()))

    @property
    def moves(self) -> bool:
        """Whether the registries are to point to its models."""
        return bool(self.entry.body.get("moves"))

    def version_of(self, model: str) -> str:
        """The version of a model in it, empty where it has none."""
        return next((one.version for one in self.models if one.name == model), "")


def release_of(entry: Entry) -> Release:
    """A release from its entry."""
    body = entry.body
    return Release(entry, str(body.get("release") or ""), models_in(body.get("models")))


def models_in(value: Any) -> tuple[Model, ...]:
    """Models as they stand in the body of an entry."""
    found = value if isinstance(value, list | tuple) else ()
    return tuple(
        Model(str(one.get("name", "")), str(one.get("version", "")))
        for one in found
        if isinstance(one, Mapping)
    )


def model_body(models: tuple[Model, ...]) -> list[dict[str, str]]:
    """Models for the body of an entry."""
    return [{"name": one.name, "version": one.version} for one in models]


def parse_model(text: str) -> Model:
    """A model of `NAME:VERSION`. Raises `DiagnosticError`."""
    name, colon, version = text.rpartition(":")
    if not colon or not _MODEL.fullmatch(name) or not _VERSION.fullmatch(version):
        raise DiagnosticError(
            error(
                "Not a version of a model",
                f'"{text}" is not NAME:VERSION.',
                mend="Write it such as fraud-detector:3.1.",
            )
        )
    return Model(name, version)


def parse_models(texts: tuple[str, ...]) -> tuple[Model, ...]:
    """Several, each model once. Raises `DiagnosticError`."""
    found: dict[str, Model] = {}
    for one in map(parse_model, texts):
        other = found.setdefault(one.name, one)
        if other != one:
            raise DiagnosticError(
                error(
                    "Two versions of one model",
                    f"{other} and {one} cannot be in one release.",
                    mend="Name one version of each model.",
                )
            )
    return tuple(found.values())


def check_name(name: str) -> None:
    """Raise `DiagnosticError` where a release cannot be named so: it may become the name of a Git tag."""
    if len(name) > _MOST or not _NAME.fullmatch(name) or ".." in name or name.endswith(".lock"):
        raise DiagnosticError(
            error(
                "Unsuitable name of a release",
                f'"{name}" is not a name of up to {_MOST} letters, digits and ._+- that Git takes for a tag.',
                mend="Name it such as infra-v2.0.",
            )
        )
