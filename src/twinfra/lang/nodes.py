"""Syntax nodes: what the parser makes of a source, and all that later stages see of it.

Both front ends (native syntax and JSON) make these same nodes. Every node knows its `range`. Nodes are
immutable; expressions compile lazily (see `compiler`).
"""

from __future__ import annotations

from dataclasses import field
from typing import TypeAlias

from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, SourceRange
from twinfra.values.value import Value


@dataclass(frozen=True, slots=True, eq=False)
class Literal:
    """A number, bool or null literal, or a string without any template sequence."""

    value: Value
    range: SourceRange


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A quoted or heredoc template with more than one part, or one part that is not an interpolation."""

    parts: tuple[TemplatePart, ...]
    range: SourceRange


@dataclass(frozen=True, slots=True, eq=False)
class TemplateWrap:
    """A template that is one interpolation and nothing else, `"${x}"`: its value keeps its type."""

    inner: Expression
    range: SourceRange


@dataclass(frozen=True, slots=True, eq=False)
class TemplateIf:
    """`%{ if c }...%{ else }...%{ endif }` inside a template."""

    condition: Expression
    then: tuple[TemplatePart, ...]
    otherwise: tuple[TemplatePart, ...]
    range: SourceRange


@dataclass(frozen=True, slots=True, eq=False)
class TemplateFor:
    """`%{ for k, v in c }...%{ endfor }` inside a template; `key` is empty where not named."""

    key: str
    value: str
    collection: Expression
    body: tuple[TemplatePart, ...]
    range: SourceRange


@dataclass(frozen=True, slots=True, eq=False)
class Variable:
    """The root name of a reference, or a name bound by a `for`."""

    name: str
    range: SourceRange


@dataclass(frozen=True, slots=True, eq=False)
class GetAttr:
    """`source.name`. `name_range` starts at the dot: diagnostics about the name point there."""

    source: Expression
    name: str
    range: SourceRange
    name_range: SourceRange


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """`source[key]`; also the legacy `source.0`, whose key is a literal and `legacy` is true.

    `key_range` is the key with its brackets (or dot).
    """

    source: Expression
    key: Expression
    range: SourceRange
    key_range: SourceRange
    legacy: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Splat:
    """`source[*]` (full) or `source.*` (attribute-only), with the steps that follow applied to each element.

    `each` is the expression for one element, in which `SplatElement` stands for it. `star_range` is `[*]` or
    `.*`.
    """

    source: Expression
    each: Expression
    range: SourceRange
    star_range: SourceRange
    full: bool


@dataclass(frozen=True, slots=True, eq=False)
class SplatElement:
    """Inside `Splat.each`: the element at hand of the innermost splat."""

    range: SourceRange


@dataclass(frozen=True, slots=True, eq=False)
class Unary:
    """`-x` or `!x`; `operator` is the symbol."""

    operator: str
    operand: Expression
    range: SourceRange


@dataclass(frozen=True, slots=True, eq=False)
class Binary:
    """`left operator right`; `operator` is the symbol, such as `==` or `&&`."""

    operator: str
    left: Expression
    right: Expression
    range: SourceRange


@dataclass(frozen=True, slots=True, eq=False)
class Conditional:
    """`condition ? then : otherwise`."""

    condition: Expression
    then: Expression
    otherwise: Expression
    range: SourceRange


@dataclass(frozen=True, slots=True, eq=False)
class Parentheses:
    """`( inner )`: kept, for the formatter and for object keys."""

    inner: Expression
    range: SourceRange


@dataclass(frozen=True, slots=True, eq=False)
class TupleExpression:
    """`[a, b]`."""

    elements: tuple[Expression, ...]
    range: SourceRange


@dataclass(frozen=True, slots=True, eq=False)
class ObjectItem:
    """`key = value`. A bare name as key is a `Literal` string whose `bare` here is true."""

    key: Expression
    value: Expression
    bare: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class ObjectExpression:
    """`{ a = 1, (b) = 2 }`."""

    items: tuple[ObjectItem, ...]
    range: SourceRange


@dataclass(frozen=True, slots=True, eq=False)
class For:
    """`[for k, v in c : value if cond]` or `{for k, v in c : key => value... if cond}`.

    `key` is None for the tuple form; `key_name` is empty where only one name is bound.
    """

    key_name: str
    value_name: str
    collection: Expression
    key: Expression | None
    value: Expression
    condition: Expression | None
    grouping: bool
    range: SourceRange


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """`name(arguments...)`, the name may be `a::b`; `expand` when the last argument is followed by `...`."""

    name: str
    arguments: tuple[Expression, ...]
    expand: bool
    range: SourceRange
    name_range: SourceRange


@dataclass(frozen=True, slots=True, eq=False)
class Faulty:
    """A string in JSON syntax that is no template: what is wrong with it is told when it is evaluated."""

    text: str
    problems: tuple[Diagnostic, ...]
    range: SourceRange


Expression: TypeAlias = (
    Literal
    | Faulty
    | Template
    | TemplateWrap
    | Variable
    | GetAttr
    | Index
    | Splat
    | SplatElement
    | Unary
    | Binary
    | Conditional
    | Parentheses
    | TupleExpression
    | ObjectExpression
    | For
    | Call
)
TemplatePart: TypeAlias = Expression | TemplateIf | TemplateFor


@dataclass(frozen=True, slots=True, eq=False)
class Attribute:
    """`name = expression` in a body."""

    name: str
    expression: Expression
    range: SourceRange
    name_range: SourceRange


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """`type "label" { body }` in a body. `range` is the header (type and labels): diagnostics point at it."""

    type: str
    labels: tuple[str, ...]
    body: Body
    range: SourceRange
    type_range: SourceRange
    label_ranges: tuple[SourceRange, ...]


@dataclass(frozen=True, slots=True)
class BlockShape:
    """What a `BodyShape` says of one block type: the names of its labels (their number counts)."""

    type: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BodyShape:
    """Which attributes and block types a reader of a body wants; JSON bodies need it to tell them apart.

    `attributes` maps a name to whether it is required.
    """

    attributes: dict[str, bool] = field(default_factory=dict)
    blocks: tuple[BlockShape, ...] = ()


class Body:
    """The inside of a block or file. `NativeBody` and `JsonBody` read it the same way: by `content`.

    `content(shape)` returns what the shape names, with diagnostics for all else that is there, for missing
    required attributes and for wrong numbers of labels; `partial(shape)` returns what the shape names and a
    body of the rest, complaining about missing ones and labels only; `just_attributes()` reads a body whose
    attribute names are free (such as `locals` or a tfvars file), and complains about blocks.
    """

    range: SourceRange
    """Where it stands, braces included."""

    end: SourceRange
    """Its last character or two (the closing brace): where "something is missing" points."""

    def content(self, shape: BodyShape) -> tuple[BodyContent, list[Diagnostic]]:
        """What `shape` names; a diagnostic for everything else."""
        raise TypeError("Body is abstract: make a NativeBody or a JsonBody")

    def partial(self, shape: BodyShape) -> tuple[BodyContent, Body, list[Diagnostic]]:
        """What `shape` names, and a body of what is left."""
        raise TypeError("Body is abstract: make a NativeBody or a JsonBody")

    def just_attributes(self) -> tuple[dict[str, Attribute], list[Diagnostic]]:
        """All attributes, whatever their names; a diagnostic for each block."""
        raise TypeError("Body is abstract: make a NativeBody or a JsonBody")


@dataclass(frozen=True, slots=True)
class BodyContent:
    """What a body holds: attributes by name, blocks in source order."""

    attributes: dict[str, Attribute]
    blocks: tuple[Block, ...]

    def of(self, type: str) -> list[Block]:
        """Its blocks of one type, in source order."""
        return [block for block in self.blocks if block.type == type]
