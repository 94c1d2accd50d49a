"""What a failing, killed or stopped apply leaves behind: a state that is true, and no orphan or duplicate."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable

import pytest
from tests.platform.conftest import Example

from twinfra.sandbox import faults

pytestmark = [pytest.mark.emulator, pytest.mark.slow]
STAGING = "-var-file=staging.tfvars"
KILLS = 50


def test_an_error_at_every_step_in_turn(example: Callable[[str], Example]) -> None:
    """Each change that an apply makes fails once; each time the next apply completes it, nothing twice."""
    platform = example("ml-platform")
    platform("apply", "-auto-approve", STAGING)
    whole = platform.census()
    count = platform.instances()
    failed = 0
    while True:
        faults.empty(platform.sandbox)
        (platform.directory / "terraform.tfstate").unlink()
        faults.inject(
            platform.sandbox, changes_only=True, skip=failed, times=None, code="AccessDenied", status=403
        )
        process = platform.start("apply", "-auto-approve", STAGING)
        printed, _ = process.communicate()
        hit = faults.heal(platform.sandbox)
        if not hit:
            assert process.returncode == 0, printed
            break
        assert process.returncode == 1, printed
        assert "AccessDenied" in printed
        failed += 1
        platform("apply", "-auto-approve", STAGING)
        assert platform.census() == whole
        assert platform.instances() == count
    assert failed > 40


def test_kills_at_random_moments(example: Callable[[str], Example]) -> None:
    """Killed again and again, an apply never makes a thing twice, nor forgets one."""
    platform = example("ml-platform")
    takes = platform.timed("apply", "-auto-approve", STAGING)
    whole = platform.census()
    count = platform.instances()
    platform("destroy", "-auto-approve", STAGING)
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
        kills += platform.killed(chance.uniform(0.2, takes), "destroy", "-auto-approve", STAGING)
        platform("destroy", "-auto-approve", STAGING)
        assert platform.census() == nothing
    assert platform.instances() == 0


def test_the_first_interrupt_finishes_what_is_in_flight(example: Callable[[str], Example]) -> None:
    platform = example("ml-platform")
    faults.inject(platform.sandbox, changes_only=True, times=None, code="", delay=0.2)
    process = platform.start("apply", "-auto-approve", STAGING)
    deadline = time.monotonic() + 60
    while not faults.counts(platform.sandbox).get("ec2.CreateVpc"):
        assert time.monotonic() < deadline, "the apply never made the VPC"
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate()
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
