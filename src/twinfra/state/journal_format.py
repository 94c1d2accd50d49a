"""The text of a journal: one record a line, each with its checksum, so that a torn or damaged one is noticed.

A line is `CRC32 JSON`; the JSON is a list that begins with the kind of the record and its number. What a
record says stands for itself: those around a damaged one are still read. The file may end in zeros (reserved
room).
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, TypeAlias

from twinfra.addresses import Instance, ModuleInstance, ProviderConfig, Resource
from twinfra.dataclass import dataclass
from twinfra.state.intents import Intent
from twinfra.state.model import InstanceObject, OutputState
from twinfra.state.v4 import parse_provider
from twinfra.state.v4_writing import compact_json

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Opening:
    """The first record: which state the rest continues. `identities` is `State.identities` of that state.

    `fresh`: there was no state yet.
    """

    lineage: str
    serial: int
    workspace: str
    fresh: bool
    created: str
    identities: dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class ObjectRecord:
    """An object is now `value` (None: gone), the current one or under a deposed key."""

    address: Instance
    provider: ProviderConfig
    value: InstanceObject | None
    deposed: str = ""


@dataclass(frozen=True, slots=True)
class IntentRecord:
    """A create was about to be asked for."""

    intent: Intent


@dataclass(frozen=True, slots=True)
class AnsweredRecord:
    """What became of the create with this token is known."""

    token: str


@dataclass(frozen=True, slots=True)
class IdentityRecord:
    """Where a provider configuration (in the notation of state files) acts."""

    provider: str
    identity: dict[str, str]


@dataclass(frozen=True, slots=True)
class OutputsRecord:
    """The root outputs and check results at the end of an apply."""

    outputs: dict[str, OutputState]
    check_results: Any


@dataclass(frozen=True, slots=True)
class SavingRecord:
    """All records before this one are in the state that is about to be written: its serial and SHA-256."""

    serial: int
    digest: str


@dataclass(frozen=True, slots=True)
class NoteRecord:
    """Anything else worth keeping, for people and later versions: a kind and JSON."""

    kind: str
    payload: Any


Record: TypeAlias = (
    Opening
    | ObjectRecord
    | IntentRecord
    | AnsweredRecord
    | IdentityRecord
    | OutputsRecord
    | SavingRecord
    | NoteRecord
)


class Damaged(ValueError):
    """A line that is no whole record."""


def line_of(fields: list[Any]) -> bytes:
    """A record as a line."""
    text = compact_json(fields).encode("utf-8", "surrogatepass")
    return b"%08x %s\n" % (zlib.crc32(text), text)


def object_fields(
    number: int, address: Instance, provider: str, value: InstanceObject | None, deposed: str
) -> list[Any]:
    """The fields of an `ObjectRecord`; `provider` is in the notation of state files."""
    resource = address.resource
    stored = None
    if value is not None:
        stored = [
            value.attributes,
            value.schema_version,
            value.tainted,
            value.sensitive,
            value.private,
            value.dependencies,
            value.create_before_destroy,
            value.extra,
        ]
    return [
        "object",
        number,
        address.module.steps,
        resource.mode,
        resource.type,
        resource.name,
        address.key,
        provider,
        deposed,
        stored,
    ]


def intent_fields(number: int, intent: Intent, provider: str) -> list[Any]:
    """The fields of an `IntentRecord`."""
    address = intent.address
    resource = address.resource
    return [
        "intent",
        number,
        address.module.steps,
        resource.mode,
        resource.type,
        resource.name,
        address.key,
        provider,
        intent.token,
        intent.config,
        intent.planned,
        intent.unknown,
        intent.dependencies,
        intent.create_before_destroy,
        intent.private,
    ]


def opening_fields(opening: Opening) -> list[Any]:
    """The fields of the first line."""
    return [
        "twinfra-journal",
        FORMAT,
        opening.lineage,
        opening.serial,
        opening.workspace,
        opening.fresh,
        opening.created,
        opening.identities,
    ]


def outputs_fields(number: int, outputs: dict[str, OutputState], check_results: Any) -> list[Any]:
    """The fields of an `OutputsRecord`."""
    values = {name: [one.value, one.type, one.sensitive, one.extra] for name, one in outputs.items()}
    return ["outputs", number, values, check_results]


def read_lines(content: bytes) -> Iterator[Record | Damaged]:
    """The records of a journal in order, with a `Damaged` for each line that is none.

    What follows the last line end was being written when the process died: no damage where it is torn.
    """
    lines = content.rstrip(b"\0").split(b"\n")
    for at, line in enumerate(lines, 1):
        try:
            yield _record(line)
        except Damaged as damaged:
            if at < len(lines):
                yield damaged


def _record(line: bytes) -> Record:
    # A kill within a write may leave zeros of reserved room before what was written next.
    line = line.lstrip(b"\0")
    if len(line) < 9 or line[8:9] != b" ":
        raise Damaged("no record")
    text = line[9:]
    try:
        if int(line[:8], 16) != zlib.crc32(text):
            raise Damaged("wrong checksum")
        fields = json.loads(text.decode("utf-8", "surrogatepass"), parse_float=Decimal)
        return _READERS.get(fields[0], _note)(fields)
    except Damaged:
        raise
    except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError) as wrong:
        raise Damaged(str(wrong)) from None


def _opening(fields: list[Any]) -> Opening:
    if fields[1] != FORMAT:
        raise Damaged(f"journal format {fields[1]} is not known")
    _, _, lineage, serial, workspace, fresh, created, identities = fields
    return Opening(lineage, serial, workspace, fresh, created, identities)


def _address(fields: list[Any]) -> Instance:
    steps, mode, type_, name, key = fields
    module = ModuleInstance(tuple((call, inner) for call, inner in steps))
    return Instance(module, Resource(mode, type_, name), key)


def _object(fields: list[Any]) -> ObjectRecord:
    provider, deposed, stored = fields[7:]
    value = None
    if stored is not None:
        attributes, version, tainted, sensitive, private, dependencies, before, extra = stored
        value = InstanceObject(
            attributes,
            version,
            tainted,
            tuple(sensitive),
            private,
            tuple(dependencies),
            before,
            tuple((name, one) for name, one in extra),
        )
    return ObjectRecord(_address(fields[2:7]), parse_provider(provider), value, deposed)


def _intent(fields: list[Any]) -> IntentRecord:
    provider, token, config, planned, unknown, dependencies, before, private = fields[7:]
    return IntentRecord(
        Intent(
            _address(fields[2:7]),
            parse_provider(provider),
            token,
            config,
            planned,
            tuple(unknown),
            tuple(dependencies),
            before,
            private,
        )
    )


def _answered(fields: list[Any]) -> AnsweredRecord:
    return AnsweredRecord(fields[2])


def _identity(fields: list[Any]) -> IdentityRecord:
    return IdentityRecord(fields[2], fields[3])


def _outputs(fields: list[Any]) -> OutputsRecord:
    outputs = {
        name: OutputState(value, type_, sensitive, tuple((key, one) for key, one in extra))
        for name, (value, type_, sensitive, extra) in fields[2].items()
    }
    return OutputsRecord(outputs, fields[3])


def _saving(fields: list[Any]) -> SavingRecord:
    return SavingRecord(fields[2], fields[3])


def _note(fields: list[Any]) -> NoteRecord:
    return NoteRecord(fields[0], fields[2])


_READERS: dict[str, Callable[[list[Any]], Record]] = {
    "twinfra-journal": _opening,
    "object": _object,
    "intent": _intent,
    "answered": _answered,
    "identity": _identity,
    "outputs": _outputs,
    "saving": _saving,
}
