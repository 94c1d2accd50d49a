"""What differs between two releases: models, code, inputs, state and outputs."""

from __future__ import annotations

from typing import Any

from twinfra.dataclass import dataclass
from twinfra.releases.record import DIGESTS, Release


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs. `part`: `model`, `commit`, a digest, `output`. Empty text: the release has none."""

    part: str
    name: str
    before: Any
    after: Any


def compare(before: Release, after: Release) -> list[Difference]:
    """All that differs, in the order in which people ask: models first."""
    found = []
    for name in sorted({one.name for one in (*before.models, *after.models)}):
        found += _unequal("model", name, before.version_of(name), after.version_of(name))
    found += _unequal("commit", "", before.commit, after.commit)
    for digest in DIGESTS:
        found += _unequal(digest, "", before.receipt.get(digest), after.receipt.get(digest))
    found += _unequal("twinfra", "", before.entry.body.get("version"), after.entry.body.get("version"))
    for name in sorted({*before.outputs, *after.outputs}):
        found += _unequal("output", name, before.outputs.get(name), after.outputs.get(name))
    return found


def _unequal(part: str, name: str, before: Any, after: Any) -> list[Difference]:
    return [] if before == after else [Difference(part, name, before, after)]
