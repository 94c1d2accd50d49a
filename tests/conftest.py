"""What every test may rely on: nothing of the person who runs them, and an emulated cloud of its own when it asks."""

import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from tests import planted

from twinfra.sandbox import faults, server
from twinfra.sandbox.server import Sandbox

# How long an example takes says something of the machine, and of what else runs on it. The examples of a test are
# the same as long as the test is, so that what fails is what was changed; `--hypothesis-profile=explore` tries others.
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("twinfra", settings.get_profile("explore"), derandomize=True)
settings.load_profile("twinfra")

_FOREIGN = ("AWS_", "GIT_", "TF_", "TWINFRA_")


planted.watch_processes()


@pytest.fixture(scope="session")
def finest_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all commands of a test process log, in this process and in others."""
    return tmp_path_factory.mktemp("log") / "log"


@pytest.fixture(scope="session")
def git_settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git takes for the person's own settings: who commits and tags, and no more."""
    path = tmp_path_factory.mktemp("git") / "config"
    path.write_text("[user]\n\tname = Ada\n\temail = ada@example.org\n")
    return path


@pytest.fixture(autouse=True)
def no_settings_from_outside(
    monkeypatch: pytest.MonkeyPatch, finest_log: Path, git_settings: Path
) -> Iterator[None]:
    for name in os.environ:
        if name.startswith(_FOREIGN):
            monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(git_settings))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("TWINFRA_LOG", "trace")
    monkeypatch.setenv("TWINFRA_LOG_PATH", str(finest_log))
    with planted.watched_files(finest_log):
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Any:
    """What a test left in the captured output is searched for planted secrets, too."""
    report = yield
    if report.when == "call" and report.passed:
        try:
            planted.refuse_planted("captured output", report.capstdout, report.capstderr)
        except AssertionError as found:
            report.outcome, report.longrepr = "failed", str(found)
    return report


@pytest.fixture(scope="session")
def running_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox for all tests of a process; what is in it is anybody's."""
    root = tmp_path_factory.mktemp("sandbox")
    yield server.ensure_running(root)
    server.stop(root)


@pytest.fixture
def sandbox(running_sandbox: Sandbox) -> Sandbox:
    """A running sandbox with nothing in it, no faults and no requests counted."""
    faults.empty(running_sandbox)
    return running_sandbox


@pytest.fixture
def client(sandbox: Sandbox) -> Callable[..., Any]:
    """Makes boto3 clients of `sandbox`: `client("s3")`. They try once, so that every error is seen."""
    return client_of(sandbox)


@cache
def _session() -> Any:
    """One for all clients: it remembers the services' descriptions, which take longest."""
    import boto3

    return boto3.Session(server.ACCESS_KEY, server.SECRET_KEY, region_name=server.REGION)


def client_of(sandbox: Sandbox) -> Callable[..., Any]:
    from botocore.config import Config

    def make(service: str, **config: Any) -> Any:
        return _session().client(
            service,
            endpoint_url=sandbox.endpoint,
            config=Config(retries={"total_max_attempts": 1}, **config),
        )

    return make


@pytest.fixture
def clients_of() -> Callable[[Sandbox], Callable[..., Any]]:
    """As `client`, for another sandbox: `clients_of(other)("s3")`."""
    return client_of
