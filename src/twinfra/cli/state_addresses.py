"""Which instances of a state an address on the command line means."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from twinfra.addresses import AbsResource, Instance, ModuleInstance, instance_order, parse_address
from twinfra.diagnostics import Diagnostic, DiagnosticError, error, nearest
from twinfra.state.model import State

HINT = "Addresses are written as `twinfra state list` prints them; quote those that hold brackets."


def instances(state: State) -> list[Instance]:
    """All instances of a state, sorted."""
    found = [
        resource.instance(key) for resource, record in state.resources.items() for key in record.instances
    ]
    return sorted(found, key=instance_order)


def parse(text: str) -> ModuleInstance | AbsResource | Instance:
    """What an address names. Raises `DiagnosticError`."""
    try:
        return parse_address(text)
    except ValueError as wrong:
        raise DiagnosticError(
            error("Wrong address", f'"{text}" is no address: {wrong}.', mend=HINT)
        ) from None


def select(state: State, addresses: Iterable[str]) -> list[Instance]:
    """The instances that addresses name, in their order, each once; those of one address are sorted.

    An address is that of a module (all in it and below), of a resource (all its instances) or of an instance;
    a name without a key stands for any key. `*` stands for any text. Raises `DiagnosticError` for one that
    names nothing.
    """
    found, unknown = select_known(state, addresses)
    if unknown:
        raise DiagnosticError(unknown[:1])
    return found


def select_known(state: State, addresses: Iterable[str]) -> tuple[list[Instance], list[Diagnostic]]:
    """As `select`, and what to say of each address that names nothing. Raises `DiagnosticError` for what is none."""
    everything = instances(state)
    chosen: dict[Instance, None] = {}
    unknown: list[Diagnostic] = []
    for text in addresses:
        found = _wild(everything, text) if "*" in text else _named(everything, parse(text))
        if not found:
            unknown += _unknown(everything, text).diagnostics
        chosen.update(dict.fromkeys(found))
    return list(chosen), unknown


def select_one(state: State, text: str) -> Instance:
    """The one instance that an address names. Raises `DiagnosticError`."""
    address = parse(text)
    exact = address.instance() if isinstance(address, AbsResource) else address
    if isinstance(exact, Instance) and state.get(exact) is not None:
        return exact
    found = _named(instances(state), address)
    if not found:
        raise _unknown(instances(state), text)
    if isinstance(address, ModuleInstance) or len(found) > 1:
        listed = ", ".join(map(str, found[:5])) + (" and more" if len(found) > 5 else "")
        what = "a module, which holds" if isinstance(address, ModuleInstance) else "several instances:"
        raise DiagnosticError(
            error("Not one instance", f"{text} stands for {what} {listed}.", mend="Name one instance.")
        )
    return found[0]


def _wild(everything: list[Instance], pattern: str) -> list[Instance]:
    # Brackets are keys here, not sets of characters.
    literal = pattern.replace("[", "[[]").replace("?", "[?]")
    return [one for one in everything if fnmatchcase(str(one), literal)]


def _named(everything: list[Instance], address: ModuleInstance | AbsResource | Instance) -> list[Instance]:
    module = address if isinstance(address, ModuleInstance) else address.module
    depth = len(module.steps)
    found = []
    for one in everything:
        steps = one.module.steps
        if isinstance(address, ModuleInstance):
            if len(steps) < depth:
                continue
        elif len(steps) != depth or one.resource != address.resource:
            continue
        if isinstance(address, Instance) and one.key != address.key:
            continue
        wanted = zip(module.steps, steps, strict=False)
        if all(name == there and key in (None, at) for (name, key), (there, at) in wanted):
            found.append(one)
    return found


def _unknown(everything: list[Instance], text: str) -> DiagnosticError:
    known = {str(one): None for one in everything}
    known.update({str(one.of): None for one in everything})
    known.update({str(one.module): None for one in everything if one.module.steps})
    return DiagnosticError(
        error(
            "Not in the state",
            f"The state holds nothing at {text}.",
            mend=nearest(text, known) or "See what it holds with: twinfra state list",
        )
    )
