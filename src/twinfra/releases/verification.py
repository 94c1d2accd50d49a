"""Whether a release still holds: what its receipt says, held against code, state, cloud and registries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from twinfra import __version__
from twinfra.dataclass import dataclass
from twinfra.diagnostics import DiagnosticError
from twinfra.environments.drift.finding import Report
from twinfra.environments.fingerprint import Fingerprint
from twinfra.releases.record import Release
from twinfra.releases.registry import Pair, is_unknown
from twinfra.state.ledger.entries import Entry, hash_of
from twinfra.state.model import State

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `text` says what was found; `holds` is None where it could not be looked at."""

    part: str
    holds: bool | None
    text: str

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {"part": self.part, "holds": self.holds, "text": self.text}


def check_receipt(release: Release, entries: Iterable[Entry]) -> Check:
    """That the receipt, and the release itself, are in the ledger as they were written."""
    receipt = release.receipt
    if hash_of(release.entry.document()) != release.entry.hash:
        return Check("receipt", False, f"the release (entry {release.entry.n}) is not as it was written")
    found = next((one for one in entries if one.n == receipt.get("n")), None)
    if found is None:
        return Check("receipt", False, f"the ledger has no entry {receipt.get('n')} any more")
    if found.hash != receipt.get("hash") or hash_of(found.document()) != found.hash:
        return Check("receipt", False, f"entry {found.n} is not as it was when the release was made")
    return Check("receipt", True, f"entry {found.n} is as it was written")


def check_tag(release: Release, commit: str) -> Check | None:
    """That the Git tag is where it was; None where the release has none. `commit`: where it is now, empty for none."""
    if not release.tag:
        return None
    if not commit:
        return Check("tag", None, f"there is no tag {release.tag} in this clone: git fetch --tags")
    if commit != release.commit:
        return Check("tag", False, f"{release.tag} is at {commit[:12]}, not at {release.commit[:12]}")
    return Check("tag", True, f"{release.tag} is at {commit[:12]}")


def check_digests(release: Release, now: Fingerprint) -> Iterator[Check]:
    """That commit and state still give the digests of the receipt."""
    told = {"code": now.code, "inputs": now.inputs, "state": now.state}
    made_with = release.entry.body.get("version")
    for name, digest in told.items():
        before = str(release.receipt.get(name, ""))
        if digest == before:
            yield Check(name, True, f"{digest[:23]} as released")
            continue
        text = f"{digest[:23]}, not {before[:23]}"
        if name == "code" and made_with != __version__:
            # The engine is part of what made it.
            yield Check(name, None, f"released with Twinfra {made_with}, and this is {__version__}: {text}")
        else:
            yield Check(name, False, text)


def check_state(release: Release, state: State) -> Check | None:
    """That it is still the same state; None where it is."""
    lineage = release.receipt.get("lineage")
    if state.lineage != lineage:
        return Check("state", False, "it is another state: its lineage is not that of the receipt")
    return None


def check_cloud(report: Report, pending: list[str]) -> Check:
    """That what exists is as recorded, and a plan of the released code has nothing to do."""
    if report.findings:
        return Check("cloud", False, f"drifted: {_listed([str(one.address) for one in report.findings])}")
    if pending:
        return Check("cloud", False, f"the released code would still change {_listed(pending)}")
    return Check("cloud", True, f"{report.checked} objects are as recorded")


def check_models(release: Release, pairs: Iterable[Pair], in_force: bool) -> Iterator[Check]:
    """That registries have the models, know of the release, and point to it while it is in force."""
    for pair in pairs:
        registry, model = pair.registry, pair.model
        where = f"{registry.title} {model}"
        try:
            wrong = registry.holds(model) if in_force else ""
            if not wrong and "release" not in registry.noted(model):
                wrong = "no release is noted beside it: twinfra release repair"
        except DiagnosticError as failed:
            first = failed.diagnostics[0]
            yield Check(
                "model", False if is_unknown(failed) else None, f"{where}: {first.summary}: {first.detail}"
            )
            continue
        yield Check("model", not wrong, f"{where}: {wrong or 'is there, and knows of the release'}")


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
