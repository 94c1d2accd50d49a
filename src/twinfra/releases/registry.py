"""What a model registry is to releases: it knows models, is told of releases, and points to what is in force.

Implementations import their clients where they are used. Every method raises `DiagnosticError`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from twinfra.dataclass import dataclass
from twinfra.diagnostics import DiagnosticError
from twinfra.releases.record import Model, Release

OUTPUT = "output."
"""What the names of facts begin with that are outputs."""
_LONGEST_OUTPUT = 1000
NO_MODEL, NO_VERSION = "No such model", "No such version of the model"
"""How registries say that they do not have what they are asked about."""


class Registry(Protocol):
    """A model registry, as one environment sees it.

    `key` is its name in `twinfra.toml` and in the ledger, `title` its name for people.
    """

    key: str
    title: str

    def covers(self, model: str) -> bool:
        """Whether it is to have this model."""

    def check(self, model: Model, *, moving: bool) -> None:
        """Make sure that it has a model's version, and points to it, unless it is going to be moved (`moving`)."""

    def note(self, model: Model, facts: Mapping[str, str]) -> None:
        """Put facts beside a version; the same ones again change nothing."""

    def noted(self, model: Model) -> Mapping[str, str]:
        """Facts that are beside a version."""

    def points_to(self, model: str) -> str:
        """What it points to for this environment, in words; empty where it does not point, or to nothing."""

    def snapshot(self, models: Iterable[Model]) -> Any:
        """Where it points now, for `put_back`; of these versions and whatever it points to instead."""

    def point(self, model: Model, left: Model | None) -> None:
        """Point to a version; `left` is the one that was in force before."""

    def put_back(self, snapshot: Any) -> None:
        """Point where it pointed when the snapshot was taken."""

    def holds(self, model: Model) -> str:
        """What is wrong with a version that should be in force: a sentence, empty where nothing is."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A registry and a model in it."""

    registry: Registry
    model: Model


def pairs(registries: Iterable[Registry], models: Iterable[Model]) -> list[Pair]:
    """Each registry with each model that it covers."""
    listed = list(models)
    return [Pair(one, model) for one in registries for model in listed if one.covers(model.name)]


def facts_of(release: Release) -> dict[str, str]:
    """What is noted beside a model's version, by names that `named` completes; outputs where they are short."""
    receipt = release.receipt
    outputs = {
        f"{OUTPUT}{name}": json.dumps(one["value"], ensure_ascii=False)
        for name, one in release.outputs.items()
        if "value" in one
    }
    return {
        **{name: text for name, text in outputs.items() if len(text) <= _LONGEST_OUTPUT},
        **({"tag": release.tag} if release.tag else {}),
        "release": release.name,
        "commit": release.commit,
        "receipt": f"{receipt.get('n')}:{receipt.get('hash')}",
        "code": str(receipt.get("code", "")),
        "inputs": str(receipt.get("inputs", "")),
        "state": str(receipt.get("state", "")),
        "released": release.entry.time,
        "released_by": release.entry.who,
    }


def is_unknown(problem: DiagnosticError) -> bool:
    """Whether a registry says that it does not have a model or its version, and not that it could not be asked."""
    return problem.diagnostics[0].summary in (NO_MODEL, NO_VERSION)


def named(environment: str, fact: str) -> str:
    """The name of a fact in a registry: each environment has its own."""
    return f"twinfra.{environment or 'default'}.{fact}"
