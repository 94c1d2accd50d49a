"""The canonical form of blocks and bodies as JSON, in both syntaxes, without any schema (docs/fingerprint.md)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from twinfra.environments.fingerprint.expressions import Observer, expression_form
from twinfra.lang.body import NativeBody
from twinfra.lang.json_body import COMMENT, JsonBody, expression
from twinfra.lang.json_values import JsonArray, JsonObject, JsonProperty, JsonValue
from twinfra.lang.nodes import Block, Body

APART = ("locals", "terraform")
"""Blocks of a file that may be written as several: each thing in them stands for itself."""


def file_items(body: Body, observer: Observer) -> Iterator[Any]:
    """The forms of what stands in a file, in source order."""
    if isinstance(body, NativeBody):
        for block in body.blocks:
            yield from _top(block, observer)
    elif isinstance(body, JsonBody):
        for property in _properties(body.value):
            yield ["json", property.name, _json(property.value, body.templates, observer)]


def _top(block: Block, observer: Observer) -> Iterator[Any]:
    if block.type not in APART or not isinstance(block.body, NativeBody):
        yield block_form(block, observer)
        return
    for name, attribute in block.body.attributes.items():
        yield [block.type, name, expression_form(attribute.expression, observer)]
    for inner in block.body.blocks:
        if inner.type == "required_providers" and isinstance(inner.body, NativeBody):
            for name, attribute in inner.body.attributes.items():
                yield [block.type, inner.type, name, expression_form(attribute.expression, observer)]
        else:
            yield [block.type, block_form(inner, observer)]


def block_form(block: Block, observer: Observer) -> Any:
    """`["block", type, labels, body]`."""
    return ["block", block.type, list(block.labels), body_form(block.body, observer)]


def body_form(body: Body, observer: Observer) -> Any:
    """`{"arguments": {name: form}, "blocks": {type: [forms]}}`, empty parts left out.

    Blocks are kept in order among those of their type; a `dynamic` block counts to the type that it makes.
    """
    if isinstance(body, JsonBody):
        return {"json": _json(body.value, body.templates, observer)}
    if not isinstance(body, NativeBody):
        raise TypeError(f"no form for {type(body).__name__}")
    form: dict[str, Any] = {}
    if body.attributes:
        form["arguments"] = {
            name: expression_form(one.expression, observer) for name, one in body.attributes.items()
        }
    if body.blocks:
        blocks: dict[str, list[Any]] = {}
        for block in body.blocks:
            kind = block.labels[0] if block.type == "dynamic" and block.labels else block.type
            blocks.setdefault(kind, []).append(block_form(block, observer))
        form["blocks"] = blocks
    return form


# -- JSON syntax


def _properties(value: JsonValue) -> Iterable[JsonProperty]:
    """The properties of an object, or of all objects of an array, but comments."""
    values = value.values if isinstance(value, JsonArray) else (value,)
    for one in values:
        if isinstance(one, JsonObject):
            yield from (property for property in one.properties if property.name != COMMENT)


def _json(value: JsonValue, templates: bool, observer: Observer) -> Any:
    """A JSON value: objects with sorted keys, strings as the templates that they are."""
    if isinstance(value, JsonObject):
        items = [
            [property.name, _json(property.value, templates, observer)] for property in _properties(value)
        ]
        return ["object", *sorted(items, key=lambda one: one[0])]
    if isinstance(value, JsonArray):
        return ["tuple", *(_json(one, templates, observer) for one in value.values)]
    return expression_form(expression(value, templates, []), observer)
