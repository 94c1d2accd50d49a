"""Twins as deployed: two recorded states side by side, generated identifiers matched by their place in the graph.

Each difference is looked up in the comparison of what the code makes: what that one explains, is explained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from twinfra.addresses import ProviderAddress, quote
from twinfra.diagnostics import DiagnosticError
from twinfra.environments.fingerprint import VolatileRule, new_key
from twinfra.environments.fingerprint.canonical import canonical
from twinfra.environments.fingerprint.state import StateForms
from twinfra.environments.twins.explaining import Explained, Explanations
from twinfra.environments.twins.report import Entry, Given, Kind, Note, Report, Shown
from twinfra.environments.twins.showing import NOTHING, PRESENT, path_inside
from twinfra.schema import Block, ProviderSchema
from twinfra.state.model import State
from twinfra.values.encoding import EncodingError, type_from_json
from twinfra.values.types import DYNAMIC, ListType, MapType, ObjectType, SetType, TupleType, Type
from twinfra.values.value import GetAttr, Index, Path

Schemas = Callable[[ProviderAddress], ProviderSchema]

_SECRET = "hmac-sha256"
_LACKING: Any = object()


@dataclass(frozen=True, slots=True)
class _Object:
    """An instance that exists: its canonical form, its block's address, and what its schema says."""

    form: Mapping[str, Any]
    block: str
    schema: Block | None


def compare_deployed(
    configured: Report,
    first: State,
    second: State,
    schemas: Schemas,
    volatile: Sequence[VolatileRule] = (),
) -> Report:
    """Compare what two states say is there.

    `configured` is the comparison of the same environments as the code makes them. `volatile` are the rules of
    twinfra.toml about attributes that say nothing.
    """
    key = new_key()
    forms = [StateForms(state, schemas, key, volatile) for state in (first, second)]
    sides = [_objects(state, form, schemas) for state, form in zip((first, second), forms, strict=True)]
    blocks = [{one.block for one in side.values()} for side in sides]
    explanations = Explanations(configured)
    entries: list[Entry] = []
    differing = compared = 0
    for address in sorted(sides[0].keys() | sides[1].keys()):
        one, two = (side.get(address) for side in sides)
        if one is None or two is None:
            there = one or two
            assert there is not None
            has_others = there.block in blocks[0 if one is None else 1]
            kind = Kind.INSTANCE if has_others else Kind.RESOURCE
            values = (NOTHING if one is None else PRESENT, NOTHING if two is None else PRESENT)
            entries.append(_entry(kind, address, there.block, "", values, explanations.of_object(address)))
            continue
        compared += 1
        found = list(_differences(one, two, address, explanations))
        differing += bool(found)
        entries += found
    entries += _outputs(forms[0].outputs(), forms[1].outputs(), explanations)
    return Report(
        configured.names,
        True,
        tuple(_with_effects(one, entries) for one in configured.inputs),
        tuple(one for one in entries if one.allowed),
        tuple(one for one in entries if not one.allowed),
        tuple(_notes(configured.notes)),
        compared,
        differing,
    )


def _notes(notes: Sequence[Note]) -> Iterator[Note]:
    """The notes that hold of what is deployed, too; whether an exception is used is a matter of the code."""
    for one in notes:
        if one.kind == "undeclared":
            yield one


def _with_effects(one: Given, entries: Sequence[Entry]) -> Given:
    count = sum(1 for entry in entries for cause in entry.causes if cause.input.number == one.input.number)
    return replace(one, effects=count)


def _objects(state: State, forms: StateForms, schemas: Schemas) -> dict[str, _Object]:
    blocks: dict[str, tuple[str, Block | None]] = {}
    for address, resource in state.resources.items():
        try:
            schema = schemas(resource.provider.provider).resources.get(address.resource.type)
        except DiagnosticError:
            schema = None
        block = None if schema is None else schema.block
        for key in resource.instances:
            text = (
                f"{address}" if key is None else f"{address}[{key if isinstance(key, int) else quote(key)}]"
            )
            blocks[text] = (str(address.config), block)
    return {form["address"]: _Object(form, *blocks[form["address"]]) for form in forms.resources()}


def _differences(one: _Object, two: _Object, address: str, explanations: Explanations) -> Iterator[Entry]:
    block = one.schema
    types: Mapping[str, Type] = block.type.attributes if block is not None else {}
    for name in ("tainted", "deposed"):
        if one.form.get(name) != two.form.get(name):
            values = (_shown(one.form.get(name, _LACKING)), _shown(two.form.get(name, _LACKING)))
            yield _entry(Kind.VALUE, address, one.block, f"({name})", values, Explained())
    walk = _Walk()
    own, other = one.form.get("attributes", {}), two.form.get("attributes", {})
    for name in sorted(own.keys() | other.keys()):
        walk.compare(
            own.get(name, _LACKING), other.get(name, _LACKING), types.get(name, DYNAMIC), (GetAttr(name),)
        )
    for path, first, second in walk.found:
        shown_path = path_inside(path, block)
        explained = explanations.of_value(address, shown_path, first, second)
        yield _entry(
            _kind(path, first, second), address, one.block, shown_path, _pair(first, second), explained
        )


