"""SageMaker's model registry: facts of a release are customer metadata of the model package, which must be approved.

A model is a model package group, a version the package of that number in it. It has no aliases: what is in force is
what is approved, so going back approves a version, and rejects the one that was left where that is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from twinfra.diagnostics import DiagnosticError, error, nearest
from twinfra.providers.aws.failures import ApiError
from twinfra.providers.aws.session import Session
from twinfra.releases.record import Model
from twinfra.releases.registry import NO_MODEL, NO_VERSION, OUTPUT, is_unknown, named
from twinfra.releases.settings import SagemakerSettings

_APPROVED, _REJECTED = "Approved", "Rejected"
_UNSUITABLE = re.compile(r"[^\w\s.:/=+@${}-]")
_LONGEST = 256


class SagemakerRegistry:
    """One registry for one environment; see `registry.Registry`.

    `accounts`: those that the environment may act in, empty for any. Owned by one thread.
    """

    key = "sagemaker"
    title = "SageMaker"

    def __init__(
        self, settings: SagemakerSettings, session: Session, environment: str, accounts: tuple[str, ...] = ()
    ) -> None:
        self._settings = settings
        self._session = session
        self._environment = environment
        self._accounts = accounts
        self._region = ""
        self._arns: dict[Model, str] = {}

    def covers(self, model: str) -> bool:
        return self._settings.covers(model)

    def check(self, model: Model, *, moving: bool) -> None:
        found = self._describe(model)
        status = found.get("ModelApprovalStatus", "")
        if self._settings.approved and not moving and status != _APPROVED:
            raise DiagnosticError(
                error(
                    "The model is not approved",
                    f"In SageMaker {model} has the status {status or 'of none'}.",
                    self._settings.place,
                    mend="Approve it there, or let the release approve it: -move-alias",
                )
            )

    def note(self, model: Model, facts: Mapping[str, str]) -> None:
        there = self._describe(model).get("CustomerMetadataProperties") or {}
        noted = {
            named(self._environment, name): _UNSUITABLE.sub("_", value)[:_LONGEST]
            for name, value in facts.items()
            if not name.startswith(OUTPUT)  # there is place for 50 properties only
        }
        if any(there.get(name) != value for name, value in noted.items()):
            self._update(model, CustomerMetadataProperties=noted)

    def noted(self, model: Model) -> Mapping[str, str]:
        prefix = named(self._environment, "")
        found = self._describe(model).get("CustomerMetadataProperties") or {}
        return {name[len(prefix) :]: value for name, value in found.items() if name.startswith(prefix)}

    def points_to(self, model: str) -> str:
        if not self._settings.approved:
            return ""
        approved = [
            str(one["ModelPackageVersion"])
            for one in self._packages(model)
            if one.get("ModelApprovalStatus") == _APPROVED
        ]
        return f"approved: {', '.join(approved) if approved else 'none'}"

    def snapshot(self, models: Iterable[Model]) -> dict[Model, str]:
        if not self._settings.approved:
            return {}
        return {
            one: str(self._describe(one).get("ModelApprovalStatus", ""))
            for one in models
            if self.covers(one.name)
        }

    def point(self, model: Model, left: Model | None) -> None:
        if not self._settings.approved:
            return
        self._set_status(model, _APPROVED)
        if self._settings.reject and left is not None and left != model:
            self._set_status(left, _REJECTED)

    def put_back(self, snapshot: dict[Model, str]) -> None:
        for model, status in snapshot.items():
            self._set_status(model, status)

    def holds(self, model: Model) -> str:
        try:
            status = self._describe(model).get("ModelApprovalStatus", "")
        except DiagnosticError as problem:
            if not is_unknown(problem):
                raise
            return problem.diagnostics[0].detail
        if self._settings.approved and status != _APPROVED:
            return f"In SageMaker {model} has the status {status or 'of none'}, not {_APPROVED}."
        return ""

    # -- asking

    def _set_status(self, model: Model, status: str) -> None:
        if status and self._describe(model).get("ModelApprovalStatus") != status:
            self._update(
                model,
                ModelApprovalStatus=status,
                ApprovalDescription=f"twinfra release, environment {self._environment or 'default'}",
            )

    def _update(self, model: Model, **request: Any) -> None:
        self._call("update_model_package", {"ModelPackageArn": self._arn(model), **request})

    def _describe(self, model: Model) -> dict[str, Any]:
        return self._call("describe_model_package", {"ModelPackageName": self._arn(model)})

    def _arn(self, model: Model) -> str:
        found = self._arns.get(model)
        if found is None:
            found = self._arns[model] = self._find(model)
        return found

    def _find(self, model: Model) -> str:
        packages = self._packages(model.name)
        key = self._settings.version_key
        fitting = [one for one in packages if self._is_version(one, model.version, key)]
        if not fitting:
            known = ", ".join(str(one["ModelPackageVersion"]) for one in packages[:5])
            raise DiagnosticError(
                error(
                    NO_VERSION,
                    f"SageMaker has no version {model.version} of {model.name} in {self._place()}.",
                    self._settings.place,
                    mend=f"Its newest are: {known}." if known else "Register that version first.",
                )
            )
        if len(fitting) > 1:
            numbers = ", ".join(str(one["ModelPackageVersion"]) for one in fitting)
            raise DiagnosticError(
                error(
                    "Which version?",
                    f"In SageMaker several versions of {model.name} have {key} = {model.version}: {numbers}.",
                    self._settings.place,
                    mend="Leave that on one of them.",
                )
            )
        arn = str(fitting[0]["ModelPackageArn"])
        account = arn.split(":")[4]
        if self._accounts and account not in self._accounts:
            raise DiagnosticError(
                error(
                    "Another account",
                    f'{model} is in account {account}; the environment "{self._environment}" is in '
                    f"{', '.join(self._accounts)}.",
                    self._settings.place,
                    mend="Use credentials of that account.",
                )
            )
        return arn

    def _is_version(self, package: Mapping[str, Any], version: str, key: str) -> bool:
        if not key:
            return str(package.get("ModelPackageVersion")) == version
        told = self._call("describe_model_package", {"ModelPackageName": package["ModelPackageArn"]})
        return bool((told.get("CustomerMetadataProperties") or {}).get(key) == version)

    def _packages(self, name: str) -> list[dict[str, Any]]:
        """The versions of a model, the newest first."""
        try:
            self._call("describe_model_package_group", {"ModelPackageGroupName": name}, raw=True)
        except ApiError as problem:
            if problem.code not in ("ValidationException", "ValidationError", "ResourceNotFound"):
                raise DiagnosticError(self._refused(problem)) from None
            names = [
                str(one["ModelPackageGroupName"])
                for page in self._pages("list_model_package_groups", {})
                for one in page["ModelPackageGroupSummaryList"]
            ]
            raise DiagnosticError(
                error(
                    NO_MODEL,
                    f'SageMaker has no model package group "{name}" in {self._place()}.',
                    self._settings.place,
                    mend=nearest(name, names)
                    or "Register it first, or see what releases.sagemaker.models covers.",
                )
            ) from None
        pages = self._pages("list_model_packages", {"ModelPackageGroupName": name, "MaxResults": 100})
        found = [one for page in pages for one in page["ModelPackageSummaryList"]]
        return sorted(found, key=lambda one: -int(one.get("ModelPackageVersion", 0)))

    def _call(self, operation: str, request: Mapping[str, Any], *, raw: bool = False) -> dict[str, Any]:
        try:
            return self._session.call("sagemaker", self._place(), operation, request)
        except ApiError as problem:
            if raw:
                raise
            raise DiagnosticError(self._refused(problem)) from None

    def _pages(self, operation: str, request: Mapping[str, Any]) -> list[dict[str, Any]]:
        try:
            return self._session.pages("sagemaker", self._place(), operation, request)
        except ApiError as problem:
            raise DiagnosticError(self._refused(problem)) from None

    def _place(self) -> str:
        if not self._region:
            try:
                self._region = self._settings.region or self._session.region
            except ApiError as problem:
                raise DiagnosticError(self._refused(problem)) from None
        return self._region

    def _refused(self, problem: ApiError) -> Any:
        return error(
            "SageMaker does not answer as it should",
            f"{problem.operation}: {problem.code}: {problem.message}",
            self._settings.place,
            mend="See that region and credentials are right and may read and update model packages, then run the "
            "command again.",
        )
