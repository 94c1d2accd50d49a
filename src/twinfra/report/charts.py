"""Small pictures made of numbers, as SVG within the page: what is changed when, what there is, how drift went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from twinfra.report.estate import Day, Looked
from twinfra.report.markup import Markup, element
from twinfra.report.wording import counted

WEEKS = 12
_DAYS = 7 * WEEKS
_WIDTH, _HEIGHT = 6, 44
POINTS = 60
"""So many looks are drawn at most."""


def activity(days: Mapping[date, Day], today: date, name: str) -> Markup:
    """A bar for each day of the last twelve weeks: what ended well, and on top of it what did not."""
    first = today - timedelta(_DAYS - 1)
    shown = {day: one for day, one in days.items() if first <= day <= today}
    most = max((one.done + one.failed for one in shown.values()), default=0)
    bars = []
    for day, one in shown.items():
        x = (day - first).days * _WIDTH
        top = float(_HEIGHT)
        for count, kind in ((one.done, "done"), (one.failed, "failed")):
            if count:
                height = max(3.0, count / most * (_HEIGHT - 2))
                top = max(0.0, top - height)
                bars.append(_rectangle(x, top, _WIDTH - 1.5, height, kind))
    total = sum(one.done + one.failed for one in shown.values())
    busiest = counted(most, "apply", "applies")
    label = f"{name}: {counted(total, 'apply', 'applies')} in {WEEKS} weeks, {busiest} on the busiest day"
    ground = element("line", x1="0", x2=str(_DAYS * _WIDTH), y1=str(_HEIGHT), y2=str(_HEIGHT), cls="ground")
    return element(
        "svg",
        element("title", label),
        ground,
        bars,
        viewBox=f"0 0 {_DAYS * _WIDTH} {_HEIGHT + 1}",
        preserveAspectRatio="none",
        role="img",
        cls="activity",
    )


def shares(kinds: Sequence[tuple[str, int]], most: int) -> Markup:
    """A bar of what there is, by kind; the last part is all beyond the first `most` kinds."""
    rest = sum(count for _, count in kinds[most:])
    parts = [*kinds[:most], *([("other", rest)] if rest else [])]
    total = sum(count for _, count in parts) or 1
    x = 0.0
    bars = []
    for number, (kind, count) in enumerate(parts):
        width = count / total * 1000
        bars.append(
            element(
                "g",
                element("title", f"{kind}: {count:,}"),
                _rectangle(x, 0, max(width - 4, 1), 10, f"share-{number}"),
            )
        )
        x += width
    return element(
        "svg", bars, viewBox="0 0 1000 10", preserveAspectRatio="none", role="img", cls="shares",
        aria_label=", ".join(f"{count:,} {kind}" for kind, count in parts),
    )  # fmt: skip


def trend(looks: Sequence[Looked]) -> Markup | None:
    """How many objects had drifted, look by look; None where there are too few to see anything."""
    shown = looks[-POINTS:]
    if len(shown) < 2:
        return None
    most = max(max(one.drifted for one in shown), 1)
    step = 160 / (len(shown) - 1)
    points = " ".join(
        f"{number * step:.1f},{30 - one.drifted / most * 26:.1f}" for number, one in enumerate(shown)
    )
    label = (
        f"Drift in the last {len(shown)} looks, {shown[0].time[:10]} to {shown[-1].time[:10]}: at most {most}"
    )
    return element(
        "svg",
        element("title", label),
        element("polyline", points=points, fill="none"),
        viewBox="-2 0 164 34",
        role="img",
        cls="trend",
    )


def _rectangle(x: float, y: float, width: float, height: float, kind: str) -> Markup:
    return element(
        "rect", x=f"{x:g}", y=f"{y:g}", width=f"{width:.2f}", height=f"{height:.2f}", rx="1", cls=kind
    )
