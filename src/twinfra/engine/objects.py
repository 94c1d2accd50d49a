"""Objects between three forms: JSON in the state, plain values for providers, marked values for
expressions.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twinfra.diagnostics import DiagnosticError, error
from twinfra.engine.redaction import recorded_texts, redacted
from twinfra.providers.protocol import Provider, ProviderError, Stored
from twinfra.schema import Block, Nesting, ResourceSchema
from twinfra.state.model import InstanceObject
from twinfra.values.encoding import value_from_json, value_to_json
from twinfra.values.marks import PathMarks, mark_paths
from twinfra.values.types import DYNAMIC, NUMBER, STRING, ListType, MapType, ObjectType, SetType, Type
from twinfra.values.value import SENSITIVE, GetAttr, Index, List, Map, Null, Path, Set, Unknown, Value

SENSITIVE_MARKS = frozenset((SENSITIVE,))


class Facts:
    """What the engine asks about a schema again and again, worked out once.

    `computed`: names of computed attributes. `sensitive`: paths of sensitive attributes at the top.
    `deep`: names of what is made of objects. `sample`: an object in which everything is unknown. `volatile`: what
    moves by itself, as the provider declares it.
    """

    __slots__ = (
        "block",
        "computed",
        "deep",
        "names",
        "nested_sensitive",
        "sample",
        "sensitive",
        "type",
        "version",
        "volatile",
        "write_only",
    )

    def __init__(self, schema: ResourceSchema) -> None:
        block = self.block = schema.block
        self.version = schema.version
        self.volatile = schema.volatile
        self.type = block.type
        self.names = frozenset(block.type.attributes)
        self.deep = tuple(name for name, type in block.type.attributes.items() if _holds_object(type))
        self.computed = tuple(name for name, attribute in block.attributes.items() if attribute.computed)
        self.sensitive: tuple[Path, ...] = tuple(
            (GetAttr(name),) for name, attribute in block.attributes.items() if attribute.sensitive
        )
        self.write_only = tuple(name for name, attribute in block.attributes.items() if attribute.write_only)
        self.nested_sensitive = any(_holds_sensitive(nested.block) for nested in block.blocks.values())
        self.sample: dict[str, Value] = {name: Unknown(type) for name, type in block.type.attributes.items()}

    def sensitive_paths(self, value: dict[str, Value] | None) -> list[Path]:
        """Where sensitive attributes are in this object."""
        found = list(self.sensitive)
        if self.nested_sensitive and value is not None:
            for name, nested in self.block.blocks.items():
                _find_sensitive(nested.block, nested.nesting, value.get(name), (GetAttr(name),), found)
        return found


def _holds_object(type: Type) -> bool:
    if isinstance(type, ListType | SetType | MapType):
        return _holds_object(type.element)
    return isinstance(type, ObjectType)


def _holds_sensitive(block: Block) -> bool:
    return any(attribute.sensitive for attribute in block.attributes.values()) or any(
        _holds_sensitive(nested.block) for nested in block.blocks.values()
    )


def _find_sensitive(block: Block, nesting: Nesting, value: Value, path: Path, found: list[Path]) -> None:
    if not _holds_sensitive(block):
        return
    if nesting is Nesting.SET:
        # Elements of a set cannot be marked one by one.
        if isinstance(value, tuple) and value:
            found.append(path)
        return
    elements: Iterable[tuple[Path, Value]]
    if nesting is Nesting.LIST and isinstance(value, tuple):
        elements = [((*path, Index(at)), item) for at, item in enumerate(value)]
    elif nesting is Nesting.MAP and isinstance(value, dict):
        elements = [((*path, Index(key)), item) for key, item in value.items()]
    else:
        elements = [(path, value)]
    for where, item in elements:
        if not isinstance(item, dict):
            continue
        found.extend(
            (*where, GetAttr(name)) for name, attribute in block.attributes.items() if attribute.sensitive
        )
        for name, nested in block.blocks.items():
            _find_sensitive(nested.block, nested.nesting, item.get(name), (*where, GetAttr(name)), found)


def decode_object(
    stored: InstanceObject, kind: str, facts: Facts, provider: Provider, address: object
) -> dict[str, Value]:
    """The attributes of a stored object as plain values of the schema's type, upgraded where they are older.

    Raises `DiagnosticError` where they are of a newer schema or cannot be read.
    """
    attributes = stored.attributes
    if stored.schema_version > facts.version:
        raise DiagnosticError(
            error(
                "Object is from a newer provider",
                f"{address} was written under schema version {stored.schema_version} of {kind}; this "
                "provider knows "
                f"version {facts.version}.",
                mend="Use the newer version of the program that wrote it.",
            )
        )
    if stored.schema_version < facts.version or attributes.keys() != facts.names:
        try:
            attributes = provider.upgrade(kind, stored.schema_version, attributes)
        except ProviderError as refused:
            names = {
                path[0].name for path, _ in stored_marks(stored) if path and isinstance(path[0], GetAttr)
            }
            hidden = recorded_texts(attributes, names | _sensitive_names(facts.block))
            raise DiagnosticError(redacted(one, hidden) for one in refused.diagnostics) from None
    try:
        value: dict[str, Value] = value_from_json(attributes, facts.type)
    except ValueError as refused:
        raise DiagnosticError(
            error(
                "Object in the state cannot be read",
                f"The recorded attributes of {address} do not fit the schema of {kind}: {refused}.",
                mend="Restore the state from a backup, or take the object out (state rm) and import it.",
            )
        ) from None
    types = facts.type.attributes
    for name, one in value.items():
        if type(one) is Null and types[name] is not DYNAMIC:
            value[name] = None
    for name in facts.deep:
        value[name] = bare_nulls(value[name])
    return value


def _sensitive_names(block: Block) -> set[str]:
    """The names at the top of what is sensitive, or has something sensitive in it."""
    found = {name for name, attribute in block.attributes.items() if attribute.sensitive}
    return found | {name for name, nested in block.blocks.items() if _holds_sensitive(nested.block)}


def bare_nulls(value: Value) -> Value:
    """A value in which every null is plain None, as providers take it; the same object where nothing changes."""
    kind = type(value)
    if kind is Null:
        return None
    if kind is List or kind is Set:
        items = [bare_nulls(one) for one in value]
        if all(one is other for one, other in zip(items, value, strict=True)):
            return value
        return List(items, value.element) if kind is List else Set(items, value.element)
    if kind is dict or kind is Map:
        changed = {name: bare for name, one in value.items() if (bare := bare_nulls(one)) is not one}
        if not changed:
            return value
        made = {**value, **changed}
        return Map(made, value.element) if kind is Map else made
    return value


def encode_object(
    stored: Stored,
    facts: Facts,
    marks: PathMarks,
    *,
    tainted: bool = False,
    dependencies: tuple[str, ...] = (),
    create_before_destroy: bool = False,
) -> InstanceObject:
    """An object as the state keeps it. `marks` are those of the configuration; the schema's are added."""
    attributes: dict[str, Any] = value_to_json(stored.attributes, facts.type)
    sensitive: tuple[Any, ...] = ()
    if marks or facts.sensitive or facts.nested_sensitive:
        paths = {path: None for path, found in marks if SENSITIVE in found}
        paths.update(dict.fromkeys(facts.sensitive_paths(stored.attributes)))
        sensitive = tuple(path_to_json(path) for path in sorted(paths, key=_path_order))
    return InstanceObject(
        attributes, facts.version, tainted, sensitive, stored.private, dependencies, create_before_destroy
    )


