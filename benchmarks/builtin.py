"""Many resources that call nobody: what reading, evaluating, planning and recording cost."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import configurations
from benchmarks.bench import Bench, benchmark
from benchmarks.results import Result, Target, compared


@benchmark("counted")
def counted(bench: Bench) -> Iterator[Result]:
    """Plan, apply, plan again and destroy two counted resources."""
    size = bench.size(1000)
    name = f"2 x {size:,} counted"
    text = configurations.counted(size)
    plans, applies, empty, destroys = [], [], [], []
    for program in bench.programs:
        directory = bench.directory(program, "counted", main=text)
        times = bench.times(3) if program is bench.ours else 1
        plans.append(program.run(directory, "plan", "-out=plan", times=times))
        applies.append(program.run(directory, "apply", "plan"))
        empty.append(program.run(directory, "plan", "-detailed-exitcode", times=times))
        destroys.append(program.run(directory, "destroy", "-auto-approve"))
    yield compared(f"plan, {name}", plans, Target(1 / 60, 0.1))
    yield compared(f"apply, {name}", applies, Target(1 / 60))
    yield compared(f"plan of no changes, {name}", empty)
    yield compared(f"destroy, {name}", destroys)


@benchmark("for_each")
def for_each(bench: Bench) -> Iterator[Result]:
    """Plan two resources with `for_each`."""
    size = bench.size(1000)
    text = configurations.for_each(size)
    runs = []
    for program in bench.programs:
        directory = bench.directory(program, "for_each", main=text)
        runs.append(program.run(directory, "plan", times=bench.times(3) if program is bench.ours else 1))
    yield compared(f"plan, 2 x {size:,} with for_each", runs)


@benchmark("modules")
def modules(bench: Bench) -> Iterator[Result]:
    """Plan instances of a module."""
    size = bench.size(500)
    runs = []
    for program in bench.programs:
        directory = bench.directory(program, "modules", main=configurations.modules(size))
        (directory / "part").mkdir()
        (directory / "part" / "main.tf").write_text(configurations.PART, "utf-8")
        program.run(directory, "init")
        runs.append(program.run(directory, "plan", times=bench.times(3) if program is bench.ours else 1))
    yield compared(f"plan, {size:,} instances of a module of 3", runs)


@benchmark("chained")
def chained(bench: Bench) -> Iterator[Result]:
    """Plan distinct resources that read each other."""
    size = bench.size(5000)
    text = configurations.chained(size)
    runs = []
    for program in bench.programs:
        directory = bench.directory(program, "chained", main=text)
        runs.append(program.run(directory, "plan", times=bench.times(2) if program is bench.ours else 1))
    yield compared(f"plan, {size:,} chained", runs, Target(1 / 40))


@benchmark("growth")
def growth(bench: Bench) -> Iterator[Result]:
    """How the time grows when there is four times as much."""
    runs = []
    for size in (bench.size(5000), bench.size(20000)):
        directory = bench.directory(bench.ours, f"growth-{size}", main=configurations.chained(size))
        runs.append(bench.ours.run(directory, "plan", times=bench.times(3)))
    small, large = bench.size(5000), bench.size(20000)
    yield Result(f"plan, {small:,} to {large:,}", runs[1], target=Target(growth=4.4), before=runs[0])


@benchmark("expressions")
def expressions(bench: Bench) -> Iterator[Result]:
    """Evaluate expressions that go through a large list."""
    size = bench.size(20000)
    runs = []
    for program in bench.programs:
        directory = bench.directory(program, "expressions", main=configurations.expressions(size))
        runs.append(program.run(directory, "plan", times=bench.times(2)))
    yield compared(f"plan, expressions over {size:,} rows", runs)


@benchmark("parsing")
def parsing(bench: Bench) -> Iterator[Result]:
    """Read a large file: to check it, and to see whether it is formatted."""
    size = bench.size(5000)
    checks, formats = [], []
    for program in bench.programs:
        directory = bench.directory(program, "parsing", main=configurations.wide(size))
        lines = (directory / "main.tf").read_text("utf-8").count("\n")
        checks.append(program.run(directory, "validate", times=bench.times(2)))
        formats.append(program.run(directory, "fmt", "-check", times=bench.times(2), expected=(0, 3)))
    yield compared(f"validate, {lines:,} lines", checks)
    yield compared(f"fmt -check, {lines:,} lines", formats)
