"""Measured results, what they must reach, and how they are shown."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.processes import Run


@dataclass(frozen=True)
class Target:
    """The most that ours may take: as shares of what stock Terraform takes, or (`seconds`) on its own.

    `growth` is the most that ours may take as a multiple of a smaller run of ours, `megabytes` the most memory, and
    `count` how many of what is counted there may be.
    """

    time: float | None = None
    memory: float | None = None
    seconds: float | None = None
    growth: float | None = None
    megabytes: float | None = None
    count: int | None = None

    def __str__(self) -> str:
        parts = []
        if self.time is not None:
            parts.append(f"{1 / self.time:.0f}x faster" if self.time < 1 else f"{self.time:g} of its time")
        if self.memory is not None:
            parts.append(f"{self.memory:.0%} of its memory")
        if self.seconds is not None:
            parts.append(f"{self.seconds:g} s")
        if self.growth is not None:
            parts.append(f"{self.growth:g} times")
        if self.megabytes is not None:
            parts.append(f"{self.megabytes:g} MB")
        if self.count is not None:
            parts.append(str(self.count))
        return ", ".join(parts)


@dataclass(frozen=True)
class Result:
    """One benchmark. `before` is the smaller run that `growth` is about; `count`: what was counted, if anything."""

    name: str
    ours: Run
    stock: Run | None = None
    target: Target | None = None
    before: Run | None = None
    count: int | None = None

    @property
    def time(self) -> float | None:
        """Our share of stock Terraform's time."""
        return None if self.stock is None else self.ours.seconds / self.stock.seconds

    @property
    def memory(self) -> float | None:
        """Our share of stock Terraform's memory."""
        return None if self.stock is None else self.ours.memory / self.stock.memory

    @property
    def growth(self) -> float | None:
        """How many times the smaller run's time it takes."""
        return None if self.before is None else self.ours.seconds / self.before.seconds

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached; None where there is none, or stock Terraform did not run."""
        if self.target is None:
            return None
        pairs = (
            (self.time, self.target.time),
            (self.memory, self.target.memory),
            (self.ours.seconds, self.target.seconds),
            (self.growth, self.target.growth),
            (self.ours.memory / 1e6, self.target.megabytes),
            (self.count, self.target.count),
        )
        known = [value <= limit for value, limit in pairs if value is not None and limit is not None]
        return all(known) if known else None

    def document(self) -> dict[str, Any]:
        """It as JSON."""
        return asdict(self) | {
            "time_ratio": self.time,
            "memory_ratio": self.memory,
            "growth": self.growth,
            "reached": self.reached,
        }


def compared(name: str, runs: Sequence[Run], target: Target | None = None) -> Result:
    """A result of runs of ours and, where it is there, of stock Terraform."""
    return Result(name, runs[0], runs[1] if len(runs) > 1 else None, target)


HEADINGS = ("Work", "Twinfra", "Terraform", "Time", "Memory", "Must reach", "")


def table(results: Iterable[Result]) -> str:
    """The results as a table (in Markdown too)."""
    rows = [HEADINGS, *map(_row, results)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(HEADINGS))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _row(result: Result) -> tuple[str, ...]:
    time, memory, growth = result.time, result.memory, result.growth
    shown = "" if time is None else f"{1 / time:.1f}x faster" if time < 1 else f"{time:.2f}x"
    if growth is not None:
        shown = f"{growth:.2f} times"
    if result.count is not None:
        shown = str(result.count)
    return (
        result.name,
        _run(result.ours),
        "" if result.stock is None else _run(result.stock),
        shown,
        "" if memory is None else f"{memory:.0%}",
        "" if result.target is None else str(result.target),
        {True: "reached", False: "MISSED", None: ""}[result.reached],
    )


def _run(run: Run) -> str:
    return f"{run.seconds:.2f} s, {run.memory / 2**20:.0f} MB"


def machine() -> dict[str, Any]:
    """What it was measured on."""
    import os

    return {
        "system": platform.platform(),
        "processor": platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": platform.python_version(),
    }
