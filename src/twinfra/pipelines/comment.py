"""The comment on a pull request: a table of the environments, and a section for each with its plan, folded when long.

A comment is found again by a mark, and each section of it by two, so that a later job can change its own alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from twinfra.pipelines.outcome import (
    APPLIED,
    FAILED,
    NOTHING,
    PLANNED,
    READY,
    UNTOUCHED,
    WAITING,
    Outcome,
    as_told,
    hidden,
)

_LONG = 30
"""More lines than these are folded."""
_PLAN_DIGITS = 19
_ROOM = 600
"""Characters of a section beside its texts, with a reserve."""
_SECTION = re.compile(
    r"<!-- twinfra:begin ([\w-]+) -->\n### ([^\n]*)\n(.*?)<!-- twinfra:end \1 -->\n", re.DOTALL
)


def mark(within: str = ".") -> str:
    """What the comment begins with, for a configuration in a directory of the repository."""
    return "<!-- twinfra:comment -->" if within == "." else f"<!-- twinfra:comment {within} -->"


def render(
    outcomes: Sequence[Outcome], *, limit: int, secrets: Iterable[str] = (), kept: str = "", within: str = "."
) -> str:
    """The comment's text of at most `limit` characters, without any of `secrets`.

    `kept` is the text of the comment so far, of which the sections of other environments stay; `within`: see `mark`.
    """
    known = list(secrets)
    sections: dict[str, tuple[str, str]] = {
        match[1]: (match[2], match[3]) for match in _SECTION.finditer(kept.replace("\r\n", "\n"))
    }
    fixed = sum(len(text) for name, (_, text) in sections.items() if not _is_among(name, outcomes))
    open_to = max(limit - fixed - _ROOM * (len(outcomes) + len(sections) + 1), 0)
    room = open_to // max(len(outcomes), 1)
    for one in outcomes:
        sections[one.environment] = (_heading(one), _section(one, known, room))
    return _whole(sections, within)


def _is_among(name: str, outcomes: Sequence[Outcome]) -> bool:
    return any(one.environment == name for one in outcomes)


def _whole(sections: Mapping[str, tuple[str, str]], within: str) -> str:
    lines = [mark(within), "## Twinfra" if within == "." else f"## Twinfra: {within}", ""]
    if not sections:
        lines += ["This change touches no environment.", ""]
    else:
        lines += ["| Environment | |", "|---|---|"]
        lines += [f"| **{name}** | {heading.partition(': ')[2]} |" for name, (heading, _) in sections.items()]
        lines.append("")
    text = "\n".join(lines) + "\n"
    for name, (heading, section) in sections.items():
        text += f"<!-- twinfra:begin {name} -->\n### {heading}\n{section}<!-- twinfra:end {name} -->\n"
    return text


def _heading(outcome: Outcome) -> str:
    told = as_told(outcome.counts)
    words = {
        PLANNED: told,
        UNTOUCHED: "not touched",
        FAILED: "failed",
        READY: f"being applied: {told}",
        NOTHING: "up to date",
        WAITING: f"waits for approval: {told}",
        APPLIED: f"applied: {told}",
    }
    return f"{outcome.environment}: {words[outcome.status]}"


def _section(outcome: Outcome, secrets: Sequence[str], room: int) -> str:
    parts = [f"{_inline(_without(note, secrets))}\n" for note in outcome.notes]
    problems = _without(outcome.problems, secrets).strip("\n")
    text = _without(outcome.text, secrets).strip("\n")
    if problems:
        problems = _cut(problems, room // 2 if text else room)
        parts.append(_block(problems, "Problems" if outcome.status == FAILED else "Warnings"))
    if text and outcome.status not in (UNTOUCHED, NOTHING):
        parts.append(_block(_cut(text, room - len(problems)), "Plan"))
    about = []
    if outcome.plan:
        about.append(f"plan `{outcome.plan[:_PLAN_DIGITS]}`")
    if outcome.commit:
        about.append(f"commit `{outcome.commit[:12]}`")
    if about:
        parts.append(f"<sub>{', '.join(about)}</sub>\n")
    return "\n" + "\n".join(parts) + "\n"


def _block(text: str, title: str) -> str:
    """A text as it is, folded when it is long."""
    longest = max((len(one) for one in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    block = f"{fence}text\n{text}\n{fence}\n"
    if text.count("\n") < _LONG:
        return block
    lines = text.count("\n") + 1
    return f"<details><summary>{title} ({lines} lines)</summary>\n\n{block}\n</details>\n"


def _cut(text: str, room: int) -> str:
    """The text's whole lines that fit in so many characters, with a word about the rest."""
    if len(text) <= room:
        return text
    kept = text[: max(room, 0)].rpartition("\n")[0]
    left = text.count("\n") - kept.count("\n")
    return f"{kept}\n({left} more lines are in the log of the job)".lstrip("\n")


def _without(text: str, secrets: Iterable[str]) -> str:
    # What a plan says must not look like a mark of ours.
    return hidden(text, secrets).replace("<!-- twinfra:", "<!- - twinfra:")


def _inline(text: str) -> str:
    """A sentence as Markdown: nobody is mentioned in it, and nothing in it is HTML."""
    return " ".join(text.split()).replace("<", "&lt;").replace("@", "@<!-- -->")
