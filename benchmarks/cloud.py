"""AWS resources on the embedded cloud: Twinfra's own provider beside stock Terraform with the official one.

Each program works on an emulator of its own, of the same kind. Without the official provider (see
`programs.MIRROR`) only ours is measured.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import configurations
from benchmarks.bench import Bench, benchmark
from benchmarks.programs import MIRROR, PROVIDER_VERSION, Program
from benchmarks.results import Result, Target, compared

EXAMPLE = Path(__file__).parents[1] / "examples" / "first-steps" / "bucket"

_PROVIDER = """
terraform {{
  required_providers {{
    aws = {{
      source  = "hashicorp/aws"
      version = "{version}"
    }}
  }}
}}

provider "aws" {{
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  s3_force_path_style         = true
  endpoints {{
    s3  = "{endpoint}"
    ec2 = "{endpoint}"
    iam = "{endpoint}"
    sts = "{endpoint}"
  }}
}}
"""


class Emulator:
    """An emulator that lives in a directory, empty at first; stopped at the end of a `with`."""

    def __init__(self, bench: Bench, directory: Path) -> None:
        self._command = bench.ours.command
        self._variables = dict(bench.ours.variables)
        self._directory = directory
        self.endpoint = ""

    def _do(self, what: str) -> dict[str, Any]:
        done = subprocess.run(
            [*self._command, "sandbox", what, "-json"],
            cwd=self._directory,
            env=self._variables,
            capture_output=True,
            text=True,
            check=True,
        )
        status: dict[str, Any] = json.loads(done.stdout)
        return status

    def __enter__(self) -> Emulator:
        self.endpoint = self._do("start")["endpoint"]
        return self

    def __exit__(self, *_: object) -> None:
        self._do("stop")


def _programs(bench: Bench) -> list[Program]:
    return bench.programs if MIRROR else [bench.ours]


def sent_to(endpoint: str, program: Program) -> Program:
    """Twinfra, with every call to AWS sent to an emulator."""
    settings = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
    }
    return replace(program, variables={**program.variables, **settings})


def _at(bench: Bench, program: Program, directory: Path, endpoint: str) -> Program:
    """The program, to work on an emulator in a directory, initialised."""
    if program is bench.ours:
        return sent_to(endpoint, program)
    text = _PROVIDER.format(version=PROVIDER_VERSION, endpoint=endpoint)
    (directory / "provider.tf").write_text(text, "utf-8")
    program.run(directory, "init", "-input=false")
    return program


@benchmark("bucket")
def bucket(bench: Bench) -> Iterator[Result]:
    """Plan one new bucket."""
    runs = []
    for program in _programs(bench):
        directory = bench.directory(program, "bucket", main=configurations.BUCKET)
        with Emulator(bench, directory) as emulator:
            there = _at(bench, program, directory, emulator.endpoint)
            runs.append(there.run(directory, "plan", times=bench.times(3)))
    yield compared("plan, one new bucket", runs, Target(1 / 3, 0.5))


@benchmark("example")
def example(bench: Bench) -> Iterator[Result]:
    """Plan the bucket example on the warm sandbox."""
    directory = bench.directory(bench.ours, "example")
    shutil.copy(EXAMPLE / "main.tf", directory)
    with Emulator(bench, directory):
        run = bench.ours.run(directory, "--sandbox", "plan", times=bench.times(5))
    yield Result("plan, the bucket example on the sandbox", run, target=Target(seconds=1.0))


@benchmark("cloud")
def cloud(bench: Bench) -> Iterator[Result]:
    """Create, plan again and destroy buckets and subnets."""
    buckets, subnets = bench.size(100), bench.size(300)
    text = configurations.buckets_and_subnets(buckets, subnets)
    applies, plans, destroys = [], [], []
    for program in _programs(bench):
        directory = bench.directory(program, "cloud", main=text)
        with Emulator(bench, directory) as emulator:
            there = _at(bench, program, directory, emulator.endpoint)
            applies.append(there.run(directory, "apply", "-auto-approve"))
            # Version 3 of the official provider plans away the encryption that buckets have since 2023.
            expected = (0,) if program is bench.ours else (0, 2)
            plans.append(
                there.run(directory, "plan", "-detailed-exitcode", times=bench.times(2), expected=expected)
            )
            destroys.append(there.run(directory, "destroy", "-auto-approve"))
    name = f"{buckets} buckets and {subnets} subnets"
    target = Target(0.5, 0.5)
    yield compared(f"apply, {name}", applies, target)
    yield compared(f"plan of no changes, {name}", plans, target)
    yield compared(f"destroy, {name}", destroys, target)
