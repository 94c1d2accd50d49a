"""Reading `variable`, `locals` and `output` blocks."""

from __future__ import annotations

from twinfra.config.model import Local, Module, Output, Variable
from twinfra.config.reading import (
    NAME_RULE,
    addresses_of,
    check_name,
    constant_of,
    declared_twice,
    flag_of,
    is_identifier,
    read_checks,
    text_of,
    without_postconditions,
)
from twinfra.diagnostics import DiagnosticError, Diagnostics, SourceRange, error
from twinfra.lang.nodes import Attribute, Block, BlockShape, BodyShape, Expression, Literal
from twinfra.lang.static import is_quoted
from twinfra.lang.type_expr import Defaults, apply_defaults, parse_type
from twinfra.values.convert import ConversionError, convert
from twinfra.values.types import DYNAMIC, Type
from twinfra.values.value import Value, is_null

_VARIABLE = BodyShape(
    dict.fromkeys(("description", "default", "type", "sensitive", "ephemeral", "nullable"), False),
    (BlockShape("validation"),),
)
_OUTPUT = BodyShape(
    {"value": True, "description": False, "depends_on": False, "sensitive": False, "ephemeral": False},
    (BlockShape("precondition"), BlockShape("postcondition")),
)
_RESERVED_VARIABLES = (
    "source",
    "version",
    "providers",
    "count",
    "for_each",
    "lifecycle",
    "depends_on",
    "locals",
)


def read_variable(block: Block, module: Module, found: Diagnostics) -> None:
    """A `variable` block."""
    name = block.labels[0]
    valid = check_name(name, block.label_ranges[0], "variable", found)
    if valid and name in _RESERVED_VARIABLES:
        found.add(
            error(
                "Invalid variable name",
                f"{name} is an argument of every module block, so no variable can have this name.",
                block.label_ranges[0],
                mend="Give it another name.",
            )
        )
    content, problems = block.body.content(_VARIABLE)
    found.extend(problems)
    attributes = content.attributes
    type, defaults = _type(attributes.get("type"), found)
    sensitive = flag_of(attributes.get("sensitive"), found)
    ephemeral = flag_of(attributes.get("ephemeral"), found)
    nullable = flag_of(attributes.get("nullable"), found, True)
    has_default, default = False, None
    if "default" in attributes:
        written = attributes["default"]
        # The line of a sensitive default would show it.
        place = block.range if sensitive else written.expression.range
        has_default, default = _default(name, written.expression, type, defaults, nullable, found, place)
    validations = read_checks(content.of("validation"), "validation", found, name)
    if name in module.variables:
        found.add(declared_twice("variable", name, block.range, module.variables[name].range))
        return
    module.variables[name] = Variable(
        name,
        block.range,
        type,
        "type" in attributes,
        defaults,
        has_default,
        default,
        text_of(attributes.get("description"), found),
        sensitive,
        ephemeral,
        nullable,
        tuple(validations),
    )


def _type(attribute: Attribute | None, found: Diagnostics) -> tuple[Type, Defaults | None]:
    if attribute is None:
        return DYNAMIC, None
    expression = attribute.expression
    if is_quoted(expression):
        assert isinstance(expression, Literal)
        word = expression.value
        mend = (
            f"Write {word}(string), or another type of its elements."
            if word in ("list", "map")
            else f"Write {word}."
        )
        found.add(error("Type in quotes", "A type is written without quotes.", expression.range, mend=mend))
        return DYNAMIC, None
    type, defaults, problems = parse_type(expression)
    found.extend(problems)
    return type, defaults


def _default(
    name: str,
    written: Expression,
    type: Type,
    defaults: Defaults | None,
    nullable: bool,
    found: Diagnostics,
    place: SourceRange,
) -> tuple[bool, Value]:
    """Whether there is a default, and which: converted to the variable's type. `place`: what messages point to."""
    try:
        value = constant_of(written)
        value = convert(apply_defaults(defaults, value), type)
    except DiagnosticError as refused:
        found.extend(refused.at(place).diagnostics)
        return True, None
    except ConversionError as refused:
        found.add(
            error(
                "Default does not fit the type",
                f"The default of variable {name} does not fit its type: {refused}.",
                place,
                mend="Correct the default or the type.",
            )
        )
        return True, None
    if not nullable and is_null(value):
        found.add(
            error(
                "Default must not be null",
                f"The variable {name} sets nullable = false, so null cannot be its default.",
                place,
                mend="Give another default, or remove it to make the variable required.",
            )
        )
    return True, value


def read_locals(block: Block, module: Module, found: Diagnostics) -> None:
    """A `locals` block."""
    attributes, problems = block.body.just_attributes()
    found.extend(problems)
    for name, attribute in attributes.items():
        if not is_identifier(name):
            found.add(
                error(
                    "Invalid local value name",
                    f'"{name}" cannot be the name of a local value.',
                    attribute.name_range,
                    mend=NAME_RULE,
                )
            )
        place = attribute.range
        if name in module.locals:
            found.add(declared_twice("local value", name, place, module.locals[name].range))
        else:
            module.locals[name] = Local(name, attribute.expression, place)


def read_output(block: Block, module: Module, found: Diagnostics) -> None:
    """An `output` block."""
    name = block.labels[0]
    check_name(name, block.label_ranges[0], "output", found)
    content, problems = block.body.content(_OUTPUT)
    found.extend(problems)
    attributes = content.attributes
    value = attributes.get("value")
    expression: Expression = value.expression if value is not None else Literal(None, block.range)
    output = Output(
        name,
        expression,
        block.range,
        text_of(attributes.get("description"), found),
        flag_of(attributes.get("sensitive"), found),
        flag_of(attributes.get("ephemeral"), found),
        addresses_of(attributes.get("depends_on"), found),
        tuple(read_checks(content.of("precondition"), "precondition", found)),
    )
    without_postconditions(content.of("postcondition"), found)
    if name in module.outputs:
        found.add(declared_twice("output", name, block.range, module.outputs[name].range))
    else:
        module.outputs[name] = output
