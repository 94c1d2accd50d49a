"""`python -m benchmarks` as it is run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def benchmarks(*arguments):
    variables = {name: value for name, value in os.environ.items() if name != "TWINFRA_OFFICIAL_AWS"}
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_quick_run_prints_a_table_and_writes_json(tmp_path):
    done = benchmarks("--quick", "--out", str(tmp_path / "out.json"), "version", "counted")
    assert done.returncode == 0, done.stderr
    document = json.loads((tmp_path / "out.json").read_text())
    names = [one["name"] for one in document["results"]]
    assert names[:3] == ["version", "plan, 2 x 100 counted", "apply, 2 x 100 counted"]
    assert all(one["ours"]["seconds"] > 0 and one["ours"]["memory"] > 0 for one in document["results"])
    assert document["failures"] == []
    assert all(name in done.stdout for name in names)


def test_every_benchmark_is_listed_with_what_it_does():
    done = benchmarks("--list")
    assert done.returncode == 0
    assert {line.split()[0] for line in done.stdout.splitlines()} >= {
        "version",
        "counted",
        "chained",
        "cloud",
    }


def test_an_unknown_name_is_refused():
    done = benchmarks("nothing")
    assert done.returncode == 2
    assert "no benchmark nothing" in done.stderr
