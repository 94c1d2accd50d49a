"""The `lifecycle` block, bound to a resource: which paths to ignore, and what triggers a replacement."""

from __future__ import annotations

from typing import Any

from twinfra.addresses import DATA, EPHEMERAL_MODE
from twinfra.diagnostics import Diagnostic, DiagnosticError, SourceRange, error, nearest, warning
from twinfra.engine.nodes import ResourceNode, Trigger
from twinfra.engine.traversals import Step, steps_of
from twinfra.lang.compiler import compile_expression
from twinfra.lang.nodes import Expression, Literal, TemplateWrap
from twinfra.lang.nodes import GetAttr as GetAttrNode
from twinfra.values.value import GetAttr, Index, List, Map, Marked, Path, Unknown, Value


def bind_lifecycle(node: ResourceNode) -> None:
    """Read `ignore_changes` and `replace_triggered_by` of a block into its node, with what is wrong in
    them.
    """
    lifecycle = node.config.lifecycle
    redundant: list[Diagnostic] = []
    for expression in lifecycle.ignore_changes:
        try:
            path = _path(steps_of(expression))
        except DiagnosticError as refused:
            node.problems.extend(refused.at(expression.range).diagnostics)
            continue
        first = path[0]
        assert isinstance(first, GetAttr)
        attribute = node.schema.block.attributes.get(first.name)
        if attribute is None and first.name not in node.schema.block.blocks:
            known = [*node.schema.block.attributes, *node.schema.block.blocks]
            node.problems.append(
                error(
                    "No such argument to ignore",
                    f"{node.resource.type} has no argument or block named {first.name}.",
                    expression.range,
                    mend=nearest(first.name, known) or "Correct the name, or remove it from ignore_changes.",
                )
            )
            redundant.clear()
            break
        if attribute is not None and attribute.computed and not attribute.optional:
            redundant.append(_redundant(node, first.name))
        node.ignored.append(path)
    node.problems.extend(redundant)
    for expression in lifecycle.replace_triggered_by:
        node.triggers.append(_trigger(expression))


def _path(steps: list[Step]) -> Path:
    path: list[GetAttr | Index] = []
    for step in steps:
        if step.key is None:
            path.append(GetAttr(step.name))
        elif isinstance(step.key, Literal):
            path.append(Index(step.key.value))
        else:
            raise DiagnosticError(error("Key is not fixed", "A key here must be a literal.", step.range))
    return tuple(path)


def _trigger(expression: Expression) -> Trigger:
    """An entry, one that is no address with what is wrong with it: only where it is to be planned, that matters."""
    reference = next(
        one
        for one in compile_expression(expression).references
        if one.kind in ("resource", "data", "ephemeral")
    )
    try:
        if isinstance(expression, TemplateWrap):
            raise DiagnosticError(_no_address(expression.range))
        steps = steps_of(expression)
        rest = steps[3:] if steps[0].name in ("resource", DATA, EPHEMERAL_MODE) else steps[2:]
        key: Expression | None = None
        if rest and rest[0].key is not None:
            key, rest = rest[0].key, rest[1:]
            if not isinstance(key, Literal | GetAttrNode):
                raise DiagnosticError(_no_address(key.range))
        return Trigger(reference, key, _path(rest), expression.range)
    except DiagnosticError as refused:
        trigger = Trigger(reference, None, (), expression.range)
        trigger.problems = refused.at(expression.range).diagnostics
        return trigger


def _no_address(place: SourceRange) -> Diagnostic:
    return error(
        "Not an address",
        "An entry of replace_triggered_by is made of names joined by dots, and count.index, each.key or literals in "
        "brackets.",
        place,
        mend="Write it without quotes and calculations.",
    )


def _redundant(node: ResourceNode, name: str) -> Diagnostic:
    return warning(
        "Nothing to ignore",
        f"ignore_changes keeps what is recorded when the configuration says otherwise; {name} of "
        f"{node.resource} "
        "is set by the provider alone, so there is nothing to ignore.",
        type_range(node.config.range),
        mend=f"Remove {name} from ignore_changes.",
    )


def type_range(header: SourceRange) -> SourceRange:
    """The first label of a block's header: the resource type."""
    text = header.text
    at = text.find('"')
    end = text.find('"', at + 1)
    if at < 0 or end < 0:
        return header
    return SourceRange(header.source, header.start + at, header.start + end + 1)


MISSING: Any = object()
"""What `value_at` gives where a path leads nowhere."""


def value_at(value: Value, path: Path) -> Value:
    """What is at a path inside a value; `MISSING` where it leads nowhere, the unknown where it runs into
    one.
    """
    for step in path:
        if type(value) is Marked:
            value = value.value
        if type(value) is Unknown:
            return value
        key = step.name if isinstance(step, GetAttr) else step.key
        if isinstance(value, dict):
            if key not in value:
                return MISSING
            value = value[key]
        elif isinstance(value, tuple) and type(key) is int and 0 <= key < len(value):
            value = value[key]
        else:
            return MISSING
    return value


def ignore_changes(config: dict[str, Value], prior: dict[str, Value], paths: list[Path]) -> dict[str, Value]:
    """`config` with what `prior` has at each of the paths, as `ignore_changes` asks. Neither is changed.

    A path to a key follows the prior map: a key that it lacks is left out, one that it has is kept; of an
    object that is no map, a key at the end of a path means the whole. A path that either side lacks changes
    nothing, as does an attribute of a map, or a key of an object on the way.
    """
    result = config
    for path in paths:
        result = _restored(result, prior, path)
    return result


def _restored(config: Value, prior: Value, path: Path) -> Value:
    if not path:
        return prior
    kind = type(config)
    if kind is Marked:
        return Marked(_restored(config.value, prior, path), config.marks)
    step, rest = path[0], path[1:]
    if not rest and isinstance(step, Index) and isinstance(step.key, str) and kind is not Map:
        return config if config is None else prior
    key = step.name if isinstance(step, GetAttr) else step.key
    if kind is (dict if isinstance(step, GetAttr) else Map) and type(prior) is kind:
        return _restored_entry(config, prior, key, rest)
    if (kind is tuple or kind is List) and isinstance(prior, tuple) and type(key) is int:
        if not (0 <= key < len(config) and key < len(prior)):
            return config
        items = [*config[:key], _restored(config[key], prior[key], rest), *config[key + 1 :]]
        return tuple(items) if kind is tuple else List(items, config.element)
    return config


def _restored_entry(config: dict[str, Value], prior: dict[str, Value], key: Any, rest: Path) -> Value:
    made = dict(config)
    if key in prior and (key in config or (not rest and type(config) is Map)):
        made[key] = _restored(config.get(key), prior[key], rest)
    elif key in config and key not in prior and not rest and type(config) is Map:
        del made[key]
    else:
        return config
    return Map(made, config.element) if isinstance(config, Map) else made
