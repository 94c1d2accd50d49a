"""Drift: what looking for it costs beside a refresh, and whether it is silent where nothing changes."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import configurations
from benchmarks.bench import Bench, benchmark
from benchmarks.cloud import Emulator, sent_to
from benchmarks.processes import Run, best_of
from benchmarks.programs import Program
from benchmarks.results import Result, Target

PLATFORM = Path(__file__).parents[1] / "examples" / "ml-platform"
DRIFTED = 2


@benchmark("drift")
def drift(bench: Bench) -> Iterator[Result]:
    """Look for drift in 1,000 resources, beside a refresh of the same."""
    buckets, subnets = bench.size(250), bench.size(749)
    directory = bench.directory(
        bench.ours, "drift", main=configurations.buckets_and_subnets(buckets, subnets)
    )
    with Emulator(bench, directory) as emulator:
        there = sent_to(emulator.endpoint, bench.ours)
        there.run(directory, "apply", "-auto-approve")
        refreshes, looks = [], []
        for _ in range(bench.times(5)):
            refreshes.append(there.run(directory, "refresh"))
            looks.append(there.run(directory, "drift"))
    name = f"drift of {buckets + subnets + 1:,} resources, beside a refresh"
    yield Result(name, best_of(looks), before=best_of(refreshes), target=Target(growth=1.1))


@benchmark("idle")
def idle(bench: Bench) -> Iterator[Result]:
    """Look for drift 100 times in the idle ML platform, on both emulators: none may be told."""
    runs = bench.size(100)
    directory = _platform(bench, "idle")
    with Emulator(bench, directory) as emulator:
        yield _idle("the sandbox", directory, sent_to(emulator.endpoint, bench.ours), runs)
    directory = _platform(bench, "idle-second")
    with _second_emulator(directory) as endpoint:
        yield _idle("a second emulator", directory, sent_to(endpoint, bench.ours), runs)


def _platform(bench: Bench, name: str) -> Path:
    directory = bench.directory(bench.ours, name)
    for file in (*PLATFORM.glob("*.tf"), PLATFORM / "staging.tfvars"):
        shutil.copy(file, directory)
    return directory


def _idle(where: str, directory: Path, program: Program, runs: int) -> Result:
    staging = "-var-file=staging.tfvars"
    # The second emulator forgets the launch template of a node group, which the apply tells as an error.
    program.run(directory, "apply", "-auto-approve", staging, expected=(0, 1))
    alarms = 0
    seen: list[Run] = []
    for _ in range(runs):
        run = program.run(directory, "drift", "-who=false", staging, expected=(0, DRIFTED))
        alarms += run.code == DRIFTED
        seen.append(run)
    return Result(
        f"drift told in {runs} runs, idle, on {where}", best_of(seen), target=Target(count=0), count=alarms
    )


@contextmanager
def _second_emulator(directory: Path) -> Iterator[str]:
    """The URL of an emulator that shares no code with the sandbox."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    settings = {"PATH": "/usr/bin:/bin", "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port)}
    with subprocess.Popen(
        [sys.executable, "-m", "ministack"],
        cwd=directory,
        env=settings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            _wait(url)
            yield url
        finally:
            process.terminate()


def _wait(url: str) -> None:
    for _ in range(200):
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the second emulator does not answer")
