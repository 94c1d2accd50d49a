"""Where a version of a model runs and ran: periods of releases, over several environments."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twinfra.dataclass import dataclass
from twinfra.releases.record import Model, parse_model
from twinfra.releases.timeline import Period, Timeline


@dataclass(frozen=True, slots=True)
class ModelRun:
    """A time during which a version of a model was in force in an environment."""

    environment: str
    model: Model
    period: Period
    changed: bool = False
    """Whether the infrastructure was changed since without a release; only of what runs now."""

    @property
    def now(self) -> bool:
        """Whether it runs now."""
        return self.period.ended is None

    def document(self) -> dict[str, Any]:
        """As JSON."""
        period, release = self.period, self.period.release
        return {
            "environment": self.environment or None,
            "model": str(self.model),
            "release": release.name,
            "commit": release.commit,
            "tag": release.tag or None,
            "from": period.by.time,
            "until": period.ended.time if period.ended is not None else None,
            "now": self.now,
            "by_rollback": period.back,
            "changed_since": self.changed,
        }


def runs_of(timelines: Iterable[tuple[str, Timeline]], wanted: str) -> list[ModelRun]:
    """The runs of `NAME:VERSION`, or of all versions of `NAME`; what runs now first, then the newest.

    Raises `DiagnosticError` where that is neither.
    """
    model = parse_model(wanted) if ":" in wanted else None
    found = [
        ModelRun(environment, one, period, period.ended is None and bool(timeline.changes))
        for environment, timeline in timelines
        for period in timeline.periods
        for one in period.release.models
        if one == model or (model is None and one.name == wanted)
    ]
    newest_first = sorted(found, key=lambda one: one.period.by.time, reverse=True)
    return sorted(newest_first, key=lambda one: not one.now)
