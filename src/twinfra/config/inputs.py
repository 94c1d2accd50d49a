"""Values for the variables of the root module, from wherever people give them.

Later ones win, in this order: `TF_VAR_name` in the environment; terraform.tfvars; terraform.tfvars.json;
`*.auto.tfvars` and `*.auto.tfvars.json` by name; what an environment declares; `-var-file` and `-var`. See
https://developer.hashicorp.com/terraform/language/values/variables#variable-definition-precedence.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

from twinfra.config.model import Configuration, Variable
from twinfra.dataclass import dataclass
from twinfra.diagnostics import (
    Diagnostic,
    DiagnosticError,
    Diagnostics,
    Source,
    SourceRange,
    error,
    nearest,
    warning,
)
from twinfra.lang.compiler import constant
from twinfra.lang.json_syntax import parse_json
from twinfra.lang.nodes import BlockShape, Body, BodyShape, Expression, Literal
from twinfra.lang.parser import parse_config, parse_expression
from twinfra.lang.type_expr import apply_defaults
from twinfra.values.convert import ConversionError, convert
from twinfra.values.types import PrimitiveType
from twinfra.values.value import Value

_PREFIX = "TF_VAR_"
_TOLD_ONE_BY_ONE = 2


class Origin(StrEnum):
    """Where a value was given."""

    ENVIRONMENT = "environment"
    FILE = "file"
    OPTION = "option"


@dataclass(frozen=True, slots=True)
class InputValue:
    """What was given for a variable: a text still to be read by its type, or an expression of a file.

    `place` says in words where it was given.
    """

    origin: Origin
    place: str
    text: str = ""
    expression: Expression | None = None


@dataclass(frozen=True, slots=True)
class Declared:
    """What an environment gives: files, and values by name, each with the place where it is written.

    `owner` says in words who gives it; `file`: the name of the file it is written in.
    """

    owner: str
    files: Sequence[tuple[Path, SourceRange]]
    values: Mapping[str, tuple[Value, SourceRange]]
    file: str


def collect_inputs(
    configuration: Configuration,
    directory: Path,
    var: Sequence[str],
    var_file: Sequence[str],
    environ: Mapping[str, str],
    order: Sequence[tuple[str, str]] = (),
    declared: Declared | None = None,
) -> tuple[dict[str, Value], Diagnostics]:
    """The values given for the root module's variables, by name, and what is wrong with them.

    `var` are texts `name=value`, `var_file` names of files; `order` has both, as (`var` or `var-file`, text),
    in the order of the command line, where that is known: without it, files come first. `directory` is where
    files of variables lie. `declared` comes before the options. With errors, those that have no value are told
    too.
    """
    found = Diagnostics()
    given: dict[str, InputValue] = {}
    for name, text in environ.items():
        if name.startswith(_PREFIX):
            variable = name[len(_PREFIX) :]
            given[variable] = InputValue(Origin.ENVIRONMENT, f"the environment variable {name}", text)
    for path in automatic_files(directory):
        given.update(_read_file(path, path.name, found))
    if declared is not None:
        _take_declared(declared, given, found)
    if not order:
        order = [*(("var-file", text) for text in var_file), *(("var", text) for text in var)]
    for kind, text in order:
        if kind == "var":
            _read_option(text, given, found)
        else:
            given.update(_read_file(directory / text, text, found))
    if found.has_errors:
        return {}, found
    variables = configuration.root.variables
    _tell_undeclared(given, variables, found)
    values: dict[str, Value] = {}
    for name, one in given.items():
        variable_declared = variables.get(name)
        if variable_declared is not None:
            _evaluate(variable_declared, one, values, found)
    if not found.has_errors:
        for name, value in values.items():
            _check_type(variables[name], given[name], value, found)
    if found.errors:
        found.extend(missing_value(one) for one in missing_variables(configuration, values))
    return values, found


def missing_variables(configuration: Configuration, values: Mapping[str, Value]) -> list[Variable]:
    """The variables of the root module that have neither a default nor a value."""
    return [
        one for one in configuration.root.variables.values() if not one.has_default and one.name not in values
    ]


def missing_value(variable: Variable) -> Diagnostic:
    """Says that a variable needs a value."""
    return error(
        "Variable has no value",
        f"The variable {variable.name} has no default, and nothing gives it a value.",
        variable.range,
        mend=f"Give one with -var '{variable.name}=...', a .tfvars file, or TF_VAR_{variable.name}.",
    )


def parse_input(variable: Variable, text: str, place: str) -> tuple[Value, Diagnostics]:
    """A value given as text: as it is for a string, number, bool or untyped variable, else an expression.

    `place` says in words where it was given.
    """
    found = Diagnostics()
    if not variable.type_given or isinstance(variable.type, PrimitiveType):
        return text, found
    source = Source(f"<value for var.{variable.name}>", text)
    expression, problems = parse_expression(source)
    found.extend(problems)
    if problems:
        return None, found
    try:
        return constant(expression), found
    except DiagnosticError as refused:
        found.extend(_with_place(one, place) for one in refused.at(expression.range).diagnostics)
        return None, found


def _with_place(diagnostic: Diagnostic, place: str) -> Diagnostic:
    return replace(diagnostic, detail=f"{diagnostic.detail} The value comes from {place}.")


def automatic_files(directory: Path) -> list[Path]:
    """The files of variables that are read without being named, in their order."""
    try:
        names = sorted(os.listdir(directory))
    except OSError:
        return []
    automatic = [name for name in names if name.endswith((".auto.tfvars", ".auto.tfvars.json"))]
    fixed = [name for name in ("terraform.tfvars", "terraform.tfvars.json") if name in names]
    return [directory / name for name in (*fixed, *automatic)]


def _take_declared(declared: Declared, given: dict[str, InputValue], found: Diagnostics) -> None:
    """Take what an environment gives, its files first."""
    for path, place in declared.files:
        problems = Diagnostics()
        values = _read_file(path, os.path.relpath(path), problems)
        missing = not path.exists()
        found.extend(
            replace(
                one, subject=place, mend=f"Correct the name in {declared.file}; it is relative to that file."
            )
            if missing
            else one
            for one in problems
        )
        given.update(values)
    for name, (value, place) in declared.values.items():
        given[name] = InputValue(Origin.FILE, declared.owner, expression=Literal(value, place))


def _read_file(path: Path, name: str, found: Diagnostics) -> dict[str, InputValue]:
    """The values of one file of variables."""
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        found.add(
            error(
                "No such file of variables",
                f"There is no file {name}.",
                mend="Correct the name given with -var-file; it is relative to the working directory.",
            )
        )
        return {}
    except OSError as reason:
        found.add(error("File of variables cannot be read", f"{name}: {reason.strerror or reason}."))
        return {}
    except UnicodeDecodeError:
        found.add(
            error("File is not UTF-8", f"{name} has bytes that are not UTF-8.", mend="Save it in UTF-8.")
        )
        return {}
    source = Source(name, text)
    body: Body
    if name.endswith(".json"):
        body, problems = parse_json(source, templates=False)
    else:
        body, problems = parse_config(source)
    found.extend(problems)
    if problems:
        return {}
    if not name.endswith(".json"):
        declared, body, _ = body.partial(BodyShape({}, (BlockShape("variable", ("name",)),)))
        if declared.blocks:
            found.extend(_declaration(block.type_range, block.labels[0]) for block in declared.blocks)
            return {}
    attributes, problems = body.just_attributes()
    found.extend(problems)
    return {
        key: InputValue(Origin.FILE, f"the file {name}", expression=attribute.expression)
        for key, attribute in attributes.items()
    }


def _declaration(place: SourceRange, name: str) -> Diagnostic:
    return error(
        "Declaration in a file of variables",
        f"A file of variables gives values; variable {name} is declared in a .tf file.",
        place,
        mend=f"Write {name} = ... here, and move the block to a .tf file.",
    )


def _read_option(text: str, given: dict[str, InputValue], found: Diagnostics) -> None:
    """Take a `-var` option apart."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        found.add(
            error(
                "Unsuitable -var",
                f'"{text}" does not say which variable gets which value.',
                mend="Write it with an equals sign: -var 'name=value'.",
            )
        )
    elif name != name.rstrip():
        found.add(
            error(
                "Unsuitable -var",
                f'There is a space after the name in "{text}".',
                mend=f"Write -var '{name.rstrip()}={value.lstrip()}'.",
            )
        )
    else:
        given[name] = InputValue(Origin.OPTION, f"-var '{name}=...'", value)


