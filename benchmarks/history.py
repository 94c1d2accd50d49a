"""What looking back takes: history, releases and the check of a ledger with many receipts."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench, benchmark
from benchmarks.results import Result, Target
from twinfra.state.ledger.authors import about
from twinfra.state.ledger.entries import Entry, chained, write_segment
from twinfra.state.ledger.log import MOST_ENTRIES

_FULL = 10_000
_COMMITS = 100
_EVERY = 100
"""Of so many receipts one is released."""


@benchmark("history")
def history(bench: Bench) -> Iterator[Result]:
    """`history` and `audit verify` on 10,000 receipts, joined with a Git repository."""
    number = bench.size(_FULL)
    place = bench.directory(bench.ours, "history", main="")
    _write(place / "terraform.tfstate.records", number, _repository(place))
    for name, arguments in (
        ("history, the newest 20", ("history",)),
        ("history -json, all", ("history", "-json")),
        ("audit verify", ("audit", "verify")),
    ):
        run = bench.ours.run(place, *arguments, times=bench.times(5))
        yield Result(f"{name} of {number:,} receipts", run, target=Target(seconds=1))


@benchmark("report")
def report(bench: Bench) -> Iterator[Result]:
    """`report -html` of two environments with 10,000 receipts each, and whether it grows with their number."""
    before = None
    for number in (bench.size(_FULL) // 2, bench.size(_FULL)):
        place = bench.directory(bench.ours, f"report-{number}", main='variable "env" {\n}\n')
        (place / "twinfra.toml").write_text(_ENVIRONMENTS, "utf-8")
        commits = _repository(place)
        for name in ("staging", "production"):
            _write(place / f"terraform.tfstate.d/{name}/terraform.tfstate.records", number, commits)
        for shown, options in (("", ()), (", all entries shown", ("-n=0",))):
            run = bench.ours.run(place, "report", "-html=report.html", *options, times=bench.times(3))
            grown = (
                Target(seconds=5, growth=2.5) if before is not None and not options else Target(seconds=10)
            )
            yield Result(
                f"report -html of 2 x {number:,} receipts{shown}",
                run,
                target=grown,
                before=before if not options else None,
            )
            before = before or run


_ENVIRONMENTS = """
[environments.staging]
variables = { env = "staging" }

[environments.production]
variables = { env = "production" }
twin_of = "staging"
"""


@benchmark("releases")
def releases(bench: Bench) -> Iterator[Result]:
    """`release list`, `show`, `diff` and `which` on 10,000 receipts with a release of every hundredth."""
    number = bench.size(_FULL)
    place = bench.directory(bench.ours, "releases", main="")
    (place / "twinfra.toml").write_text('[environments.production]\nworkspace = "default"\n', "utf-8")
    _write(place / "terraform.tfstate.records", number, _repository(place), released=True)
    for arguments in (
        ("release", "list"),
        ("release", "show", "v50"),
        ("release", "diff", "v1", "v50"),
        ("which", "-model=fraud-detector:1"),
        ("which",),
    ):
        run = bench.ours.run(place, *arguments, "-env=production", times=bench.times(5))
        yield Result(f"{' '.join(arguments)} on {number:,} receipts", run, target=Target(seconds=1))


def _repository(place: Path) -> list[str]:
    """Commits of a new repository there."""

    def git(*arguments: str) -> str:
        who = ("-c", "user.name=bench", "-c", "user.email=bench@example.org")
        done = subprocess.run(
            ["git", *who, *arguments], cwd=place, check=True, capture_output=True, text=True
        )
        return done.stdout

    git("init", "-q", "-b", "main")
    git("add", "-A")
    for one in range(_COMMITS):
        git("commit", "-q", "--allow-empty", "-m", f"Change number {one}")
    return git("log", "--format=%H").split()


def _write(directory: Path, number: int, commits: list[str], *, released: bool = False) -> None:
    directory.mkdir(parents=True)
    digest = "sha256:" + "ab" * 32
    before, entries = "", []
    for n in range(1, number + 1):
        body = {
            "workspace": "default",
            "environment": "production",
            "outcome": "done",
            "counts": {"added": 2, "changed": 1},
            "changes": [{"address": f"aws_instance.node[{one}]", "action": "update"} for one in range(3)],
            **dict.fromkeys(("code", "inputs", "state", "plan"), digest),
            "commit": commits[n % len(commits)],
            "branch": "main",
            "subject": f"Change number {n % len(commits)}",
            "dirty": False,
            "serial": n,
        }
        entries.append(chained(len(entries) + 1, before, about("apply", body)))
        before = entries[-1].hash
        if released and n % _EVERY == 0:
            entries.append(
                chained(len(entries) + 1, before, about("release", _release(entries[-1], n // _EVERY)))
            )
            before = entries[-1].hash
    for at in range(0, len(entries), MOST_ENTRIES):
        segment = write_segment(entries[at : at + MOST_ENTRIES])
        (directory / f"ledger-{at // MOST_ENTRIES + 1:06}.json").write_bytes(segment)
    (directory / "ledger-head.json").write_text(json.dumps({"n": len(entries), "hash": before}))


def _release(receipt: Entry, number: int) -> dict[str, Any]:
    body = receipt.body
    return {
        "release": f"v{number}",
        "models": [{"name": "fraud-detector", "version": str(number)}],
        "receipt": {
            "n": receipt.n,
            "hash": receipt.hash,
            **{one: body[one] for one in ("code", "inputs", "state")},
        },
        "commit": body["commit"],
        "subject": body["subject"],
        "outputs": {"endpoint": {"type": "string", "value": f"https://{number}.example.com"}},
        "registries": [],
    }