def _path_order(path: Path) -> list[tuple[int, int, str]]:
    order = []
    for step in path:
        if isinstance(step, GetAttr):
            order.append((0, 0, step.name))
        else:
            order.append((1, step.key, "") if isinstance(step.key, int) else (2, 0, str(step.key)))
    return order


def path_to_json(path: Path) -> list[dict[str, Any]]:
    """A path in the notation of `sensitive_attributes`."""
    steps: list[dict[str, Any]] = []
    for step in path:
        if isinstance(step, GetAttr):
            steps.append({"type": "get_attr", "value": step.name})
        else:
            kind = "number" if isinstance(step.key, int) else "string"
            steps.append({"type": "index", "value": {"value": step.key, "type": kind}})
    return steps


def path_from_json(steps: Iterable[dict[str, Any]]) -> Path:
    """A path from the notation of `sensitive_attributes`."""
    path: list[GetAttr | Index] = []
    for step in steps:
        if step.get("type") == "get_attr":
            path.append(GetAttr(step["value"]))
        else:
            key = step["value"]
            path.append(Index(value_from_json(key["value"], NUMBER if key["type"] == "number" else STRING)))
    return tuple(path)


def stored_marks(stored: InstanceObject) -> PathMarks:
    """The marks that the state remembers for an object."""
    return [(path_from_json(steps), SENSITIVE_MARKS) for steps in stored.sensitive]


def marked(value: dict[str, Value] | None, facts: Facts, marks: PathMarks) -> Value:
    """An object as expressions and people may see it: marked where configuration or schema say so."""
    if value is None:
        return None
    if facts.sensitive or facts.nested_sensitive:
        marks = [*marks, *((path, SENSITIVE_MARKS) for path in facts.sensitive_paths(value))]
    return mark_paths(value, marks) if marks else value
