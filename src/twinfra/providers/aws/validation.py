"""Validation from the declaration: what a configuration may not say, found before any call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from twinfra.diagnostics import Diagnostic, error
from twinfra.providers.aws.checks import one_of
from twinfra.providers.aws.comparison import is_empty
from twinfra.providers.aws.fields import Field
from twinfra.schema import Nesting
from twinfra.values.value import GetAttr, Index, Path, Unknown


def validate(
    kind: str, fields: Mapping[str, Field], config: Mapping[str, Any], path: Path = (), loose: bool = False
) -> Iterator[Diagnostic]:
    """What is wrong with a block's values; what is unknown yet is taken to be right.

    `loose`: the block may be written as an attribute, so that decoding did not ask for required arguments.
    """
    for name, field in fields.items():
        value = config.get(name)
        at: Path = (*path, GetAttr(name))
        yield from _group(field, name, fields, config, at, path)
        if value is None:
            if loose and field.required:
                yield error("Missing argument", f"{name} must be given.", path=path, mend=f"Add {name}.")
            continue
        if field.unsupported:
            if not is_empty(value):
                yield error(
                    "Unsupported argument",
                    f"{name} of {kind} is not supported. {field.unsupported}".strip(),
                    path=at,
                    mend=f"Remove {name}.",
                )
            continue
        if type(value) is Unknown:
            continue
        if field.fields is not None:
            yield from _nested(kind, field, value, at)
            continue
        checks = (
            (one_of(*field.allowed), *field.checks)
            if field.allowed and isinstance(value, str)
            else field.checks
        )
        for check in checks:
            problem = check(value)
            if problem:
                yield error("Invalid value", f"{name}: {problem}", path=at)
                break


def _nested(kind: str, field: Field, value: Any, at: Path) -> Iterator[Diagnostic]:
    assert field.fields is not None
    if isinstance(value, dict):
        yield from validate(kind, field.fields, value, at, field.as_attribute)
        return
    if field.as_attribute and field.max_items and len(value) > field.max_items:
        yield error(
            "Too many blocks", f"At most {field.max_items} may be given; there are {len(value)}.", path=at
        )
    for number, one in enumerate(value):
        if isinstance(one, dict):
            step = Index(one) if field.nesting is Nesting.SET else Index(number)
            yield from validate(kind, field.fields, one, (*at, step), field.as_attribute)


def _group(
    field: Field, name: str, fields: Mapping[str, Field], config: Mapping[str, Any], at: Path, inside: Path
) -> Iterator[Diagnostic]:
    """Rules about which fields of a block go together."""

    def given(other: str) -> bool:
        value = config.get(other)
        return value is not None and not (fields[other].fields is not None and is_empty(value))

    if given(name):
        for other in field.conflicts:
            if given(other):
                yield error(
                    "Conflicting arguments",
                    f"{name} and {other} cannot both be given.",
                    path=at,
                    mend=f"Remove {name} or {other}.",
                )
        for other in field.requires:
            if not given(other):
                yield error(
                    "Missing argument",
                    f"{name} needs {other} to be given too.",
                    path=at,
                    mend=f"Add {other}.",
                )
    for group, at_most in ((field.exactly_one, 1), (field.at_least_one, 0)):
        # The first of a group speaks for it, so that each problem is told once.
        if not group or group[0] != name:
            continue
        count = sum(map(given, group))
        if count == 0:
            words = "Exactly one" if at_most else "At least one"
            yield error("Missing argument", f"{words} of {', '.join(group)} must be given.", path=inside)
        elif at_most and count > at_most:
            yield error("Conflicting arguments", f"Only one of {', '.join(group)} may be given.", path=at)
