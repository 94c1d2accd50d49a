"""What the shortest commands take: mostly starting."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.bench import Bench, benchmark
from benchmarks.results import Result, Target, compared


@benchmark("version")
def version(bench: Bench) -> Iterator[Result]:
    """`version`, in an empty directory."""
    runs = [
        program.run(bench.directory(program, "version"), "version", times=bench.times(15))
        for program in bench.programs
    ]
    yield compared("version", runs, Target(time=2.5))


@benchmark("empty")
def empty(bench: Bench) -> Iterator[Result]:
    """A plan of one resource: reading, evaluating and showing cost nearly nothing."""
    text = 'resource "terraform_data" "one" {\n  input = "x"\n}\n'
    runs = [
        program.run(bench.directory(program, "empty", main=text), "plan", times=bench.times(5))
        for program in bench.programs
    ]
    yield compared("plan, one resource", runs)
