"""Data sources that were put off: read during the apply, when all they need is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinfra.diagnostics import Diagnostic, DiagnosticError, as_warnings
from twinfra.engine.bodies import decode_config, locate, secrets_in
from twinfra.engine.conditions import told_shortly
from twinfra.engine.datasources import planned_data
from twinfra.engine.instance import addressed
from twinfra.engine.objects import encode_object, marked
from twinfra.engine.places import Place
from twinfra.engine.refresh import id_of
from twinfra.engine.scheduler import Call, Operation
from twinfra.providers.protocol import Provider, ProviderError, Stored
from twinfra.values.marks import unmark_deep_with_paths
from twinfra.values.unknowns import unknown_as_null
from twinfra.values.value import Unknown

if TYPE_CHECKING:
    from twinfra.engine.applier import Applier


def read_deferred(run: Applier, place: Place, provider: Provider) -> Operation:
    """Read one instance of a data source; an operation of the walk.

    Inside a check block, what goes wrong is a warning, and the check fails.
    """
    node, address = place.node, place.address
    kind = node.resource.type

    def fail(found: list[Diagnostic]) -> None:
        if node.nested:
            place.table.rows[address.key] = Unknown(node.facts.type)
            run.unread[node] = told_shortly(found)
            run.diagnostics.extend(as_warnings(found))
        else:
            run.fail(node, found)

    try:
        scope = place.enter()
        if node.preconditions and not run.conditions(
            node,
            node.preconditions,
            scope,
            "resource",
            run.inside(address),
            "Precondition of a data source failed",
        ):
            return
        config, marks = decode_config(node.decoder, scope, ())
    except DiagnosticError as failed:
        fail(addressed(failed, node, address))
        return
    finally:
        place.leave()
    call = Call(lambda: provider.read_data(kind, config), inline=node.provider.local)
    call.begun = lambda: run.listener.data_started(address)
    if call.inline:
        run.listener.data_started(address)
    try:
        yield call
    except ProviderError as failed:
        hidden = secrets_in(config, marks, node.facts)
        fail([locate(one, node.decoder, node.place, str(address), hidden) for one in failed.diagnostics])
        if node.nested:
            unread = Stored(unknown_as_null(planned_data(node.facts, config)))
            run.put(address, node.provider.config, encode_object(unread, node.facts, marks))
        return
    value, found = unmark_deep_with_paths(call.result)
    marks = [*marks, *found]
    run.listener.data_finished(address, id_of(value), call.seconds)
    shown = marked(value, node.facts, marks)
    place.table.rows[address.key] = shown
    run.put(address, node.provider.config, encode_object(Stored(value), node.facts, marks))
    if node.postconditions:
        scope = place.enter(shown)
        try:
            run.conditions(
                node,
                node.postconditions,
                scope,
                "resource",
                run.inside(address),
                "Postcondition of a data source failed",
            )
        finally:
            place.leave()
