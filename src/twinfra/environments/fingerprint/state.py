"""The digest of a state: what exists, with generated identifiers renamed canonically by their place in the graph
and volatile attributes left out (docs/fingerprint.md). Linear in the size of the state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, cached_property, partial
from typing import Any

from twinfra.addresses import DATA, MANAGED, ProviderAddress, quote
from twinfra.dataclass import dataclass
from twinfra.diagnostics import DiagnosticError
from twinfra.environments.fingerprint.canonical import canonical, digest_text, keyed
from twinfra.environments.fingerprint.expressions import sorted_by_text
from twinfra.environments.fingerprint.identifiers import Identifiers
from twinfra.environments.fingerprint.key import Key
from twinfra.environments.fingerprint.volatile import (
    Part,
    VolatileRule,
    declared_parts,
    mirrors,
    resolved,
    with_rules,
)
from twinfra.schema import ProviderSchema, ResourceSchema
from twinfra.state.model import InstanceObject, InstanceState, State
from twinfra.values.encoding import EncodingError, type_from_json
from twinfra.values.types import (
    DYNAMIC,
    DynamicType,
    ListType,
    MapType,
    ObjectType,
    SetType,
    TupleType,
    Type,
)

FORMAT = "twinfra state 1"
_NOTHING = Part()

Schemas = Callable[[ProviderAddress], ProviderSchema]
"""What a provider declares; raises `DiagnosticError` where there is no such provider."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """A resource type: what it declares, and the types of its attributes."""

    part: Part
    types: dict[str, Type]
    mirrors: bool = False


@dataclass(frozen=True, slots=True)
class _Row:
    """One managed instance in the state."""

    address: str
    provider: str
    kind: _Kind
    part: Part
    instance: InstanceState


def state_digest(state: State, schemas: Schemas, key: Key, volatile: Sequence[VolatileRule] = ()) -> str:
    """S, the digest of a state.

    `schemas` finds what providers declare (`Providers.schema`), `key` hashes what is sensitive, `volatile` are the
    rules of twinfra.toml.
    """
    return StateForms(state, schemas, key, volatile).digest


class StateForms:
    """The canonical forms of what a state holds.

    Without a `key` secrets are in the clear: whoever compares such forms must hide what is shown of them.
    """

    def __init__(
        self, state: State, schemas: Schemas, key: Key | None, volatile: Sequence[VolatileRule] = ()
    ) -> None:
        self._state = state
        self._key = key
        self._rows = _rows(state, schemas, volatile)
        self._schemas = schemas
        self._identifiers = Identifiers()
        self._name_all()

    @cached_property
    def digest(self) -> str:
        """S."""
        resources = ",".join(map(canonical, self.resources()))
        outputs = canonical(self.outputs())
        return digest_text(f'{{"format":{canonical(FORMAT)},"outputs":{outputs},"resources":[{resources}]}}')

    def resources(self) -> Iterator[dict[str, Any]]:
        """The form of each managed instance, in the order of their addresses as texts."""
        for row in self._rows:
            form: dict[str, Any] = {"address": row.address, "provider": row.provider}
            current = row.instance.current
            if current is not None:
                form["attributes"] = self._attributes(row, current)
                if current.tainted:
                    form["tainted"] = True
            if row.instance.deposed:
                form["deposed"] = len(row.instance.deposed)
            yield form

    def outputs(self) -> dict[str, Any]:
        """The form of each output of the root module, by name."""
        found: dict[str, Any] = {}
        for name, output in self._state.outputs.items():
            value = self._typed(output.value, stored_type(output.type))
            found[name] = {"value": keyed(self._key(), value) if output.sensitive and self._key else value}
            found[name]["type"] = output.type
        return found

    def answers(self) -> dict[str, dict[str, Any]]:
        """What data sources found, by address. It is no part of the digest.

        Of what is found about an object, the same is left out as of a resource of that type.
        """
        rows = _rows(self._state, self._schemas, (), DATA)
        return {
            row.address: self._attributes(row, row.instance.current)
            for row in rows
            if row.instance.current is not None
        }

    # -- naming

    def _name_all(self) -> None:
        """Ids first: what refers to an object is then named by the object."""
        for row in self._rows:
            own = row.part.children.get("id")
            if row.instance.current is not None and own is not None and own.generated:
                self._name(row.instance.current.attributes, "id", own, row.address)
        for row in self._rows:
            if row.instance.current is not None:
                self._name_inside(row.instance.current.attributes, row.part, row.kind.types, row.address)

    def _name_inside(self, value: Any, part: Part, types: dict[str, Type], place: str) -> None:
        if not isinstance(value, dict):
            return
        for name in sorted(part.children):
            child = part.children[name]
            if child.left_out(value):
                continue
            if child.generated:
                self._name(value, name, child, place)
            if child.children:
                self._name_below(value.get(name), child, types.get(name, DYNAMIC), f"{place}.{name}")

    def _name_below(self, value: Any, part: Part, type: Type, place: str) -> None:
        if isinstance(value, list | tuple):
            element = type.element if isinstance(type, ListType | SetType) else DYNAMIC
            for at, one in enumerate(value):
                self._name_below(one, part, element, f"{place}[{_index(type, at)}]")
        elif isinstance(value, dict):
            self._name_inside(value, part, _attribute_types(type), place)

    def _name(self, owner: dict[str, Any], name: str, part: Part, place: str) -> None:
        value = owner.get(name)
        if part.made_up(owner):
            values = value if isinstance(value, list | tuple) else (value,)
            for at, one in enumerate(values):
                if isinstance(one, str):
                    index = f"[{at}]" if isinstance(value, list | tuple) else ""
                    self._identifiers.add(one, f"{place}.{name}{index}")

    # -- forms

    def _attributes(self, row: _Row, stored: InstanceObject) -> dict[str, Any]:
        secret = {path[0].get("value") for path in stored.sensitive if path and isinstance(path[0], dict)}
        key = self._key
        rename = self._identifiers.rename
        children, types = row.part.children, row.kind.types
        form: dict[str, Any] = {}
        for name, value in stored.attributes.items():
            if value is None:
                continue
            part = children.get(name)
            if part is None and value.__class__ is str:
                found: Any = rename(value)
            elif part is None:
                found = self._typed(value, types.get(name, DYNAMIC))
            elif part.left_out(stored.attributes):
                continue
            else:
                found = self._declared(
                    value, part, types.get(name, DYNAMIC), stored.attributes, row.address, name
                )
            form[name] = keyed(key(), found) if secret and name in secret and key is not None else found
        return form

    def _declared(
        self, value: Any, part: Part, type: Type, owner: dict[str, Any], place: str, name: str
    ) -> Any:
        """The form of a value about which something is declared."""
        if part.made_up(owner):
            return self._reference(value, f"{place}.{name}")
        return self._below(value, part, type, f"{place}.{name}")

    def _reference(self, value: Any, place: str) -> Any:
        if isinstance(value, list | tuple):
            return [self._reference(one, f"{place}[{at}]") for at, one in enumerate(value)]
        if isinstance(value, str):
            renamed = self._identifiers.rename(value)
            if renamed != value:
                return renamed
        return "${" + place + "}"

    def _typed(self, value: Any, type: Type) -> Any:
        """The form of a value of a type: sets in canonical order, nulls in objects left out, identifiers renamed."""
        kind = value.__class__
        if kind is str:
            return self._identifiers.rename(value)
        if kind is list or kind is tuple:
            typed = self._typed
            if isinstance(type, TupleType) and len(type.elements) == len(value):
                return [typed(one, own) for one, own in zip(value, type.elements, strict=True)]
            element = type.element if isinstance(type, ListType | SetType) else DYNAMIC
            found = [typed(one, element) for one in value]
            return sorted_by_text(found) if isinstance(type, SetType) else found
        if kind is dict:
            if isinstance(type, DynamicType) and value.keys() == {"value", "type"}:
                return {
                    "type": value["type"],
                    "value": self._typed(value["value"], stored_type(value["type"])),
                }
            types = type.attributes if isinstance(type, ObjectType) else {}
            element = type.element if isinstance(type, MapType) else DYNAMIC
            return {
                name: self._typed(one, types.get(name, element))
                for name, one in value.items()
                if one is not None
            }
        return value

    def _below(self, value: Any, part: Part, type: Type, place: str) -> Any:
        """The form of a value inside of which something is declared."""
        if isinstance(value, list | tuple):
            element = type.element if isinstance(type, ListType | SetType) else DYNAMIC
            found = [
                self._below(one, part, element, f"{place}[{_index(type, at)}]")
                for at, one in enumerate(value)
            ]
            return sorted_by_text(found) if isinstance(type, SetType) else found
        if not isinstance(value, dict):
            return self._typed(value, type)
        types = _attribute_types(type)
        form: dict[str, Any] = {}
        for name, one in value.items():
            child = part.children.get(name)
            if one is None or (child is not None and child.left_out(value)):
                continue
            own = types.get(name, DYNAMIC)
            if child is None:
                form[name] = self._typed(one, own)
            else:
                form[name] = self._declared(one, child, own, value, place, name)
        return form


def _index(type: Type, at: int) -> str:
    return "*" if isinstance(type, SetType) else str(at)


def _attribute_types(type: Type) -> dict[str, Type]:
    return dict(type.attributes) if isinstance(type, ObjectType) else {}


def stored_type(form: Any) -> Type:
    """The type that a state keeps with a value."""
    try:
        return type_from_json(form)
    except EncodingError:
        return DYNAMIC


# -- rows


def _rows(
    state: State, schemas: Schemas, volatile: Sequence[VolatileRule], mode: str = MANAGED
) -> list[_Row]:
    """The instances of a mode with what is declared about their types, in the order of their addresses."""

    @cache
    def kind_of(provider: ProviderAddress, type: str) -> _Kind:
        try:
            schema: ResourceSchema | None = schemas(provider).resources.get(type)
        except DiagnosticError:
            schema = None
        if schema is None:
            return _Kind(_NOTHING, {})
        part = declared_parts(schema)
        return _Kind(part, dict(schema.block.type.attributes), mirrors(part))

    refers = _References(state)
    rows: list[_Row] = []
    for address, resource in state.resources.items():
        if address.resource.mode != mode:
            continue
        kind = kind_of(resource.provider.provider, address.resource.type)
        provider, name = str(resource.provider), str(address)
        for key, instance in resource.instances.items():
            text = name if key is None else f"{name}[{key if isinstance(key, int) else quote(key)}]"
            attributes = {} if instance.current is None else instance.current.attributes
            part = with_rules(kind.part, text, attributes, volatile) if volatile else kind.part
            if kind.mirrors and instance.current is not None:
                part = resolved(part, partial(refers, attributes.get("id")))
            rows.append(_Row(text, provider, kind, part, instance))
    rows.sort(key=_address)
    return rows


class _References:
    """Which ids the resources of a type hold in an attribute; each looked up once for all."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._held: dict[tuple[str, str], set[str]] = {}

    def __call__(self, id: Any, type: str, attribute: str) -> bool:
        held = self._held.get((type, attribute))
        if held is None:
            held = self._held[type, attribute] = {
                value
                for address, resource in self._state.resources.items()
                if address.resource.mode == MANAGED and address.resource.type == type
                for instance in resource.instances.values()
                if instance.current is not None
                and isinstance(value := instance.current.attributes.get(attribute), str)
            }
        return id in held


def _address(row: _Row) -> str:
    return row.address
