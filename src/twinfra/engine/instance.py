"""The plan for one instance: what it should be, what the provider makes of that, and what must be done."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twinfra.addresses import Instance, ProviderConfig
from twinfra.diagnostics import Diagnostic, DiagnosticError, error
from twinfra.engine.bodies import locate, secrets_in
from twinfra.engine.changes import Action, Reason, ResourceChange
from twinfra.engine.lifecycle import MISSING, ignore_changes, value_at
from twinfra.engine.nodes import ResourceNode
from twinfra.engine.objects import Facts, marked
from twinfra.engine.proposal import propose
from twinfra.engine.refresh import Existing
from twinfra.providers.protocol import Planned, Proposal, Provider, ProviderError, Stored
from twinfra.values.equality import identical
from twinfra.values.marks import PathMarks
from twinfra.values.unknowns import contains_unknown
from twinfra.values.value import SENSITIVE, Path

Object = dict[str, Any]


class Wanted:
    """What is asked of one instance: its configuration, and what else bears on it."""

    __slots__ = ("config", "forced", "importing", "marks", "previous")

    def __init__(self, config: Object, marks: PathMarks) -> None:
        self.config = config
        self.marks = marks
        self.forced = Reason.NONE
        self.previous: Instance | None = None
        self.importing = ""


def plan_instance(
    node: ResourceNode,
    address: Instance,
    provider_config: ProviderConfig,
    provider: Provider,
    existing: Existing | None,
    wanted: Wanted,
    found: list[Diagnostic],
) -> ResourceChange:
    """The change of one managed instance. Warnings go to `found`; errors are raised as `DiagnosticError`."""
    facts = node.facts
    kind = node.resource.type
    tainted = existing is not None and existing.stored.tainted
    prior = existing.kept if existing is not None and not tainted else None
    config = wanted.config
    if prior is not None:
        if node.config.lifecycle.ignore_all:
            config = prior.attributes
        elif node.ignored:
            config = ignore_changes(config, prior.attributes, node.ignored)
    planned = _ask(node, address, provider, kind, facts, prior, config, wanted.marks, found)
    after = planned.planned
    assert after is not None
    reason = wanted.forced
    replaces: tuple[Path, ...] = ()
    if prior is None:
        action = Action.CREATE
    else:
        same = after is prior.attributes or identical(after, prior.attributes)
        if planned.replace:
            replaces = tuple(
                path for path in planned.replace if not _unchanged(prior.attributes, after, path)
            )
        if replaces or reason is not Reason.NONE:
            action = _replacing(node)
            if reason is Reason.NONE:
                reason = Reason.REPLACE_BECAUSE_CANNOT_UPDATE
            planned = _ask(node, address, provider, kind, facts, None, config, wanted.marks, found)
            after = planned.planned
            assert after is not None
        elif same:
            action = Action.NO_OP
        else:
            action = Action.UPDATE
    if tainted:
        action, reason = _replacing(node), Reason.REPLACE_BECAUSE_TAINTED
    elif action is Action.CREATE:
        reason = Reason.NONE
    if facts.write_only and any(after[name] is not None for name in facts.write_only):
        after = {**after, **dict.fromkeys(facts.write_only)}
    before: Any = None
    if existing is not None:
        before = existing.shown
        if action is Action.NO_OP:
            after = existing.value
            if marks_differ(wanted.marks, existing.marks, facts):
                action = Action.UPDATE
    shown = before
    if action is not Action.NO_OP:
        shown = (
            marked(after, facts, wanted.marks)
            if wanted.marks or facts.sensitive or facts.nested_sensitive
            else after
        )
    return ResourceChange(
        address,
        provider_config,
        action,
        before,
        shown,
        reason,
        replaces,
        "",
        wanted.previous,
        wanted.importing,
        planned.private,
    )


def _replacing(node: ResourceNode) -> Action:
    return Action.CREATE_THEN_DELETE if node.create_before_destroy else Action.DELETE_THEN_CREATE


def _ask(
    node: ResourceNode,
    address: Instance,
    provider: Provider,
    kind: str,
    facts: Facts,
    prior: Stored | None,
    config: Object,
    marks: PathMarks,
    found: list[Diagnostic],
) -> Planned:
    """The provider's plan for a configuration; write-only values are shown to it in `config` alone."""
    proposed = propose(facts.block, facts.computed, None if prior is None else prior.attributes, config)
    if facts.write_only:
        proposed = {**proposed, **dict.fromkeys(facts.write_only)}
    try:
        planned = provider.plan(kind, Proposal(prior, config, proposed))
    except ProviderError as refused:
        hidden = secrets_in(config, marks, facts, prior)
        raise DiagnosticError(
            locate(one, node.decoder, node.place, str(address), hidden) for one in refused.diagnostics
        ) from None
    if planned.warnings:
        hidden = secrets_in(config, marks, facts, prior)
        found.extend(locate(one, node.decoder, node.place, str(address), hidden) for one in planned.warnings)
    return planned


def _unchanged(before: Object, after: Object, path: Path) -> bool:
    """Whether a path that would force a replacement has in fact the same value."""
    one, other = value_at(before, path), value_at(after, path)
    if one is MISSING or other is MISSING:
        return one is other
    return not contains_unknown(other) and identical(one, other)


def marks_differ(now: PathMarks, then: PathMarks, facts: Facts) -> bool:
    """Whether configuration marks other paths as sensitive than the state remembers; the schema's do not
    count.
    """
    if not now and not then:
        return False
    own = set(facts.sensitive)
    one = {path for path, marks in now if SENSITIVE in marks} - own
    other = {path for path, _ in then} - own
    return one != other and not (facts.nested_sensitive and one <= other)


def prevented(node: ResourceNode, address: Instance) -> Diagnostic:
    """Says that an instance would have to be destroyed, which its block forbids."""
    return error(
        "Instance must not be destroyed",
        f"{address} would have to be destroyed, but its block sets lifecycle.prevent_destroy.",
        node.config.range,
        mend="Take prevent_destroy out if it may go, change what makes it go, or leave it out with -target.",
        address=str(address),
    )


def check_config(
    node: ResourceNode,
    address: Instance,
    provider: Provider,
    config: Object,
    marks: PathMarks,
    found: list[Diagnostic],
) -> None:
    """Let the provider check a configuration whose values are known by now; raises where it refuses."""
    try:
        told = provider.validate(node.resource.type, config)
    except ProviderError as refused:
        told = refused.diagnostics
    if not told:
        return
    hidden = secrets_in(config, marks, node.facts)
    placed = [locate(one, node.decoder, node.place, str(address), hidden) for one in told]
    if any(one.severity == "error" for one in placed):
        raise DiagnosticError(placed)
    found.extend(placed)


def addressed(failed: DiagnosticError, node: ResourceNode, address: Instance) -> list[Diagnostic]:
    """The diagnostics of a failure, with place and address filled in."""
    shown = str(address)
    return [
        replace(one, subject=one.subject or node.config.range, address=one.address or shown)
        for one in failed.diagnostics
    ]
