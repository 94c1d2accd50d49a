"""Addresses written in configurations (`moved`, `removed`, `import`): what each names, and what is wrong with it."""

from __future__ import annotations

from twinfra.addresses import DATA, EPHEMERAL_MODE, MANAGED
from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, SourceRange, error
from twinfra.lang.nodes import Expression, GetAttr, Index, Literal, Variable
from twinfra.lang.references import SINGLE_NAME

_RESERVED = frozenset((*SINGLE_NAME, "self", "template", "lazy", "arg")) - {"module"}
_MODES = (DATA, EPHEMERAL_MODE)
_LIKE = 'Write it like aws_vpc.main, aws_subnet.private["a"] or module.network.'


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an address: a name, or a key in brackets (then `key` is given). `range` includes its dot."""

    name: str
    key: Expression | None
    range: SourceRange


def parts_of(address: Expression) -> list[Part] | None:
    """The parts of an address from its root; None for an expression that is made of anything else."""
    found: list[Part] = []
    node = address
    while isinstance(node, GetAttr | Index):
        own = SourceRange(node.range.source, node.source.range.end, node.range.end)
        found.append(Part("", node.key, own) if isinstance(node, Index) else Part(node.name, None, own))
        node = node.source
    if not isinstance(node, Variable):
        return None
    found.append(Part(node.name, None, node.range))
    return found[::-1]


@dataclass(frozen=True, slots=True)
class Named:
    """What an address names: in the end a resource of some mode, or (`mode` empty) a module call.

    `key` is where the first instance key stands, if there is any.
    """

    mode: str
    key: SourceRange | None


def read_address(address: Expression, fixed: bool = True, plain: bool = False) -> Named | Diagnostic:
    """What an address names, or what is wrong with it. `fixed`: its keys must be written out; `plain`: words that are
    reserved in expressions are types of resources like any other, but for `data`.
    """
    parts = parts_of(address)
    if parts is None:
        return _wrong("An address is made of names joined by dots, and keys in brackets.", address.range)
    first_key = next((part for part in parts if part.key is not None), None)
    where = first_key.range if first_key is not None else None
    at = 0
    while at < len(parts) and parts[at].name == "module" and parts[at].key is None:
        if at + 1 == len(parts) or parts[at + 1].key is not None:
            return _wrong("module must be followed by a dot and the name of a module call.", parts[at].range)
        at += 2
        if at < len(parts) and parts[at].key is not None:
            problem = _key_problem(parts[at], fixed)
            if problem is not None:
                return problem
            at += 1
    if at == len(parts):
        return Named("", where)
    if not plain and parts[at].name in _RESERVED:
        return error(
            "Not an address",
            f"{parts[at].name} is no resource type: the word is reserved.",
            parts[at].range,
            mend=f"A resource type of this name is written resource.{parts[at].name}.",
        )
    return _read_resource(parts, at, where, fixed, plain)


def _read_resource(
    parts: list[Part], at: int, key: SourceRange | None, fixed: bool, plain: bool
) -> Named | Diagnostic:
    mode = MANAGED
    modes = (DATA,) if plain else (*_MODES, "resource")
    if parts[at].key is None and parts[at].name in modes:
        mode = parts[at].name if parts[at].name in _MODES else MANAGED
        at += 1
    if len(parts) < at + 2:
        # After a mode that nothing follows, stock Terraform has no place to tell.
        place = parts[at].range if at < len(parts) else None
        where = "" if place is not None else f" {parts[-1].name} at {parts[-1].range} is neither."
        return _wrong(f"The address of a resource has its type, a dot and its name.{where}", place)
    for part in parts[at : at + 2]:
        if part.key is not None:
            return _wrong(
                "A resource is named by its type, a dot and its name; keys come after those.", part.range
            )
    rest = parts[at + 2 :]
    if rest:
        if rest[0].key is None:
            return _wrong("The address of a resource ends with its name or an instance key.", rest[0].range)
        problem = _key_problem(rest[0], fixed)
        if problem is not None:
            return problem
        if len(rest) > 1:
            return _wrong("The address of an instance ends with its key.", rest[1].range)
    return Named(mode, key)


def _key_problem(part: Part, fixed: bool) -> Diagnostic | None:
    key = part.key
    if isinstance(key, Literal):
        if isinstance(key.value, str) or type(key.value) is int:
            return None
    elif not fixed:
        return None
    return _wrong("An instance key is a whole number or a string.", part.range)


def _wrong(detail: str, place: SourceRange | None) -> Diagnostic:
    return error("Not an address", detail, place, mend=_LIKE)
