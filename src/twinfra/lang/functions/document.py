"""What the declarations say of the functions, for machines and for people.

`metadata()` has the format of `terraform metadata functions -json`; run as a program, this prints the
reference page of the documentation (`python -m twinfra.lang.functions.document > docs/functions.md`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twinfra.lang.functions.call import return_type
from twinfra.lang.functions.catalog import PROVIDER, catalog
from twinfra.lang.functions.declaration import Function, FunctionError, Parameter
from twinfra.values.types import (
    DYNAMIC,
    ListType,
    MapType,
    ObjectType,
    PrimitiveType,
    SetType,
    TupleType,
    Type,
)
from twinfra.values.value import Unknown

_CONSOLE_ONLY = ("type",)
_INTRODUCTION = """\
# Functions

Generated from the declarations by `python -m twinfra.lang.functions.document`; do not edit.

Every function can also be called as `core::name`. An argument is converted to the type of its parameter; null
is refused unless the parameter says otherwise.

Answers are those of Terraform 1.11.4, but for quotients of two numbers that both come out of functions, such as
`length(a) / length(b)`: Terraform computes some of them with 64 bits, Twinfra with 512 bits, as all others.
"""


def metadata() -> dict[str, Any]:
    """All functions that configurations have of themselves, under two names each; ready for JSON."""
    signatures: dict[str, Any] = {}
    for name, function in catalog().items():
        if not name.startswith(PROVIDER) and name not in _CONSOLE_ONLY:
            signatures[name] = signatures[f"core::{name}"] = _signature(function)
    return {"format_version": "1.0", "function_signatures": dict(sorted(signatures.items()))}


def provider_functions(provider: str) -> dict[str, Any]:
    """The functions that a provider brings, by their names in it; ready for JSON."""
    prefix = f"{PROVIDER}{provider}::"
    return {
        name.removeprefix(prefix): {"summary": function.description, **_signature(function)}
        for name, function in catalog().items()
        if name.startswith(prefix)
    }


def brief_signature(function: Function) -> dict[str, Any]:
    """A function's signature as diagnostics tell it: names and types alone."""
    signature: dict[str, Any] = {
        "name": function.name,
        "params": [{"name": one.name, "type": _type_json(one.type)} for one in function.parameters],
        "return_type": _type_json(_general_return_type(function)),
    }
    if function.variadic is not None:
        signature["variadic_param"] = {
            "name": function.variadic.name,
            "type": _type_json(function.variadic.type),
        }
    return signature


def _signature(function: Function) -> dict[str, Any]:
    signature: dict[str, Any] = {
        "description": function.description,
        "return_type": _type_json(_general_return_type(function)),
    }
    if function.parameters:
        signature["parameters"] = list(map(_parameter, function.parameters))
    if function.variadic is not None:
        signature["variadic_parameter"] = _parameter(function.variadic)
    return signature


def _parameter(parameter: Parameter) -> dict[str, Any]:
    described: dict[str, Any] = {"name": parameter.name}
    if parameter.description:
        described["description"] = parameter.description
    if parameter.allow_null:
        described["is_nullable"] = True
    described["type"] = _type_json(parameter.type)
    return described


def _general_return_type(function: Function) -> Type:
    """The type of the result when nothing is known of the arguments but the types of the parameters."""
    parameters = [*function.parameters, *((function.variadic,) if function.variadic else ())]
    if any(one.type == DYNAMIC and not one.allow_unknown for one in parameters):
        return DYNAMIC
    try:
        return return_type(function, [Unknown(one.type) for one in parameters])
    except FunctionError:
        return DYNAMIC


def _type_json(type: Type) -> Any:
    """A type in the notation of Terraform's JSON formats, such as `["list", "string"]`."""
    match type:
        case PrimitiveType(name):
            return name
        case ListType(element):
            return ["list", _type_json(element)]
        case SetType(element):
            return ["set", _type_json(element)]
        case MapType(element):
            return ["map", _type_json(element)]
        case TupleType(elements):
            return ["tuple", list(map(_type_json, elements))]
        case ObjectType():
            return ["object", {name: _type_json(inner) for name, inner in sorted(type.attributes.items())}]
        case _:
            return "dynamic"


def markdown() -> str:
    """The reference of all functions, one section per family."""
    families: dict[str, list[Function]] = {}
    for function in catalog().values():
        families.setdefault(function.family, []).append(function)
    parts = [_INTRODUCTION]
    for family, functions in sorted(families.items()):
        parts.append(f"\n## {family.replace('_', ' ').capitalize()}\n")
        parts += map(_section, functions)
    return "".join(parts)


def _section(function: Function) -> str:
    lines = [f"\n### {function.name}\n", f"\n```\n{_usage(function)}\n```\n", f"\n{function.description}\n"]
    described = [*function.parameters, *((function.variadic,) if function.variadic else ())]
    if described:
        lines.append("\n")
    for parameter in described:
        repeated = ", any number of them" if parameter is function.variadic else ""
        null = ", or null" if parameter.allow_null else ""
        what = f": {parameter.description}" if parameter.description else ""
        lines.append(f"- `{parameter.name}` ({_type_words(parameter.type)}{null}{repeated}){what}\n")
    return "".join(lines)


def _usage(function: Function) -> str:
    names: Iterable[str] = (one.name for one in function.parameters)
    if function.variadic is not None:
        names = [*names, f"{function.variadic.name}..."]
    return f"{function.name}({', '.join(names)}) -> {_type_words(_general_return_type(function))}"


def _type_words(type: Type) -> str:
    return str(type).replace("dynamic", "any")


if __name__ == "__main__":
    print(markdown(), end="")
