"""What a drift report says: facts only, read by the command line, by summaries and by reports alike."""

from __future__ import annotations

from dataclasses import field

from twinfra.addresses import Instance
from twinfra.dataclass import dataclass
from twinfra.decode.places import Written
from twinfra.diagnostics import Diagnostic
from twinfra.engine.changes import Action
from twinfra.environments.drift.differences import Difference
from twinfra.providers.protocol import Change

GONE = "gone"
CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class AttributeDrift:
    """One value that is not as it was recorded.

    `declared`: what in the configuration makes the value, None where nobody declared it. `restored`: the next apply
    would put it back. `changed`: it would make something else of it. `echo`: it repeats another one of the same
    object that is declared, such as `tags_all` after `tags`.
    """

    difference: Difference
    declared: Written | None = None
    restored: bool = False
    echo: bool = False
    changed: bool = False

    @property
    def violates(self) -> bool:
        """Whether what is there is not what the configuration says."""
        return self.declared is not None and (self.restored or self.changed)


@dataclass(frozen=True, slots=True)
class Finding:
    """One object that drifted.

    `kind` is `CHANGED` or `GONE`. `repair`: what an apply would do with it now (`NO_OP`: nothing). `changes`: who
    did it, the newest first, where the cloud tells. `id`: the object's own, where it has one.
    """

    address: Instance
    kind: str
    id: str = ""
    attributes: tuple[AttributeDrift, ...] = ()
    repair: Action = Action.NO_OP
    changes: tuple[Change, ...] = ()


@dataclass(slots=True)
class Report:
    """All that drifted, and what was left out as noise. `checked`: how many objects were looked at.

    `ignored`: single values (or gone objects) that a rule left out. `rules`: warnings about rules that expired or
    that fitted nothing.
    """

    checked: int = 0
    findings: list[Finding] = field(default_factory=list)
    ignored: int = 0
    rules: list[Diagnostic] = field(default_factory=list)

    @property
    def violations(self) -> int:
        """Values that the configuration declares otherwise."""
        return sum(1 for one in self.findings for part in one.attributes if part.violates) + sum(
            1 for one in self.findings if one.kind == GONE
        )
