"""The digest of the inputs: what comes to the code from outside (docs/fingerprint.md). Secrets are keyed hashes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from twinfra.config.model import Configuration, Variable
from twinfra.environments.fingerprint.canonical import digest, keyed
from twinfra.environments.fingerprint.code import Code
from twinfra.environments.fingerprint.key import Key
from twinfra.lang.type_expr import apply_defaults
from twinfra.values.convert import ConversionError, convert, type_of
from twinfra.values.encoding import EncodingError, value_to_json
from twinfra.values.marks import unmark_deep
from twinfra.values.numbers import NumberError
from twinfra.values.value import Value

FORMAT = "twinfra inputs 1"


def input_digest(
    configuration: Configuration,
    code: Code,
    inputs: Mapping[str, Value],
    clouds: Mapping[str, Mapping[str, str]],
    workspace: str,
    key: Key,
) -> str:
    """I, the digest of the inputs; see `input_document`."""
    return digest(input_document(configuration, code, inputs, clouds, workspace, key))


def input_document(
    configuration: Configuration,
    code: Code,
    inputs: Mapping[str, Value],
    clouds: Mapping[str, Mapping[str, str]],
    workspace: str,
    key: Key,
) -> dict[str, Any]:
    """The inputs of a run, as the document that is hashed.

    `inputs` are the values given for root variables, `clouds` where each provider configuration acts (as
    `State.identities`), `workspace` the name of the workspace. `key` hashes what is secret.
    """
    variables = configuration.root.variables
    return {
        "format": FORMAT,
        "variables": {
            name: _variable(variables[name], value, key)
            for name, value in inputs.items()
            if name in variables and not variables[name].ephemeral
        },
        "environment": _environment(code, workspace),
        "clouds": {config: dict(found) for config, found in clouds.items() if found},
    }


def _variable(variable: Variable, given: Value, key: Key) -> Any:
    bare, marks = unmark_deep(given)
    try:
        value = convert(apply_defaults(variable.defaults, bare), variable.type)
    except ConversionError:
        value = bare  # the run refuses it, with its place
    try:
        json = value_to_json(value, type_of(value))
    except (EncodingError, NumberError):
        json = ["number", str(value)]  # beyond all that can be written
    return keyed(key(), json) if variable.sensitive or marks else json


def _environment(code: Code, workspace: str) -> dict[str, str]:
    """What the code reads of the surroundings of the run, and only that."""
    functions = {one.function for one in code.calls}
    found: dict[str, str] = {}
    if "terraform.workspace" in code.names:
        found["workspace"] = workspace
    if "path.cwd" in code.names or "abspath" in functions:
        found["directory"] = os.getcwd()
    if "pathexpand" in functions:
        found["home"] = os.path.expanduser("~")
    return found
