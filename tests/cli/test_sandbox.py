"""`twinfra sandbox` and `--sandbox`, in a directory of their own."""

import json
import subprocess
from collections.abc import Iterator

import pytest
from tests.cli.conftest import Directory

from twinfra.sandbox import server

KEYS = {"running", "endpoint", "account", "region", "pid"}

pytestmark = pytest.mark.emulator


@pytest.fixture
def cloud(twinfra: Directory) -> Iterator[Directory]:
    """A directory whose sandbox is stopped at the end."""
    yield twinfra
    server.stop(twinfra.path)


def test_it_is_started_looked_at_emptied_and_stopped(cloud: Directory) -> None:
    stopped = json.loads(cloud.ok("sandbox", "status", "-json").out)
    assert stopped.keys() == KEYS
    assert (stopped["running"], stopped["endpoint"], stopped["pid"]) == (False, None, None)

    started = json.loads(cloud.ok("sandbox", "start", "-json").out)
    assert started.keys() == KEYS
    assert started == json.loads(cloud.ok("sandbox", "status", "-json").out)
    assert started["endpoint"] in cloud.ok("sandbox", "status").out

    variables = json.loads(cloud.ok("sandbox", "env", "-json").out)
    assert variables["AWS_ENDPOINT_URL"] == started["endpoint"]
    assert variables["AWS_PROFILE"] is None
    # What a shell makes of the text is the same.
    names = " ".join(variables)
    done = subprocess.run(
        ["bash", "-c", f'eval "$1"; for name in {names}; do echo "${{!name-unset}}"; done', "bash",
         cloud.ok("sandbox", "env").out],
        capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin", "AWS_PROFILE": "real"}, timeout=120,
    )  # fmt: skip
    assert done.stdout.splitlines() == [value or "unset" for value in variables.values()]

    cloud.write(main_tf='resource "aws_s3_bucket" "data" {\n  bucket = "kept"\n}\n')
    cloud.ok("--sandbox", "apply", "-auto-approve")
    cloud.ok("plan", "-sandbox", "-detailed-exitcode")
    assert "Stopped" in cloud.ok("sandbox", "stop").out
    cloud.ok("--sandbox", "plan", "-detailed-exitcode")
    cloud.ok("sandbox", "reset")
    assert "1 to add" in cloud.ok("--sandbox", "plan").out


def test_its_state_and_that_of_another_cloud_never_mix(
    cloud: Directory, sandbox: server.Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other cloud is reached as a real one is: by variables, with nothing that says sandbox."""
    cloud.write(main_tf='resource "aws_s3_bucket" "data" {\n  bucket = "one"\n}\n')
    cloud.ok("--sandbox", "apply", "-auto-approve")
    for name in server.UNSET:
        monkeypatch.delenv(name, raising=False)
    for name, value in server.environment(sandbox).items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    before = (cloud.path / "terraform.tfstate").read_text()
    for command in (("plan",), ("apply", "-auto-approve"), ("destroy", "-auto-approve"), ("refresh",)):
        ran = cloud(*command)
        assert (ran.code, "State belongs to another cloud" in ran.all) == (1, True), ran.all
    assert (cloud.path / "terraform.tfstate").read_text() == before

    (cloud.path / "terraform.tfstate").unlink()
    cloud.ok("apply", "-auto-approve")
    for command in (("plan",), ("destroy", "-auto-approve")):
        ran = cloud("--sandbox", *command)
        assert (ran.code, "State belongs to another cloud" in ran.all) == (1, True), ran.all
    cloud.ok("plan", "-detailed-exitcode")
