"""The built-in provider: `terraform_data`, which keeps values and triggers and calls nobody, and the data source
`terraform_remote_state` (see `remote_state`).
"""

from __future__ import annotations

import pathlib
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from twinfra.diagnostics import Diagnostic
from twinfra.providers import remote_state
from twinfra.providers.protocol import Imported, Object, Planned, Progress, Proposal, Stored, silent
from twinfra.schema import Attribute, Block, ProviderSchema, ResourceSchema
from twinfra.state.encryption.codec import PLAIN, Codec
from twinfra.values.convert import type_of
from twinfra.values.equality import identical
from twinfra.values.types import DYNAMIC, STRING
from twinfra.values.value import GetAttr, Path, Refinement, Unknown, is_null

DATA = "terraform_data"
_UNKNOWN_ID = Unknown(STRING, Refinement(not_null=True))
_TRIGGERED: tuple[Path, ...] = ((GetAttr("triggers_replace"),),)

SCHEMA = ProviderSchema(
    Block(),
    {
        DATA: ResourceSchema(
            Block(
                {
                    "id": Attribute(
                        STRING, computed=True, description="A unique id, made when it is created."
                    ),
                    "input": Attribute(DYNAMIC, optional=True, description="Any value, kept in the state."),
                    "output": Attribute(
                        DYNAMIC, computed=True, description="The value of input, after the apply."
                    ),
                    "triggers_replace": Attribute(
                        DYNAMIC,
                        optional=True,
                        description="Any value; when it changes, the object is replaced.",
                    ),
                }
            ),
            identifiers=("id",),
        )
    },
    {remote_state.REMOTE_STATE: remote_state.SCHEMA},
)


class TerraformProvider:
    """Serves `terraform.io/builtin/terraform`. `local`: nothing here waits, so it may run on any thread."""

    local = True

    def __init__(
        self, codec: Callable[[], Codec] = lambda: PLAIN, directory: pathlib.Path | None = None
    ) -> None:
        """`codec`: how states of others are encrypted, asked for when the first is read. `directory`: where paths
        of states start, by default the working directory.
        """
        self._codec = codec
        self._directory = directory

    def schema(self) -> ProviderSchema:
        return SCHEMA

    def configure(self, config: Object) -> None:
        """It has no settings."""

    def identity(self) -> dict[str, str]:
        return {}

    def validate(self, kind: str, config: Object) -> Sequence[Diagnostic]:
        return ()

    def validate_data(self, kind: str, config: Object) -> Sequence[Diagnostic]:
        return remote_state.validate(config)

    def plan(self, kind: str, proposal: Proposal) -> Planned:
        prior = proposal.prior
        config, proposed = proposal.config, proposal.proposed
        value = proposed["input"]
        if prior is None:
            planned = dict(proposed, id=_UNKNOWN_ID, output=_created(value))
            return Planned(None, config, planned)
        before = prior.attributes
        if not identical(before["triggers_replace"], proposed["triggers_replace"]):
            planned = dict(proposed, id=_UNKNOWN_ID, output=_created(value))
            return Planned(prior, config, planned, _TRIGGERED)
        if not identical(before["input"], value):
            planned = dict(proposed, output=Unknown(type_of(value)))
            return Planned(prior, config, planned)
        return Planned(prior, config, proposed)

    def read(self, kind: str, current: Stored, progress: Progress = silent) -> Stored | None:
        return current

    def apply(self, kind: str, change: Planned, progress: Progress = silent) -> Stored | None:
        planned = change.planned
        if planned is None:
            return None
        done = dict(planned)
        if type(done["id"]) is Unknown:
            done["id"] = str(uuid.uuid4())
        if type(done["output"]) is Unknown:
            done["output"] = done["input"]
        return Stored(done)

    def import_(self, kind: str, id: str) -> Sequence[Imported]:
        return (Imported(kind, Stored({"id": id, "input": None, "output": None, "triggers_replace": None})),)

    def read_data(self, kind: str, config: Object, progress: Progress = silent) -> Object:
        return remote_state.read(config, self._codec(), self._directory)

    def upgrade(self, kind: str, version: int, attributes: dict[str, Any]) -> dict[str, Any]:
        return {name: attributes.get(name) for name in SCHEMA.resources[kind].block.attributes}

    def close(self) -> None:
        """It holds nothing."""


def _created(value: Any) -> Any:
    """What `output` is before the create: the null itself where `input` is null, else not known yet."""
    return value if is_null(value) else Unknown(type_of(value))
