"""What a person wants to know first, in a few figures."""

from __future__ import annotations

from twinfra.report.cards import verdict
from twinfra.report.estate import Estate
from twinfra.report.markup import Content, Markup, element
from twinfra.report.wording import counted, when


def tiles(estate: Estate) -> Markup:
    """The figures of an estate."""
    return element(
        "div",
        _environments(estate),
        _twins(estate),
        _models(estate),
        _drift(estate),
        _last(estate),
        cls="tiles",
    )


def _tile(name: str, figure: Content, below: Content, tone: str = "") -> Markup:
    return element(
        "div",
        element("p", name, cls="name"),
        element("p", figure, cls="figure"),
        element("p", below, cls="soft"),
        cls=f"tile {tone}".strip(),
    )


def _environments(estate: Estate) -> Markup:
    words = [verdict(one) for one in estate.standings]
    bad = sum(1 for _, tone in words if tone == "bad")
    objects = sum(one.state.objects for one in estate.standings if one.state is not None)
    if bad:
        return _tile("Environments", f"{len(words) - bad} of {len(words)}", "are as they should be", "bad")
    return _tile("Environments", f"{len(words)}", counted(objects, "object"), "good")


def _twins(estate: Estate) -> Markup:
    if not estate.pairs:
        return _tile("Twins", "None", "no twin_of is declared")
    reports = [one.report for one in estate.pairs]
    findings = sum(len(one.findings) for one in reports if one is not None)
    unknown = sum(1 for one in reports if one is None)
    if unknown:
        return _tile("Twins", "Not known", f"{counted(unknown, 'pair')} not compared", "bad")
    if findings:
        return _tile("Twins", counted(findings, "finding"), "that no parameter explains", "bad")
    outfits = sum(len(one.outfits) for one in reports if one is not None)
    return _tile("Twins", "Yes", f"{counted(outfits, 'difference')}, all declared", "good")


def _models(estate: Estate) -> Markup:
    found = [one.past.timeline.current for one in estate.standings if one.past is not None]
    current = [one for one in found if one is not None]
    versions = {model for one in current for model in one.models}
    models = {model.name for model in versions}
    if not current:
        return _tile("Models", "None", "nothing is released")
    below = f"{counted(len(versions), 'version')} in {counted(len(current), 'environment')}"
    return _tile("Models", f"{len(models):,}", below)


def _drift(estate: Estate) -> Markup:
    known = [one.drift.last for one in estate.standings if one.drift is not None]
    if not known:
        return _tile("Drift", "Not looked at", element("code", "twinfra report -drift"))
    drifted, checked = sum(one.drifted for one in known), sum(one.checked for one in known)
    of = f"of {counted(checked, 'object')}"
    if drifted:
        return _tile("Drift", f"{drifted:,}", of, "warn")
    missing = len(estate.standings) - len(known)
    if missing:
        return _tile("Drift", "None", f"{of}; {counted(missing, 'environment')} not looked at", "warn")
    return _tile("Drift", "None", of, "good")


def _last(estate: Estate) -> Markup:
    found = [
        (one.past.last.happening, one.name)
        for one in estate.standings
        if one.past is not None and one.past.last is not None
    ]
    if not found:
        return _tile("Last change", "None", "nothing is recorded")
    last, name = max(found, key=lambda one: one[0].when)
    outcome = str(last.entry.body.get("outcome", ""))
    tone = "" if outcome == "done" else "bad"
    return _tile(
        "Last change",
        when(last.when, zone=False),
        f"{name}: {last.entry.kind} {outcome}, {last.entry.who}",
        tone,
    )
