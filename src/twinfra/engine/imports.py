"""Imports: taking existing objects into the state, by `import` blocks while planning, or one by command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from twinfra.addresses import AbsResource, Instance, Key, ModuleInstance
from twinfra.config.model import Configuration
from twinfra.diagnostics import Diagnostic, DiagnosticError, Diagnostics, SourceRange, error
from twinfra.engine.events import Listener
from twinfra.engine.expand import SINGLE, Expansion, expand
from twinfra.engine.nodes import ImportPart, ResourceNode
from twinfra.engine.objects import Facts, marked
from twinfra.engine.providers import Providers
from twinfra.engine.redaction import hidden_texts, redacted
from twinfra.engine.scope import ModuleScope
from twinfra.engine.tables import Repetition
from twinfra.engine.targets import PARTLY_PLANNED
from twinfra.engine.traversals import Step, steps_of
from twinfra.lang.compiler import compile_expression
from twinfra.providers.protocol import Provider, ProviderError, Stored
from twinfra.state.model import State
from twinfra.values.convert import ConversionError, convert
from twinfra.values.marks import unmark
from twinfra.values.types import STRING
from twinfra.values.value import EPHEMERAL, Unknown, Value, is_null

if TYPE_CHECKING:
    from twinfra.engine.api import ApplyOptions, ApplyResult


def import_targets(node: ResourceNode, root: ModuleScope) -> dict[Instance, tuple[str, SourceRange]]:
    """What the import blocks for a resource ask for: instance to (id, place).

    Raises where they cannot be used.
    """
    wanted: dict[Instance, tuple[str, SourceRange]] = {}
    for part in node.imports:
        expansion = _expanded(part, root)
        try:
            for key, value in expansion.instances:
                root.repeat(expansion.repetition, key, value)
                address = _address(part, root)
                if address in wanted:
                    raise DiagnosticError(
                        error(
                            "Imported twice",
                            f"There is another import block for {address}, at {wanted[address][1]}.",
                            part.config.to.range,
                            mend="Keep one of them.",
                        )
                    )
                wanted[address] = (_id(part, root), part.config.to.range)
        finally:
            root.repeat(Repetition.SINGLE, None, None)
    return wanted


def _expanded(part: ImportPart, root: ModuleScope) -> Expansion:
    """For what an import block stands: of null for nothing, and of a sensitive value for each of its elements."""
    if part.for_each is None:
        return SINGLE
    value, marks = unmark(part.for_each.evaluate(root))
    if EPHEMERAL not in marks and is_null(value):
        return Expansion(Repetition.FOR_EACH, ())
    return expand(None, part.for_each, root, secret_keys=True)


def _id(part: ImportPart, root: ModuleScope) -> str:
    place = part.config.id.range
    value, marks = unmark(part.id.evaluate(root))
    if EPHEMERAL in marks:
        raise _refuse("The id is ephemeral, but the plan has to keep it.", place)
    if type(value) is Unknown:
        raise _refuse(
            "The id will be known only after the apply, so what it names cannot be read now.", place
        )
    if is_null(value):
        raise _refuse("The id is null.", place)
    try:
        text = convert(value, STRING)
    except ConversionError as refused:
        raise _refuse(f"The id must be a string: {refused}.", place) from None
    if not text:
        raise _refuse("The id is empty.", place)
    return str(text)


def _refuse(reason: str, place: SourceRange) -> DiagnosticError:
    return DiagnosticError(
        error("Unsuitable import id", reason, place, mend="Give the id the cloud knows it by.")
    )


def _address(part: ImportPart, root: ModuleScope) -> Instance:
    """The instance that `to` names, its keys evaluated."""
    steps = steps_of(part.config.to)
    module: list[tuple[str, Key]] = []
    at = 0
    while steps[at].name == "module":
        name = steps[at + 1].name
        at += 2
        key: Key = None
        if steps[at].key is not None:
            key = _key(steps[at], root)
            at += 1
        module.append((name, key))
    at += 3 if steps[at].name == "resource" else 2
    key = _key(steps[at], root) if at < len(steps) else None
    return AbsResource(ModuleInstance(tuple(module)), part.resource).instance(key)


def _key(step: Step, root: ModuleScope) -> Key:
    if step.key is None:
        raise DiagnosticError(
            error("Not an instance", "An import must name a resource instance.", step.range)
        )
    value, _ = unmark(compile_expression(step.key).evaluate(root))
    if type(value) is int or type(value) is str:
        return value
    raise DiagnosticError(
        error(
            "Unsuitable instance key", "An instance key must be a known whole number or string.", step.range
        )
    )


def missing_instance(address: Instance) -> Diagnostic:
    """Says that an import names an instance which the configuration does not make."""
    return error(
        "Nothing configured to import to",
        f"The import of {address} has no place: its block makes no such instance.",
        mend="Import to an instance that count or for_each makes.",
        address=str(address),
    )


def import_object(provider: Provider, kind: str, address: Instance, id: str, facts: Facts) -> Stored:
    """Find and read one existing object; called on a worker. Raises `DiagnosticError` where there is none."""
    found = [one for one in provider.import_(kind, id) if one.kind == kind]
    if len(found) != 1:
        what = "nothing" if not found else f"{len(found)} objects"
        raise DiagnosticError(
            error("Nothing to import", f"The id {id!r} stands for {what} that is a {kind}.")
        )
    try:
        stored = provider.read(kind, found[0].stored)
    except ProviderError as failed:
        # The marks of the configuration are not those of this object: what it has is not known yet.
        hidden = hidden_texts(marked(found[0].stored.attributes, facts, []))
        raise DiagnosticError(redacted(one, hidden) for one in failed.diagnostics) from None
    if stored is None:
        raise DiagnosticError(
            error(
                "Nothing to import",
                f"There is no {kind} with the id {id!r} where the provider of {address} acts.",
                mend="Check the id, and the region and account of the provider.",
            )
        )
    return stored


def import_resource(
    configuration: Configuration,
    state: State,
    inputs: Mapping[str, Value],
    providers: Providers,
    address: Instance,
    id: str,
    options: ApplyOptions,
    listener: Listener,
) -> ApplyResult:
    """See `api.import_resource`: plans with this one import, and takes over the state that comes out."""
    from twinfra.engine.api import ApplyResult, PlanOptions
    from twinfra.engine.planner import Planner
    from twinfra.engine.stop import Stop

    found = Diagnostics()
    refused = _not_importable(configuration, providers, state, address)
    if refused is not None:
        found.add(refused)
        return ApplyResult(state, found)
    plan_options = PlanOptions(
        mode="refresh-only",
        targets=(str(address.of),),
        refresh=False,
        parallelism=options.parallelism,
        workspace=options.workspace,
    )
    planner = Planner(configuration, state, inputs, providers, plan_options, listener, Stop(), {address: id})
    result = planner.run()
    kept = [one for one in result.diagnostics if one.summary != PARTLY_PLANNED]
    if result.plan.errored:
        return ApplyResult(state, Diagnostics(kept))
    return ApplyResult(result.state, Diagnostics(kept), counts={"imported": 1})


def _not_importable(
    configuration: Configuration, providers: Providers, state: State, address: Instance
) -> Diagnostic | None:
    from twinfra.engine.scope import table_key

    resource = address.resource
    program = providers.program(configuration)
    node = program.resource(address.module.path, table_key(resource.mode, resource.type, resource.name))
    if node is None:
        return error(
            "Nothing configured to import to",
            f"The configuration has no block for {address}.",
            mend=f'Write resource "{resource.type}" "{resource.name}" first; arguments may follow later.',
        )
    if state.current(address) is not None:
        return error(
            "Address is taken",
            f"The state already has an object for {address}.",
            mend="Import to another address, or take that object out first (state rm).",
        )
    return None
