"""Bodies and expressions in JSON syntax: which property is an argument, which a block, what a value means."""

from __future__ import annotations

from dataclasses import replace
from unicodedata import normalize

from twinfra.diagnostics import Diagnostic, SourceRange, UnescapedSource, error, nearest
from twinfra.lang.body import missing_attribute
from twinfra.lang.json_values import (
    JsonArray,
    JsonLiteral,
    JsonObject,
    JsonProperty,
    JsonString,
    JsonValue,
    start_range,
)
from twinfra.lang.nodes import (
    Attribute,
    Block,
    BlockShape,
    Body,
    BodyContent,
    BodyShape,
    Expression,
    Faulty,
    Literal,
    ObjectExpression,
    ObjectItem,
    TupleExpression,
)
from twinfra.values.value import UNKNOWN

COMMENT = "//"
"""The key of properties that are comments."""


class JsonBody(Body):
    """A body given as a JSON object, or as an array of objects that are read together; see `Body`."""

    __slots__ = ("end", "range", "taken", "templates", "value")

    def __init__(self, value: JsonValue, templates: bool = True, taken: frozenset[str] = frozenset()) -> None:
        self.value = value
        self.templates = templates
        self.taken = taken
        self.range = value.range
        self.end = value.close_range if isinstance(value, JsonObject) else start_range(value)

    def content(self, shape: BodyShape) -> tuple[BodyContent, list[Diagnostic]]:
        content, rest, found = self.partial(shape)
        known = [name for name in shape.attributes if name not in rest.taken]
        known += [block.type for block in shape.blocks]
        for property in self._properties(self.value, "")[0]:
            if property.name != COMMENT and property.name not in rest.taken:
                found.append(
                    error(
                        "Unsupported property",
                        f"There is no argument or block {property.name} here.",
                        property.name_range,
                        mend=nearest(property.name, known) or "Remove it, or check its spelling.",
                    )
                )
        return content, found

    def partial(self, shape: BodyShape) -> tuple[BodyContent, JsonBody, list[Diagnostic]]:
        properties, found = self._properties(self.value, "")
        shapes = {block.type: block for block in shape.blocks}
        attributes: dict[str, Attribute] = {}
        blocks: list[Block] = []
        taken = set(self.taken)
        for property in properties:
            name = property.name
            if name in self.taken:
                continue
            if name in shape.attributes:
                if name in attributes:
                    found.append(_twice(property, attributes[name].name_range))
                    continue
                attributes[name] = self._attribute(property, found)
                taken.add(name)
            elif name in shapes:
                self._unpack(property, property.value, shapes[name], (), blocks, found)
                taken.add(name)
        for name, required in shape.attributes.items():
            if required and name not in attributes:
                found.append(missing_attribute(name, self.end))
        rest = JsonBody(self.value, self.templates, frozenset(taken))
        return BodyContent(attributes, tuple(blocks)), rest, found

    def just_attributes(self) -> tuple[dict[str, Attribute], list[Diagnostic]]:
        found: list[Diagnostic] = []
        attributes: dict[str, Attribute] = {}
        if not isinstance(self.value, JsonObject):
            found.append(
                _no_object("A JSON object is needed here, with a property for each argument.", self.value)
            )
            return attributes, found
        for property in self.value.properties:
            if property.name == COMMENT or property.name in self.taken:
                continue
            if property.name in attributes:
                found.append(_twice(property, attributes[property.name].name_range))
            else:
                attributes[property.name] = self._attribute(property, found)
        return attributes, found

    def _attribute(self, property: JsonProperty, found: list[Diagnostic]) -> Attribute:
        value = expression(property.value, self.templates, found)
        place = property.name_range.to(property.value.range)
        return Attribute(property.name, value, place, property.name_range)

    def _properties(self, value: JsonValue, label: str) -> tuple[list[JsonProperty], list[Diagnostic]]:
        """The properties of an object, or of all objects of an array; nothing of a null.

        `label` is what the properties stand for where they are labels of blocks.
        """
        if isinstance(value, JsonObject):
            return list(value.properties), []
        if isinstance(value, JsonLiteral) and value.value is None:
            return [], []
        wanted = (
            f"JSON objects are needed here, whose keys are the {label} of a block."
            if label
            else "JSON objects are needed here, with a property for each argument and block."
        )
        if not isinstance(value, JsonArray):
            return [], [_no_object(wanted, value)]
        properties: list[JsonProperty] = []
        found: list[Diagnostic] = []
        for one in value.values:
            if isinstance(one, JsonObject):
                properties.extend(one.properties)
            else:
                found.append(_no_object(wanted, one))
        return properties, found

    def _unpack(
        self,
        block: JsonProperty,
        value: JsonValue,
        shape: BlockShape,
        labels: tuple[JsonProperty, ...],
        blocks: list[Block],
        found: list[Diagnostic],
    ) -> None:
        """Add the blocks that a value stands for, below the labels that led to it."""
        if len(labels) < len(shape.labels):
            label = shape.labels[len(labels)]
            properties, problems = self._properties(value, label)
            found.extend(problems)
            if not properties:
                found.append(
                    error(
                        "Missing label",
                        f"A {shape.type} block needs a property whose key is its {label}.",
                        start_range(value),
                        mend=f'Write {{"the {label}": {{ ... }}}}.',
                    )
                )
            for property in properties:
                self._unpack(block, property.value, shape, (*labels, property), blocks, found)
            return
        bodies: tuple[JsonValue, ...]
        if isinstance(value, JsonLiteral) and value.value is None:
            return
        if isinstance(value, JsonObject):
            bodies = (value,)
        elif isinstance(value, JsonArray):
            bodies = value.values
        else:
            detail = (
                f"A JSON object, or an array of them, is needed here: the content of {shape.type} blocks."
            )
            found.append(_no_object(detail, value))
            return
        names = tuple(property.name for property in labels)
        places = tuple(property.name_range for property in labels)
        blocks.extend(
            Block(
                shape.type,
                names,
                JsonBody(body, self.templates),
                start_range(value),
                block.name_range,
                places,
            )
            for body in bodies
        )


