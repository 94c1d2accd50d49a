"""The functions of the built-in provider `terraform`, called as `provider::terraform::name`."""

from __future__ import annotations

from twinfra.diagnostics import DiagnosticError
from twinfra.lang.functions.arguments import normal_text
from twinfra.lang.functions.declaration import FunctionError, function, parameter
from twinfra.lang.functions.hcl_writing import is_identifier, write_attributes, write_expression
from twinfra.values.types import DYNAMIC, STRING
from twinfra.values.unknowns import UNKNOWN_STRING, contains_unknown
from twinfra.values.value import Unknown, Value


@function(
    "provider::terraform::decode_tfvars",
    "Reads the format of .tfvars files.",
    parameter("src", STRING, "the content of such a file"),
    returns=DYNAMIC,
)
def decode_tfvars(text: str) -> Value:
    """An object with an attribute per variable."""
    from twinfra.lang.functions.filling import describe
    from twinfra.lang.functions.tfvars_reading import read_tfvars

    try:
        return read_tfvars(text)
    except DiagnosticError as failure:
        raise FunctionError(f"the values cannot be read: {describe(failure.diagnostics[0])}") from failure


@function(
    "provider::terraform::encode_expr",
    "Writes a value as an expression of the language.",
    parameter("value", DYNAMIC, "the value", allow_unknown=True),
    returns=STRING,
)
def encode_expr(value: Value) -> Value:
    """Formatted as `fmt` would."""
    return UNKNOWN_STRING if contains_unknown(value) else normal_text(write_expression(value))


@function(
    "provider::terraform::encode_tfvars",
    "Writes an object in the format of .tfvars files.",
    parameter(
        "value", DYNAMIC, "an object or map from names of variables to their values", allow_unknown=True
    ),
    returns=STRING,
)
def encode_tfvars(value: Value) -> Value:
    """One argument per attribute, in alphabetical order."""
    if type(value) is Unknown:
        return UNKNOWN_STRING
    if not isinstance(value, dict):
        raise FunctionError("only an object or a map has names for the variables")
    for name in value:
        if not is_identifier(name):
            raise FunctionError(f'"{name}" cannot be the name of a variable')
    return UNKNOWN_STRING if contains_unknown(value) else normal_text(write_attributes(value))
