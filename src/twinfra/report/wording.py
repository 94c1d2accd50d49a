"""How times, numbers and outcomes are put on a page."""

from __future__ import annotations

from datetime import UTC, date, datetime

from twinfra.report.markup import Content, Markup, element, joined

TONES = {"done": "good", "failed": "bad", "interrupted": "bad", "stopped": "warn"}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def when(text: str, *, year: bool = False, zone: bool = True) -> Markup:
    """A time for people, in UTC: `26 Nov, 14:10 UTC`; as it stands where it is none."""
    try:
        at = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return joined(text)
    day = day_text(at) + (f" {at.year}" if year else "")
    return element("time", f"{day}, {at:%H:%M}{' UTC' if zone else ''}", datetime=f"{at:%Y-%m-%dT%H:%M:%SZ}")


def day_text(day: date) -> str:
    """A day of a year: `26 Nov`."""
    return f"{day.day} {_MONTHS[day.month - 1]}"


def counted(count: int, noun: str, plural: str = "") -> str:
    """A number with its noun: `1 object`, `2,000 objects`."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def pill(text: str, tone: str = "calm") -> Markup:
    """A word that stands out. `tone`: `good`, `bad`, `warn` or `calm`."""
    return element("span", text, cls=f"pill {tone}")


def outcome_pill(outcome: str) -> Markup | None:
    """How something ended; None where it is not told."""
    return pill(outcome, TONES.get(outcome, "calm")) if outcome else None


def commit_line(id: str, branch: str, dirty: bool) -> list[Content]:
    """A commit as people know it."""
    if not id:
        return []
    parts: list[Content] = [element("code", id[:12], cls="commit")]
    if branch:
        parts.append(f" on {branch}")
    if dirty:
        parts += [" ", element("span", "with changes that were not committed", cls="warn")]
    return parts
