"""Saved plans: everything that applying a plan later needs, in one sealed file.

A plan file holds the configuration's texts, the values of variables (but for ephemeral ones), the plan, the
state as refreshed, and which stored state it was made from. It holds sensitive values in the clear, as the
state does: it is readable by its owner only, and should be kept no longer than needed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import field, fields
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinfra import __version__
from twinfra.addresses import DATA, ProviderAddress
from twinfra.config.model import Configuration
from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, DiagnosticError, error
from twinfra.engine.changes import Plan
from twinfra.engine.plan_container import SIGNATURE, is_sealed, read_content, unseal, write_sealed
from twinfra.engine.plan_records import PlanReader, PlanWriter
from twinfra.engine.providers import Providers
from twinfra.schema import Block, ResourceSchema
from twinfra.state.encryption.codec import PLAIN, Codec
from twinfra.state.model import State
from twinfra.state.v4 import read_state, write_state
from twinfra.state.workspaces import data_directory
from twinfra.values.equality import identical
from twinfra.values.value import Value

if TYPE_CHECKING:
    from twinfra.engine.plan_signature import Signer, Verifier


@dataclass(frozen=True, slots=True)
class StateBasis:
    """The stored state that a plan was made from. `serial` 0: there was none.

    `digest` is the SHA-256 of its file in hex, before any encryption; empty where there was none.
    """

    lineage: str
    serial: int
    workspace: str
    digest: str


@dataclass(frozen=True)
class SavedPlan:
    """A plan as saved.

    `state` is the state as refreshed, from which the apply starts; `inputs` are the root variables given.
    `files` are the configuration's texts by name, `root` its directory relative to the working directory.
    `schemas` are digests of the schemas it was made with, by `provider mode type`. `ephemeral`: the variables
    that had a value which is not kept, and so have to be given again. `signed_by`: the fingerprint of the key that
    it says it is signed by, empty where it is not; only a verifier tells whether that is so. `origin`: what Git said
    of the files, and the environment that the plan is for. `digest`: that of the file, as sha256sum tells it.
    """

    path: Path
    plan: Plan
    state: State
    inputs: dict[str, Value]
    basis: StateBasis
    files: dict[str, str]
    root: str
    version: str
    created: str
    schemas: dict[str, str] = field(default_factory=dict)
    ephemeral: tuple[str, ...] = ()
    signed_by: str = ""
    origin: Mapping[str, Any] = field(default_factory=dict)
    digest: str = ""

    @cached_property
    def configuration(self) -> Configuration:
        """The configuration as it was when the plan was made, whatever the files say now."""
        from twinfra.config.installer import load_texts

        configuration, found = load_texts(Path(self.root), self.files)
        found.raise_errors()
        return configuration

    def inputs_for_apply(self, given: Mapping[str, Value], written: Iterable[str]) -> dict[str, Value]:
        """The values of variables: those of the plan, and the ephemeral ones out of `given`.

        `written`: names that were given on the command line. Raises `DiagnosticError` where an ephemeral value
        is missing, or another variable would get a value that is not the plan's.
        """
        found: list[Diagnostic] = []
        variables = self.configuration.root.variables
        for name in written:
            fixed = name in variables and not variables[name].ephemeral
            if fixed and name in given and not self._is_planned(name, given[name]):
                found.append(
                    error(
                        "A saved plan fixes its variables",
                        f"{self.path} was made with another value of {name}.",
                        mend="Plan again with the new value; only ephemeral variables are given to an apply.",
                    )
                )
        found += [
            error(
                "Variable has no value",
                f"The ephemeral variable {name} had a value when {self.path} was made. It was not kept.",
                variables[name].range,
                mend=f"Give it again: -var '{name}=...', or TF_VAR_{name}.",
            )
            for name in self.ephemeral
            if name not in given
        ]
        if found:
            raise DiagnosticError(found)
        mine = {name: value for name, value in given.items() if variables[name].ephemeral}
        return {**self.inputs, **mine}

    def _is_planned(self, name: str, value: Value) -> bool:
        if name in self.inputs:
            return identical(self.inputs[name], value)
        variable = self.configuration.root.variables[name]
        return variable.has_default and identical(variable.default, value)

    def check_fresh(self, state: State, workspace: str, digest: str) -> None:
        """Raise `DiagnosticError` unless `state`, as stored now, is the one that the plan was made from.

        `digest` is the SHA-256 of its file, empty where nothing is stored.
        """
        if workspace != self.basis.workspace:
            raise DiagnosticError(
                error(
                    "Saved plan is for another workspace",
                    f'{self.path} was made in the workspace "{self.basis.workspace}"; this is "{workspace}".',
                    mend=f"Select it (twinfra workspace select {self.basis.workspace}), or plan again.",
                )
            )
        same = state.serial == self.basis.serial and (
            state.lineage == self.basis.lineage or self.basis.serial == 0
        )
        if same and digest == self.basis.digest:
            return
        if same:
            detail = (
                f"{self.path} was made from another state than the one that is stored now, though both have the serial "
                f"{state.serial}: it was put in its place since."
            )
        elif state.lineage != self.basis.lineage and self.basis.serial and state.serial:
            detail = f"{self.path} was made from a state of another lineage ({self.basis.lineage})."
        else:
            detail = (
                f"{self.path} was made from serial {self.basis.serial} of the state, which is at serial "
                f"{state.serial} now: it was changed since."
            )
        raise DiagnosticError(
            error(
                "Saved plan is stale",
                detail,
                mend="Nothing was done. Plan again: twinfra plan -out=FILE",
            )
        )

    def check_schemas(self, providers: Providers) -> None:
        """Raise `DiagnosticError` where a provider declares another schema than when the plan was made."""
        now = _schema_digests(self.plan, providers)
        for name, digest in self.schemas.items():
            if now.get(name) != digest:
                provider, _, type = name.split(" ")
                raise DiagnosticError(
                    error(
                        "Saved plan is stale",
                        f"{self.path} was made with another schema of {type} (of {provider}).",
                        mend="Nothing was done. Plan again: twinfra plan -out=FILE",
                    )
                )


class OtherVersion(DiagnosticError):
    """A saved plan that another version wrote, which this one cannot read."""


def write_plan_file(
    path: Path,
    plan: Plan,
    configuration: Configuration,
    state: State,
    *,
    inputs: Mapping[str, Value],
    base: State,
    digest: str,
    workspace: str = "default",
    providers: Providers | None = None,
    data: Path | None = None,
    codec: Codec = PLAIN,
    signer: Signer | None = None,
    origin: Mapping[str, Any] | None = None,
) -> None:
    """Save a plan. `state` is as refreshed by the plan, `base` as stored (serial 0: nothing is stored yet), in a
    file with the SHA-256 `digest`.

    `providers` are those of the plan; `data` is the data directory; `codec` encrypts the file, where that
    is configured; `signer` signs it. Raises `DiagnosticError` where the file cannot be written.
    """
    writer = PlanWriter()
    body = writer.plan(plan)
    variables = configuration.root.variables
    ephemeral = [name for name in inputs if name in variables and variables[name].ephemeral]
    given = writer.named({name: value for name, value in inputs.items() if name not in ephemeral})
    parts = {
        "about": {
            "version": __version__,
            "created": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "root": str(configuration.root_directory),
            "lineage": base.lineage,
            "serial": base.serial,
            "digest": digest,
            "workspace": workspace,
            "schemas": _schema_digests(plan, providers or Providers()),
            "origin": dict(origin or {}),
        },
        "files": configuration.files,
        "tables": writer.tables(),
        "plan": body,
        "inputs": given,
        "ephemeral": ephemeral,
        "state": b"".join(write_state(state)).decode(),
        "identities": state.identities,
    }
    write_sealed(path, parts, data if data is not None else data_directory(Path()), codec, signer)


def read_plan_file(
    path: Path, data: Path | None = None, codec: Codec = PLAIN, verifier: Verifier | None = None
) -> SavedPlan:
    """A saved plan, which `codec` decrypts where it is encrypted; with a `verifier` it must be signed.

    Raises `DiagnosticError` where it is none, was changed, or is of another version.
    """
    content = read_content(path)
    parts = unseal(path, content, data if data is not None else data_directory(Path()), codec, verifier)
    try:
        about = parts["about"]
        if about["version"] != __version__:
            raise OtherVersion(_other_version(path, about["version"]))
        reader = PlanReader(parts["tables"], parts["files"])
        state = read_state(parts["state"].encode(), f"the state in {path}") or State()
        state.identities = parts["identities"]
        return SavedPlan(
            path,
            reader.plan(parts["plan"]),
            state,
            reader.named(parts["inputs"]),
            StateBasis(about["lineage"], about["serial"], about["workspace"], about["digest"]),
            parts["files"],
            about["root"],
            about["version"],
            about["created"],
            about["schemas"],
            tuple(parts["ephemeral"]),
            str(parts.get(SIGNATURE, {}).get("key", "")),
            about["origin"],
            f"sha256:{hashlib.sha256(content).hexdigest()}",
        )
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError):
        # The seal is right, yet a part is not: written by a development version of the same name.
        raise OtherVersion(_other_version(path, "another one under the same number")) from None


def is_plan_file(path: Path) -> bool:
    """Whether a file is meant as a saved plan, ours or Terraform's; False for states and where nothing is."""
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except OSError:
        return False
    return is_sealed(start) or start.startswith(b"PK\x03\x04")


