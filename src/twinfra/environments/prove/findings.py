"""What a proof finds: each thing that lets two builds of the same code and inputs differ, with its place and mend."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from twinfra.dataclass import dataclass
from twinfra.diagnostics import SourceRange


class Kind(StrEnum):
    """What a finding is about."""

    FUNCTION = "function"
    RANDOM = "random"
    PROVISIONER = "provisioner"
    MODULE = "module"
    DATA = "data"
    FILE = "file"
    SURROUNDINGS = "surroundings"
    IMPORT = "import"
    ATTRIBUTE = "attribute"
    RESOURCE = "resource"
    OUTPUT = "output"
    PLAN = "plan"
    DRIFT = "drift"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that breaks determinism (`breaks`), or may do so where this proof cannot see it.

    `what` names it: `timestamp()`, or the address with the attribute. `measured`: it was seen in the builds; else it
    was found in the code. `values` are what the two builds have, as texts for people, nothing secret in them.
    """

    kind: Kind
    what: str
    why: str
    mend: str
    place: SourceRange | None = None
    breaks: bool = True
    measured: bool = False
    values: tuple[str, str] | None = None

    def document(self) -> dict[str, Any]:
        """As JSON."""
        place = None
        if self.place is not None:
            place = {"file": self.place.filename, "line": self.place.first.line}
        return {
            "kind": str(self.kind),
            "what": self.what,
            "breaks": self.breaks,
            "measured": self.measured,
            "place": place,
            "why": self.why,
            "mend": self.mend,
            "values": None if self.values is None else list(self.values),
        }
