"""Event lines of `plan -json`, `apply -json` and their kin, in the public machine-readable form.

https://developer.hashicorp.com/terraform/internals/machine-readable-ui
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, TextIO

from twinfra.addresses import Instance
from twinfra.cli.machine.diagnostics import diagnostic_json
from twinfra.cli.machine.state import COMPATIBLE_VERSION
from twinfra.cli.machine.text import dumps
from twinfra.diagnostics import Diagnostic, Severity
from twinfra.engine.changes import Action, Plan, Reason, ResourceChange
from twinfra.engine.events import Silent

UI_VERSION = "1.2"

PLAN_ACTIONS = {
    Action.NO_OP: "noop",
    Action.CREATE: "create",
    Action.READ: "read",
    Action.UPDATE: "update",
    Action.DELETE: "delete",
    Action.DELETE_THEN_CREATE: "replace",
    Action.CREATE_THEN_DELETE: "replace",
    Action.FORGET: "remove",
}
REASONS = {
    Reason.REPLACE_BECAUSE_TAINTED: "tainted",
    Reason.REPLACE_BY_REQUEST: "requested",
    Reason.REPLACE_BY_TRIGGERS: "replace_triggered_by",
    Reason.REPLACE_BECAUSE_CANNOT_UPDATE: "cannot_update",
    Reason.DELETE_BECAUSE_NO_RESOURCE_CONFIG: "delete_because_no_resource_config",
    Reason.DELETE_BECAUSE_NO_MODULE: "delete_because_no_module",
    Reason.DELETE_BECAUSE_WRONG_REPETITION: "delete_because_wrong_repetition",
    Reason.DELETE_BECAUSE_COUNT_INDEX: "delete_because_count_index",
    Reason.DELETE_BECAUSE_EACH_KEY: "delete_because_each_key",
    Reason.DELETE_BECAUSE_NO_MOVE_TARGET: "delete_because_no_move_target",
    Reason.READ_BECAUSE_CONFIG_UNKNOWN: "read_because_config_unknown",
    Reason.READ_BECAUSE_DEPENDENCY_PENDING: "read_because_dependency_pending",
    Reason.READ_BECAUSE_CHECK_NESTED: "read_because_check_nested",
}
VERBS = {
    Action.CREATE: ("Creating...", "Creation complete", "Creation errored", "Still creating..."),
    Action.UPDATE: ("Modifying...", "Modifications complete", "Modifications errored", "Still modifying..."),
    Action.DELETE: ("Destroying...", "Destruction complete", "Destruction errored", "Still destroying..."),
    Action.READ: ("Refreshing...", "Refresh complete", "Refresh errored", "Still refreshing..."),
}


def resource_json(address: Instance) -> dict[str, Any]:
    """A resource instance as events name it."""
    resource = (
        f"{address.resource}"
        if address.key is None
        else str(Instance(type(address.module)(), address.resource, address.key))
    )
    return {
        "addr": str(address),
        "module": str(address.module),
        "resource": resource,
        "implied_provider": address.resource.type.partition("_")[0],
        "resource_type": address.resource.type,
        "resource_name": address.resource.name,
        "resource_key": address.key,
    }


class JsonEvents(Silent):
    """A listener that writes one JSON object a line."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, type: str, message: str, level: str = "info", **fields: Any) -> None:
        """One event."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        event = {
            "@level": level,
            "@message": message,
            "@module": "terraform.ui",
            "@timestamp": now,
            **dict(sorted({**fields, "type": type}.items())),
        }
        self.stream.write(dumps(event) + "\n")
        self.stream.flush()

    def version(self) -> None:
        """The first line: which version's events these are."""
        self.write("version", f"Terraform {COMPATIBLE_VERSION}", terraform=COMPATIBLE_VERSION, ui=UI_VERSION)

    def log(self, message: str) -> None:
        """A plain message."""
        self.write("log", message)

    def _hook(self, address: Instance, action: Action | None = None, **fields: Any) -> dict[str, Any]:
        hook: dict[str, Any] = {"resource": resource_json(address)}
        if action is not None:
            hook["action"] = PLAN_ACTIONS[action]
        hook.update(fields)
        return hook

    def refresh_started(self, address: Instance, id: str) -> None:
        self.write(
            "refresh_start",
            f"{address}: Refreshing state..." + (f" [id={id}]" if id else ""),
            hook=self._hook(address, None, **_id(id)),
        )

    def refresh_finished(self, address: Instance, id: str, seconds: float) -> None:
        self.write(
            "refresh_complete",
            f"{address}: Refresh complete" + (f" [id={id}]" if id else ""),
            hook=self._hook(address, None, **_id(id)),
        )

    def data_started(self, address: Instance) -> None:
        self.write("apply_start", f"{address}: Refreshing...", hook=self._hook(address, Action.READ))

    def data_finished(self, address: Instance, id: str, seconds: float) -> None:
        self.write(
            "apply_complete",
            f"{address}: Refresh complete after {int(seconds)}s" + (f" [id={id}]" if id else ""),
            hook=self._hook(address, Action.READ, **_id(id), elapsed_seconds=int(seconds)),
        )

    def plan_events(self, plan: Plan) -> None:
        """All lines about a finished plan: drift, changes, sum and outputs."""
        for change in plan.drift:
            if change.action is not Action.NO_OP:
                self._change("resource_drift", change, "Drift detected")
        for change in plan.changes:
            if change.action is not Action.NO_OP or change.previous or change.importing:
                self._change("planned_change", change, "Plan to")
        self.summary(plan_counts(plan.changes), "plan")
        if plan.outputs:
            outputs = {
                output.name: {"sensitive": output.sensitive, "action": PLAN_ACTIONS[output.action]}
                for output in sorted(plan.outputs, key=lambda one: one.name)
            }
            self.write("outputs", f"Outputs: {len(outputs)}", outputs=outputs)

    def planned_changes(self, plan: Plan) -> None:
        """A line for each planned change of an object, as before a saved plan is applied."""
        for change in plan.changes:
            if change.action is not Action.NO_OP:
                self._change("planned_change", change, "Plan to")

    def _change(self, type: str, change: ResourceChange, verb: str) -> None:
        action = PLAN_ACTIONS[change.action]
        body: dict[str, Any] = {"resource": resource_json(change.address)}
        if change.previous is not None:
            body["previous_resource"] = resource_json(change.previous)
            if change.action is Action.NO_OP:
                action = "move"
        if change.importing:
            body["importing"] = {"id": change.importing}
            if change.action is Action.NO_OP:
                action = "import"
        body["action"] = action
        if change.reason in REASONS:
            body["reason"] = REASONS[change.reason]
        self.write(
            type, f"{change.address}: {verb} {'(' + action + ')' if verb[0] == 'D' else action}", change=body
        )

    def summary(self, counts: dict[str, int], operation: str) -> None:
        """The sum: of a plan, an apply or a destroy."""
        imported = f"{counts['import']} to import, " if counts["import"] else ""
        done = f"{counts['import']} imported, " if counts["import"] else ""
        message = {
            "plan": f"Plan: {imported}{counts['add']} to add, {counts['change']} to change, "
            f"{counts['remove']} to destroy.",
            "apply": f"Apply complete! Resources: {done}{counts['add']} added, {counts['change']} changed, "
            f"{counts['remove']} destroyed.",
            "destroy": f"Destroy complete! Resources: {counts['remove']} destroyed.",
        }[operation]
        self.write("change_summary", message, changes={**counts, "operation": operation})

    def outputs(self, outputs: dict[str, Any]) -> None:
        """The outputs after an apply: name to sensitive, type and (unless sensitive) value."""
        self.write("outputs", f"Outputs: {len(outputs)}", outputs=outputs)

    def apply_started(self, change: ResourceChange, action: Action, id: str) -> None:
        with_id = f" [id={id}]" if id and action is not Action.CREATE else ""
        self.write(
            "apply_start",
            f"{change.address}: {VERBS[action][0]}{with_id}",
            hook=self._hook(change.address, action, **(_id(id) if with_id else {})),
        )

    def apply_progress(self, address: Instance, action: Action, seconds: float, message: str) -> None:
        self.write(
            "apply_progress",
            f"{address}: {VERBS[action][3]} [{int(seconds)}s elapsed]",
            hook=self._hook(address, action, elapsed_seconds=int(seconds)),
        )

    def apply_finished(self, address: Instance, action: Action, id: str, seconds: float) -> None:
        with_id = f" [id={id}]" if id and action is not Action.DELETE else ""
        self.write(
            "apply_complete",
            f"{address}: {VERBS[action][1]} after {int(seconds)}s{with_id}",
            hook=self._hook(address, action, **(_id(id) if with_id else {}), elapsed_seconds=int(seconds)),
        )

    def apply_failed(self, address: Instance, action: Action, seconds: float) -> None:
        self.write(
            "apply_errored",
            f"{address}: {VERBS[action][2]} after {int(seconds)}s",
            hook=self._hook(address, action, elapsed_seconds=int(seconds)),
        )

    def provision_started(self, address: Instance, provisioner: str) -> None:
        self.write(
            "provision_start",
            f"{address}: Provisioning with '{provisioner}'...",
            hook=self._hook(address, provisioner=provisioner),
        )

    def provision_output(self, address: Instance, provisioner: str, line: str) -> None:
        self.write(
            "provision_progress",
            f"{address}: ({provisioner}): {line}",
            hook=self._hook(address, provisioner=provisioner, output=line),
        )

    def provision_finished(self, address: Instance, provisioner: str, failed: bool) -> None:
        kind, word = ("provision_errored", "errored") if failed else ("provision_complete", "complete")
        self.write(
            kind,
            f"{address}: ({provisioner}) Provisioning {word}",
            hook=self._hook(address, provisioner=provisioner),
        )

    def diagnostic(self, diagnostic: Diagnostic) -> None:
        is_error = diagnostic.severity is Severity.ERROR
        self.write(
            "diagnostic",
            f"{'Error' if is_error else 'Warning'}: {diagnostic.summary}",
            "error" if is_error else "warn",
            diagnostic=diagnostic_json(diagnostic),
        )


def _id(id: str) -> dict[str, str]:
    return {"id_key": "id", "id_value": id} if id else {}


def plan_counts(changes: Iterable[ResourceChange]) -> dict[str, int]:
    """How many objects a plan adds, changes, imports and removes."""
    found = {"add": 0, "change": 0, "import": 0, "remove": 0}
    for change in changes:
        action = change.action
        found["import"] += bool(change.importing)
        found["add"] += action is Action.CREATE or action.replaces
        found["change"] += action is Action.UPDATE
        found["remove"] += action is Action.DELETE or action.replaces
    return found
