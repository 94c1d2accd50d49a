"""What a pipeline's job found for an environment, as a file beside its plan: read by the job that comments.

Everything in it may be shown to whoever may read the comment: its texts come from renderers, which hide what is
sensitive.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, field, replace
from pathlib import Path
from typing import Any

from twinfra.dataclass import dataclass
from twinfra.diagnostics import DiagnosticError, error
from twinfra.state.files import file_problem

PLANNED, UNTOUCHED, FAILED = "planned", "untouched", "failed"
READY, NOTHING, WAITING, APPLIED = "ready", "nothing", "waiting", "applied"
STATUSES = (PLANNED, UNTOUCHED, FAILED, READY, NOTHING, WAITING, APPLIED)
"""What became of an environment: on a pull request the first three; on a merge `ready` to be applied, `nothing` to do,
`waiting` for somebody's approval, `applied` or `failed`."""

HIDDEN = "(redacted)"

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome for one environment.

    `counts` are numbers by `import`, `add`, `change`, `remove`, `forget`. `plan` is the digest of the plan's file,
    `text` the plan as people read it, `problems` diagnostics as text, `notes` sentences about how it came about.
    """

    environment: str
    status: str
    commit: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    plan: str = ""
    text: str = ""
    problems: str = ""
    notes: tuple[str, ...] = ()

    def ended(self, exit_code: int) -> Outcome:
        """It after an apply that ended with this exit code."""
        if exit_code == 0:
            return replace(self, status=APPLIED)
        note = "The apply failed; the log of its job tells why. What was done is recorded: run the job again to go on."
        return replace(self, status=FAILED, notes=(*self.notes, note))

    def without(self, secrets: Iterable[str]) -> Outcome:
        """It with none of these texts in it."""
        known = list(secrets)
        return replace(
            self,
            text=hidden(self.text, known),
            problems=hidden(self.problems, known),
            notes=tuple(hidden(one, known) for one in self.notes),
        )

    def document(self) -> dict[str, Any]:
        """It as JSON."""
        return {"twinfra_outcome": _FORMAT, **asdict(self), "notes": list(self.notes)}

    def write(self, path: Path) -> None:
        """Write it to a file. Raises `DiagnosticError`."""
        try:
            path.write_text(json.dumps(self.document(), indent=1), encoding="utf-8")
        except OSError as reason:
            raise file_problem(reason, "write the outcome to", path) from None


def read_outcome(path: Path) -> Outcome:
    """The outcome in a file. Raises `DiagnosticError` where it is none."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document.pop("twinfra_outcome") != _FORMAT or document["status"] not in STATUSES:
            raise ValueError("another format")
        return Outcome(**{**document, "notes": tuple(document["notes"])})
    except OSError as reason:
        detail = f"{path}: {reason.strerror or reason}."
    except (ValueError, KeyError, TypeError, AttributeError):
        detail = f"{path} is not what `twinfra ci plan` or `ci prepare` of this version writes."
    raise DiagnosticError(error("No outcome of a plan", detail, mend="Plan again: twinfra ci plan -env NAME"))


def read_outcomes(directory: Path, order: tuple[str, ...]) -> list[Outcome]:
    """The outcomes that lie in a directory, in the order of the environments. Raises `DiagnosticError`."""
    return [read_outcome(path) for name in order if (path := outcome_file(directory, name)).exists()]


def outcome_file(directory: Path, environment: str) -> Path:
    """Where the outcome of an environment lies."""
    return directory / f"{environment}.json"


def plan_file(directory: Path, environment: str) -> Path:
    """Where the plan of an environment lies."""
    return directory / f"{environment}.plan"


def hidden(text: str, secrets: Iterable[str]) -> str:
    """A text with a word in the place of each secret."""
    for one in secrets:
        text = text.replace(one, HIDDEN)
    return text


def as_told(counts: Mapping[str, Any]) -> str:
    """`2 to add, 1 to change`; `no changes` where there is nothing."""
    words = {
        "import": "to import",
        "add": "to add",
        "change": "to change",
        "remove": "to destroy",
        "forget": "to forget",
    }
    return (
        ", ".join(f"{counts[name]} {word}" for name, word in words.items() if counts.get(name))
        or "no changes"
    )
