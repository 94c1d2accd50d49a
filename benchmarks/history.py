"""What looking back takes: the history and the check of a ledger with many receipts."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchmarks.bench import Bench, benchmark
from benchmarks.results import Result, Target
from twinfra.state.ledger.authors import about
from twinfra.state.ledger.entries import chained, write_segment
from twinfra.state.ledger.log import MOST_ENTRIES

_FULL = 10_000
_COMMITS = 100


@benchmark("history")
def history(bench: Bench) -> Iterator[Result]:
    """`history` and `audit verify` on 10,000 receipts, joined with a Git repository."""
    number = bench.size(_FULL)
    place = bench.directory(bench.ours, "history", main="")
    _write(place, number, _repository(place))
    for name, arguments in (
        ("history, the newest 20", ("history",)),
        ("history -json, all", ("history", "-json")),
        ("audit verify", ("audit", "verify")),
    ):
        run = bench.ours.run(place, *arguments, times=bench.times(5))
        yield Result(f"{name} of {number:,} receipts", run, target=Target(seconds=1))


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


def _write(place: Path, number: int, commits: list[str]) -> None:
    directory = place / "terraform.tfstate.records"
    directory.mkdir()
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
        entries.append(chained(n, before, about("apply", body)))
        before = entries[-1].hash
    for at in range(0, number, MOST_ENTRIES):
        segment = write_segment(entries[at : at + MOST_ENTRIES])
        (directory / f"ledger-{at // MOST_ENTRIES + 1:06}.json").write_bytes(segment)
