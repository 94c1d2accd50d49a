"""The `encryption` block as written: key providers, methods, and which of them states and plans use.

It stands in a `terraform` block or in the environment variable TF_ENCRYPTION; what the latter says holds where
both say something. Nothing is evaluated here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field, replace
from typing import TypeAlias

from twinfra.config.reading import JoinedBody, declared_twice, flag_of, single, text_of
from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostics, Source, SourceRange, error
from twinfra.lang.json_syntax import parse_json
from twinfra.lang.nodes import Attribute, Block, BlockShape, Body, BodyShape, Expression
from twinfra.lang.parser import parse_config

VARIABLE = "TF_ENCRYPTION"

Name: TypeAlias = tuple[str, str]
"""The two labels of a key provider or method: its type and its name."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """A `key_provider` or `method` block. `alias`: under which name its meta is stored, where given."""

    type: str
    name: str
    body: Body
    range: SourceRange
    type_range: SourceRange
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """What one kind of content is encrypted with, and with what it may still be, in `fallback`."""

    range: SourceRange
    method: Expression | None = None
    enforced: bool = False
    fallback: Target | None = None


@dataclass(slots=True)
class Declared:
    """A whole `encryption` block."""

    key_providers: dict[Name, Declaration] = field(default_factory=dict)
    methods: dict[Name, Declaration] = field(default_factory=dict)
    state: Target | None = None
    plan: Target | None = None
    remote: Target | None = None
    remotes: dict[str, Target] = field(default_factory=dict)


_LABELS = ("type", "name")
_TARGETS = ("state", "plan")
_SHAPE = BodyShape(
    {},
    (
        BlockShape("key_provider", _LABELS),
        BlockShape("method", _LABELS),
        BlockShape("state"),
        BlockShape("plan"),
        BlockShape("remote_state_data_sources"),
    ),
)
_KEY_PROVIDER = BodyShape({"encrypted_metadata_alias": False})
_ENFORCEABLE = BodyShape({"method": False, "enforced": False}, (BlockShape("fallback"),))
_TARGET = BodyShape({"method": False}, (BlockShape("fallback"),))
_REMOTE = BodyShape({}, (BlockShape("default"), BlockShape("remote_state_data_source", ("name",))))


def declared_in(bodies: Iterable[Body], environment: str) -> Declared | None:
    """What the `encryption` blocks of the root module and TF_ENCRYPTION say together; None where neither is.

    Raises `DiagnosticError`.
    """
    found = Diagnostics()
    result: Declared | None = None
    for body in bodies:
        result = _read(body, found)
    if environment.strip():
        result = _merged(result, _read(_parsed(environment, found), found))
    found.raise_errors()
    return result


def _parsed(text: str, found: Diagnostics) -> Body:
    is_json = text.lstrip().startswith("{")
    source = Source(f"{VARIABLE}.json" if is_json else VARIABLE, text)
    body: Body
    body, problems = parse_json(source, templates=True) if is_json else parse_config(source)
    found.extend(problems)
    found.raise_errors()
    return body


def _read(body: Body, found: Diagnostics) -> Declared:
    result = Declared()
    content, problems = body.content(_SHAPE)
    found.extend(problems)
    for block in content.of("key_provider"):
        inner, rest, problems = block.body.partial(_KEY_PROVIDER)
        found.extend(problems)
        alias = text_of(inner.attributes.get("encrypted_metadata_alias"), found)
        _add(result.key_providers, _declaration(block, rest, alias), "key_provider", found)
    for block in content.of("method"):
        _add(result.methods, _declaration(block, block.body), "method", found)
    targets = {name: single(content.of(name), f"encryption block for {name}", found) for name in _TARGETS}
    result.state = _target(targets["state"], _ENFORCEABLE, found)
    result.plan = _target(targets["plan"], _ENFORCEABLE, found)
    remote = single(content.of("remote_state_data_sources"), "encryption block", found)
    if remote is not None:
        inner, problems = remote.body.content(_REMOTE)
        found.extend(problems)
        result.remote = _target(single(inner.of("default"), "block", found), _TARGET, found)
        for block in inner.of("remote_state_data_source"):
            target = _target(block, _TARGET, found)
            if target is not None:
                result.remotes[block.labels[0]] = target
    return result


def _declaration(block: Block, body: Body, alias: str = "") -> Declaration:
    return Declaration(block.labels[0], block.labels[1], body, block.range, block.label_ranges[0], alias)


def _add(known: dict[Name, Declaration], one: Declaration, kind: str, found: Diagnostics) -> None:
    first = known.setdefault((one.type, one.name), one)
    if first is not one:
        found.add(declared_twice(kind, f"{one.type}.{one.name}", one.range, first.range))


def _target(block: Block | None, shape: BodyShape, found: Diagnostics) -> Target | None:
    if block is None:
        return None
    content, problems = block.body.content(shape)
    found.extend(problems)
    method: Attribute | None = content.attributes.get("method")
    fallback = single(content.of("fallback"), f"{block.type} block", found)
    if fallback is not None and method is None and block.type == "fallback":
        found.add(
            error(
                "Fallback without a method",
                "A fallback names the method that content may still be encrypted with.",
                block.range,
                mend="Write method = method.TYPE.NAME in it.",
            )
        )
    return Target(
        block.range,
        None if method is None else method.expression,
        flag_of(content.attributes.get("enforced"), found),
        _target(fallback, _TARGET, found),
    )


# -- two of them together


def _merged(first: Declared | None, second: Declared) -> Declared:
    if first is None:
        return second
    remotes = {
        name: _joined(first.remotes.get(name), second.remotes.get(name))
        for name in (*first.remotes, *second.remotes)
    }
    return Declared(
        _all(first.key_providers, second.key_providers),
        _all(first.methods, second.methods),
        _joined(first.state, second.state),
        _joined(first.plan, second.plan),
        _joined(first.remote, second.remote),
        {name: one for name, one in remotes.items() if one is not None},
    )


def _all(first: dict[Name, Declaration], second: dict[Name, Declaration]) -> dict[Name, Declaration]:
    found = dict(first)
    for name, new in second.items():
        old = found.get(name)
        if old is not None:
            new = replace(old, body=JoinedBody(old.body, new.body), alias=new.alias or old.alias)
        found[name] = new
    return found


def _joined(first: Target | None, second: Target | None) -> Target | None:
    if first is None or second is None:
        return first or second
    return Target(
        second.range,
        second.method if second.method is not None else first.method,
        first.enforced or second.enforced,
        second.fallback if second.fallback is not None else first.fallback,
    )
