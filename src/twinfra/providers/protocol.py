"""The interface between the engine and a provider: narrow, and free of anything that could not cross a
process.

Values here are unmarked: plain Python per the schema's types (see `values.value`), `None` for null, `Unknown`
only where said. An object always has every attribute and block of its schema. Providers are called from
several threads at once, except `schema` and `configure`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from typing import Any, Final, Protocol, TypeAlias

from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic
from twinfra.schema import ProviderSchema
from twinfra.values.value import Path

Object: TypeAlias = dict[str, Any]
"""A value of a block's type: attribute and block names to values."""

Progress: TypeAlias = Callable[[str], None]
"""Takes a few words on what is being waited for, such as 'creating (nodegroup CREATING)'."""


def silent(message: str) -> None:
    """A `Progress` that tells nobody."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A resource instance as the state keeps it. `private` is the provider's own note, JSON-compatible."""

    attributes: Object
    private: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the engine asks a provider to plan.

    `prior`: the refreshed instance, None when it is to be created. `config`: what is written, null where not
    given, `Unknown` where not known yet. `proposed`: `config`, with `prior`'s values in computed attributes
    that are not given (on create: null there). Deletion is never proposed: it needs no planning.
    """

    prior: Stored | None
    config: Object
    proposed: Object


@dataclass(frozen=True, slots=True)
class Planned:
    """What will be: `Unknown` where only the apply can tell.

    `planned` may differ from the proposal only in computed attributes (and in those that compare by meaning:
    give back the prior value to say "no difference"). `replace`: paths whose change forces replacement.
    `config` and `prior` are those of the proposal, for `apply`. To destroy, `planned` and `config` are None.
    """

    prior: Stored | None
    config: Object | None
    planned: Object | None
    replace: tuple[Path, ...] = ()
    private: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class Imported:
    """One instance found by an import. `kind` may differ from the one asked for."""

    kind: str
    stored: Stored


class ProviderError(Exception):
    """A call failed. `diagnostics` say why, with attribute paths where known.

    `partial`: what exists all the same after a failed `apply` (the engine records it, tainted if it was being
    created). For a failed delete leave it None: the engine keeps what it had.
    """

    def __init__(self, diagnostics: Sequence[Diagnostic] | Diagnostic, partial: Stored | None = None) -> None:
        items = (diagnostics,) if isinstance(diagnostics, Diagnostic) else tuple(diagnostics)
        super().__init__("; ".join(f"{item.summary}: {item.detail}" for item in items))
        self.diagnostics = items
        self.partial = partial


class Provider(Protocol):
    """One configured provider. Failures are `ProviderError`; anything else is a bug of the provider."""

    def schema(self) -> ProviderSchema:
        """Its schema; cheap and without any call."""

    def configure(self, config: Object) -> None:
        """Take its settings (values of the provider block; may hold `Unknown`, to be refused only when
        needed).
        """

    def identity(self) -> dict[str, str]:
        """Where it acts, for the state to remember and the engine to compare: such as account and region.

        Values that it cannot know without a call are fetched once; empty when there is nothing to tell.
        """

    def validate(self, kind: str, config: Object) -> Sequence[Diagnostic]:
        """Check a resource's configuration, which may hold `Unknown`; never calls the cloud."""

    def validate_data(self, kind: str, config: Object) -> Sequence[Diagnostic]:
        """Check a data source's configuration, which may hold `Unknown`."""

    def plan(self, kind: str, proposal: Proposal) -> Planned:
        """Say what would be after the change. Called on the engine's one thread: must not wait for the
        cloud.
        """

    def read(self, kind: str, current: Stored, progress: Progress = silent) -> Stored | None:
        """The instance as it is now, or None when it is gone."""

    def apply(self, kind: str, change: Planned, progress: Progress = silent) -> Stored | None:
        """Create, update or (with `planned` None) delete, and wait until done. Returns what is now; None
        deleted.

        `planned` holds no `Unknown` but in computed attributes. Result attributes that were known in
        `planned` must be equal to it.
        """

    def import_(self, kind: str, id: str) -> Sequence[Imported]:
        """Find what has this id. The engine calls `read` on it next."""

    def read_data(self, kind: str, config: Object, progress: Progress = silent) -> Object:
        """Read a data source; `config` is wholly known. What is sensitive beyond the schema may be marked so."""

    def upgrade(self, kind: str, version: int, attributes: dict[str, Any]) -> dict[str, Any]:
        """Attributes as stored (plain JSON) under an older schema version, or written by another engine's
        provider of the same name, in the form the current schema decodes: missing attributes are added as
        None, unknown ones dropped."""

    def close(self) -> None:
        """Let go of connections and threads."""


