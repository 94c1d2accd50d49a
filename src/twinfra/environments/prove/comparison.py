"""What differs between the states of two builds, attribute by attribute, and what in the code it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import takewhile
from typing import Any

from twinfra.addresses import AbsResource, Instance, parse_address
from twinfra.config.model import Configuration, Module, ResourceConfig
from twinfra.decode.places import inside
from twinfra.diagnostics import SourceRange
from twinfra.environments.fingerprint.canonical import HASHED, canonical
from twinfra.environments.fingerprint.state import StateForms
from twinfra.environments.prove.findings import Finding, Kind
from twinfra.environments.prove.sources import FUNCTIONS
from twinfra.lang.body import NativeBody
from twinfra.lang.nodes import Expression
from twinfra.lang.references import References
from twinfra.values.value import GetAttr

_ABSENT = object()
_LONGEST = 200
_OF_CLOUD = "The cloud chose it: nothing in code or inputs says which."
_GIVE_IT = (
    "Give it in the configuration; or, where it does not matter, leave it out with a rule "
    "[[fingerprint.volatile]] in twinfra.toml."
)


def answers(configuration: Configuration, first: StateForms, second: StateForms) -> list[Finding]:
    """A finding for each data source that found something else in the second build."""
    one, two = first.answers(), second.answers()
    found = []
    for address in sorted(one.keys() & two.keys()):
        pairs = list(_pairs(one[address], two[address], ()))
        if not pairs:
            continue
        names = ", ".join(dict.fromkeys(path[0] for path, _, _ in pairs))
        _, ours, theirs = pairs[0]
        found.append(
            Finding(
                Kind.DATA,
                address,
                f"It found something else in the second build ({names}).",
                "Give what it finds as a variable; or ask for something that names one thing.",
                _block(configuration, address, ()),
                breaks=False,
                measured=True,
                values=(_shown(ours), _shown(theirs)),
            )
        )
    return found


def block_of(address: str) -> str:
    """The address of the block that an instance comes from: without any keys, those of modules included."""
    parsed = parse_address(address)
    return str(parsed.config) if isinstance(parsed, Instance | AbsResource) else address


def differences(
    configuration: Configuration, first: StateForms, second: StateForms, data: Iterable[Finding] = ()
) -> list[Finding]:
    """A finding for each attribute, output and resource that the two builds do not have alike.

    `data` are the findings about data sources (`answers`): what reads one of them is told as that.
    """
    found: list[Finding] = []
    asked = frozenset(block_of(one.what) for one in data)
    one = {form["address"]: form for form in first.resources()}
    two = {form["address"]: form for form in second.resources()}
    for address in sorted(one.keys() | two.keys()):
        if address not in one or address not in two:
            which = "first" if address in one else "second"
            found.append(
                Finding(
                    Kind.RESOURCE,
                    address,
                    f"Only the {which} build has it.",
                    "Let count and for_each follow from variables and the code alone.",
                    _block(configuration, address, ()),
                    measured=True,
                )
            )
            continue
        ours = {name: value for name, value in one[address].items() if name != "attributes"}
        theirs = {name: value for name, value in two[address].items() if name != "attributes"}
        pairs = [*_pairs(ours, theirs, ()), *_pairs(_attributes(one[address]), _attributes(two[address]), ())]
        found += _copies([_attribute(configuration, asked, address, path, a, b) for path, a, b in pairs])
    outputs = _pairs(first.outputs(), second.outputs(), ())
    for path, a, b in outputs:
        declared = configuration.root.outputs.get(path[0])
        place, why, mend = None, "The two builds gave it different values.", "See what it reads."
        if declared is not None:
            place = declared.range
            why, mend = _cause(configuration.root, declared.expression, asked) or (why, mend)
        found.append(
            Finding(
                Kind.OUTPUT,
                f"output.{path[0]}",
                why,
                mend,
                place,
                measured=True,
                values=(_shown(a), _shown(b)),
            )
        )
    return found


def _copies(findings: list[Finding]) -> list[Finding]:
    """The findings of one resource; what the cloud only repeats of what is configured is told as that."""
    configured = {one.values: one for one in findings if one.why is not _OF_CLOUD}
    result = []
    for one in findings:
        source = configured.get(one.values) if one.why is _OF_CLOUD else None
        if source is not None:
            one = replace(one, why=f"It repeats {source.what}.", mend="Mend that one.")
        result.append(one)
    return result


def _attributes(form: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = form.get("attributes", {})
    return found


def _pairs(first: Any, second: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """The places where two JSON values differ, each as deep as both have the same shape."""
    if isinstance(first, dict) and isinstance(second, dict) and HASHED not in first and HASHED not in second:
        for name in sorted(first.keys() | second.keys()):
            yield from _pairs(first.get(name, _ABSENT), second.get(name, _ABSENT), (*path, name))
    elif isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        for at, (one, other) in enumerate(zip(first, second, strict=True)):
            yield from _pairs(one, other, (*path, f"[{at}]"))
    elif first is _ABSENT or second is _ABSENT or canonical(first) != canonical(second):
        yield path, first, second


def _shown(value: Any) -> str:
    if value is _ABSENT:
        return "(absent)"
    if isinstance(value, dict) and HASHED in value:
        return "(sensitive)"
    text = canonical(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def _attribute(
    configuration: Configuration,
    asked: frozenset[str],
    address: str,
    path: tuple[str, ...],
    first: Any,
    second: Any,
) -> Finding:
    why, mend = _OF_CLOUD, _GIVE_IT
    name = address + "".join(step if step.startswith("[") else f".{step}" for step in path)
    place = _block(configuration, address, path)
    module, resource = _declared(configuration, address)
    expression = None if resource is None else _argument(resource, path)
    if module is not None and expression is not None:
        why, mend = _cause(module, expression, asked) or (
            "Its expression gave different values in the two builds.",
            "Let what it reads follow from variables and the code alone.",
        )
    return Finding(
        Kind.ATTRIBUTE, name, why, mend, place, measured=True, values=(_shown(first), _shown(second))
    )


def _declared(configuration: Configuration, address: str) -> tuple[Module | None, ResourceConfig | None]:
    try:
        parsed = parse_address(address)
    except ValueError:
        return None, None
    if isinstance(parsed, Instance):
        parsed = parsed.of
    if not isinstance(parsed, AbsResource):
        return None, None
    module = configuration.modules.get(parsed.module.path)
    return module, None if module is None else module.resources.get(parsed.resource)


def _argument(resource: ResourceConfig, path: tuple[str, ...]) -> Expression | None:
    """The expression that gives an attribute, as far down as its names are written out (an element of a set may
    stand anywhere).
    """
    attribute = resource.body.attributes.get(path[0]) if isinstance(resource.body, NativeBody) else None
    if attribute is None:
        return None
    names = tuple(GetAttr(step) for step in takewhile(lambda step: not step.startswith("["), path[1:]))
    found = inside(attribute.expression, names)
    if found.rest == names and names[:1] == (GetAttr("value"),):
        # A state writes a value of any type as its type and the value.
        found = inside(attribute.expression, names[1:])
    return found.expression


def _block(configuration: Configuration, address: str, path: tuple[str, ...]) -> SourceRange | None:
    """Where the argument stands that gives an attribute, else its resource's block."""
    _, resource = _declared(configuration, address)
    if resource is None:
        return None
    expression = _argument(resource, path) if path else None
    return resource.range if expression is None else expression.range


def _cause(module: Module, expression: Expression, asked: frozenset[str]) -> tuple[str, str] | None:
    """What an expression uses, itself or through local values, that is another one each time: a function, or a data
    source among those that gave another answer.
    """
    waiting, seen = [expression], set[str]()
    while waiting:
        references = References(waiting.pop())
        for call in references.calls:
            name = call.name.removeprefix("core::")
            if name in FUNCTIONS:
                why, mend = FUNCTIONS[name]
                return f"It comes from {name}(), at {call.range}. {why}", mend
        for reference in references.found:
            name = ".".join([*(f"module.{step}" for step in module.path), str(reference)])
            if name in asked:
                return f"It comes from {name}, which found something else.", "Mend that one."
            local = module.locals.get(reference.name) if reference.kind == "local" else None
            if local is not None and local.name not in seen:
                seen.add(local.name)
                waiting.append(local.expression)
    return None
