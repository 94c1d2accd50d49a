"""Fingerprints: what was made (S) as a function of the code (C) and the inputs (I), each as a digest.

`docs/fingerprint.md` specifies every one, so that others can recompute them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from twinfra.config.model import Configuration
from twinfra.dataclass import dataclass
from twinfra.engine.providers import Providers
from twinfra.environments.fingerprint.code import Code, code_digest, read_code
from twinfra.environments.fingerprint.inputs import input_digest
from twinfra.environments.fingerprint.key import Key, local_key, new_key, shared_key
from twinfra.environments.fingerprint.settings import volatile_rules
from twinfra.environments.fingerprint.state import state_digest
from twinfra.environments.fingerprint.volatile import VolatileRule
from twinfra.state.model import State
from twinfra.values.value import Value

__all__ = [
    "Code",
    "Fingerprint",
    "Key",
    "VolatileRule",
    "code_digest",
    "fingerprint",
    "fingerprint_of",
    "input_digest",
    "local_key",
    "new_key",
    "read_code",
    "shared_key",
    "state_digest",
    "volatile_rules",
]


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Three digests, each `sha256:` and 64 hexadecimal digits: of the code, the inputs and the state."""

    code: str
    inputs: str
    state: str

    def document(self) -> dict[str, str]:
        """As JSON."""
        return {"code": self.code, "inputs": self.inputs, "state": self.state}


def fingerprint(
    configuration: Configuration,
    inputs: Mapping[str, Value],
    state: State,
    providers: Providers,
    *,
    workspace: str,
    key: Key,
    volatile: Sequence[VolatileRule] = (),
) -> Fingerprint:
    """The fingerprint of a configuration with its inputs, and of the state that came of it. Calls no cloud.

    `inputs` are the values given for root variables; where providers act is taken from `state.identities`. `key`
    hashes secrets (`shared_key`, `local_key`); `volatile` are the rules of twinfra.toml.
    """
    code = read_code(configuration)
    return fingerprint_of(
        configuration, code, inputs, state, providers, workspace=workspace, key=key, volatile=volatile
    )


def fingerprint_of(
    configuration: Configuration,
    code: Code,
    inputs: Mapping[str, Value],
    state: State,
    providers: Providers,
    *,
    workspace: str,
    key: Key,
    volatile: Sequence[VolatileRule] = (),
) -> Fingerprint:
    """The same for a configuration whose code was read already (`read_code`)."""
    return Fingerprint(
        code.digest,
        input_digest(configuration, code, inputs, state.identities, workspace, key),
        state_digest(state, providers.schema, key, volatile),
    )
