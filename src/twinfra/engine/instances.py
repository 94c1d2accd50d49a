"""Planning a resource block: its instances, the ones it no longer makes, and what the state knows of both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from twinfra.addresses import ROOT, AbsResource, Instance, Key
from twinfra.diagnostics import Diagnostic, DiagnosticError, Severity, SourceRange
from twinfra.engine.bodies import decode_config, locate
from twinfra.engine.changes import Action, Reason, ResourceChange
from twinfra.engine.conditions import UNKNOWN, Outcome
from twinfra.engine.expand import expand
from twinfra.engine.imports import import_object, import_targets, missing_instance
from twinfra.engine.instance import Wanted, addressed, check_config, plan_instance, prevented
from twinfra.engine.nodes import ResourceNode
from twinfra.engine.objects import decode_object, encode_object, marked, stored_marks
from twinfra.engine.orphans import gone_reason
from twinfra.engine.refresh import Existing, id_of
from twinfra.engine.scheduler import Call, Operation
from twinfra.engine.scope import UNSET, ModuleScope, table_key
from twinfra.engine.tables import Repetition, Table, repetition_of
from twinfra.engine.triggers import triggered
from twinfra.providers.protocol import Provider, ProviderError, Stored
from twinfra.values.value import Unknown, Value

if TYPE_CHECKING:
    from twinfra.engine.planner import Planner


class Rows:
    """The instances of a block in one module instance, before they are planned."""

    __slots__ = ("base", "instances", "repetition", "scope", "table")

    def __init__(self, node: ResourceNode, scope: ModuleScope, repetition: Repetition) -> None:
        self.scope = scope
        self.repetition = repetition
        self.base = AbsResource(scope.instance_of, node.resource)
        self.table = Table(repetition, Unknown(node.facts.type))
        self.instances: list[tuple[Instance, Value, Value]] = []
        resource = node.resource
        scope.resources[table_key(resource.mode, resource.type, resource.name)] = self.table


class InstancePlans:
    """Plans the managed resources of one run."""

    def __init__(self, run: Planner) -> None:
        self._run = run
        self._refresher = run.refresher
        self._importing: dict[Instance, str] = {}

    def plan(self, node: ResourceNode) -> Operation:
        """Plan all instances of a block in all instances of its module; an operation of the walk."""
        run = self._run
        destroying = run.mode == "destroy"
        rows = self._from_state(node) if destroying else self._expand(node)
        if self._refresher.existing or self._refresher.deposed:
            waits = self._reads(rows)
            if waits:
                yield waits
            self._collect(rows)
        if not destroying and (node.imports or run.commanded_imports):
            yield from self._import(node, run.starts.provider(node), rows)
        changes = run.changes_of.setdefault(node, [])
        for one in rows:
            scope = one.scope
            for address, index, value in one.instances:
                if not run.targeting.everything and not run.included(node, address):
                    self._left_out(node, one.table, address)
                elif run.mode == "normal":
                    scope.repeat(one.repetition, index, value)
                    self._one(node, one, address, run.starts.provider(node), changes)
                else:
                    scope.repeat(one.repetition, index, value)
                    self._as_it_is(node, one, address)
            scope.repeat(Repetition.SINGLE, None, None)
            if one.base in run.state.resources and run.mode != "refresh-only":
                self._rest(node, one, changes)

    # -- which instances

    def _expand(self, node: ResourceNode) -> list[Rows]:
        run = self._run
        found: list[Rows] = []
        for scope in run.scopes.get(node.path, ()):
            try:
                expansion = expand(node.count, node.for_each, scope)
            except DiagnosticError as failed:
                run.fail(node, failed.at(node.config.range).diagnostics)
                continue
            rows = Rows(node, scope, expansion.repetition)
            instance = rows.base.instance
            rows.instances = [(instance(key), index, value) for key, index, value in run.rows_of(expansion)]
            found.append(rows)
        return found

    def _from_state(self, node: ResourceNode) -> list[Rows]:
        """The instances that exist: when all is destroyed, nothing else matters."""
        found: list[Rows] = []
        repetition = repetition_of(node)
        for scope in self._run.scopes.get(node.path, ()):
            rows = Rows(node, scope, repetition)
            resource = self._run.state.resources.get(rows.base)
            keys: list[Key] = list(resource.instances) if resource is not None else []
            rows.instances = [(rows.base.instance(key), key, None) for key in keys]
            found.append(rows)
        return found

    # -- what exists

    def _objects(self, rows: list[Rows]) -> Iterator[tuple[Instance, Existing]]:
        """The loaded objects of a block, current and deposed."""
        refresher = self._refresher
        for one in rows:
            resource = self._run.state.resources.get(one.base)
            if resource is None:
                continue
            for key in tuple(resource.instances):
                address = one.base.instance(key)
                existing = refresher.existing.get(address)
                if existing is not None:
                    yield address, existing
                if address in refresher.deposed:
                    for deposed in tuple(refresher.deposed[address].values()):
                        yield address, deposed

    def _reads(self, rows: list[Rows]) -> list[Call]:
        return list(dict.fromkeys(one.call for _, one in self._objects(rows) if one.call is not None))

    def _collect(self, rows: list[Rows]) -> None:
        for address, existing in list(self._objects(rows)):
            if existing.call is not None:
                self._refresher.collect(address, existing)

    # -- imports

    def _import(self, node: ResourceNode, provider: Provider, rows: list[Rows]) -> Operation:
        """Find and read what imports ask for, and take it into the state as if it had been there."""
        run = self._run
        try:
            wanted = import_targets(node, run.root)
        except DiagnosticError as failed:
            run.fail(node, failed.at(node.config.range).diagnostics)
            return
        place: SourceRange
        for address, id in run.commanded_imports.items():
            if address.config == node.config_resource:
                wanted[address] = (id, node.config.range)
        made = {address for one in rows for address, _, _ in one.instances}
        calls: list[tuple[Instance, str, SourceRange, Call]] = []
        for address, (id, place) in wanted.items():
            if address not in made:
                run.fail(node, [missing_instance(address)])
            elif address not in self._refresher.existing:
                calls.append((address, id, place, self._import_call(node, provider, address, id)))
        if calls:
            yield [call for _, _, _, call in calls]
        for address, id, place, call in calls:
            if isinstance(call.error, DiagnosticError | ProviderError):
                run.fail(node, [locate(item, None, place, str(address)) for item in call.error.diagnostics])
            elif call.error is not None:
                raise call.error
            else:
                self._take(node, address, id, call.result)
                run.listener.refresh_finished(address, id_of(call.result.attributes), call.seconds)

    def _import_call(self, node: ResourceNode, provider: Provider, address: Instance, id: str) -> Call:
        kind = node.resource.type
        call = Call(
            lambda: import_object(provider, kind, address, id, node.facts), inline=node.provider.local
        )
        if call.inline:
            self._run.listener.refresh_started(address, id)
        else:
            call.begun = lambda: self._run.listener.refresh_started(address, id)
        return call

    def _take(self, node: ResourceNode, address: Instance, id: str, found: Stored) -> None:
        stored = encode_object(found, node.facts, [])
        existing = Existing(stored, node.facts, "")
        existing.value = found.attributes
        self._refresher.existing[address] = existing
        self._run.state.put(address, node.provider.config, stored)
        self._importing[address] = id

    # -- planning

    def _one(
        self,
        node: ResourceNode,
        rows: Rows,
        address: Instance,
        provider: Provider,
        changes: list[ResourceChange],
    ) -> None:
        """Plan one instance that the block makes; its `count` or `each` is set already."""
        run = self._run
        scope = rows.scope
        existing = self._refresher.existing.get(address) if self._refresher.existing else None
        told: list[Diagnostic] = []
        try:
            if existing is not None and existing.problems:
                raise DiagnosticError(existing.problems)
            if node.preconditions and not run.conditions(
                node, node.preconditions, scope, "resource", _inside(address), "Resource precondition failed"
            ):
                return
            config, marks = decode_config(node.decoder, scope, node.facts.write_only)
            check_config(node, address, provider, config, marks, told)
            wanted = Wanted(config, marks)
            try:
                forced = self._forced(node, scope, address)
            except DiagnosticError as failed:
                # Where there is no instance to be triggered by, no place is told, as by stock Terraform.
                run.fail(node, [replace(one, address=str(address)) for one in failed.diagnostics])
                return
            if existing is not None:
                wanted.forced = forced
                wanted.previous = run.moves.previous.get(address)
                wanted.importing = self._importing.get(address, "")
            change = plan_instance(node, address, node.provider.config, provider, existing, wanted, told)
        except DiagnosticError as failed:
            run.fail(node, addressed(failed, node, address))
            return
        if told:
            run.diagnostics.extend(told)
        if existing is not None:
            self._record(node, rows.base, change, existing)
        changes.append(change)
        if change.action.replaces and node.config.lifecycle.prevent_destroy:
            run.fail(node, [prevented(node, address)])
        rows.table.rows[address.key] = change.after
        run.listener.planned(change)
        if node.postconditions:
            scope.self_value = change.after
            try:
                run.conditions(
                    node,
                    node.postconditions,
                    scope,
                    "resource",
                    _inside(address),
                    "Resource postcondition failed",
                )
            finally:
                scope.self_value = UNSET

    def _forced(self, node: ResourceNode, scope: ModuleScope, address: Instance) -> Reason:
        run = self._run
        found = Reason.REPLACE_BY_REQUEST if address in run.replaced else Reason.NONE
        for trigger in node.triggers:
            source = run.program.resource(
                node.path, (trigger.reference.kind, trigger.reference.type, trigger.reference.name)
            )
            if source is None or not triggered(trigger, scope, run.changes_of.get(source, ())):
                continue
            if found is Reason.NONE:
                found = Reason.REPLACE_BY_TRIGGERS
        return found

    def _record(
        self, node: ResourceNode, base: AbsResource, change: ResourceChange, existing: Existing
    ) -> None:
        """Bring what the state remembers of an object's surroundings up to the configuration.

        What is going to change still needs what it needed, until that is done.
        """
        stored = existing.stored
        dependencies = self._run.closures.names(node)
        if stored.dependencies != dependencies and change.action is not Action.NO_OP:
            missing = set(stored.dependencies).difference(dependencies)
            if missing:
                dependencies = tuple(sorted(missing.union(dependencies)))
        resource = self._run.state.resources[base]
        resource.provider = node.provider.config
        if stored.dependencies == dependencies and stored.create_before_destroy == node.create_before_destroy:
            return
        existing.stored = replace(
            stored, dependencies=dependencies, create_before_destroy=node.create_before_destroy
        )
        resource.instances[change.address.key].current = existing.stored

    def _as_it_is(self, node: ResourceNode, rows: Rows, address: Instance) -> None:
        """Let expressions read an object as it is; a refresh tells what does not hold of it as warnings."""
        existing = self._refresher.existing.get(address)
        if existing is None or existing.problems:
            return
        rows.table.rows[address.key] = existing.shown
        if self._run.mode != "refresh-only":
            return
        for checks, title in (
            (node.preconditions, "Resource precondition failed"),
            (node.postconditions, "Resource postcondition failed"),
        ):
            if checks:
                rows.scope.self_value = existing.shown if checks is node.postconditions else UNSET
                self._run.conditions(
                    node, checks, rows.scope, "resource", _inside(address), title, Severity.WARNING
                )
        rows.scope.self_value = UNSET

    def _left_out(self, node: ResourceNode, table: Table, address: Instance) -> None:
        """Let expressions read what the state has of an instance that the targets do not cover."""
        if node.preconditions or node.postconditions:
            self._run.results.add("resource", str(node), str(address), Outcome(UNKNOWN))
        stored = self._run.state.current(address)
        if stored is None:
            return
        provider = self._run.providers.unconfigured(node.provider.config.provider)
        try:
            value = decode_object(stored, node.resource.type, node.facts, provider, address)
        except DiagnosticError as failed:
            self._run.fail(node, addressed(failed, node, address))
            return
        table.rows[address.key] = marked(value, node.facts, stored_marks(stored))

    def _rest(self, node: ResourceNode, rows: Rows, changes: list[ResourceChange]) -> None:
        """Plan the end of the instances that the block does not make (any more), and of all deposed
        objects.
        """
        run = self._run
        destroying = run.mode == "destroy"
        kept = set() if destroying else {address.key for address, _, _ in rows.instances}
        for key in tuple(run.state.resources[rows.base].instances):
            address = rows.base.instance(key)
            if not run.included(node, address) or (destroying and not self._to_destroy(node, address)):
                continue
            existing = self._refresher.existing.get(address)
            if existing is not None and key not in kept:
                reason = Reason.NONE if destroying else gone_reason(rows.repetition, key)
                if existing.problems:
                    run.fail(node, existing.problems)
                    continue
                if node.config.lifecycle.prevent_destroy:
                    run.fail(node, [prevented(node, address)])
                run.delete(changes, address, node.provider.config, existing, reason)
            for existing in self._refresher.deposed.get(address, {}).values():
                run.delete(changes, address, node.provider.config, existing, Reason.NONE)

    def _to_destroy(self, node: ResourceNode, address: Instance) -> bool:
        """Whether a run that destroys is about this instance, and not only in need of it."""
        targeting = self._run.targeting
        return targeting.everything or (node in targeting.direct and targeting.destroys(node, address))


def _inside(address: Instance) -> str:
    """The address of an instance without its module."""
    return str(Instance(ROOT, address.resource, address.key))
