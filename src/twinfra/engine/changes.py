"""What a plan says: facts only. Made by the planner, read by apply, by plan files and by every renderer."""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import Any

from twinfra.addresses import Instance, ProviderConfig
from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic
from twinfra.values.value import Path, Value


class Action(StrEnum):
    """What happens to an object. The values are our own; renderers translate them to public formats."""

    NO_OP = "no-op"
    CREATE = "create"
    READ = "read"
    UPDATE = "update"
    DELETE = "delete"
    DELETE_THEN_CREATE = "delete-create"
    CREATE_THEN_DELETE = "create-delete"
    FORGET = "forget"

    @property
    def replaces(self) -> bool:
        """Whether the object is replaced, in either order."""
        return self in (Action.DELETE_THEN_CREATE, Action.CREATE_THEN_DELETE)


class Reason(StrEnum):
    """Why an action was chosen where it is not obvious: the public `action_reason` values."""

    NONE = ""
    REPLACE_BECAUSE_TAINTED = "replace_because_tainted"
    REPLACE_BECAUSE_CANNOT_UPDATE = "replace_because_cannot_update"
    REPLACE_BY_REQUEST = "replace_by_request"
    REPLACE_BY_TRIGGERS = "replace_by_triggers"
    DELETE_BECAUSE_NO_RESOURCE_CONFIG = "delete_because_no_resource_config"
    DELETE_BECAUSE_NO_MODULE = "delete_because_no_module"
    DELETE_BECAUSE_WRONG_REPETITION = "delete_because_wrong_repetition"
    DELETE_BECAUSE_COUNT_INDEX = "delete_because_count_index"
    DELETE_BECAUSE_EACH_KEY = "delete_because_each_key"
    DELETE_BECAUSE_NO_MOVE_TARGET = "delete_because_no_move_target"
    READ_BECAUSE_CONFIG_UNKNOWN = "read_because_config_unknown"
    READ_BECAUSE_DEPENDENCY_PENDING = "read_because_dependency_pending"
    READ_BECAUSE_CHECK_NESTED = "read_because_check_nested"


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """A planned change of one object.

    `before` and `after` are objects of the schema's type or None, marked where sensitive, `after` with
    `Unknown`s. `deposed` is the key of a deposed object, else empty. `previous` is the address it moved from.
    `replace_paths`: what forces the replacement. `importing`: the id when it is being imported.
    """

    address: Instance
    provider: ProviderConfig
    action: Action
    before: Value
    after: Value
    reason: Reason = Reason.NONE
    replace_paths: tuple[Path, ...] = ()
    deposed: str = ""
    previous: Instance | None = None
    importing: str = ""
    private: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutputChange:
    """A planned change of a root output; values marked where sensitive, None where absent."""

    name: str
    action: Action
    before: Value
    after: Value
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The outcome for one checkable object's instance.

    `kind`: `resource`, `output_value`, `check` or `input_variable`. `status`: `pass`, `fail`, `error` or
    `unknown`. `container` is the configured object's address, `address` the instance's.
    """

    kind: str
    container: str
    address: str
    status: str
    problems: tuple[str, ...] = ()


@dataclass(slots=True)
class Plan:
    """All that would be done, and what it was planned from.

    `changes` in a stable order (address order). `drift`: what refresh found changed, in the same form.
    `applyable`: there is something to do. `complete`: nothing was deferred or left out by targets.
    `mode`: `normal`, `destroy` or `refresh-only`. `variables` are the root values given, by name, marked.
    `relevant` are (resource address, attribute path) pairs that drift could have contributed through.
    """

    mode: str = "normal"
    changes: list[ResourceChange] = field(default_factory=list)
    drift: list[ResourceChange] = field(default_factory=list)
    outputs: list[OutputChange] = field(default_factory=list)
    checks: list[CheckResult] = field(default_factory=list)
    variables: dict[str, Value] = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    diagnostics: list[Diagnostic] = field(default_factory=list)
    relevant: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    timestamp: str = ""
    errored: bool = False
    complete: bool = True

    @property
    def applyable(self) -> bool:
        """Whether applying it would do anything."""
        return not self.errored and self.would_change

    @property
    def would_change(self) -> bool:
        """Whether anything is planned to be done, with errors or without."""
        if self.mode == "refresh-only" and self.drift:
            return True
        return any(
            change.action is not Action.NO_OP or change.previous or change.importing
            for change in self.changes
        ) or any(output.action is not Action.NO_OP for output in self.outputs)
