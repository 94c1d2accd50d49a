"""CloudWatch Logs: the class and the deletion protection of log groups, asking for groups by name, and tags
that go with their group.
"""

from __future__ import annotations

import json
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.logs.exceptions import (
    InvalidParameterException,
    ResourceNotFoundException,
    ValidationException,
)
from moto.logs.models import LogGroup, LogsBackend
from moto.logs.responses import LogsResponse

from twinfra.sandbox.overlay import graft

_CLASSES = ("STANDARD", "INFREQUENT_ACCESS", "DELIVERY")


def _name(identifier: str) -> str:
    """The name in an identifier, which is a name or an ARN."""
    return identifier.rpartition(":log-group:")[2].removesuffix(":*")


def _find(response: Any, identifier: str) -> Any:
    group = response.logs_backend.groups.get(_name(identifier))
    if group is None:
        raise ResourceNotFoundException()
    return group


class _Group:
    def to_describe_dict(self: Any) -> dict[str, Any]:
        shown: dict[str, Any] = _original_describe(self)
        shown["logGroupClass"] = getattr(self, "log_group_class", "STANDARD")
        shown["deletionProtectionEnabled"] = getattr(self, "deletion_protection", False)
        if shown["logGroupClass"] == "DELIVERY":
            shown["retentionInDays"] = 2
        return shown


class _Backend:
    def delete_log_group(self: Any, log_group_name: str) -> None:
        group = self.groups.get(log_group_name)
        if getattr(group, "deletion_protection", False):
            raise ValidationException(f"The log group {log_group_name} is protected from deletion.")
        _original_delete(self, log_group_name)
        self.tagger.delete_all_tags_for_resource(group.arn)


class _Response:
    def create_log_group(self: Any) -> str:
        kind = self._get_param("logGroupClass") or "STANDARD"
        if kind not in _CLASSES:
            raise InvalidParameterException(
                constraint=f"Member must satisfy enum value set: {list(_CLASSES)}",
                parameter="logGroupClass",
                value=kind,
            )
        answer: str = _original_create(self)
        group = self.logs_backend.groups[self._get_param("logGroupName")]
        group.log_group_class = kind
        group.deletion_protection = bool(self._get_param("deletionProtectionEnabled"))
        return answer

    def describe_log_groups(self: Any) -> str:
        wanted = self._get_param("logGroupIdentifiers")
        if not wanted:
            plain: str = _original_list(self)
            return plain
        names = {_name(one) for one in wanted}
        groups = self.logs_backend.groups
        return json.dumps(
            {"logGroups": [groups[name].to_describe_dict() for name in sorted(names & groups.keys())]}
        )

    def put_log_group_deletion_protection(self: Any) -> ActionResult:
        group = _find(self, self._get_param("logGroupIdentifier"))
        group.deletion_protection = bool(self._get_param("deletionProtectionEnabled"))
        return EmptyResult()

    def associate_kms_key(self: Any) -> ActionResult:
        group = _find(self, self._get_param("logGroupName") or self._get_param("resourceIdentifier"))
        group.kms_key_id = self._get_param("kmsKeyId")
        return EmptyResult()

    def disassociate_kms_key(self: Any) -> ActionResult:
        group = _find(self, self._get_param("logGroupName") or self._get_param("resourceIdentifier"))
        group.kms_key_id = None
        return EmptyResult()


_original_describe = LogGroup.to_describe_dict
_original_delete = LogsBackend.delete_log_group
_original_create = LogsResponse.create_log_group
_original_list = LogsResponse.describe_log_groups


def install() -> None:
    """Graft onto moto's classes."""
    graft(LogGroup, _Group)
    graft(LogsBackend, _Backend)
    graft(LogsResponse, _Response)
