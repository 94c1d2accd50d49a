import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from twinfra.diagnostics import DiagnosticError
from twinfra.sandbox import server

pytestmark = pytest.mark.emulator


def test_a_started_sandbox_answers_at_once(root: Path, clients_of: Callable[..., Any]) -> None:
    sandbox = server.ensure_running(root)
    identity = clients_of(sandbox)("sts").get_caller_identity()
    assert identity["Account"] == sandbox.account == server.ACCOUNT


def test_a_running_sandbox_is_found_and_not_started_again(root: Path) -> None:
    assert server.ensure_running(root) == server.ensure_running(root)


def test_many_who_start_it_at_once_get_the_same_one(root: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(server.ensure_running, [root] * 8))
    assert len(found) == 1


def test_two_directories_have_two_sandboxes(tmp_path: Path, clients_of: Callable[..., Any]) -> None:
    roots = [tmp_path / "one", tmp_path / "two"]
    for directory in roots:
        directory.mkdir()
    try:
        first, second = (server.ensure_running(directory) for directory in roots)
        assert first.endpoint != second.endpoint
        assert first.identity != second.identity
        clients_of(first)("s3").create_bucket(Bucket="only-in-the-first")
        assert clients_of(second)("s3").list_buckets()["Buckets"] == []
    finally:
        for directory in roots:
            server.stop(directory)


def test_the_status_tells_where_it_is(root: Path) -> None:
    sandbox = server.ensure_running(root)
    assert server.status_document(root) == {
        "running": True,
        "endpoint": sandbox.endpoint,
        "account": "123456789012",
        "region": "us-east-1",
        "pid": sandbox.pid,
    }


def test_the_status_of_none_says_so_and_starts_none(root: Path) -> None:
    document = server.status_document(root)
    assert (document["running"], document["endpoint"], document["pid"]) == (False, None, None)
    assert list(root.iterdir()) == []


def test_stopping_ends_the_process(root: Path, ended: Callable[[int], bool]) -> None:
    sandbox = server.ensure_running(root)
    assert server.stop(root)
    assert ended(sandbox.pid)
    assert server.status(root) is None


def test_stopping_what_does_not_run_does_nothing(root: Path) -> None:
    assert not server.stop(root)


def test_a_killed_sandbox_is_not_taken_for_a_running_one(root: Path, kill: Callable[[int], None]) -> None:
    sandbox = server.ensure_running(root)
    kill(sandbox.pid)
    assert server.status(root) is None
    assert server.ensure_running(root).pid != sandbox.pid


def test_it_ends_when_its_directory_is_gone(root: Path, ended: Callable[[int], bool]) -> None:
    sandbox = server.ensure_running(root)
    shutil.rmtree(root / ".twinfra")
    assert ended(sandbox.pid)


def test_it_ends_with_the_process_it_was_started_for(root: Path, ended: Callable[[int], bool]) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as owner:
        sandbox = server.ensure_running(root, owner=owner.pid)
        assert server.status(root) is not None
        owner.kill()
    assert ended(sandbox.pid)


def test_its_clock_may_be_ahead(root: Path, clients_of: Callable[..., Any]) -> None:
    client = clients_of(server.ensure_running(root, ahead=400 * 86_400))
    s3 = client("s3")
    s3.create_bucket(Bucket="later")
    made = s3.list_buckets()["Buckets"][0]["CreationDate"]
    assert (made - datetime.now(UTC)).days in (399, 400)
    assert [one["EventName"] for one in client("cloudtrail").lookup_events()["Events"]] == ["CreateBucket"]


def test_it_listens_on_loopback_only(root: Path) -> None:
    port = int(server.ensure_running(root).endpoint.rpartition(":")[2])
    wanted = f"{port:04X}"
    listening = [
        line.split()[1]
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        if os.path.exists(table)
        for line in Path(table).read_text().splitlines()[1:]
        if line.split()[1].endswith(f":{wanted}") and line.split()[3] == "0A"
    ]
    assert listening == [f"0100007F:{wanted}"]


def test_its_files_are_closed_to_others(root: Path, clients_of: Callable[..., Any]) -> None:
    sandbox = server.ensure_running(root)
    clients_of(sandbox)("s3").create_bucket(Bucket="bucket")
    server.stop(root)
    directory = root / ".twinfra" / "sandbox"
    assert directory.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} == {0o600}


def test_git_does_not_see_it(root: Path) -> None:
    server.ensure_running(root)
    subprocess.run(["git", "init", "-q", root], check=True, timeout=120)
    status = ["git", "-C", root, "status", "--porcelain", "--untracked-files=all"]
    assert subprocess.run(status, capture_output=True, check=True, timeout=120).stdout == b""


def test_a_reset_sandbox_is_empty_and_runs_on(root: Path, clients_of: Callable[..., Any]) -> None:
    before = server.ensure_running(root)
    clients_of(before)("s3").create_bucket(Bucket="bucket")
    after = server.reset(root)
    assert after is not None
    assert after.identity == before.identity
    assert clients_of(after)("s3").list_buckets()["Buckets"] == []


def test_resetting_one_that_does_not_run_starts_none(root: Path) -> None:
    server.ensure_running(root)
    server.stop(root)
    assert server.reset(root) is None
    assert server.status(root) is None


def test_a_directory_that_cannot_be_written_is_a_diagnostic(root: Path) -> None:
    (root / ".twinfra").write_text("in the way")
    with pytest.raises(DiagnosticError) as caught:
        server.ensure_running(root)
    assert caught.value.diagnostics[0].mend


def test_a_missing_emulator_is_a_diagnostic(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DiagnosticError) as caught:
        server.ensure_running(root)
    assert "twinfra[sandbox]" in caught.value.diagnostics[0].mend


def test_a_server_that_cannot_start_says_why(root: Path) -> None:
    files = root / ".twinfra" / "sandbox"
    files.mkdir(parents=True)
    (files / "journal").mkdir()
    with pytest.raises(DiagnosticError) as caught:
        server.ensure_running(root)
    assert "IsADirectoryError" in caught.value.diagnostics[0].detail
    assert "sandbox.log" in caught.value.diagnostics[0].mend


def test_the_variables_are_all_that_boto3_needs(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3

    for name, value in server.environment(server.ensure_running(root)).items():
        monkeypatch.setenv(name, value)
    boto3.Session().client("s3").create_bucket(Bucket="by-the-variables")
    buckets = boto3.Session().client("s3").list_buckets()["Buckets"]
    assert [bucket["Name"] for bucket in buckets] == ["by-the-variables"]


@pytest.mark.skipif(shutil.which("aws") is None, reason="the aws command is not installed")
def test_the_variables_are_all_that_the_aws_command_needs(root: Path) -> None:
    variables = server.environment(server.ensure_running(root))
    made = subprocess.run(
        ["aws", "ec2", "create-vpc", "--cidr-block", "10.0.0.0/16", "--output", "json"],
        env={"PATH": os.environ["PATH"], "HOME": str(root)} | variables,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert json.loads(made.stdout)["Vpc"]["CidrBlock"] == "10.0.0.0/16"


def test_nothing_of_a_real_account_reaches_the_server(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-a-real-account")
    pid = server.ensure_running(root).pid
    assert b"of-a-real-account" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_a_module_in_the_working_directory_is_not_loaded(root: Path) -> None:
    (root / "moto.py").write_text("raise SystemExit('loaded from the working directory')")
    assert server.ensure_running(root).pid
