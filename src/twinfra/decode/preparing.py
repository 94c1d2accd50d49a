"""Bodies checked against a schema whatever the values, and made ready to be evaluated.

An argument whose type is a list or set of objects may be written as blocks too
(https://developer.hashicorp.com/terraform/language/attr-as-blocks).
"""

from __future__ import annotations

from twinfra.decode.collecting import Kind, count_problem, empty_object, empty_value
from twinfra.decode.decoder import Decoder
from twinfra.decode.parts import Argument, Dynamic, Nested, Occurrence, Part
from twinfra.diagnostics import (
    Diagnostic,
    DiagnosticError,
    Diagnostics,
    Severity,
    SourceRange,
    error,
    nearest,
    warning,
)
from twinfra.lang.body import NativeBody, missing_attribute
from twinfra.lang.compiler import compile_expression, constant
from twinfra.lang.json_body import JsonBody
from twinfra.lang.json_values import JsonObject
from twinfra.lang.nodes import Attribute as Written
from twinfra.lang.nodes import Block as WrittenBlock
from twinfra.lang.nodes import BlockShape, Body, BodyShape, Expression, Literal, TupleExpression
from twinfra.lang.static import as_keyword, native
from twinfra.schema import Attribute, Block, NestedBlock, Nesting
from twinfra.values.types import ListType, ObjectType, SetType, without_optional

READ_ONLY = "Argument cannot be set"
"""The summary of errors about arguments that only the provider sets."""
_DYNAMIC = "dynamic"
_HEAD = BodyShape({"for_each": True, "iterator": False, "labels": False}, (BlockShape("content"),))
_NO_NAMES: frozenset[str] = frozenset()


def prepare(body: Body, block: Block) -> tuple[Decoder, Diagnostics]:
    """A body bound to a schema, and what is wrong (or deprecated) with it whatever the values.

    After errors the decoder still knows the references of all that was understood.
    """
    found = Diagnostics()
    return Decoder(_Preparation(found).part(body, block, body.range, _NO_NAMES)), found


