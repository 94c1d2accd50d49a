"""Twins as deployed: two recorded states side by side, generated identifiers matched by their place in the graph.

Each difference is looked up in the comparison of what the code makes: what that one explains, is explained.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from twinfra.addresses import ProviderAddress
from twinfra.dataclass import dataclass
from twinfra.diagnostics import DiagnosticError
from twinfra.environments.fingerprint import VolatileRule
from twinfra.environments.fingerprint.state import StateForms, stored_type
from twinfra.environments.twins.explaining import Explained, Explanations, Found, content_of
from twinfra.environments.twins.forms import (
    LACKING,
    FormWalk,
    references,
    shown_form,
    shown_forms,
)
from twinfra.environments.twins.inputs import path_text
from twinfra.environments.twins.report import Entry, Given, Kind, Note, Report, Shown
from twinfra.environments.twins.secrets import (
    Place,
    is_secret,
    place_of,
    secret_inputs,
    secret_places,
    secrets_of,
)
from twinfra.environments.twins.showing import NOTHING, PRESENT, SECRET, path_inside
from twinfra.schema import Block, ProviderSchema
from twinfra.state.model import State
from twinfra.values.types import DYNAMIC, Type
from twinfra.values.value import GetAttr, Index, Path

Schemas = Callable[[ProviderAddress], ProviderSchema]


@dataclass(frozen=True, slots=True)
class _Object:
    """An instance that exists: its canonical form, its block's address, what its schema says, its secrets and where
    these are.
    """

    form: Mapping[str, Any]
    block: str
    schema: Block | None
    secrets: frozenset[str]
    secret: frozenset[Place]


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
    # In the clear, so that what is inside of a secret is compared and explained; what is shown of it, is hidden.
    forms = [StateForms(state, schemas, None, volatile) for state in (first, second)]
    sides = [_objects(state, form, schemas) for state, form in zip((first, second), forms, strict=True)]
    blocks = [{one.block for one in side.values()} for side in sides]
    explanations = Explanations(configured)
    hidden = secret_inputs(one.input for one in configured.inputs)
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
        found = list(_differences(one, two, address, explanations, hidden))
        differing += bool(found)
        entries += found
    all_hidden = hidden.union(*(one.secrets for side in sides for one in side.values()))
    secret = {name for state in (first, second) for name, one in state.outputs.items() if one.sensitive}
    entries += _outputs(forms[0].outputs(), forms[1].outputs(), explanations, all_hidden, secret)
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
    blocks: dict[str, tuple[str, Block | None, frozenset[str], frozenset[Place]]] = {}
    for address, resource in state.resources.items():
        try:
            schema = schemas(resource.provider.provider).resources.get(address.resource.type)
        except DiagnosticError:
            schema = None
        block = None if schema is None else schema.block
        for key, instance in resource.instances.items():
            current = instance.current
            blocks[str(address.instance(key))] = (
                str(address.config),
                block,
                secrets_of(current),
                secret_places(current),
            )
    return {form["address"]: _Object(form, *blocks[form["address"]]) for form in forms.resources()}


def _differences(
    one: _Object, two: _Object, address: str, explanations: Explanations, hidden: frozenset[str]
) -> Iterator[Entry]:
    block = one.schema
    types: Mapping[str, Type] = block.type.attributes if block is not None else {}
    for name in ("tainted", "deposed"):
        if one.form.get(name) != two.form.get(name):
            values = (
                shown_form(one.form.get(name, LACKING), hidden),
                shown_form(two.form.get(name, LACKING), hidden),
            )
            yield _entry(Kind.VALUE, address, one.block, f"({name})", values, Explained())
    hidden = hidden | one.secrets | two.secrets
    walk = FormWalk()
    own, other = one.form.get("attributes", {}), two.form.get("attributes", {})
    for name in sorted(own.keys() | other.keys()):
        walk.compare(
            own.get(name, LACKING), other.get(name, LACKING), types.get(name, DYNAMIC), (GetAttr(name),)
        )
    yield from _entries(walk, block, address, one.block, explanations, hidden, one.secret | two.secret)


def _outputs(
    own: Mapping[str, Any],
    other: Mapping[str, Any],
    explanations: Explanations,
    hidden: frozenset[str],
    secret: Collection[str],
) -> Iterator[Entry]:
    for name in sorted(own.keys() | other.keys()):
        walk = FormWalk()
        sides = [one.get(name) for one in (own, other)]
        values = [LACKING if one is None else one["value"] for one in sides]
        types = [DYNAMIC if one is None else stored_type(one["type"]) for one in sides]
        walk.compare(values[0], values[1], types[0] if types[0] == types[1] else DYNAMIC, ())
        address = f"output.{name}"
        places = frozenset({()}) if name in secret else frozenset()
        yield from _entries(walk, None, address, address, explanations, hidden, places)


def _entries(
    walk: FormWalk,
    schema: Block | None,
    address: str,
    block: str,
    explanations: Explanations,
    hidden: frozenset[str],
    secret: frozenset[Place],
) -> Iterator[Entry]:
    """The differences of one object, explained."""
    found = [
        Found(path_inside(path, schema), path_text(path[1:]), one, two, _is_made(path, schema))
        for path, one, two in walk.found
    ]
    explained = explanations.of_values(address, found)
    covered = [bool(secret) and is_secret(place_of(path), secret) for path, _, _ in walk.found]
    copied = {content_of(value) for value, covers in zip(found, covered, strict=True) if covers}
    for value, why, covers, (path, one, two) in zip(found, explained, covered, walk.found, strict=True):
        # Copies that are texts are known by what is in them; a number is one at the same place of another attribute.
        if covers or content_of(value) in copied:
            values = (NOTHING if one is LACKING else SECRET, NOTHING if two is LACKING else SECRET)
        else:
            values = shown_forms(one, two, hidden)
        yield _entry(_kind(path, one, two), address, block, value.path, values, why)


def _is_made(path: Path, schema: Block | None) -> bool:
    """Whether it is in an attribute that nobody can set: the provider makes it."""
    name = path[0].name if path and isinstance(path[0], GetAttr) else ""
    attribute = None if schema is None else schema.attributes.get(name)
    return attribute is not None and attribute.computed and not attribute.optional


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


def _kind(path: Path, one: Any, two: Any) -> Kind:
    if one is LACKING or two is LACKING:
        there = two if one is LACKING else one
        is_block = path and isinstance(path[-1], Index) and isinstance(there, dict)
        return Kind.BLOCK if is_block else Kind.ARGUMENT
    if references(one) != references(two):
        return Kind.DEPENDENCY
    return Kind.VALUE
