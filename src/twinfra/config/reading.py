"""What readers of blocks have in common: names, constants, lists of addresses, conditions, provider references."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace

from twinfra.config.model import Check, ProviderRef
from twinfra.diagnostics import (
    Diagnostic,
    DiagnosticError,
    Diagnostics,
    Severity,
    SourceRange,
    error,
    warning,
)
from twinfra.lang.compiler import compile_expression, constant
from twinfra.lang.nodes import (
    Attribute,
    Block,
    Body,
    BodyContent,
    BodyShape,
    Expression,
    GetAttr,
    Index,
    Literal,
    ObjectExpression,
    Template,
    TupleExpression,
    Variable,
)
from twinfra.lang.static import as_keyword, as_traversal, is_json, is_quoted
from twinfra.values.convert import ConversionError, convert
from twinfra.values.types import BOOL, STRING, Type
from twinfra.values.value import Value, is_null

_IDENTIFIER = re.compile(r"[^\W\d][\w-]*")

NAME_RULE = (
    "A name starts with a letter or an underscore, and has letters, digits, underscores and dashes only."
)

CONDITION = BodyShape({"condition": True, "error_message": True})


def is_identifier(name: str) -> bool:
    """Whether a text can be a name of the language."""
    return _IDENTIFIER.fullmatch(name) is not None


def check_name(name: str, place: SourceRange, what: str, found: Diagnostics) -> bool:
    """Complain about a label that is no name; `what` says what it would name."""
    if is_identifier(name):
        return True
    found.add(
        error(f"Invalid {what} name", f'"{name}" cannot be the name of a {what}.', place, mend=NAME_RULE)
    )
    return False


def declared_twice(what: str, name: str, place: SourceRange, first: SourceRange) -> Diagnostic:
    """Says that something of this name is there already."""
    return error(
        f"{what[:1].upper()}{what[1:]} declared twice",
        f"The {what} {name} is already declared at {first}."
        if name
        else f"There is a {what} already, at {first}.",
        place,
        mend="Rename one of the two, or remove it." if name else "Keep one of the two.",
    )


def reserved(what: str, name: str, place: SourceRange) -> Diagnostic:
    """Says that a name has no meaning yet, but is kept for one."""
    return error(
        "Reserved name",
        f"The name {name} is reserved in {what} blocks, and has no meaning there yet.",
        place,
        mend="Remove it.",
    )


# -- constants


def text_of(attribute: Attribute | None, found: Diagnostics, default: str = "") -> str:
    """The constant string that an argument is set to; `default` where it is not there, null or wrong."""
    value = _constant(attribute, STRING, found)
    return value if isinstance(value, str) else default


def flag_of(attribute: Attribute | None, found: Diagnostics, default: bool = False) -> bool:
    """The constant truth value that an argument is set to; `default` where it is not there, null or wrong."""
    value = _constant(attribute, BOOL, found)
    return value if isinstance(value, bool) else default


def _constant(attribute: Attribute | None, type: Type, found: Diagnostics) -> Value:
    if attribute is None:
        return None
    place = inner_range(attribute.expression)
    kind = "true or false" if type == BOOL else "a string"
    try:
        value = convert(constant_of(attribute.expression), type)
    except ConversionError as refused:
        found.add(
            error(
                "Unsuitable value",
                f"{attribute.name} must be {kind}: {refused}.",
                place,
                mend=f"Write {kind} as such.",
            )
        )
        return None
    except DiagnosticError as refused:
        found.extend(refused.at(attribute.expression.range).diagnostics)
        # Stock tells of the expression and of its value.
        found.add(
            error(
                "Unsuitable value",
                f"{attribute.name} is read before anything is evaluated, so it must be {kind} as such.",
                place,
                mend=f"Write {kind} as such.",
            )
        )
        return None
    if is_null(value):
        found.add(
            error(
                "Unsuitable value",
                f"{attribute.name} must be {kind}, and cannot be null.",
                place,
                mend="Remove the argument, or give it a value.",
            )
        )
        return None
    return value


def constant_of(expression: Expression) -> Value:
    """The value of an expression that nothing is needed to evaluate; raises `DiagnosticError` for any other.

    Where a constant is wanted, strings in JSON syntax are taken as they are, not as templates.
    """
    return _json_constant(expression) if is_json(expression) else constant(expression)


def _json_constant(expression: Expression) -> Value:
    if isinstance(expression, TupleExpression):
        return tuple(_json_constant(one) for one in expression.elements)
    if isinstance(expression, ObjectExpression):
        return {str(_json_constant(item.key)): _json_constant(item.value) for item in expression.items}
    if isinstance(expression, Literal):
        return expression.value
    text = expression.range.source.text
    start = text.rindex('"', 0, expression.range.start + 1)
    decoded, _ = json.JSONDecoder().raw_decode(text, start)
    return str(decoded)


def inner_range(expression: Expression) -> SourceRange:
    """Where a value stands: of a quoted string what is between the quotes, or what follows where that is nothing."""
    place = expression.range
    if is_quoted(expression) or (isinstance(expression, Template) and not is_json(expression)):
        if place.end - place.start == 2:
            return SourceRange(place.source, place.end, place.end)
        if place.source.text.startswith('"', place.start):
            return SourceRange(place.source, place.start + 1, place.end - 1)
    return place


# -- addresses and lists


def address_of(expression: Expression, found: Diagnostics) -> Expression | None:
    """The address that an expression is, in native syntax; None after complaining about any other."""
    template = is_json(expression) and not isinstance(expression, Literal)
    address = None if template else as_traversal(expression)
    if address is None:
        found.add(
            error(
                "Not an address",
                "An address must stand here: names joined by dots, with literal keys in brackets.",
                expression.range,
                mend="Write it like aws_vpc.main, without calculations, calls or templates.",
            )
        )
    elif is_quoted(expression):
        found.add(
            warning(
                "Address in quotes",
                "An address is written without quotes here; quotes are accepted for old configurations only.",
                expression.range,
                mend="Remove the quotes.",
            )
        )
    return address


def list_of(expression: Expression, found: Diagnostics) -> tuple[Expression, ...]:
    """The elements of a list written out."""
    if isinstance(expression, TupleExpression):
        return expression.elements
    found.add(
        error(
            "Not a list",
            "A list must be written here.",
            inner_range(expression),
            mend="Put it in brackets, [ ].",
        )
    )
    return ()


def addresses_of(attribute: Attribute | None, found: Diagnostics) -> tuple[Expression, ...]:
    """The addresses in a list, such as those of `depends_on`."""
    if attribute is None:
        return ()
    addresses = (address_of(one, found) for one in list_of(attribute.expression, found))
    return tuple(one for one in addresses if one is not None)


def keyword_of(attribute: Attribute, found: Diagnostics) -> str:
    """The word that an argument is set to, as it is or (with a warning) in quotes; empty for anything else."""
    expression = attribute.expression
    if not is_quoted(expression):
        return as_keyword(expression)
    found.add(
        warning(
            "Keyword in quotes",
            "This keyword is written without quotes; quotes are accepted for old configurations only.",
            expression.range,
            mend="Remove the quotes.",
        )
    )
    word = as_traversal(expression)
    return word.name if isinstance(word, Variable) else ""


def provider_ref(expression: Expression, found: Diagnostics) -> ProviderRef | None:
    """What `provider = aws.west` refers to; None after complaining about anything else."""
    address = address_of(expression, found)
    if address is None:
        return None
    if isinstance(address, Variable):
        return ProviderRef(address.name, "", expression.range)
    if isinstance(address, GetAttr) and isinstance(address.source, Variable):
        return ProviderRef(address.source.name, address.name, expression.range)
    found.add(
        error(
            "Not a provider configuration",
            "A provider configuration is named by the local name of its provider, and its alias after a dot.",
            _beyond_the_name(address) if isinstance(address, Index) else expression.range,
            mend="Write it like aws or aws.west.",
        )
    )
    return None


def _beyond_the_name(address: Index) -> SourceRange:
    """What follows the name at the root of an address: its first step, where that is a key."""
    step: Expression = address
    while isinstance(step, Index | GetAttr) and not isinstance(step.source, Variable):
        step = step.source
    return step.key_range if isinstance(step, Index) else address.range


# -- conditions


def read_checks(blocks: Iterable[Block], what: str, found: Diagnostics, variable: str = "") -> list[Check]:
    """The conditions of blocks such as `precondition`; `what` names the kind.

    `variable` is the input variable that the conditions must look at, if any.
    """
    checks: list[Check] = []
    for block in blocks:
        content, problems = block.body.content(CONDITION)
        found.extend(problems)
        whole = not any(one.severity is Severity.ERROR for one in problems)
        condition = content.attributes.get("condition")
        message = content.attributes.get("error_message")
        if condition is None:
            continue
        useful = _check_condition(condition.expression, what, variable, found)
        if useful and whole and message is not None:
            checks.append(Check(condition.expression, message.expression, block.range))
    return checks


def _check_condition(condition: Expression, what: str, variable: str, found: Diagnostics) -> bool:
    """Complain about a condition that looks at nothing, or not at its variable."""
    compiled = compile_expression(condition)
    references = compiled.references
    useful = bool(references or compiled.problems)
    if not useful:
        found.add(
            error(
                "Condition looks at nothing",
                f"The condition of this {what} refers to nothing in the configuration, so it checks nothing.",
                condition.range,
                mend="Let it refer to what it is to check.",
            )
        )
    if variable and not any(one.kind == "var" and one.name == variable for one in references):
        found.add(
            error(
                "Validation of something else",
                f"The condition must look at var.{variable}, the variable whose values it checks.",
                condition.range,
                mend=f"Refer to var.{variable}; check blocks and preconditions can look at other things.",
            )
        )
        return False
    return useful


def without_postconditions(blocks: Iterable[Block], found: Diagnostics) -> None:
    """Complain about postconditions where only preconditions make sense."""
    for block in blocks:
        found.add(
            error(
                "Postcondition not allowed",
                "The value of an output is known before its conditions are checked, so they are preconditions.",
                block.type_range,
                mend="Write precondition for postcondition.",
            )
        )


def single(blocks: list[Block], what: str, found: Diagnostics) -> Block | None:
    """The one block of its type, after complaining about others; `what` has it."""
    for block in blocks[1:]:
        found.add(
            error(
                f"Second {block.type} block",
                f"This {what} has a {block.type} block already, at {blocks[0].range}.",
                block.range,
                mend="Put everything into one of the two.",
            )
        )
    return blocks[0] if blocks else None


# -- bodies


class JoinedBody(Body):
    """Two bodies read as one: what the second says holds where both say something.

    That is how override files work: an argument replaces the one of its name, and blocks of a type replace
    all of that type. `combined` are types of which there is one block whose content is joined instead.
    """

    __slots__ = ("combined", "end", "first", "range", "second")

    def __init__(self, first: Body, second: Body, combined: frozenset[str] = frozenset()) -> None:
        self.first = first
        self.second = second
        self.combined = combined
        self.range = first.range
        self.end = first.end

    def content(self, shape: BodyShape) -> tuple[BodyContent, list[Diagnostic]]:
        relaxed = _relaxed(shape)
        one, found = self.first.content(relaxed)
        two, more = self.second.content(relaxed)
        return self._join(one, two, shape, [*found, *more])

    def partial(self, shape: BodyShape) -> tuple[BodyContent, Body, list[Diagnostic]]:
        relaxed = _relaxed(shape)
        one, rest, found = self.first.partial(relaxed)
        two, more_rest, more = self.second.partial(relaxed)
        content, problems = self._join(one, two, shape, [*found, *more])
        return content, JoinedBody(rest, more_rest, self.combined), problems

    def just_attributes(self) -> tuple[dict[str, Attribute], list[Diagnostic]]:
        one, found = self.first.just_attributes()
        two, more = self.second.just_attributes()
        return {**one, **two}, [*found, *more]

    def _join(
        self, one: BodyContent, two: BodyContent, shape: BodyShape, found: list[Diagnostic]
    ) -> tuple[BodyContent, list[Diagnostic]]:
        from twinfra.lang.body import missing_attribute

        attributes = {**one.attributes, **two.attributes}
        for name, required in shape.attributes.items():
            if required and name not in attributes:
                found.append(missing_attribute(name, self.end))
        kept: list[Block] = []
        news = {_covers(block): block for block in two.blocks if block.type in self.combined}
        replaced = {_covers(block) for block in two.blocks if block.type not in self.combined}
        for block in one.blocks:
            new = news.pop(block.type, None)
            if new is not None:
                kept.append(replace(block, body=JoinedBody(block.body, new.body)))
            elif _covers(block) not in replaced:
                kept.append(block)
        kept.extend(block for block in two.blocks if block.type not in self.combined)
        return BodyContent(attributes, (*kept, *news.values())), found


def _covers(block: Block) -> str:
    """The type of the blocks that a block stands for."""
    return block.labels[0] if block.type == "dynamic" and block.labels else block.type


def _relaxed(shape: BodyShape) -> BodyShape:
    return BodyShape(dict.fromkeys(shape.attributes, False), shape.blocks)


def unescaped(rest: Body, blocks: list[Block], what: str, found: Diagnostics) -> Body:
    """A body together with the content of its `_` block, whose arguments cannot be taken for meta-arguments."""
    escape = single(blocks, what, found)
    return rest if escape is None else JoinedBody(rest, escape.body)
