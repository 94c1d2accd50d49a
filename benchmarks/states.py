"""What keeping a state safe costs, and what a large one does."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench, benchmark
from benchmarks.processes import Run, best_of, first_output, measure
from benchmarks.programs import Program
from benchmarks.results import Result, Target, compared

_PADDING = 160


@benchmark("durable")
def durable(bench: Bench) -> Iterator[Result]:
    """An apply whose state is written safely after every operation, and the same with no durability at all."""
    size = bench.size(5000)
    text = f'resource "terraform_data" "one" {{\n  count = {size}\n  input = "item-${{count.index}}"\n}}\n'
    found: dict[str, list[Run]] = {"undurable": [], "durable": []}
    # In turn, so that what else the machine does falls on both.
    for _ in range(bench.times(7)):
        for kind, runs in found.items():
            directory = bench.directory(bench.ours, f"applying-{kind}", main=text)
            command = (sys.executable, "-m", "benchmarks.applying", kind, "apply", "-auto-approve")
            runs.append(measure(command, directory, _with_modules(bench.ours.variables)))
    least, ours = (min(runs, key=lambda run: run.seconds) for runs in found.values())
    yield Result(
        f"apply, {size:,} resources, to one with no durability",
        ours,
        target=Target(growth=1.15),
        before=least,
    )


@benchmark("large_state")
def large_state(bench: Bench) -> Iterator[Result]:
    """Read a state of many resources, and list them."""
    size = bench.size(100_000)
    directory = bench.directory(bench.ours, "large")
    path = directory / "terraform.tfstate"
    write_state(path, size, 1000)
    name = f"{size:,} resources ({path.stat().st_size / 1e6:.0f} MB)"
    command = (sys.executable, "-m", "benchmarks.reading", str(directory))
    runs = [measure(command, directory, _with_modules(bench.ours.variables)) for _ in range(bench.times(3))]
    yield Result(f"reading a state of {name}", best_of(runs), target=Target(seconds=3, megabytes=1200))
    lists = []
    for program in bench.programs:
        times = bench.times(3) if program is bench.ours else 1
        where = directory if program is bench.ours else _copy(bench, program, path)
        lists.append(program.run(where, "state", "list", times=times))
    yield compared(f"state list of {name}", lists, Target(seconds=4))


@benchmark("first_output")
def start_of_a_plan(bench: Bench) -> Iterator[Result]:
    """How long a plan on a state of many resources says nothing."""
    size, each = bench.size(14_000), 100
    text = "".join(
        f'resource "terraform_data" "r{number}" {{\n  count = {each}\n'
        f'  input = {{ name = "n${{count.index + {number * each}}}", text = "{"x" * _PADDING}" }}\n}}\n'
        for number in range(size // each)
    )
    runs = []
    for program in bench.programs:
        directory = bench.directory(program, "first-output", main=text)
        write_state(directory / "terraform.tfstate", size, each)
        times = bench.times(5) if program is bench.ours else 1
        found = [first_output((*program.command, "plan"), directory, program.variables) for _ in range(times)]
        runs.append(best_of(found))
    yield compared(f"plan on a state of {size:,}, first output", runs, Target(seconds=2))


@benchmark("s3_update")
def s3_update(bench: Bench) -> Iterator[Result]:
    """How many requests that write one update of a state on s3 takes, lock and unlock included."""
    from twinfra.sandbox import faults, server

    directory = bench.directory(bench.ours, "s3-update")
    sandbox = server.ensure_running(directory)
    try:
        variables = dict(bench.ours.variables) | server.environment(sandbox)
        ours = replace(bench.ours, variables=variables)
        ours.run(bench.directory(ours, "s3-update-bucket", main=_BUCKET), "apply", "-auto-approve")
        work = bench.directory(ours, "s3-update-work", main=_ON_S3)
        ours.run(work, "apply", "-auto-approve")
        faults.forget_requests(sandbox)
        run = ours.run(work, "state", "mv", "terraform_data.a", "terraform_data.b")
        made = faults.counts(sandbox)
    finally:
        server.stop(directory)
    writing = sum(count for name, count in made.items() if not name.rpartition(".")[2].startswith(_READS))
    yield Result("one state update on s3, requests that write", run, target=Target(count=3), count=writing)


_READS = ("Get", "Head", "List")
_BUCKET = 'resource "aws_s3_bucket" "states" {\n  bucket = "states"\n}\n'
_ON_S3 = """
terraform {
  backend "s3" {
    bucket         = "states"
    key            = "bench/terraform.tfstate"
    use_lockfile   = true
    use_path_style = true
  }
}

resource "terraform_data" "a" {
  input = "x"
}
"""


def write_state(path: Path, size: int, each: int) -> None:
    """A state of so many instances of `terraform_data`, `each` of them in one resource; some 1 KB for one.

    Written piece by piece: the memory of a program is measured as that of the process it was started from at least.
    """
    typed = ["object", {"name": "string", "text": "string"}]
    file = path.open("w", encoding="utf-8")
    file.write(
        '{"version": 4, "terraform_version": "1.11.4", "serial": 1, "outputs": {}, "check_results": null,\n'
    )
    file.write(f'"lineage": "{uuid.UUID(int=1)}", "resources": [\n')
    for number in range(0, size, each):
        instances = []
        for key in range(min(each, size - number)):
            value = {"value": {"name": f"n{number + key}", "text": "x" * _PADDING}, "type": typed}
            attributes = {
                "id": str(uuid.UUID(int=number + key)),
                "input": value,
                "output": value,
                "triggers_replace": None,
            }
            instances.append({"index_key": key, "schema_version": 0, "attributes": attributes})
        resource: dict[str, Any] = {
            "mode": "managed",
            "type": "terraform_data",
            "name": f"r{number // each}",
            "provider": 'provider["terraform.io/builtin/terraform"]',
            "instances": instances,
        }
        file.write((",\n" if number else "") + json.dumps(resource, indent=2))
    file.write("]}\n")
    file.close()


def _with_modules(variables: Mapping[str, str]) -> dict[str, str]:
    return dict(variables) | {"PYTHONPATH": str(Path(__file__).parents[1])}


def _copy(bench: Bench, program: Program, path: Path) -> Path:
    directory = bench.directory(program, "large")
    (directory / path.name).hardlink_to(path)
    return directory
