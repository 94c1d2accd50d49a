"""What the `encryption` block and TF_ENCRYPTION mean for a command: how it reads and writes states and plans."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from twinfra.cli.environment import current, variable_options
from twinfra.config.model import Configuration
from twinfra.state.encryption.codec import PLAIN, Codec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twinfra.diagnostics import Diagnostics
    from twinfra.environments.declaration import Environment
    from twinfra.state.encryption.building import Encryption
    from twinfra.values.value import Value

VARIABLE = "TF_ENCRYPTION"


def state_codec(configuration: Configuration | None) -> Codec:
    """How states and journals are written and read. Raises `DiagnosticError`."""
    found = _encryption(configuration)
    return PLAIN if found is None else found.state()


def plan_codec(configuration: Configuration | None) -> Codec:
    """How saved plans are written and read. Raises `DiagnosticError`."""
    found = _encryption(configuration)
    return PLAIN if found is None else found.plan()


def remote_codec(configuration: Configuration | None) -> Codec:
    """How states of others are read, for `terraform_remote_state`. Raises `DiagnosticError`."""
    found = _encryption(configuration)
    return PLAIN if found is None else found.remote()


def saved_plan_codec() -> Codec:
    """How a saved plan is read, whose own configuration is not known yet: by the working directory's."""
    from twinfra.cli.workspace import try_configuration

    configuration, _ = try_configuration()
    return plan_codec(configuration)


def decrypted(configuration: Configuration | None, content: bytes, name: str) -> bytes:
    """A state file that somebody names: decrypted where it is encrypted. Raises `DiagnosticError`."""
    from twinfra.state.encryption.envelope import is_envelope

    return state_codec(configuration).decode(content, name) if is_envelope(content) else content


_made: list[tuple[Configuration | None, str, Environment | None, Encryption]] = []
"""The latest, so that one command asks for its keys once."""


def _encryption(configuration: Configuration | None) -> Encryption | None:
    environment = os.environ.get(VARIABLE, "")
    root = configuration.root if configuration is not None and configuration.modules else None
    declared = root.encryption if root is not None else None
    if declared is None and not environment.strip():
        return None
    within = current()
    if _made and _made[0][0] is configuration and _made[0][1] == environment and _made[0][2] == within:
        return _made[0][3]
    from twinfra.state.encryption.building import Encryption
    from twinfra.state.encryption.declared import declared_in
    from twinfra.state.encryption.names import StaticNames

    blocks = declared_in([] if declared is None else [declared.body], environment)
    if blocks is None:
        return None
    names = StaticNames(
        blocks,
        {} if root is None else root.variables,
        {} if root is None else root.locals,
        lambda: _given(configuration),
        Path() if root is None else root.directory,
    )
    found = Encryption(blocks, names)
    _made[:] = [(configuration, environment, within, found)]
    return found


def _given(configuration: Configuration | None) -> tuple[Mapping[str, Value], Diagnostics]:
    """The values given for variables: by this command's options, by files and the environment."""
    from twinfra.cli.workspace import given_inputs
    from twinfra.diagnostics import Diagnostics

    if configuration is None:
        return {}, Diagnostics()
    order = variable_options()
    var = tuple(text for kind, text in order if kind == "var")
    files = tuple(text for kind, text in order if kind == "var-file")
    return given_inputs(configuration, var, files, order)