def _other_version(path: Path, version: str) -> Diagnostic:
    return error(
        "Saved plan is of another version",
        f"{path} was written by Twinfra {version}; this is {__version__}.",
        mend="Use that version, or plan again with this one.",
    )


# -- digests of schemas


def _schema_digests(plan: Plan, providers: Providers) -> dict[str, str]:
    """SHA-256 of the schema of each type in the plan, by `provider mode type`."""
    found: dict[tuple[ProviderAddress, str, str], str] = {}
    for change in (*plan.changes, *plan.drift):
        resource = change.address.resource
        key = (change.provider.provider, resource.mode, resource.type)
        if key not in found:
            found[key] = _digest_of(providers, *key)
    return {f"{provider} {mode} {type}": digest for (provider, mode, type), digest in found.items() if digest}


def _digest_of(providers: Providers, provider: ProviderAddress, mode: str, type: str) -> str:
    try:
        declared = providers.schema(provider)
    except DiagnosticError:
        # A provider that is not part of this version: what it manages can only be forgotten.
        return ""
    schema = (declared.data_sources if mode == DATA else declared.resources).get(type)
    return "" if schema is None else schema_digest(schema)


def schema_digest(schema: ResourceSchema) -> str:
    """A digest of all that matters to values: names, types, nesting and behaviour, but no descriptions."""
    return hashlib.sha256(repr([schema.version, _block_facts(schema.block)]).encode()).hexdigest()


def _block_facts(block: Block) -> Any:
    attributes = [
        [name, *(str(getattr(one, part.name)) for part in fields(one) if part.name not in _WORDS)]
        for name, one in sorted(block.attributes.items())
    ]
    blocks = [
        [name, one.nesting.value, one.min_items, one.max_items, _block_facts(one.block)]
        for name, one in sorted(block.blocks.items())
    ]
    return [attributes, blocks]


_WORDS = ("description", "deprecated")
