"""Some of the random moments at which `tests.state.kill_points` kills applies of 200 resources; it tries a thousand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.state.processes import ROOT


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backend", "points"), [("local", 8), pytest.param("s3", 5, marks=pytest.mark.emulator)]
)
def test_an_apply_killed_at_random_moments_orphans_nothing(tmp_path: Path, backend: str, points: int) -> None:
    command = [sys.executable, "-m", "tests.state.kill_points", str(tmp_path)]
    done = subprocess.run(
        [*command, f"--points={points}", f"--backend={backend}", f"--seed={os.getpid()}"],
        env=dict(os.environ, PYTHONPATH=f"{ROOT}{os.pathsep}{ROOT / 'src'}"),
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["kills"] == points
