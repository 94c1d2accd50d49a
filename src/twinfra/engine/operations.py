"""The operations of an apply: create, update, destroy, read; each a generator that waits for the provider.

What a provider did is recorded before anything else happens, also when it failed half way.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any

from twinfra.addresses import Instance, ProviderConfig
from twinfra.diagnostics import Diagnostic, DiagnosticError, error, warning
from twinfra.engine.bodies import decode_config, locate, secrets_in
from twinfra.engine.changes import Action, Reason, ResourceChange
from twinfra.engine.confirmation import confirm_call, not_confirmed, to_confirm
from twinfra.engine.consistency import first_difference, path_text
from twinfra.engine.instance import addressed, check_config, marks_differ
from twinfra.engine.lifecycle import ignore_changes
from twinfra.engine.nodes import ProvisionerPart, ResourceNode
from twinfra.engine.objects import encode_object, marked, stored_marks
from twinfra.engine.places import Place
from twinfra.engine.proposal import propose
from twinfra.engine.provisioning import Fail, Provisioning
from twinfra.engine.recorder import Intent
from twinfra.engine.redaction import hidden_texts
from twinfra.engine.refresh import id_of
from twinfra.engine.scheduler import Abandoned, Call, Operation
from twinfra.providers.protocol import (
    OPERATION_TOKEN,
    Planned,
    Proposal,
    Provider,
    ProviderError,
    Stored,
    new_token,
)
from twinfra.state.model import InstanceObject
from twinfra.values.encoding import value_to_json
from twinfra.values.marks import PathMarks, unmark_deep
from twinfra.values.unknowns import contains_unknown, unknown_as_null
from twinfra.values.value import GetAttr, Path

if TYPE_CHECKING:
    from twinfra.engine.applier import Applier

Object = dict[str, Any]


class Operations:
    """Runs the changes of one apply against providers, state and recorder."""

    def __init__(self, run: Applier) -> None:
        self._run = run
        self._provisioning = Provisioning(run)

    # -- create and update

    def change(self, place: Place, change: ResourceChange, provider: Provider) -> Operation:
        """Create or update one instance as planned; an operation of the walk."""
        run, node, address = self._run, place.node, place.address
        creating = change.action is not Action.UPDATE
        try:
            prepared = self._prepare(place, change, provider, creating)
        except DiagnosticError as failed:
            run.fail(node, addressed(failed, node, address))
            return
        finally:
            place.leave()
        if prepared is None:
            return
        planned, marks, prior = prepared
        deposed = (
            self._depose(address, node.provider.config) if change.action is Action.CREATE_THEN_DELETE else ""
        )
        if deposed:
            run.deposed[address] = deposed
        began = Action.CREATE if creating else Action.UPDATE
        shown = id_of(None if prior is None else prior.attributes)
        run.listener.apply_started(change, began, shown)
        token = ""
        if creating and not node.provider.local and hasattr(provider, "recover"):
            token = new_token()
            run.recorder.intend(self._intent(place, planned, token))
            run.dirty = True
            planned = replace(planned, private={**planned.private, OPERATION_TOKEN: token})
        call = self._call(place, planned, provider, began)
        try:
            yield call
        except Abandoned:
            if call.started:
                run.diagnostics.add(_unfinished(address, began))
                raise
            if token:
                run.recorder.answered(token)
                run.dirty = True
            if deposed:
                self._restore(address, node.provider.config, deposed)
            raise
        except ProviderError as failed:
            self._failed(place, planned, marks, failed, began, call, deposed)
            return
        result: Stored = call.result
        # Recorded as tainted until its provisioners are through, so that a crash meanwhile is no success.
        unfinished = creating and any(part.config.when != "destroy" for part in node.provisioners)
        self._keep(place, result, marks, tainted=unfinished)
        spent = call.seconds
        if creating:
            since = monotonic()
            try:
                if to_confirm(provider, result):
                    result = yield from self._confirm(place, provider, result, marks)
                    self._keep(place, result, marks, tainted=unfinished)
                held = yield from self._provision(place, result.attributes, marks)
            except Abandoned:
                if unfinished:
                    raise
                # It is made and recorded; the next apply confirms it.
                held = True
            spent += monotonic() - since
            if not held:
                run.listener.apply_failed(address, began, spent)
                return
            if unfinished:
                self._keep(place, result, marks, tainted=False)
        run.listener.apply_finished(address, began, id_of(result.attributes), spent)
        run.count("added" if creating else "changed")
        self._finish(place, planned, result, marks)

    def _prepare(
        self, place: Place, change: ResourceChange, provider: Provider, creating: bool
    ) -> tuple[Planned, PathMarks, Stored | None] | None:
        """Evaluate and plan again with what is known by now; None when there is nothing to do after all."""
        run, node, address = self._run, place.node, place.address
        facts, kind = node.facts, node.resource.type
        scope = place.enter()
        if node.preconditions and not run.conditions(
            node, node.preconditions, scope, "resource", run.inside(address), "Resource precondition failed"
        ):
            return None
        config, marks = decode_config(node.decoder, scope, facts.write_only)
        told: list[Diagnostic] = []
        check_config(node, address, provider, config, marks, told)
        stored = run.state.current(address)
        before: Object | None = None
        if change.before is not None:
            before, _ = unmark_deep(change.before)
            # Ignored arguments keep what is there, also when that is being replaced for another reason.
            if change.reason is Reason.REPLACE_BECAUSE_TAINTED:
                pass
            elif node.config.lifecycle.ignore_all:
                config = before
            elif node.ignored:
                config = ignore_changes(config, before, node.ignored)
        prior = None
        if not creating:
            assert before is not None
            prior = Stored(before, {} if stored is None else stored.private)
        proposed = propose(facts.block, facts.computed, before if prior is not None else None, config)
        if facts.write_only:
            proposed = {**proposed, **dict.fromkeys(facts.write_only)}
        try:
            planned = provider.plan(kind, Proposal(prior, config, proposed))
        except ProviderError as refused:
            hidden = secrets_in(config, marks, facts, prior)
            raise DiagnosticError(
                locate(one, node.decoder, node.place, str(address), hidden) for one in refused.diagnostics
            ) from None
        assert planned.planned is not None
        earlier, _ = unmark_deep(change.after)
        differs = first_difference(earlier, planned.planned)
        if differs is not None:
            raise DiagnosticError(_inconsistent(node, address, differs))
        unchanged = prior is not None and first_difference(prior.attributes, planned.planned) is None
        then = stored_marks(stored) if stored is not None and stored.sensitive else []
        if unchanged and not marks_differ(marks, then, facts):
            place.table.rows[address.key] = change.before
            return None
        private = {**change.private, **planned.private}
        return (
            Planned(prior, config, planned.planned, planned.replace, private, planned.warnings),
            marks,
            prior,
        )

    def _call(self, place: Place, planned: Planned, provider: Provider, action: Action) -> Call:
        run, node, address = self._run, place.node, place.address
        kind, inline = node.resource.type, node.provider.local
        if inline:
            return Call(lambda: provider.apply(kind, planned), inline=True)
        call: Call
        call = Call(lambda: provider.apply(kind, planned, lambda message: run.walk.post(call, message)))
        call.tick = lambda seconds, message: run.listener.apply_progress(address, action, seconds, message)
        return call

    def _intent(self, place: Place, planned: Planned, token: str) -> Intent:
        node = place.node
        assert planned.planned is not None
        assert planned.config is not None
        not_kept = dict.fromkeys(node.facts.write_only)
        unknown = tuple(name for name, value in planned.planned.items() if contains_unknown(value))
        return Intent(
            place.address,
            node.provider.config,
            token,
            value_to_json(unknown_as_null({**planned.config, **not_kept}), node.facts.type),
            value_to_json(unknown_as_null(planned.planned), node.facts.type),
            unknown,
            self._run.closures.names(node),
            node.create_before_destroy,
            {name: one for name, one in planned.private.items() if name != OPERATION_TOKEN},
        )

    def _confirm(
        self, place: Place, provider: Provider, result: Stored, marks: PathMarks
    ) -> Generator[Any, Any, Stored]:
        """Tell the provider that a create is safely recorded; returns what to store from now on."""
        call = confirm_call(provider, place.node.resource.type, result)
        try:
            yield call
        except ProviderError as failed:
            hidden = secrets_in(result.attributes, marks, place.node.facts)
            self._run.diagnostics.extend(not_confirmed(failed, place.address, place.node.place, hidden))
            return result
        confirmed: Stored = call.result
        return confirmed

    def _keep(self, place: Place, result: Stored, marks: PathMarks, tainted: bool) -> None:
        """Put an object into state and journal."""
        node = place.node
        stored = encode_object(
            result,
            node.facts,
            marks,
            tainted=tainted,
            dependencies=self._run.closures.names(node),
            create_before_destroy=node.create_before_destroy,
        )
        self._run.put(place.address, node.provider.config, stored)

    def _finish(self, place: Place, planned: Planned, result: Stored, marks: PathMarks) -> None:
        """Let expressions read the new object, and check what can be checked only now."""
        run, node, address = self._run, place.node, place.address
        assert planned.planned is not None
        shown = marked(result.attributes, node.facts, marks)
        place.table.rows[address.key] = shown
        differs = first_difference(planned.planned, result.attributes)
        if differs is not None:
            run.fail(node, [_broken_promise(node, address, differs)])
            return
        if node.postconditions:
            scope = place.enter(shown)
            try:
                run.conditions(
                    node,
                    node.postconditions,
                    scope,
                    "resource",
                    run.inside(address),
                    "Resource postcondition failed",
                )
            finally:
                place.leave()

    def _failed(
        self,
        place: Place,
        planned: Planned,
        marks: PathMarks,
        failed: ProviderError,
        began: Action,
        call: Call,
        deposed: str,
    ) -> None:
        """Record what is there in spite of a failure, and tell of it."""
        run, node, address = self._run, place.node, place.address
        if failed.partial is not None:
            self._keep(place, failed.partial, marks, tainted=began is Action.CREATE)
        elif began is Action.CREATE:
            if deposed:
                self._restore(address, node.provider.config, deposed)
            else:
                run.put(address, node.provider.config, None)
        run.listener.apply_failed(address, began, call.seconds)
        hidden = secrets_in(planned.config, marks, node.facts, planned.prior)
        run.fail(
            node, [locate(one, node.decoder, node.place, str(address), hidden) for one in failed.diagnostics]
        )

    # -- objects that make room

    def _depose(self, address: Instance, provider: ProviderConfig) -> str:
        """Move the current object aside under a new key, so that its successor can be created."""
        current = self._run.state.current(address)
        if current is None:
            return ""
        instance = self._run.state.get(address)
        key = os.urandom(4).hex()
        while instance is not None and key in instance.deposed:
            key = os.urandom(4).hex()
        self._run.put(address, provider, current, key)
        self._run.put(address, provider, None)
        return key

    def _restore(self, address: Instance, provider: ProviderConfig, deposed: str) -> None:
        """Make a deposed object the current one again: its successor was not created."""
        instance = self._run.state.get(address)
        if instance is None or deposed not in instance.deposed:
            return
        self._run.put(address, provider, instance.deposed[deposed])
        self._run.put(address, provider, None, deposed)
        self._run.deposed.pop(address, None)

    # -- destroy

    def destroy(
        self,
        change: ResourceChange,
        deposed: str,
        provider: Provider,
        inline: bool,
        provisioners: Sequence[ProvisionerPart],
        place: Place | None,
        fail: Fail,
    ) -> Operation:
        """Destroy one object, after its destroy-time provisioners; an operation of the walk."""
        run, address = self._run, change.address
        stored = self._object(address, deposed)
        if stored is None:
            return
        value, _ = unmark_deep(change.before)
        range = None if place is None else place.node.place
        run.listener.apply_started(change, Action.DELETE, id_of(value))
        since = monotonic()
        if provisioners and not deposed and not stored.tainted:
            held = yield from self._provisioning.run(address, provisioners, place, change.before, fail)
            if not held:
                run.listener.apply_failed(address, Action.DELETE, monotonic() - since)
                return
        spent = monotonic() - since
        planned = Planned(Stored(value, stored.private), None, None)
        kind = address.resource.type
        call: Call
        if inline:
            call = Call(lambda: provider.apply(kind, planned), inline=True)
        else:
            call = Call(lambda: provider.apply(kind, planned, lambda message: run.walk.post(call, message)))
            call.tick = lambda seconds, message: run.listener.apply_progress(
                address, Action.DELETE, seconds, message
            )
        try:
            yield call
        except Abandoned:
            if call.started:
                run.diagnostics.add(_unfinished(address, Action.DELETE))
            raise
        except ProviderError as failed:
            run.listener.apply_failed(address, Action.DELETE, spent + call.seconds)
            hidden = hidden_texts(change.before)
            fail([locate(one, None, range, str(address), hidden) for one in failed.diagnostics])
            return
        run.put(address, run.state.resources[address.of].provider, None, deposed)
        run.listener.apply_finished(address, Action.DELETE, id_of(value), spent + call.seconds)
        run.count("destroyed")

    def _object(self, address: Instance, deposed: str) -> InstanceObject | None:
        instance = self._run.state.get(address)
        if instance is None:
            return None
        return instance.deposed.get(deposed) if deposed else instance.current

    def _provision(self, place: Place, attributes: Object, marks: PathMarks) -> Generator[Any, Any, bool]:
        """Run the provisioners for a new object; returns whether all went well."""
        node = place.node
        parts = [part for part in node.provisioners if part.config.when != "destroy"]
        if not parts:
            return True
        shown = marked(attributes, node.facts, marks)
        return (
            yield from self._provisioning.run(
                place.address, parts, place, shown, lambda found: self._run.fail(node, found)
            )
        )


def _inconsistent(node: ResourceNode, address: Instance, path: Path) -> Diagnostic:
    first = path[0].name if path and isinstance(path[0], GetAttr) else ""
    return error(
        "Not as planned",
        f"{path_text(path)} of {address} would now be something else than was planned, so it is not applied.",
        (node.decoder.range_of(path) if first else None) or node.config.range,
        mend="Plan again. If it happens again, something the value is made from changes by itself, such "
        "as a file written during the apply.",
        address=str(address),
    )


def _broken_promise(node: ResourceNode, address: Instance, path: Path) -> Diagnostic:
    return error(
        "Result is not as planned",
        f"{path_text(path)} of {address} came out other than planned. The object exists and is "
        "recorded as it is.",
        node.config.range,
        mend="Plan again to see what differs. This is a fault of the provider; please report it.",
        address=str(address),
    )


def _unfinished(address: Instance, action: Action) -> Diagnostic:
    doing = {Action.CREATE: "created", Action.UPDATE: "changed", Action.DELETE: "destroyed"}[action]
    return warning(
        "Stopped without waiting",
        f"{address} was still being {doing} when the run was stopped; how that ended is not recorded.",
        mend="Plan again: what exists is read first. What was just created may have to be imported.",
        address=str(address),
    )