class _Preparation:
    """Collects diagnostics while a body and those inside it are prepared."""

    def __init__(self, found: Diagnostics) -> None:
        self.found = found

    def part(self, body: Body, block: Block, place: SourceRange, names: frozenset[str]) -> Part:
        """A body with all that is inside. `names` are the iterators of the `dynamic` blocks around it."""
        as_blocks = _as_blocks(body, block)
        content, problems = body.content(_shape(block, as_blocks))
        self.found.extend(problems)
        part = Part(place)
        part.attributes = content.attributes
        part.base = empty_object(block)
        for name, written in content.attributes.items():
            self._argument(part, block.attributes[name], written, names)
        if content.blocks:
            self._blocks(part, body, block, content.blocks, names)
        for name, nested in block.blocks.items():
            occurring = part.nested.get(name)
            if occurring is None:
                if nested.min_items and nested.nesting is not Nesting.GROUP:
                    self._count(Nested(_kind(name, nested, body.end)))
            elif all(one.dynamic is None for one in occurring.occurrences):
                self._count(occurring)
        return part

    def _count(self, nested: Nested) -> None:
        problem = count_problem(nested.kind, [one.range for one in nested.occurrences])
        if problem is not None:
            self.found.add(problem)

    def _argument(self, part: Part, attribute: Attribute, written: Written, names: frozenset[str]) -> None:
        name, expression = written.name, written.expression
        if attribute.deprecated:
            self.found.add(warning("Argument is deprecated", attribute.deprecated, written.name_range))
        if _only_computed(attribute):
            if not (isinstance(expression, Literal) and expression.value is None):
                self.found.add(_read_only(name, written.name_range))
            return
        argument = Argument(
            written, compile_expression(expression, names), attribute.type, attribute.required
        )
        if not isinstance(expression, Literal) and not argument.compiled.is_constant:
            part.arguments.append(argument)
            return
        try:
            part.base[name] = argument.fit(constant(expression))
        except DiagnosticError as refused:
            self.found.extend(refused.diagnostics)

    def _blocks(
        self,
        part: Part,
        body: Body,
        block: Block,
        written: tuple[WrittenBlock, ...],
        names: frozenset[str],
    ) -> None:
        for one in written:
            if one.type == _DYNAMIC and _DYNAMIC not in block.blocks:
                self._dynamic(part, body, block, one, names)
                continue
            nested = self._nested(part, body, block, one.type, one.type_range)
            if nested is None:
                continue
            inner = self.part(one.body, nested.kind.schema.block, one.range, names)
            label, place = (one.labels[0], one.label_ranges[0]) if one.labels else ("", None)
            nested.occurrences.append(Occurrence(inner, one.range, label, place))

    def _nested(self, part: Part, body: Body, block: Block, name: str, place: SourceRange) -> Nested | None:
        """The blocks of a kind met before, or a new collection for them."""
        nested = part.nested.get(name)
        if nested is not None:
            return nested
        schema = block.blocks.get(name)
        if schema is not None:
            if schema.block.deprecated:
                self.found.add(warning("Block is deprecated", schema.block.deprecated, place))
            kind = _kind(name, schema, body.end)
        else:
            attribute = block.attributes[name]
            if attribute.deprecated:
                self.found.add(warning("Argument is deprecated", attribute.deprecated, place))
            if _only_computed(attribute):
                self.found.add(_read_only(name, place))
                return None
            kind = _argument_kind(name, attribute, body.end)
        nested = part.nested[name] = Nested(kind)
        part.blocks.append(nested)
        return nested

    def _dynamic(
        self, part: Part, body: Body, block: Block, written: WrittenBlock, names: frozenset[str]
    ) -> None:
        name = written.labels[0]
        if name not in block.blocks and name not in block.block_arguments:
            self.found.add(_no_such_block(name, block, written.label_ranges[0]))
            return
        head, problems = written.body.content(_HEAD)
        self.found.extend(problems)
        nested = self._nested(part, body, block, name, written.label_ranges[0])
        if nested is None:
            return
        iterator = name
        if "iterator" in head.attributes:
            iterator = self._iterator(head.attributes["iterator"])
        if len(head.blocks) != 1:
            self.found.add(_content_problem(head.blocks, written, name))
        for_each = head.attributes.get("for_each")
        labels = self._labels(nested.kind, head.attributes.get("labels"), written)
        if not head.blocks or for_each is None or not iterator:
            if not nested.occurrences:
                part.blocks.remove(nested)
                del part.nested[name]
            return
        inner_names = names | {iterator}
        content = head.blocks[0]
        inside = Diagnostics()
        inner = _Preparation(inside).part(content.body, nested.kind.schema.block, written.range, inner_names)
        self.found.extend(one for one in inside if one.severity is not Severity.ERROR)
        dynamic = Dynamic(
            iterator,
            compile_expression(for_each.expression, names),
            tuple(compile_expression(one, inner_names) for one in labels),
        )
        nested.occurrences.append(
            Occurrence(inner, written.range, dynamic=dynamic, problems=tuple(inside.errors))
        )

    def _iterator(self, written: Written) -> str:
        name = as_keyword(written.expression)
        if not name:
            self.found.add(
                error(
                    "Iterator is no name",
                    "The iterator of a dynamic block is the name by which its content finds the element.",
                    written.expression.range,
                    mend="Write a single name without quotes, such as iterator = rule.",
                )
            )
        return name

    def _labels(self, kind: Kind, written: Written | None, block: WrittenBlock) -> tuple[Expression, ...]:
        """The expressions for the labels: one for a kind of blocks that has a label, else none."""
        wanted = 1 if kind.schema.nesting is Nesting.MAP else 0
        if written is None:
            if wanted:
                self.found.add(missing_attribute("labels", block.body.end))
            return ()
        expression = native(written.expression)
        elements = expression.elements if isinstance(expression, TupleExpression) else None
        if elements is None or len(elements) != wanted:
            self.found.add(
                error(
                    "Unsuitable labels",
                    f"A {kind.name} block has {'one label' if wanted else 'no labels'}.",
                    expression.range,
                    mend="Write it as a list: labels = [...]." if wanted else "Remove this argument.",
                )
            )
            return ()
        return elements