def _tell_undeclared(
    given: Mapping[str, InputValue], variables: Mapping[str, Variable], found: Diagnostics
) -> None:
    """An error for each value given by option, warnings for those in files: files may serve several modules.

    The environment is nobody's business.
    """
    told = 0
    for name, one in given.items():
        if name in variables or one.origin is Origin.ENVIRONMENT:
            continue
        detail = f"The root module has no variable {name}, which gets a value by {one.place}."
        mend = (
            nearest(name, variables)
            or f'Write variable "{name}" {{}} in the root module, or remove the value.'
        )
        if one.origin is Origin.OPTION:
            found.add(error("Value for an undeclared variable", detail, mend=mend))
            continue
        told += 1
        if told <= _TOLD_ONE_BY_ONE:
            found.add(warning("Value for an undeclared variable", detail, mend=mend))
    if told > _TOLD_ONE_BY_ONE:
        found.add(
            warning(
                "Values for undeclared variables",
                f"{told - _TOLD_ONE_BY_ONE} more values in files are for variables that the root module does "
                "not declare.",
                mend="Declare them, or remove the values; values in the environment are not checked.",
            )
        )


def _evaluate(variable: Variable, one: InputValue, values: dict[str, Value], found: Diagnostics) -> None:
    """The value given for a variable."""
    expression = one.expression
    if expression is None:
        value, problems = parse_input(variable, one.text, one.place)
        found.extend(problems)
        if not problems.has_errors:
            values[variable.name] = value
        return
    try:
        value = constant(expression)
    except DiagnosticError as refused:
        found.extend(refused.at(expression.range).diagnostics)
        return
    values[variable.name] = value


def _check_type(variable: Variable, one: InputValue, value: Value, found: Diagnostics) -> None:
    """Complain about the value of a file that does not fit its variable; others are looked at when evaluated."""
    expression = one.expression
    if expression is None:
        return
    try:
        convert(apply_defaults(variable.defaults, value), variable.type)
    except ConversionError as refused:
        found.add(
            error(
                "Unsuitable value for variable",
                f"The value does not fit the type of variable {variable.name}, declared at {variable.range}: "
                f"{refused}.",
                expression.range,
                mend="Correct the value here, or the type there.",
            )
        )
