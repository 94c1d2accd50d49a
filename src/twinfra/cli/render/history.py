"""The history of an environment and the entries of its ledger, as text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from twinfra.cli.render.style import Style
from twinfra.environments.history import RECEIPTS, Happening
from twinfra.state.ledger.entries import Entry

_COLOURS = {"done": "green", "failed": "red", "stopped": "yellow", "interrupted": "red"}
_SIGNS = (("added", "+"), ("changed", "~"), ("destroyed", "-"), ("imported", "<"), ("forgotten", "x"))

_INDENT = " " * 6


def render_history(happenings: Iterable[Happening], style: Style) -> Iterator[str]:
    """Lines: who did what and when with which outcome; below it the commit, why, and which plan."""
    for one in happenings:
        yield from _happening(one, style)
        yield ""


def render_entries(entries: Iterable[Entry], style: Style) -> Iterator[str]:
    """A line for each entry."""
    for one in entries:
        outcome = str(one.body.get("outcome", ""))
        head = f"{one.n:>6}  {time_text(one.time)}  {one.who}@{one.host}  "
        yield cut(head + " ".join(filter(None, (one.kind, _mark(outcome), subject_of(one)))), style.width)


def subject_of(entry: Entry) -> str:
    """What an entry is about, in a few words."""
    body = entry.body
    if entry.kind in RECEIPTS:
        return _counts(body)
    if body.get("release"):
        models = [f"{one['name']}:{one['version']}" for one in body.get("models") or ()]
        return f"{body['release']}: {_some(models)}" if models else str(body["release"])
    if "moves" in body:
        moves = [f"{one['from']} => {one['to']}" for one in body["moves"]]
        return _some(moves)
    if "objects" in body:
        return _some([str(one) for one in body["objects"]])
    if "lock" in body:
        return f"lock {body['lock'].get('id', '')} of {body['lock'].get('who', '') or 'somebody'}"
    for name in ("deleted", "source", "version", "name"):
        if body.get(name):
            return str(body[name])
    return ""


def _happening(one: Happening, style: Style) -> Iterator[str]:
    entry, body = one.entry, one.entry.body
    outcome = str(body.get("outcome", ""))
    parts = [f"#{entry.n}", time_text(one.when), entry.who, entry.kind, outcome, subject_of(entry)]
    if body.get("environment"):
        parts.insert(3, f"[{body['environment']}]")
    for line in _packed(list(filter(None, parts)), style.width):
        # Coloured once it is measured.
        yield "  ".join(
            style(part, _COLOURS.get(outcome, "bold")) if part == outcome else part for part in line
        )
    if one.commit_id:
        author = f" ({one.commit.author})" if one.commit is not None else ""
        branch = f" {body['branch']}" if body.get("branch") else ""
        yield cut(f"      {one.commit_id[:12]}{branch}{author}", style.width)
        yield cut(f"      {one.why}", style.width)
        if body.get("dirty"):
            yield style("      with changes that were not committed", "yellow")
        if one.missing:
            yield style("      This clone lacks that commit: git fetch --all --tags", "yellow")
    for text in _details(entry):
        yield from textwrap.wrap(
            _plain(text), style.width, initial_indent=_INDENT, subsequent_indent=f"{_INDENT}  ",
            break_long_words=False, break_on_hyphens=False,
        )  # fmt: skip
    if one.clock:
        yield style(cut(f"      Clock: {one.clock}.", 10 * style.width), "yellow")


def _packed(parts: list[str], width: int) -> Iterator[list[str]]:
    """Parts of a heading in lines that fit; what goes on is indented."""
    line: list[str] = []
    used = 0
    for part in map(_plain, parts):
        if line and used + 2 + len(part) > width:
            yield line
            # With the two spaces between parts that is the indentation.
            line, used = [" " * (len(_INDENT) - 2)], len(_INDENT) - 2
        used += len(part) + (2 if line else 0)
        line.append(part)
    yield line


def _details(entry: Entry) -> Iterator[str]:
    body = entry.body
    if body.get("plan"):
        kind = "saved plan" if body.get("saved_plan") else "plan"
        yield f"{kind} {str(body['plan'])[: len('sha256:') + 16]}" + (
            f"  serial {body['serial']}" if "serial" in body else ""
        )
    changes = body.get("changes") or ()
    if changes:
        listed = [f"{one['address']} ({one['action']})" for one in changes]
        yield _some(listed)
    if body.get("targets"):
        yield f"only {_some(list(body['targets']))}"


def _counts(body: Mapping[str, Any]) -> str:
    counts = body.get("counts") or {}
    text = " ".join(f"{sign}{counts[name]}" for name, sign in _SIGNS if counts.get(name))
    return text or ("no changes" if body.get("outcome") == "done" else "")


def _some(texts: list[str], most: int = 3) -> str:
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return ", ".join(texts[:most]) + more


def _mark(outcome: str) -> str:
    return "" if outcome == "done" else outcome


def time_text(text: str) -> str:
    """A time for people, in UTC as it was recorded."""
    return text[:16].replace("T", " ") + "Z" if len(text) >= 16 else text


def _plain(text: str) -> str:
    # What people wrote into commits and names must not steer the terminal.
    return "".join(one if one.isprintable() else " " for one in text)


def cut(text: str, width: int) -> str:
    """A line of at most `width` columns, without what would steer the terminal."""
    text = _plain(text)
    return text if len(text) <= width else text[: max(1, width - 3)] + "..."
