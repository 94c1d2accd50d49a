"""The data source `terraform_remote_state`: the outputs of another configuration, read from its state.

Outputs that are sensitive there stay sensitive here, unlike in stock Terraform, which forgets it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from twinfra.diagnostics import Diagnostic, DiagnosticError, error, nearest
from twinfra.providers.protocol import Object, ProviderError
from twinfra.schema import Attribute, Block, ResourceSchema
from twinfra.state.backends.protocol import DEFAULT_WORKSPACE, Backend, Place
from twinfra.state.backends.registry import backend_schema, backend_types, connect
from twinfra.state.encryption.backend import encrypted
from twinfra.state.encryption.codec import PLAIN, Codec
from twinfra.state.model import OutputState, State
from twinfra.state.store import current_state
from twinfra.state.workspaces import data_directory
from twinfra.values.convert import ConversionError, convert
from twinfra.values.encoding import type_from_json, value_from_json
from twinfra.values.types import DYNAMIC, STRING, describe
from twinfra.values.unknowns import contains_unknown
from twinfra.values.value import SENSITIVE, GetAttr, Marked, Unknown, Value, is_null

REMOTE_STATE = "terraform_remote_state"

SCHEMA = ResourceSchema(
    Block(
        {
            "backend": Attribute(
                STRING, required=True, description="The type of the backend that keeps the other state."
            ),
            "config": Attribute(
                DYNAMIC,
                optional=True,
                description="An object with the settings of that backend, as in a backend block.",
            ),
            "defaults": Attribute(
                DYNAMIC,
                optional=True,
                description="An object with values for outputs that the other state does not have.",
            ),
            "outputs": Attribute(
                DYNAMIC, computed=True, description="An object with all root outputs of the other state."
            ),
            "workspace": Attribute(
                STRING, optional=True, description="The workspace to read; the default one where not given."
            ),
        }
    )
)


def validate(config: Object) -> Sequence[Diagnostic]:
    """What is wrong with the configuration of one, as far as it is known."""
    try:
        _defaults(config)
        if type(config["backend"]) is not Unknown:
            _settings(config)
    except ProviderError as refused:
        return refused.diagnostics
    return ()


def read(config: Object, codec: Codec = PLAIN, directory: Path | None = None) -> Object:
    """One with its `outputs`, sensitive ones marked; `codec` decrypts the state. Raises `ProviderError`.

    Paths of states start at `directory`, the working directory by default.
    """
    outputs = dict(_defaults(config))
    settings = _settings(config)
    workspace = DEFAULT_WORKSPACE if is_null(config["workspace"]) else str(config["workspace"])
    directory = directory or Path.cwd()
    try:
        backend = encrypted(
            connect(config["backend"], settings, Place(directory, data_directory(directory))), codec
        )
        try:
            state = _state(backend, workspace)
        finally:
            backend.close()
    except DiagnosticError as failed:
        raise ProviderError(tuple(failed.diagnostics)) from None
    outputs.update({name: _value(name, output) for name, output in state.outputs.items()})
    return {**config, "outputs": outputs}


def _settings(config: Object) -> dict[str, Any]:
    """The backend's settings as plain values of its schema; those that are null or unknown are left out."""
    type_ = config["backend"]
    if is_null(type_):
        raise ProviderError(
            error(
                "No backend for a remote state",
                "The type of the backend is null.",
                mend=f"Give one of: {', '.join(backend_types())}.",
                path=(GetAttr("backend"),),
            )
        )
    known = backend_types()
    if type_ not in known:
        raise ProviderError(
            error(
                "Backend not supported",
                f'A remote state in a backend of type "{type_}" cannot be read. '
                f"Supported: {', '.join(known)}.",
                mend=nearest(type_, known) or "Keep that state in a supported backend.",
                path=(GetAttr("backend"),),
            )
        )
    attributes = backend_schema(type_).attributes
    found: dict[str, Any] = {}
    for name, value in _object(config, "config").items():
        attribute = attributes.get(name)
        if attribute is None:
            raise ProviderError(
                error(
                    "Unknown setting of a backend",
                    f'The "{type_}" backend has no setting "{name}". '
                    f"There is: {', '.join(sorted(attributes))}.",
                    mend=nearest(name, attributes) or "Remove it.",
                    path=(GetAttr("config"),),
                )
            )
        if is_null(value) or contains_unknown(value):
            continue
        try:
            found[name] = convert(value, attribute.type)
        except ConversionError as refused:
            raise ProviderError(
                error(
                    "Wrong setting of a backend",
                    f'The setting "{name}" of the "{type_}" backend must be a '
                    f"{describe(attribute.type)}: {refused.reason}.",
                    mend="Correct its value.",
                    path=(GetAttr("config"),),
                )
            ) from None
    return found


def _defaults(config: Object) -> Mapping[str, Value]:
    return _object(config, "defaults")


def _object(config: Object, name: str) -> Mapping[str, Value]:
    value = config[name]
    if is_null(value) or type(value) is Unknown:
        return {}
    if isinstance(value, dict):
        return value
    raise ProviderError(
        error(
            "Object needed",
            f"The argument {name} must be an object.",
            mend=f"Write {name} = {{ ... }}.",
            path=(GetAttr(name),),
        )
    )


def _state(backend: Backend, workspace: str) -> State:
    state, _ = current_state(backend, workspace)
    if state is None:
        raise ProviderError(
            error(
                "No remote state",
                f"There is no state in {backend.label(workspace)} (workspace {workspace}).",
                mend="Apply the other configuration first, or correct config and workspace.",
                path=(GetAttr("workspace"),),
            )
        )
    return state


def _value(name: str, output: OutputState) -> Value:
    try:
        value = value_from_json(output.value, type_from_json(output.type))
    except ValueError as refused:
        raise ProviderError(
            error(
                "Output in a remote state cannot be read",
                f'The value of the output "{name}" does not fit its recorded type: {refused}.',
                mend="Apply the other configuration again, or restore its state from a backup.",
                path=(GetAttr("config"),),
            )
        ) from None
    return Marked(value, frozenset((SENSITIVE,))) if output.sensitive else value
