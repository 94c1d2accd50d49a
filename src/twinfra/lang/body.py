"""The body of a block or file in native syntax."""

from __future__ import annotations

from twinfra.diagnostics import Diagnostic, SourceRange, error, nearest
from twinfra.lang.nodes import Attribute, Block, BlockShape, Body, BodyContent, BodyShape


class NativeBody(Body):
    """Attributes by name and blocks in source order; see `Body` for how they are read.

    `attributes` and `blocks` are what is left to be read: `partial` returns a body without what it took.
    """

    __slots__ = ("attributes", "blocks", "end", "range")

    def __init__(
        self,
        attributes: dict[str, Attribute],
        blocks: tuple[Block, ...],
        range: SourceRange,
        end: SourceRange,
    ) -> None:
        self.attributes = attributes
        self.blocks = blocks
        self.range = range
        self.end = end

    def content(self, shape: BodyShape) -> tuple[BodyContent, list[Diagnostic]]:
        content, rest, found = self.partial(shape)
        for attribute in rest.attributes.values():
            found.append(_unexpected_attribute(attribute, shape, content))
        found.extend(_unexpected_block(block, shape) for block in rest.blocks)
        return content, found

    def partial(self, shape: BodyShape) -> tuple[BodyContent, NativeBody, list[Diagnostic]]:
        found: list[Diagnostic] = []
        wanted = shape.attributes
        attributes: dict[str, Attribute] = {}
        for name, required in wanted.items():
            attribute = self.attributes.get(name)
            if attribute is not None:
                attributes[name] = attribute
            elif required:
                found.append(missing_attribute(name, self.end))
        rest = {name: one for name, one in self.attributes.items() if name not in wanted}
        if not self.blocks:
            return BodyContent(attributes, ()), NativeBody(rest, (), self.range, self.end), found
        shapes = {one.type: one for one in shape.blocks}
        blocks: list[Block] = []
        others: list[Block] = []
        for block in self.blocks:
            block_shape = shapes.get(block.type)
            if block_shape is None:
                others.append(block)
                continue
            problem = _label_problem(block, block_shape)
            if problem is None:
                blocks.append(block)
            else:
                found.append(problem)
        return (
            BodyContent(attributes, tuple(blocks)),
            NativeBody(rest, tuple(others), self.range, self.end),
            found,
        )

    def just_attributes(self) -> tuple[dict[str, Attribute], list[Diagnostic]]:
        if not self.blocks:
            return self.attributes, []
        first = self.blocks[0]
        return self.attributes, [
            error(
                "No blocks allowed here",
                f"Only arguments may stand here, and {first.type} is a block.",
                first.type_range,
                mend=f"If an argument is meant, write {first.type} = {{ ... }}.",
            )
        ]


def missing_attribute(name: str, place: SourceRange) -> Diagnostic:
    """Complains about a required argument that is not there."""
    return error(
        "Missing required argument",
        f"The argument {name} is required, and is not set here.",
        _first_of(place),
        mend=f"Add {name} = ... to the block.",
    )


def _unexpected_attribute(attribute: Attribute, shape: BodyShape, content: BodyContent) -> Diagnostic:
    name = attribute.name
    mend = nearest(name, (one for one in shape.attributes if one not in content.attributes))
    if not mend and any(one.type == name for one in shape.blocks):
        mend = f"{name} is a block here: write {name} {{ ... }} without the equals sign."
    return error(
        "Unsupported argument",
        f"There is no argument {name} here.",
        attribute.name_range,
        mend=mend or "Remove it, or check its spelling.",
    )


def _unexpected_block(block: Block, shape: BodyShape) -> Diagnostic:
    type = block.type
    mend = nearest(type, (one.type for one in shape.blocks))
    if not mend and type in shape.attributes:
        mend = f"{type} is an argument here: write {type} = ... with an equals sign."
    return error(
        "Unsupported block type",
        f"There are no blocks of type {type} here.",
        block.type_range,
        mend=mend or "Remove it, or check its spelling.",
    )


def _label_problem(block: Block, shape: BlockShape) -> Diagnostic | None:
    wanted = shape.labels
    if len(block.labels) == len(wanted):
        return None
    names = " and ".join(wanted)
    has = f"has {len(wanted)} label{'' if len(wanted) == 1 else 's'} ({names})" if wanted else "has no labels"
    if len(block.labels) > len(wanted):
        return error(
            "Too many labels",
            f"A {block.type} block {has}.",
            block.label_ranges[len(wanted)],
            mend="Remove this label.",
            context=block.range,
        )
    return error(
        "Missing label",
        f"A {block.type} block {has}.",
        _first_of(block.body.range),
        mend=f"Write the {wanted[len(block.labels)]} in quotes before the opening brace.",
        context=block.range,
    )


def _first_of(place: SourceRange) -> SourceRange:
    """The first character of a place: what is missing from a body has none of its own."""
    return SourceRange(place.source, place.start, min(place.end, place.start + 1))