def _outputs(own: Mapping[str, Any], other: Mapping[str, Any], explanations: Explanations) -> Iterator[Entry]:
    for name in sorted(own.keys() | other.keys()):
        walk = _Walk()
        sides = [one.get(name) for one in (own, other)]
        values = [_LACKING if one is None else one["value"] for one in sides]
        types = [DYNAMIC if one is None else _type(one["type"]) for one in sides]
        walk.compare(values[0], values[1], types[0] if types[0] == types[1] else DYNAMIC, ())
        address = f"output.{name}"
        for path, first, second in walk.found:
            shown_path = path_inside(path, None)
            explained = explanations.of_value(address, shown_path, first, second)
            yield _entry(
                _kind(path, first, second), address, address, shown_path, _pair(first, second), explained
            )


def _entry(
    kind: Kind,
    address: str,
    block: str,
    path: str,
    values: tuple[Shown, Shown],
    explained: Explained,
) -> Entry:
    return Entry(
        kind,
        address,
        block,
        path,
        values,
        explained.causes,
        explained.together,
        explained.allowed,
        explained.reasons,
        explained.follows,
    )


class _Walk:
    """Two canonical forms, gone through by their type; `found` are the places where they differ."""

    def __init__(self) -> None:
        self.found: list[tuple[Path, Any, Any]] = []

    def compare(self, one: Any, two: Any, type: Type, path: Path) -> None:
        """Note where two forms differ, as far down as both have something."""
        if one is two or (one.__class__ is two.__class__ and one == two):
            return
        if isinstance(one, dict) and isinstance(two, dict) and not (_SECRET in one or _SECRET in two):
            for name in sorted(one.keys() | two.keys()):
                inner, step = _member(type, name)
                self.compare(one.get(name, _LACKING), two.get(name, _LACKING), inner, (*path, step))
            return
        if isinstance(one, list) and isinstance(two, list) and _is_paired(one, two, type):
            for at in range(max(len(one), len(two))):
                first, second = (side[at] if at < len(side) else _LACKING for side in (one, two))
                self.compare(first, second, _element(type, at), (*path, Index(at)))
            return
        if canonical_or_lacking(one) != canonical_or_lacking(two):
            self.found.append((path, one, two))


def canonical_or_lacking(value: Any) -> str:
    """The canonical text of a form; empty where there is none."""
    return "" if value is _LACKING else canonical(value)


def _is_paired(one: list[Any], two: list[Any], type: Type) -> bool:
    """Whether elements are compared by position."""
    return not isinstance(type, SetType) and (len(one) == len(two) or _of_objects(one) or _of_objects(two))


def _of_objects(value: list[Any]) -> bool:
    return bool(value) and all(isinstance(one, dict) for one in value)


def _member(type: Type, name: str) -> tuple[Type, GetAttr | Index]:
    if isinstance(type, MapType):
        return type.element, Index(name)
    return (type.attributes.get(name, DYNAMIC) if isinstance(type, ObjectType) else DYNAMIC), GetAttr(name)


def _element(type: Type, at: int) -> Type:
    if isinstance(type, TupleType) and at < len(type.elements):
        return type.elements[at]
    return type.element if isinstance(type, ListType | SetType) else DYNAMIC


def _type(form: Any) -> Type:
    try:
        return type_from_json(form)
    except EncodingError:
        return DYNAMIC


def _kind(path: Path, one: Any, two: Any) -> Kind:
    if one is _LACKING or two is _LACKING:
        there = two if one is _LACKING else one
        is_block = path and isinstance(path[-1], Index) and isinstance(there, dict)
        return Kind.BLOCK if is_block else Kind.ARGUMENT
    if _references(one) != _references(two):
        return Kind.DEPENDENCY
    return Kind.VALUE


def _references(value: Any) -> list[str]:
    """The places that a form refers to."""
    from re import findall

    text = canonical(value).replace("$$", "")
    return sorted(findall(r"\$\{((?:[^{}]|\{[^{}]*\})*)\}", text))


def _pair(one: Any, two: Any) -> tuple[Shown, Shown]:
    return _shown(one), _shown(two)


def _shown(value: Any) -> Shown:
    if value is _LACKING:
        return NOTHING
    if isinstance(value, dict) and _SECRET in value:
        return Shown("(sensitive)", {"sensitive": True})
    if _has_secret(value):
        return Shown("(sensitive)", {"sensitive": True})
    return Shown(canonical(value), {"value": value})


def _has_secret(value: Any) -> bool:
    if isinstance(value, dict):
        return _SECRET in value or any(map(_has_secret, value.values()))
    return isinstance(value, list) and any(map(_has_secret, value))
