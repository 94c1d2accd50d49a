"""Objects taken out of one state and put into another: what each says afterwards. Reads and writes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from twinfra.addresses import MANAGED, ConfigResource, Instance
from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, DiagnosticError, error
from twinfra.state.comparison import same_thing
from twinfra.state.model import InstanceObject, InstanceState, ResourceState, State
from twinfra.state.moving import require_one_type

Pairs = list[tuple[Instance, Instance]]


@dataclass(frozen=True, slots=True)
class Transfer:
    """What a transfer comes to. `leaving` and `arriving` hold what moves and nothing else: at its addresses in the
    source, and as it will be in the target. `pairs`: each address in the source with the one in the target.
    """

    source: State
    target: State
    leaving: State
    arriving: State
    pairs: Pairs


def transfer(source: State, target: State, pairs: Pairs) -> Transfer:
    """Take the first instance of each pair out of `source` and put it into `target` at the second.

    What moved depends in the target on what moved with it only; what stays forgets that it depended on what has
    gone as a whole. Neither of the given states is changed. Raises `DiagnosticError` where an address is taken, or
    the two were not made in one cloud.
    """
    found: list[Diagnostic] = []
    seen: set[Instance] = set()
    for old, new in pairs:
        require_one_type(old, new)
        if new in seen:
            found.append(_twice(new))
        seen.add(new)
    leaving = _only(source, (old for old, _ in pairs))
    arriving = _renamed(source, pairs)
    found += _refusals(target, arriving)
    if found:
        raise DiagnosticError(found)
    return Transfer(
        without(source, leaving)[0], including(target, arriving)[0], leaving, arriving, list(pairs)
    )


def without(state: State, leaving: State) -> tuple[State, list[Instance]]:
    """A state without what is `leaving`, and which instances it was; of others at those addresses nothing goes."""
    result = state.copy()
    gone = []
    for address, instance in _instances(leaving):
        there = result.get(address)
        if there is None or not _same_instance(there, instance):
            continue
        record = result.resources[address.of]
        del record.instances[address.key]
        if not record.instances:
            del result.resources[address.of]
        gone.append(address)
    _forget_dependencies(result, {address.config for address in gone})
    return result, gone


def arrived(source: State, target: State, pairs: Pairs) -> State:
    """What of a transfer that another process began is in the target already, as it is in the source."""
    there = []
    for old, new in pairs:
        here, other = source.get(old), target.get(new)
        if here is not None and other is not None and _same_instance(here, other):
            there.append(old)
    return _only(source, there)


def including(state: State, arriving: State, *, exact: bool = True) -> tuple[State, list[Instance], State]:
    """A state with what is `arriving`, which instances are new in it, and those that found their address taken.

    Unless `exact`, others have written the state since: an object that it has at some other address by now is not
    added once more.
    """
    result = state.copy()
    elsewhere = set() if exact else _ids(state)
    result.identities = {**arriving.identities, **result.identities}
    come = []
    left = State(arriving.serial, arriving.lineage)
    for address, instance in _instances(arriving):
        provider = arriving.resources[address.of].provider
        there = result.get(address)
        if there is None and _id(address, instance) in elsewhere:
            continue
        if there is not None:
            if not _same_instance(there, instance):
                _place(left, address, instance, arriving)
            continue
        record = result.resources.get(address.of)
        if record is not None and record.provider != provider:
            _place(left, address, instance, arriving)
            continue
        _place(result, address, instance, arriving)
        come.append(address)
    return result, come, left


def _place(state: State, address: Instance, instance: InstanceState, source: State) -> None:
    record = state.resources.get(address.of)
    if record is None:
        there = source.resources[address.of]
        record = state.resources[address.of] = ResourceState(there.provider, {}, there.extra)
    record.instances[address.key] = instance


def _instances(state: State) -> list[tuple[Instance, InstanceState]]:
    return [
        (resource.instance(key), instance)
        for resource, record in state.resources.items()
        for key, instance in record.instances.items()
    ]


def _ids(state: State) -> set[tuple[str, str]]:
    return {found for address, instance in _instances(state) if (found := _id(address, instance)) is not None}


def _id(address: Instance, instance: InstanceState) -> tuple[str, str] | None:
    """What tells an object of a managed resource from all others of its type; None where nothing does."""
    id = None if instance.current is None else instance.current.attributes.get("id")
    return (address.resource.type, id) if isinstance(id, str) and address.resource.mode == MANAGED else None


def _only(state: State, addresses: Iterable[Instance]) -> State:
    result = State(state.serial, state.lineage)
    for address in addresses:
        _place(result, address, state.resources[address.of].instances[address.key], state)
    return _with_identities(result, state)


def _renamed(state: State, pairs: Pairs) -> State:
    """What moves as it will be in the target."""
    names: dict[str, set[str]] = {}
    for old, new in pairs:
        names.setdefault(str(old.config), set()).add(str(new.config))

    def changed(value: InstanceObject) -> InstanceObject:
        kept = sorted({new for name in value.dependencies for new in names.get(name, ())})
        return value if tuple(kept) == value.dependencies else replace(value, dependencies=tuple(kept))

    result = State(state.serial, state.lineage)
    for old, new in pairs:
        record = state.resources[old.of]
        there = result.resources.get(new.of)
        if there is None:
            there = result.resources[new.of] = ResourceState(record.provider, {}, record.extra)
        elif there.provider != record.provider:
            raise DiagnosticError(
                error(
                    "Different providers",
                    f"What becomes {new.of} belongs to {there.provider} in part, and in part to {record.provider}.",
                    mend="Move them to names of their own.",
                )
            )
        there.instances[new.key] = record.instances[old.key].mapped(changed)
    return _with_identities(result, state)


def _with_identities(part: State, whole: State) -> State:
    used = {str(record.provider) for record in part.resources.values()}
    part.identities = {name: found for name, found in whole.identities.items() if name in used}
    return part


def _forget_dependencies(state: State, gone: set[ConfigResource]) -> None:
    """Let what is left not depend any more on blocks of which nothing is left."""
    left = {ConfigResource(address.module.path, address.resource) for address in state.resources}
    names = {str(one) for one in gone - left}
    if not names:
        return

    def changed(value: InstanceObject) -> InstanceObject:
        if names.isdisjoint(value.dependencies):
            return value
        return replace(value, dependencies=tuple(one for one in value.dependencies if one not in names))

    for record in state.resources.values():
        for key, there in record.instances.items():
            record.instances[key] = there.mapped(changed)


def _same_instance(one: InstanceState, other: InstanceState) -> bool:
    if one.current is None or other.current is None:
        return one.current is other.current and one.deposed.keys() == other.deposed.keys()
    return same_thing(one.current, other.current)


def _refusals(target: State, arriving: State) -> list[Diagnostic]:
    found = []
    for address, _ in _instances(arriving):
        if target.get(address) is not None:
            found.append(
                error(
                    "Address is taken",
                    f"The state that {address} is to go to holds something there already.",
                    mend=f"Give it another address: '{address} => OTHER'.",
                )
            )
    for resource, record in arriving.resources.items():
        there = target.resources.get(resource)
        if there is not None and there.provider != record.provider:
            found.append(
                error(
                    "Different providers",
                    f"What is at {resource} belongs to {there.provider}, but what arrives to {record.provider}.",
                    mend=f"Give it another address: '{resource} => OTHER'.",
                )
            )
    for provider, identity in arriving.identities.items():
        known = target.identities.get(provider)
        if known is not None and known != identity:
            found.append(
                error(
                    "The two states are of different clouds",
                    f"{provider} acts on {_words(known)} there, and on {_words(identity)} here.",
                    mend="Move only between states of one account and region.",
                )
            )
    return found


def _words(identity: dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(identity.items())) or "an unknown cloud"


def _twice(address: Instance) -> Diagnostic:
    return error(
        "Two objects for one address",
        f"More than one of what moves would be at {address}.",
        mend="Give each an address of its own.",
    )
