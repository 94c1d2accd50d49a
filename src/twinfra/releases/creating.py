"""What a release is made of, and what speaks against making one: nothing is written here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from twinfra import __version__
from twinfra.diagnostics import Diagnostic, DiagnosticError, error
from twinfra.environments.history import RECEIPTS
from twinfra.releases.record import DIGESTS, RELEASE, Model, check_name, model_body
from twinfra.state.ledger.entries import Entry
from twinfra.state.ledger.log import Condition
from twinfra.state.model import OutputState, State

_LONG = 16 * 1024
"""An output of more bytes of JSON is recorded by its digest."""

_FROM_RECEIPT = (*DIGESTS, "serial", "lineage", "plan", "finished", "mode")


def applied_receipt(where: str, again: str, newest: Iterable[Entry]) -> Entry:
    """The receipt of what runs, by the entries of a ledger from the newest back.

    `where`: how people know the state; `again`: the command that applies it. Raises `DiagnosticError` where
    nothing runs, or not exactly what one commit says.
    """
    for entry in newest:
        if entry.kind in RECEIPTS and entry.body.get("mode") != "refresh-only":
            problem = _refusal(entry, where, again)
            if problem is not None:
                raise DiagnosticError(problem)
            return entry
    raise DiagnosticError(
        error(
            "Nothing to release",
            f"{where} has no receipt of an apply, which would say what runs.",
            mend=f"Apply first, where twinfra.toml is: {again}",
        )
    )


def _refusal(entry: Entry, where: str, again: str) -> Diagnostic | None:
    body = entry.body
    told = f"(entry {entry.n}, {entry.time}, {entry.who})"
    if body.get("outcome") != "done":
        return error(
            "Not fully applied",
            f"The last {entry.kind} of {where} {told} did not come to its end: {body.get('outcome')}.",
            mend=f"Finish it: {again}",
        )
    if body.get("mode") == "destroy":
        return error("Nothing to release", f"{where} was destroyed {told}.", mend=f"Apply it first: {again}")
    if not body.get("complete"):
        return error(
            "Not fully applied",
            f"Only a part of {where} was applied {told}.",
            mend=f"Apply all of it: {again}",
        )
    if not all(body.get(name) for name in DIGESTS):
        return error(
            "The receipt is not complete",
            f"The receipt of the last {entry.kind} of {where} {told} has no digests of what was applied.",
            mend=f"Apply it again: {again}",
        )
    if not body.get("commit"):
        return error(
            "Applied from no commit",
            f"{where} was applied from a directory that is in no Git commit {told}: nobody could go back to it.",
            mend=f"Commit the configuration, and apply it: {again}",
        )
    if body.get("dirty"):
        return error(
            "Applied from uncommitted changes",
            f"{where} was applied from {str(body['commit'])[:12]} with changes that were not committed {told}: "
            "nobody could go back to it.",
            mend=f"Commit what is meant to run, and apply it: {again}",
        )
    return None


def refuse_changed(receipt: Entry, state: State | None, where: str, again: str) -> Diagnostic | None:
    """What speaks against releasing what a receipt says: the state is another by now."""
    body = receipt.body
    if state is not None and (state.serial, state.lineage) == (body.get("serial"), body.get("lineage")):
        return None
    now = (
        "it is gone"
        if state is None
        else "it has another lineage"
        if state.lineage != body.get("lineage")
        else f"its serial is {state.serial}"
    )
    return error(
        "The state has changed since the last apply",
        f"The receipt of {where} (entry {receipt.n}) is of the state with serial {body.get('serial')}; {now}.",
        mend=f"See what changed it (twinfra history), and apply again: {again}",
    )


def release_body(
    name: str,
    models: tuple[Model, ...],
    receipt: Entry,
    outputs: Mapping[str, OutputState],
    *,
    tag: str,
    registries: Iterable[str],
    moves: bool,
) -> dict[str, Any]:
    """The body of the entry. `registries`: the keys of those that are to know; `moves`: they are to point to it."""
    body = receipt.body
    about = {"n": receipt.n, "id": receipt.id, "hash": receipt.hash, "kind": receipt.kind}
    return {
        "release": name,
        "environment": body.get("environment", ""),
        "workspace": body.get("workspace", ""),
        "models": model_body(models),
        "receipt": about | {one: body[one] for one in _FROM_RECEIPT if one in body},
        "commit": body["commit"],
        "branch": body.get("branch", ""),
        "subject": body.get("subject", ""),
        "tag": tag,
        "outputs": {one: _output(found) for one, found in sorted(outputs.items()) if not found.sensitive},
        "sensitive": sorted(one for one, found in outputs.items() if found.sensitive),
        "registries": list(registries),
        "moves": moves,
        "version": __version__,
    }


def _output(found: OutputState) -> dict[str, Any]:
    text = json.dumps(found.value, default=str, ensure_ascii=False, separators=(",", ":"))
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > _LONG:
        return {"type": found.type, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    # Numbers that are no number of JSON's own come as text, exactly as they are.
    return {"type": found.type, "value": json.loads(text)}


def condition(name: str, receipt: Entry, where: str) -> Condition:
    """What must still be so in the moment in which the release is recorded, also where others release at once."""
    check_name(name)

    def unless(entries: Iterable[Entry]) -> Diagnostic | None:
        for entry in entries:
            if entry.kind == RELEASE and entry.body.get("release") == name:
                return error(
                    "Release exists already",
                    f"{where} has a release {name} (entry {entry.n}, {entry.time}, {entry.who}).",
                    mend="Choose another name. A release is never changed.",
                )
            if entry.n > receipt.n and entry.kind in RECEIPTS and entry.body.get("mode") != "refresh-only":
                return error(
                    "Applied again meanwhile",
                    f"{where} was applied again (entry {entry.n}, {entry.who}) while this began.",
                    mend="Look at what runs now, and release that.",
                )
        return None

    return unless
