"""What a failing, killed or stopped apply leaves behind: a state that is true, and no orphan or duplicate."""

from __future__ import annotations

import itertools
import random
import shutil
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.conftest import client_of
from tests.platform.conftest import EXAMPLES, SERVICES, Example
from tests.providers.aws.cloud_picture import picture

from twinfra.cli.main import run
from twinfra.sandbox import faults, server
from twinfra.sandbox.server import Sandbox

pytestmark = [pytest.mark.emulator, pytest.mark.slow]
STAGING = "-var-file=staging.tfvars"
KILLS = 50
TRACES = {"ec2.DeleteTags", "elbv2.RemoveTags"}


@dataclass(frozen=True)
class Platform:
    """The example, applied within this process to a sandbox shared with other tests."""

    sandbox: Sandbox
    capsys: pytest.CaptureFixture[str]

    def apply(self) -> tuple[int, str]:
        """The exit code, and what was printed."""
        code = run(["apply", "-auto-approve", STAGING])
        printed = self.capsys.readouterr()
        return code, printed.out + printed.err

    def census(self) -> dict[str, int]:
        return {kind: len(items) for kind, items in picture(client_of(self.sandbox), SERVICES).items()}

    def measure(self) -> tuple[dict[str, int], list[str]]:
        """What a whole apply makes, and by which operations; nothing is there afterwards."""
        assert self.apply()[0] == 0
        whole = self.census()
        operations = [name for name in faults.counts(self.sandbox) if _changes(name)]
        assert len(operations) > 30
        faults.empty(self.sandbox)
        Path("terraform.tfstate").unlink()
        return whole, operations

    def check_whole(self, whole: dict[str, int]) -> None:
        assert self.census() == whole
        assert run(["plan", "-detailed-exitcode", STAGING]) == 0


@pytest.fixture
def platform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> Platform:
    shutil.copytree(
        EXAMPLES / "ml-platform", tmp_path / "platform", ignore=shutil.ignore_patterns(".*", "*.tfstate*")
    )
    monkeypatch.chdir(tmp_path / "platform")
    for name, value in server.environment(sandbox).items():
        monkeypatch.setenv(name, value)
    return Platform(sandbox, capsys)


def test_an_error_at_every_step_in_turn(platform: Platform) -> None:
    """Every operation fails when it is first asked for; the applies that follow complete what is there, nothing twice."""
    whole, operations = platform.measure()
    for name in operations:
        service, _, operation = name.partition(".")
        faults.inject(platform.sandbox, service, operation, times=1, code="AccessDenied", status=403)
    applies = 0
    code = 1
    while code:
        code, said = platform.apply()
        assert code == 0 or "AccessDenied" in said, said[-2000:]
        applies += 1
        assert applies <= len(operations)
    # What is made already and cannot be tidied up is only warned of.
    failed = {name for name, status in faults.requests(platform.sandbox) if status == 403}
    assert failed == set(operations)
    platform.check_whole(whole)


def test_an_apply_that_gets_a_few_steps_further_each_time(platform: Platform) -> None:
    """From some moment on everything fails, as when a session expires; the next apply goes on from there."""
    whole, _ = platform.measure()
    for through in itertools.cycle((0, 5, 1, 8, 3, 13)):
        faults.forget_requests(platform.sandbox)
        faults.inject(
            platform.sandbox, changes_only=True, skip=through, times=None, code="AccessDenied", status=403
        )
        code, said = platform.apply()
        if not faults.heal(platform.sandbox):
            assert code == 0, said[-2000:]
            break
        refused = {name for name, status in faults.requests(platform.sandbox) if status == 403}
        if code == 0 and refused <= TRACES and "No changes." in said:
            # All is there. Whoever reads removes the traces of creates too, if he may, and else says nothing.
            continue
        assert code == 1 or "Error while confirming" in said, said[-2000:]
        assert "AccessDenied" in said
    platform.check_whole(whole)


def _changes(operation: str) -> bool:
    """Whether an operation changes anything, by the verb it begins with."""
    return not operation.partition(".")[2].startswith(("Describe", "Get", "List", "Head"))


@pytest.mark.timeout(1000)
def test_kills_at_random_moments(example: Callable[[str], Example]) -> None:
    """Killed again and again, an apply never makes a thing twice, nor forgets one; nor does a destroy."""
    platform = example("ml-platform")
    takes = platform.timed("apply", "-auto-approve", STAGING)
    whole = platform.census()
    count = platform.instances()
    leaves = platform.timed("destroy", "-auto-approve", STAGING)
    nothing = platform.census()
    chance = random.Random(20261125)
    kills = 0
    while kills < KILLS:
        for _ in range(chance.randint(1, 4)):
            kills += platform.killed(chance.uniform(0.2, takes), "apply", "-auto-approve", STAGING)
            platform("show", "-json")
        platform("apply", "-auto-approve", STAGING)
        assert platform.census() == whole
        assert platform.instances() == count
        for _ in range(chance.randint(1, 3)):
            kills += platform.killed(chance.uniform(0.2, leaves), "destroy", "-auto-approve", STAGING)
        platform("destroy", "-auto-approve", STAGING)
        assert platform.census() == nothing
    assert platform.instances() == 0


def test_the_first_interrupt_finishes_what_is_in_flight(example: Callable[[str], Example]) -> None:
    platform = example("ml-platform")
    faults.inject(platform.sandbox, changes_only=True, times=None, code="", delay=0.2)
    process = platform.start("apply", "-auto-approve", STAGING)
    with ThreadPoolExecutor(1) as reader:
        # The plan is longer than what a pipe holds.
        reading = reader.submit(process.communicate, timeout=120)
        while not faults.counts(platform.sandbox).get("ec2.CreateVpc"):
            assert not reading.done(), f"the apply never made the VPC: {reading.result()[0]}"
        process.send_signal(signal.SIGINT)
        printed, _ = reading.result()
    assert process.returncode == 1, printed
    assert "Stopped." in printed
    faults.heal(platform.sandbox)
    made = [one["VpcId"] for one in platform.clients("ec2").describe_vpcs()["Vpcs"] if not one["IsDefault"]]
    recorded = [
        one["attributes"]["id"]
        for resource in platform.state()["resources"]
        if resource["type"] == "aws_vpc"
        for one in resource["instances"]
    ]
    assert made == recorded
    platform("apply", "-auto-approve", STAGING)
    platform("plan", "-detailed-exitcode", STAGING)
