"""Finds which values of a state are sensitive, and what made them so: schema, variables or configuration."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from twinfra.addresses import Instance
from twinfra.cli.shown import SchemaReader
from twinfra.cli.state_addresses import instances
from twinfra.config.model import Configuration, Module, ResourceConfig
from twinfra.dataclass import dataclass
from twinfra.engine.consistency import path_text
from twinfra.engine.objects import SENSITIVE_MARKS, Facts, decode_object, stored_marks
from twinfra.lang.compiler import compile_expression
from twinfra.lang.nodes import Body, BodyShape, Expression
from twinfra.values.marks import mark_paths, unmark_deep_with_paths
from twinfra.values.secrets import hide, secrets_in
from twinfra.values.value import GetAttr, Path, Value

if TYPE_CHECKING:
    from twinfra.state.model import InstanceObject, ResourceState, State

_SENSITIVE = re.compile(r"\bsensitive\s*\(")


@dataclass(frozen=True, slots=True)
class Secret:
    """A sensitive value. `origin`: `schema`, `variable`, `configuration`, `output`, `state`, or `copy`: no mark says
    so, but it tells what another value of its object, which is sensitive, says.

    `sources` are what made it sensitive: variables, functions, what its expression refers to, or that other value.
    """

    address: str
    path: str
    origin: str
    sources: tuple[str, ...] = ()
    deposed: str = ""


def secrets_of(state: State, configuration: Configuration) -> Iterator[Secret]:
    """The sensitive values of a state, by address. Raises `DiagnosticError` where an object cannot be read."""
    reader = SchemaReader()
    for address in instances(state):
        record = state.resources[address.of]
        there = record.instances[address.key]
        objects = [("", there.current), *there.deposed.items()]
        for deposed, stored in objects:
            if stored is not None:
                yield from _of_object(address, record, stored, deposed, configuration, reader)
    root = configuration.root if configuration.modules else None
    for name, output in sorted(state.outputs.items()):
        if output.sensitive:
            declared = root.outputs.get(name) if root is not None else None
            sources = (
                _sources(declared.expression, root)[1] if declared is not None and root is not None else ()
            )
            yield Secret(f"output.{name}", "", "output", sources)


def _of_object(
    address: Instance,
    record: ResourceState,
    stored: InstanceObject,
    deposed: str,
    configuration: Configuration,
    reader: SchemaReader,
) -> Iterator[Secret]:
    resource = address.resource
    schema = reader.resource(record.provider.provider, resource.mode, resource.type)
    by_schema: list[Path] = []
    decoded: dict[str, Value] = {}
    if schema is not None:
        facts = Facts(schema)
        provider = reader.providers.unconfigured(record.provider.provider)
        decoded = decode_object(stored, resource.type, facts, provider, address)
        by_schema = [path for path in facts.sensitive_paths(decoded) if _has(decoded, path)]
    marked = [path for path, _ in stored_marks(stored)]
    told = set(by_schema)
    for path in by_schema:
        yield Secret(str(address), path_text(path), "schema", (), deposed)
    for path in marked:
        if path in told:
            continue
        told.add(path)
        origin, sources = _why(address, path, configuration)
        yield Secret(str(address), path_text(path), origin, sources, deposed)
    for path, sources in _copies(decoded, told):
        yield Secret(str(address), path_text(path), "copy", sources, deposed)


def _copies(value: dict[str, Value], told: set[Path]) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Where an object says again what is sensitive elsewhere in it, and where that is."""
    own = [path for path, _ in unmark_deep_with_paths(_marked(value, told))[1]]
    found: dict[Path, list[str]] = {}
    for secret in own:
        again = hide(value, secrets_in(_marked(value, (secret,))))
        for path, _ in unmark_deep_with_paths(again)[1]:
            if not any(path[: len(one)] == one for one in own):
                found.setdefault(path, []).append(path_text(secret))
    for path, sources in found.items():
        yield path, tuple(sources)


def _marked(value: dict[str, Value], paths: Iterable[Path]) -> Value:
    return mark_paths(value, [(path, SENSITIVE_MARKS) for path in paths])


def _has(value: object, path: Path) -> bool:
    """Whether there is anything at a path: a schema's secret that was never set is none."""
    for step in path:
        if not isinstance(value, dict) or not isinstance(step, GetAttr):
            return True
        value = value.get(step.name)
    return value is not None


def _why(address: Instance, path: Path, configuration: Configuration) -> tuple[str, tuple[str, ...]]:
    """What the configuration says of an attribute: where its sensitivity comes from, as far as that can be told."""
    calls = tuple(name for name, _ in address.module.steps)
    module = configuration.modules.get(calls)
    declared = module.resources.get(address.resource) if module is not None else None
    first = path[0] if path else None
    if module is None or declared is None or not isinstance(first, GetAttr):
        return "state", ()
    expression = _expression(declared, first.name)
    return ("state", ()) if expression is None else _sources(expression, module)


def _expression(declared: ResourceConfig, name: str) -> Expression | None:
    body: Body = declared.body
    content, _, _ = body.partial(BodyShape({name: False}))
    attribute = content.attributes.get(name)
    return None if attribute is None else attribute.expression


def _sources(expression: Expression, module: Module) -> tuple[str, tuple[str, ...]]:
    """Where an expression gets its sensitivity: sensitive variables before all else it refers to."""
    variables: dict[str, None] = {}
    others: dict[str, None] = {}
    seen: set[str] = set()
    pending = [expression]
    while pending:
        one = pending.pop()
        if _SENSITIVE.search(one.range.text):
            others["sensitive()"] = None
        for reference in compile_expression(one).references:
            if reference.kind == "local" and reference.name in module.locals:
                if reference.name not in seen:
                    seen.add(reference.name)
                    pending.append(module.locals[reference.name].expression)
            elif reference.kind == "var":
                variable = module.variables.get(reference.name)
                # A variable of a module that is called gets its sensitivity from what it is given.
                if variable is not None and (variable.sensitive or module.path):
                    variables[str(reference)] = None
            elif reference.kind not in ("path", "terraform", "each", "count"):
                others[str(reference)] = None
    if variables:
        return "variable", tuple(variables)
    return "configuration", tuple(others)
