"""The facts of a plan as JSON and back; values are `plan_values`'s."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twinfra.addresses import Instance, ModuleInstance, ProviderAddress, ProviderConfig, Resource
from twinfra.diagnostics import Diagnostic, Severity, Source, SourceRange
from twinfra.engine.changes import Action, CheckResult, OutputChange, Plan, Reason, ResourceChange
from twinfra.engine.plan_values import ValueReader, ValueWriter


class PlanWriter:
    """Turns a plan into JSON. What many changes share is written once, in tables."""

    def __init__(self) -> None:
        self.values = ValueWriter()
        self._providers: dict[ProviderConfig, int] = {}

    def plan(self, plan: Plan) -> dict[str, Any]:
        """The JSON form of a plan, without the tables."""
        values = self.values
        return {
            "mode": plan.mode,
            "changes": [self.change(one) for one in plan.changes],
            "drift": [self.change(one) for one in plan.drift],
            "outputs": [
                [one.name, one.action.value, values.value(one.before), values.value(one.after), one.sensitive]
                for one in plan.outputs
            ],
            "checks": [
                [one.kind, one.container, one.address, one.status, one.problems] for one in plan.checks
            ],
            "variables": self.named(plan.variables),
            "targets": plan.targets,
            "replace": plan.replace,
            "diagnostics": [self.diagnostic(one) for one in plan.diagnostics],
            "relevant": [[address, values.path(path)] for address, path in plan.relevant],
            "timestamp": plan.timestamp,
            "errored": plan.errored,
            "complete": plan.complete,
        }

    def tables(self) -> dict[str, Any]:
        """The tables; complete only when everything else is written."""
        providers = [
            [one.provider.host, one.provider.namespace, one.provider.type, one.alias, one.module]
            for one in self._providers
        ]
        return {"types": self.values.types, "providers": providers}

    def named(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Values by name."""
        return {name: self.values.value(value) for name, value in values.items()}

    def change(self, change: ResourceChange) -> dict[str, Any]:
        """A resource change; parts that are empty are left out."""
        values = self.values
        provider = self._providers.setdefault(change.provider, len(self._providers))
        form: dict[str, Any] = {
            "address": _address(change.address),
            "provider": provider,
            "action": change.action.value,
            "before": values.value(change.before),
        }
        if change.after is not change.before:
            form["after"] = values.value(change.after)
        if change.reason:
            form["reason"] = change.reason.value
        if change.replace_paths:
            form["replace_paths"] = [values.path(path) for path in change.replace_paths]
        if change.deposed:
            form["deposed"] = change.deposed
        if change.previous is not None:
            form["previous"] = _address(change.previous)
        if change.importing:
            form["importing"] = change.importing
        if change.private:
            form["private"] = change.private
        return form

    def diagnostic(self, one: Diagnostic) -> list[Any]:
        """A diagnostic, its places as file name and offsets."""
        return [
            one.severity.value,
            one.summary,
            one.detail,
            _range(one.subject),
            _range(one.context),
            one.mend,
            one.address,
            one.values,
            self.values.path(one.path),
        ]


class PlanReader:
    """Turns JSON back into a plan. Raises `ValueError`, `TypeError` or `LookupError` for what is no plan.

    `files` are the configuration's texts by name, for the places of diagnostics.
    """

    def __init__(self, tables: Mapping[str, Any], files: Mapping[str, str]) -> None:
        self.values = ValueReader(tables["types"])
        self._providers = [
            ProviderConfig(ProviderAddress(type, namespace, host), alias, tuple(module))
            for host, namespace, type, alias, module in tables["providers"]
        ]
        self._sources = {name: Source(name, text) for name, text in files.items()}

    def plan(self, form: Mapping[str, Any]) -> Plan:
        """The plan of a JSON form."""
        values = self.values
        return Plan(
            mode=form["mode"],
            changes=[self.change(one) for one in form["changes"]],
            drift=[self.change(one) for one in form["drift"]],
            outputs=[
                OutputChange(name, Action(action), values.value(before), values.value(after), sensitive)
                for name, action, before, after, sensitive in form["outputs"]
            ],
            checks=[
                CheckResult(kind, container, address, status, tuple(problems))
                for kind, container, address, status, problems in form["checks"]
            ],
            variables=self.named(form["variables"]),
            targets=tuple(form["targets"]),
            replace=tuple(form["replace"]),
            diagnostics=[self.diagnostic(one) for one in form["diagnostics"]],
            relevant=[(address, values.path(path)) for address, path in form["relevant"]],
            timestamp=form["timestamp"],
            errored=form["errored"],
            complete=form["complete"],
        )

    def named(self, form: Mapping[str, Any]) -> dict[str, Any]:
        """Values by name."""
        return {name: self.values.value(value) for name, value in form.items()}

    def change(self, form: Mapping[str, Any]) -> ResourceChange:
        """A resource change."""
        values = self.values
        before = values.value(form["before"])
        previous = form.get("previous")
        return ResourceChange(
            _read_address(form["address"]),
            self._providers[form["provider"]],
            Action(form["action"]),
            before,
            values.value(form["after"]) if "after" in form else before,
            Reason(form.get("reason", "")),
            tuple(values.path(path) for path in form.get("replace_paths", ())),
            form.get("deposed", ""),
            None if previous is None else _read_address(previous),
            form.get("importing", ""),
            form.get("private", {}),
        )

    def diagnostic(self, form: list[Any]) -> Diagnostic:
        """A diagnostic; a place in a file that the plan does not have is left out."""
        severity, summary, detail, subject, context, mend, address, values, path = form
        return Diagnostic(
            Severity(severity),
            summary,
            detail,
            self._range(subject),
            self._range(context),
            mend,
            address,
            tuple((text, description) for text, description in values),
            self.values.path(path),
        )

    def _range(self, form: Any) -> SourceRange | None:
        if form is None or form[0] not in self._sources:
            return None
        return SourceRange(self._sources[form[0]], form[1], form[2])


def _range(place: SourceRange | None) -> Any:
    if place is None:
        return None
    place = place.in_file
    return [place.filename, place.start, place.end]


def _address(address: Instance) -> list[Any]:
    resource = address.resource
    return [address.module.steps, resource.mode, resource.type, resource.name, address.key]


def _read_address(form: list[Any]) -> Instance:
    steps, mode, type, name, key = form
    module = ModuleInstance(tuple((call, inner) for call, inner in steps))
    return Instance(module, Resource(mode, type, name), key)
