"""From a plan to a drift report: each difference with the argument that declares it, and what a repair would do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import replace

from twinfra.addresses import DATA, Instance
from twinfra.config.model import Configuration
from twinfra.decode.places import Written
from twinfra.engine.changes import Action, Plan, ResourceChange
from twinfra.engine.program import Program
from twinfra.engine.providers import Providers
from twinfra.engine.refresh import id_of
from twinfra.engine.scope import table_key
from twinfra.environments.drift.differences import Difference, differences
from twinfra.environments.drift.finding import CHANGED, GONE, AttributeDrift, Finding, Report
from twinfra.environments.drift.rules import Noise
from twinfra.providers.protocol import Change
from twinfra.state.model import State
from twinfra.values.equality import identical
from twinfra.values.marks import unmark_deep
from twinfra.values.secrets import hide, secrets_in
from twinfra.values.sets import identity_text
from twinfra.values.value import GetAttr, Index, Path, Unknown, Value, is_null

Asking = Callable[[ResourceChange], Iterable[Change]]
"""Who changed an object, by its drift; empty where nobody knows."""


def detect(
    plan: Plan, configuration: Configuration, providers: Providers, state: State, noise: Noise
) -> Report:
    """What drifted, from a plan of the normal mode that refreshed `state` (which is as recorded).

    The cost grows with what drifted.
    """
    planned = {one.address: one for one in plan.changes if not one.deposed}
    looked_at = None if plan.complete else planned.keys() | {one.address for one in plan.drift}
    report = Report(checked=_objects(state, looked_at))
    for change in sorted(plan.drift, key=lambda one: str(one.address)):
        finding = _finding(change, planned.get(change.address), configuration, providers, noise, report)
        if finding is not None:
            report.findings.append(finding)
    report.rules = noise.complaints()
    return report


def attribute(report: Report, drift: Iterable[ResourceChange], ask: Asking, limit: int) -> None:
    """Add to each finding who changed the object; `ask` is called for `limit` findings at most."""
    by_address = {one.address: one for one in drift}
    report.findings[:limit] = [
        replace(one, changes=tuple(ask(by_address[one.address]))) for one in report.findings[:limit]
    ]


def _objects(state: State, looked_at: AbstractSet[Instance] | None) -> int:
    """How many objects there are, of these (None: of all)."""
    return sum(
        1
        for address, resource in state.resources.items()
        if address.resource.mode != DATA
        for key, instance in resource.instances.items()
        if instance.current is not None
        and (looked_at is None or Instance(address.module, address.resource, key) in looked_at)
    )


def _finding(
    change: ResourceChange,
    planned: ResourceChange | None,
    configuration: Configuration,
    providers: Providers,
    noise: Noise,
    report: Report,
) -> Finding | None:
    """What is told of one object; None where all of it is noise."""
    address = str(change.address)
    repair = planned.action if planned is not None else Action.NO_OP
    before, _ = unmark_deep(change.before)
    if change.action is Action.DELETE:
        if noise.covers(address, None):
            report.ignored += 1
            return None
        return Finding(change.address, GONE, id_of(before), repair=repair)
    program = providers.program(configuration)
    written = _declarations(program, change.address)
    volatile = _volatile(program, change)
    found = [
        part
        for one in _differences(change)
        for part in (_part(one, written(one.path), planned),)
        if part.declared is not None or not volatile(one.path)
    ]
    told = [one for one in found if not noise.covers(address, one.difference.path)]
    report.ignored += len(found) - len(told)
    if not told:
        return None
    return Finding(change.address, CHANGED, id_of(before), tuple(with_echoes(told)), repair)


def _differences(change: ResourceChange) -> Iterable[Difference]:
    """The differences of one object. A copy of something sensitive is sensitive too, also after it drifted."""
    secrets = secrets_in(change.before, change.after)
    found = list(differences(hide(change.before, secrets), hide(change.after, secrets)))
    echoes = {_essence(one) for one in found if one.sensitive}
    return [replace(one, sensitive=True) if _essence(one) in echoes else one for one in found]


def _volatile(program: Program, change: ResourceChange) -> Callable[[Path], bool]:
    """Tells what the provider declares as moving by itself, such as the time when something was last used."""
    facts = program.facts(change.provider, change.address.resource)
    # Those with a condition move because of other objects; what moved without those is worth telling.
    always = () if facts is None else (path for path in facts.volatile if " if " not in path)
    declared = [tuple(path.split(".")) for path in always]

    def is_volatile(path: Path) -> bool:
        names = tuple(step.name for step in path if isinstance(step, GetAttr))
        return any(names[: len(one)] == one for one in declared)

    return is_volatile


def _declarations(program: Program, address: Instance) -> Callable[[Path], Written | None]:
    """Finds what in the block of an instance makes the value at a path."""
    resource = address.resource
    node = program.resource(address.module.path, table_key(resource.mode, resource.type, resource.name))
    decoder = None if node is None else node.decoder

    def find(path: Path) -> Written | None:
        found = None if decoder is None else decoder.written_at(path)
        # A block that says nothing of an argument inside it does not declare that.
        return None if found is not None and found.expression is None and found.rest else found

    return find


def _part(difference: Difference, written: Written | None, planned: ResourceChange | None) -> AttributeDrift:
    restored = planned is not None and _restores(planned, difference)
    changed = planned is not None and not restored and not _leaves(planned, difference)
    return AttributeDrift(difference, written, restored, changed=changed)


def _restores(planned: ResourceChange, difference: Difference) -> bool:
    """Whether a planned change puts a value back as it was (or replaces the whole object)."""
    if planned.action.replaces:
        return True
    if planned.action is not Action.UPDATE:
        return False
    wanted = value_at(unmark_deep(planned.after)[0], difference.path)
    if type(wanted) is Unknown:
        return False
    if not difference.element:
        return (is_null(wanted) and is_null(difference.before)) or identical(wanted, difference.before)
    if not isinstance(wanted, tuple):
        return is_null(wanted) and is_null(difference.before)
    texts = set(map(identity_text, wanted))
    if difference.before is not None:
        return identity_text(difference.before) in texts
    return identity_text(difference.after) not in texts


def _leaves(planned: ResourceChange, difference: Difference) -> bool:
    """Whether a planned change leaves a value as it is now."""
    if planned.action is not Action.UPDATE:
        return planned.action in (Action.NO_OP, Action.FORGET)
    wanted = value_at(unmark_deep(planned.after)[0], difference.path)
    if type(wanted) is Unknown:
        return False
    if not difference.element:
        return (is_null(wanted) and is_null(difference.after)) or identical(wanted, difference.after)
    texts = set(map(identity_text, wanted)) if isinstance(wanted, tuple) else set()
    if difference.before is not None:
        return identity_text(difference.before) not in texts
    return identity_text(difference.after) in texts


def value_at(value: Value, path: Path) -> Value:
    """What is at a path of a value, None where that leads nowhere."""
    for step in path:
        key = step.name if isinstance(step, GetAttr) else step.key
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, tuple) and isinstance(key, int) and key < len(value):
            value = value[key]
        else:
            return None
    return value


def with_echoes(parts: list[AttributeDrift]) -> list[AttributeDrift]:
    """The same, with those marked that only repeat a declared one under another name, as `tags_all` does `tags`.

    Only entries of maps and elements are taken for that: two blocks may well have an argument of one name.
    """
    declared = {_essence(one.difference) for one in parts if one.declared is not None and _repeatable(one)}
    seen: set[tuple[object, ...]] = set()
    told: list[AttributeDrift] = []
    for one in parts:
        if one.declared is None and _repeatable(one):
            # Which value it had before may differ: one that is inherited from the provider is in `tags_all` alone.
            essence = _essence(one.difference)
            told.append(
                replace(one, echo=essence in declared or (*essence, repr(one.difference.before)) in seen)
            )
            seen.add((*essence, repr(one.difference.before)))
        else:
            told.append(one)
    return told


def _repeatable(part: AttributeDrift) -> bool:
    path = part.difference.path
    if part.difference.element:
        return len(path) == 1
    return len(path) == 2 and isinstance(path[1], Index) and isinstance(path[1].key, str)


def _essence(difference: Difference) -> tuple[object, ...]:
    """What two differences have in common of which one repeats the other: all but the attribute's name."""
    rest = tuple(repr(step) for step in difference.path[1:])
    before = repr(difference.before) if difference.element else None
    return (rest, difference.element, before, repr(difference.after))
