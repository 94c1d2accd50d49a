"""The public JSON form of a plan (`show -json PLAN`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from twinfra.addresses import DATA, instance_order
from twinfra.cli.machine.configuration import Schemas, configuration_json
from twinfra.cli.machine.state import (
    COMPATIBLE_VERSION,
    ShownResource,
    check_address,
    instance_address,
    module_json,
    state_json,
)
from twinfra.cli.machine.values import plain, sensitive_flags, unknown_flags, wholly_known
from twinfra.config.model import Configuration
from twinfra.engine.changes import Action, CheckResult, OutputChange, Plan, Reason, ResourceChange
from twinfra.state.model import State
from twinfra.values.value import GetAttr, Path, Value

PLAN_FORMAT = "1.2"

ACTIONS = {
    Action.NO_OP: ["no-op"],
    Action.CREATE: ["create"],
    Action.READ: ["read"],
    Action.UPDATE: ["update"],
    Action.DELETE: ["delete"],
    Action.DELETE_THEN_CREATE: ["delete", "create"],
    Action.CREATE_THEN_DELETE: ["create", "delete"],
    Action.FORGET: ["forget"],
}


def plan_json(
    plan: Plan,
    configuration: Configuration,
    prior: State | None,
    prior_shown: Iterable[ShownResource],
    planned_shown: Iterable[ShownResource],
    schemas: Schemas,
) -> dict[str, Any]:
    """The whole document.

    `prior` is the refreshed state it was planned from with its decoded objects `prior_shown`; `planned_shown`
    are the objects as they would be.
    """
    result: dict[str, Any] = {"format_version": PLAN_FORMAT, "terraform_version": COMPATIBLE_VERSION}
    variables = _variables(plan, configuration)
    if variables:
        result["variables"] = {name: {"value": plain(value)} for name, value in sorted(variables.items())}
    result["planned_values"] = planned_values(plan, planned_shown)
    drift = [change for change in plan.drift if change.action is not Action.NO_OP or change.previous]
    if drift:
        result["resource_drift"] = [change_json(change) for change in _ordered(drift)]
    if plan.changes:
        result["resource_changes"] = [change_json(change) for change in _ordered(plan.changes)]
    if plan.outputs:
        result["output_changes"] = {
            output.name: output_change_json(output)
            for output in sorted(plan.outputs, key=lambda one: one.name)
        }
    if prior is not None and (prior.resources or prior.outputs):
        # The results of checks in it are of the last run, and the plan has its own.
        result["prior_state"] = state_json(replace(prior, check_results=None), lambda _: prior_shown)
    result["configuration"] = configuration_json(configuration, schemas)
    if plan.relevant:
        result["relevant_attributes"] = [
            {"resource": resource, "attribute": list(attribute)} for resource, attribute in plan.relevant
        ]
    if plan.checks:
        result["checks"] = checks_json(plan.checks)
    result["timestamp"] = plan.timestamp
    result["applyable"] = plan.applyable
    result["complete"] = plan.complete
    result["errored"] = plan.errored
    return result


def _variables(plan: Plan, configuration: Configuration) -> dict[str, Value]:
    """The values of variables; a plan does not keep ephemeral ones, so only their defaults can be told."""
    defaults = {
        name: one.default
        for name, one in configuration.root.variables.items()
        if one.ephemeral and one.has_default
    }
    return {**defaults, **plan.variables}


def planned_values(plan: Plan, planned_shown: Iterable[ShownResource]) -> dict[str, Any]:
    """Outputs and objects as they would be after the apply."""
    result: dict[str, Any] = {}
    outputs = {}
    for output in sorted(plan.outputs, key=lambda one: one.name):
        if output.action is Action.DELETE:
            continue
        entry: dict[str, Any] = {"sensitive": output.sensitive}
        if wholly_known(output.after):
            from twinfra.values.convert import type_of
            from twinfra.values.encoding import type_to_json
            from twinfra.values.marks import unmark_deep

            value, _ = unmark_deep(output.after)
            entry["type"] = type_to_json(type_of(value))
            entry["value"] = plain(value)
        outputs[output.name] = entry
    if outputs:
        result["outputs"] = outputs
    result["root_module"] = module_json(planned_shown, by_text=True)
    return result


def _ordered(changes: Iterable[ResourceChange]) -> list[ResourceChange]:
    return sorted(changes, key=lambda one: (instance_order(one.address), one.deposed))


def change_json(change: ResourceChange) -> dict[str, Any]:
    """One entry of `resource_changes` or `resource_drift`."""
    address = change.address
    result: dict[str, Any] = {"address": str(address)}
    if change.previous is not None and change.previous != address:
        result["previous_address"] = str(change.previous)
    if address.module.steps:
        result["module_address"] = str(address.module)
    result["mode"] = "data" if address.resource.mode == DATA else "managed"
    result["type"] = address.resource.type
    result["name"] = address.resource.name
    if address.key is not None:
        result["index"] = address.key
    result["provider_name"] = str(change.provider.provider)
    if change.deposed:
        result["deposed"] = change.deposed
    body = {"actions": ACTIONS[change.action], **_values(change.before, change.after)}
    if change.replace_paths:
        body["replace_paths"] = [path_json(path) for path in change.replace_paths]
    if change.importing:
        body["importing"] = {"id": change.importing}
    result["change"] = body
    if change.reason is not Reason.NONE:
        result["action_reason"] = change.reason.value
    return result


def _values(before: Value, after: Value) -> dict[str, Any]:
    return {
        "before": plain(before),
        "after": plain(after),
        "after_unknown": {} if after is None or wholly_known(after) else unknown_flags(after),
        "before_sensitive": sensitive_flags(before),
        "after_sensitive": sensitive_flags(after),
    }


def output_change_json(output: OutputChange) -> dict[str, Any]:
    """One entry of `output_changes`."""
    result: dict[str, Any] = {"actions": ACTIONS[output.action], "before": plain(output.before)}
    if wholly_known(output.after):
        result["after"] = plain(output.after)
        result["after_unknown"] = False
    else:
        flags = unknown_flags(output.after)
        if flags is not True:
            result["after"] = plain(output.after)
        result["after_unknown"] = flags
    result["before_sensitive"] = output.sensitive
    result["after_sensitive"] = output.sensitive
    return result


def path_json(path: Path) -> list[Any]:
    """A path as a list of names and keys."""
    return [step.name if isinstance(step, GetAttr) else step.key for step in path]


def checks_json(checks: Iterable[CheckResult]) -> list[dict[str, Any]]:
    """The `checks` list: one entry per configured object, its instances inside, both in order of their addresses."""
    order = ("error", "fail", "unknown", "pass")
    grouped: dict[tuple[str, str], list[CheckResult]] = {}
    for check in checks:
        grouped.setdefault((check.kind, check.container), []).append(check)
    found = []
    for (kind, container), results in sorted(grouped.items(), key=lambda one: one[0][1]):
        status = min((one.status for one in results), key=order.index)
        instances = []
        for one in sorted(results, key=lambda each: each.address):
            if not one.address:
                continue
            entry: dict[str, Any] = {
                "address": instance_address(one.address, container),
                "status": one.status,
            }
            if one.problems:
                entry["problems"] = [{"message": text} for text in one.problems]
            instances.append(entry)
        result: dict[str, Any] = {"address": check_address(kind, container), "status": status}
        if instances:
            result["instances"] = instances
        found.append(result)
    return found


def planned_resources(plan: Plan, prior: Iterable[ShownResource]) -> list[ShownResource]:
    """The objects as they would be: of the prior ones those kept, changed as planned, and new ones."""
    versions = {str(one.address): one for one in prior}
    shown = []
    for change in plan.changes:
        forgotten = change.action is Action.FORGET
        if change.deposed or (change.after is None and not forgotten) or change.action is Action.DELETE:
            continue
        known = versions.get(str(change.address))
        version = known.schema_version if known is not None else 0
        shown.append(ShownResource(change.address, change.provider, version, change.after))
    return shown