class BatchReader(Protocol):
    """What a provider may offer besides: reading many instances of a type with few calls."""

    def read_many(self, kind: str, currents: Sequence[Stored]) -> Sequence[Stored | ProviderError | None]:
        """One result per instance, in order."""


class Explaining(Protocol):
    """What a provider may offer besides: telling what its answers depend on."""

    def reads_offline(self, kind: str) -> bool:
        """Whether `read_data` of this kind needs no call, and no credentials."""

    def sources(self, kind: str, name: str) -> tuple[Sequence[str], Sequence[str]] | None:
        """The arguments, and the settings of the provider, that a plan makes an attribute from which is not written.

        A map is made of these key by key. None: from any of them.
        """


OPERATION_TOKEN: Final = "twinfra:operation"
"""Key of `Planned.private` under which the engine gives a creating `apply` its token."""

UNCONFIRMED: Final = "twinfra:unconfirmed"
"""Key of `Stored.private` that a result carries until `confirm` was called for it."""


def new_token() -> str:
    """A token for one create: ASCII, 32 characters, unique, and it tells when it was made (see
    `token_time`).
    """
    import secrets
    import time

    return f"twinfra-{int(time.time()):08x}-{secrets.token_hex(8)[:15]}"


def token_time(token: str) -> float:
    """When a token was made, in seconds since the epoch; 0 where it is not one of ours."""
    try:
        return float(int(token.split("-")[1], 16))
    except (IndexError, ValueError):
        return 0.0


class Recoverable(Protocol):
    """What a provider may offer besides: finding again what an interrupted create has made.

    The engine's part, for each create: make a token, journal the intent (address, planned change, token) and
    sync it, put the token into `Planned.private[OPERATION_TOKEN]`, call `apply`, journal the result and sync.
    Then, if the result's private note has `UNCONFIRMED`, call `confirm` and journal what it returns; a
    failure of it is no more than a warning, since it is called again at the next start for what is still
    unconfirmed. An intent without a result, found at the next start, is answered with `recover` before
    anything is planned: what it returns goes into the state (tainted: it may be half made), None means that
    nothing was made.
    """

    def recover(self, kind: str, change: Planned, token: str) -> Stored | None:
        """What the create with this token has made, though its answer was lost; None when it made nothing.

        `change` is the one journaled, with `prior` None. Never answers with something older than the token.
        """

    def confirm(self, kind: str, stored: Stored) -> Stored:
        """Told that the result of a create is safe. Removes the trace that `recover` would have found it by
        (such as a temporary tag), and returns what to store from now on; often `stored` itself, without a
        call.
        """


@dataclass(frozen=True, slots=True)
class Change:
    """Something that somebody did to an object, as the cloud remembers it.

    `time` is RFC 3339 in UTC; `who` is the identity that acted, `what` the call, `via` the program or service it was
    made with, and `address` where it came from (both may be empty).
    """

    time: str
    who: str
    what: str
    via: str = ""
    address: str = ""


class Historian(Protocol):
    """What a provider may offer besides: who changed an object."""

    def changes_of(self, kind: str, stored: Stored) -> Sequence[Change]:
        """The changes of one object, the newest first.

        Empty where the cloud keeps no record. Raises `ProviderError` where it must not be read.
        """
