"""What a benchmark gets to work with, and the register of all of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.programs import Program
from benchmarks.results import Result


@dataclass
class Bench:
    """A run of benchmarks: the programs, a directory for their files, and whether small sizes will do."""

    scratch: Path
    ours: Program
    stock: Program | None
    quick: bool
    made: list[Path] = field(default_factory=list)

    def size(self, full: int) -> int:
        """A number of things: a tenth of it in a quick run."""
        return max(1, full // 10) if self.quick else full

    def times(self, full: int) -> int:
        """How often to repeat: once in a quick run."""
        return 1 if self.quick else full

    @property
    def programs(self) -> list[Program]:
        """Those that are there, ours first."""
        return [self.ours] if self.stock is None else [self.ours, self.stock]

    def directory(self, program: Program, name: str, **files: str) -> Path:
        """A new directory with the files `NAME.tf`."""
        directory = self.scratch / f"{name}-{program.name}"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        for file, text in files.items():
            (directory / f"{file}.tf").write_text(text, "utf-8")
        self.made.append(directory)
        return directory


Benchmark = Callable[[Bench], Iterator[Result]]
BENCHMARKS: dict[str, Benchmark] = {}
"""All of them by name, in the order they are run."""


def benchmark(name: str) -> Callable[[Benchmark], Benchmark]:
    """Register a benchmark under a name."""

    def register(function: Benchmark) -> Benchmark:
        BENCHMARKS[name] = function
        return function

    return register
