"""What drifted: from the look of just now, or from the numbers that earlier looks have left."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from twinfra.report.cards import colour
from twinfra.report.charts import POINTS, trend
from twinfra.report.differences import LONGEST
from twinfra.report.estate import Drift, Estate
from twinfra.report.markup import Content, Markup, element
from twinfra.report.wording import counted, pill, when
from twinfra.values.numbers import format_number

_OBJECTS = 100
_CHANGES = 3


def drift_section(estate: Estate) -> Iterator[Content]:
    """A block for each environment, and how to look where nobody has."""
    blocks = [
        _block(one.name, number, one.drift)
        for number, one in enumerate(estate.standings)
        if one.drift is not None
    ]
    if blocks:
        yield element("div", blocks, cls="panel")
    missing = [one.name for one in estate.standings if one.drift is None]
    if missing:
        yield element(
            "p", f"Nobody has looked at {', '.join(missing)}. ", element("code", "twinfra report -drift"),
            " looks now; the numbers of ", element("code", "twinfra drift -summary=FILE"),
            " are shown where twinfra.toml names the file.", cls="soft",
        )  # fmt: skip


def _block(name: str, number: int, drift: Drift) -> Markup:
    last = drift.last
    word = (
        pill(f"{counted(last.drifted, 'object')} drifted", "warn")
        if last.drifted
        else pill("no drift", "good")
    )
    told = [f"{counted(last.checked, 'object')} looked at, "]
    more = ""
    if last.drifted:
        more = f"; {last.gone:,} gone, {counted(last.violations, 'declared value')} violated"
    if last.ignored:
        more += f"; {counted(last.ignored, 'difference')} left out by rules"
    document = drift.document or {}
    findings = list(document.get("findings", ()))
    rules = [
        element("li", f"{one['summary']}: {one['detail']}", cls="warn") for one in document.get("rules", ())
    ]
    return element(
        "div",
        element("header", element("h3", element("span", name, cls="env")), word),
        element("p", told, when(last.time, year=True), more, cls="soft"),
        _trend(drift),
        element("ul", map(_finding, findings[:_OBJECTS]), cls="changes") if findings else None,
        element(
            "p", f"{len(findings) - _OBJECTS:,} more objects: ", element("code", f"twinfra drift -env {name}")
        )
        if len(findings) > _OBJECTS
        else None,
        element("ul", rules, cls="soft") if rules else None,
        cls=f"block {colour(number)}",
    )


def _trend(drift: Drift) -> Markup | None:
    drawn = trend(drift.trend)
    if drawn is None:
        return None
    shown = drift.trend[-POINTS:]
    most = counted(max(one.drifted for one in shown), "object")
    caption = ["since ", when(shown[0].time, zone=False), f", {len(shown):,} looks, at most {most}"]
    return element("div", drawn, element("span", caption, cls="soft"), cls="trend")


def _finding(finding: Mapping[str, Any]) -> Markup:
    gone = finding["kind"] == "gone"
    parts = [one for one in finding["attributes"] if not one["echo"]]
    who = [
        element("li", f"by {one['who']} at ", when(one["time"]), f" ({one['what']})", cls="soft")
        for one in finding["changes"][:_CHANGES]
    ]
    return element(
        "li",
        element("code", finding["address"]),
        [" ", element("span", finding["id"], cls="soft")] if finding["id"] else None,
        [" ", pill("gone", "bad")] if gone else None,
        element("ul", map(_attribute, parts), who) if parts or who else None,
    )


def _attribute(one: Mapping[str, Any]) -> Markup:
    change: list[Content]
    if one["sensitive"]:
        change = ["(sensitive), changed"]
    elif one["element"]:
        came = one["before"] is None
        change = [
            element(
                "ins" if came else "del", ("+ " if came else "- ") + _text(one["after" if came else "before"])
            )
        ]
    else:
        change = [element("del", _text(one["before"])), " → ", element("ins", _text(one["after"]))]
    declared = one["declared"]
    if declared is None:
        note = "nobody declared it"
    else:
        verb = "violates" if one["violates"] else "declared at"
        note = f"{verb} {declared['filename']}:{declared['line']}"
    return element("li", element("code", one["path"], ": ", change), " ", element("span", note, cls="soft"))


def _text(value: Any) -> str:
    text = _json(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _json(value: Any) -> str:
    """JSON in which numbers of the language are exact."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_json(name)}: {_json(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_json, value)) + "]"
    if value is None or isinstance(value, str | bool):
        return json.dumps(value, ensure_ascii=False)
    return format_number(value)