def _as_blocks(body: Body, block: Block) -> frozenset[str]:
    """The arguments that are written as blocks in a body, and not as arguments."""
    if not block.block_arguments or (isinstance(body, NativeBody) and not body.blocks):
        return _NO_NAMES
    wanted = tuple(map(BlockShape, sorted(block.block_arguments)))
    dynamic = () if _DYNAMIC in block.blocks else (BlockShape(_DYNAMIC, ("type",)),)
    content, _, _ = body.partial(BodyShape({}, (*wanted, *dynamic)))
    found = {one.labels[0] for one in content.blocks if one.type == _DYNAMIC and dynamic}
    # In JSON syntax only objects written out are blocks; a list made by an expression is an argument.
    plain = {
        one.type
        for one in content.blocks
        if isinstance(one.body, JsonBody) and not isinstance(one.body.value, JsonObject)
    }
    found.update(one.type for one in content.blocks)
    if isinstance(body, NativeBody):
        plain.update(body.attributes)
    return block.block_arguments & (found - plain)


def _shape(block: Block, as_blocks: frozenset[str]) -> BodyShape:
    if not as_blocks:
        return block.shape
    attributes = {name: need for name, need in block.shape.attributes.items() if name not in as_blocks}
    return BodyShape(attributes, (*block.shape.blocks, *map(BlockShape, sorted(as_blocks))))


def _kind(name: str, schema: NestedBlock, end: SourceRange) -> Kind:
    return Kind(name, schema, schema.block.type, end, empty_value(schema))


def _argument_kind(name: str, attribute: Attribute, end: SourceRange) -> Kind:
    """How an argument is read where it is written as blocks: nothing in them is required."""
    type = attribute.type
    assert isinstance(type, ListType | SetType)
    inner = type.element
    assert isinstance(inner, ObjectType)
    attributes = {one: Attribute(kind, optional=True) for one, kind in inner.attributes.items()}
    nesting = Nesting.LIST if isinstance(type, ListType) else Nesting.SET
    return Kind(name, NestedBlock(Block(attributes), nesting), without_optional(inner), end, None)


def _only_computed(attribute: Attribute) -> bool:
    return attribute.computed and not attribute.optional and not attribute.required


def _read_only(name: str, place: SourceRange) -> Diagnostic:
    return error(
        READ_ONLY,
        f"{name} is worked out by the provider, and can only be read.",
        place,
        mend=f"Remove {name}.",
    )


def _no_such_block(name: str, block: Block, place: SourceRange) -> Diagnostic:
    if name in block.attributes:
        mend = f"{name} is an argument here: write {name} = ... with a for expression, where it is a list."
    else:
        mend = nearest(name, (*block.blocks, *block.block_arguments))
    return error(
        "Unsupported block type",
        f"There are no blocks of type {name} here for a dynamic block to make.",
        place,
        mend=mend or "Remove it, or check its spelling.",
    )


def _content_problem(contents: tuple[WrittenBlock, ...], written: WrittenBlock, name: str) -> Diagnostic:
    if not contents:
        return error(
            "Missing content",
            f"A dynamic block needs a content block: what is in each of the {name} blocks.",
            written.body.end,
            mend="Add content { ... }.",
        )
    return error(
        "Content given twice",
        f"A dynamic block has one content block; the first is at {contents[0].range}.",
        contents[1].range,
        mend="Keep one of the two.",
    )