def expression(value: JsonValue, templates: bool, found: list[Diagnostic]) -> Expression:
    """A JSON value as an expression: strings are templates (where `templates`), keys of objects too."""
    if isinstance(value, JsonString):
        return _string(value.text, value.range, templates)
    if isinstance(value, JsonLiteral):
        return Literal(value.value, value.range)
    if isinstance(value, JsonArray):
        return TupleExpression(tuple(expression(one, templates, found) for one in value.values), value.range)
    if not isinstance(value, JsonObject):
        return Literal(UNKNOWN, value.range)
    items: list[ObjectItem] = []
    places: dict[str, SourceRange] = {}
    for property in value.properties:
        key = _string(property.name, property.name_range, templates)
        if isinstance(key, Literal) and isinstance(key.value, str):
            if key.value in places:
                found.append(_twice(property, places[key.value]))
                continue
            places[key.value] = property.name_range
        items.append(ObjectItem(key, expression(property.value, templates, found)))
    return ObjectExpression(tuple(items), value.range)


def _string(text: str, place: SourceRange, templates: bool) -> Expression:
    if not templates or ("${" not in text and "%{" not in text):
        return Literal(text if text.isascii() else normalize("NFC", text), place)
    from twinfra.lang.parser import template_in

    content = SourceRange(place.source, place.start + 1, place.end - 1)
    if content.end - content.start == len(text):
        template, problems = template_in(place.source, text, content.start)
    else:
        template, problems = template_in(UnescapedSource(content, text), text, 0)
    if problems:
        return Faulty(text, tuple(problems), place)
    return Literal(template.value, place) if isinstance(template, Literal) else replace(template, range=place)


def _twice(property: JsonProperty, first: SourceRange) -> Diagnostic:
    return error(
        "Argument set twice",
        f"{property.name} is already set in line {first.first.line}.",
        property.name_range,
        mend="Keep one of the two.",
    )


def _no_object(detail: str, value: JsonValue) -> Diagnostic:
    return error(
        "Wrong type of JSON value", detail, start_range(value), mend="Put the content in braces, { }."
    )
