"""What a state was before: kept beside it and in versions of objects, compared, restored; which values are secret."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws
from tests.cli.conftest import Directory
from tests.state.conftest import twinfra  # noqa: F401
from tests.state.encryption.blocks import PLAIN_METHOD, SIMPLE, encryption, provider
from tests.state.states import state_of

from twinfra.state.backends.local import LocalBackend
from twinfra.state.backends.protocol import Place
from twinfra.state.backends.registry import connect
from twinfra.state.copies import Kept
from twinfra.state.encryption.backend import EncryptedBackend
from twinfra.state.history import MOST, FileHistory, Versioned, serial_of
from twinfra.state.store import open_store
from twinfra.state.v4 import write_state

HISTORY = "terraform.tfstate.history"
SECRET = "planted-secret-value"


def content(serial: int) -> bytes:
    return b"".join(write_state(state_of("a", serial=serial)))


# -- files


def test_each_predecessor_is_kept_private_and_read_back(tmp_path: Path) -> None:
    backend = LocalBackend(tmp_path)
    for serial in range(1, 5):
        backend.write("default", (content(serial),), None)
    versions = backend.history("default")
    assert [one.serial for one in versions] == [3, 2, 1]
    assert [backend.read_version("default", one.id) for one in versions] == [
        content(one) for one in (3, 2, 1)
    ]
    directory = tmp_path / HISTORY
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(one.stat().st_mode) for one in directory.iterdir()} == {0o600}


def test_the_oldest_are_dropped(tmp_path: Path) -> None:
    backend = LocalBackend(tmp_path)
    for serial in range(1, MOST + 6):
        backend.write("default", (content(serial),), None)
    assert [one.serial for one in backend.history("default")] == list(range(MOST + 4, 4, -1))


@pytest.mark.parametrize("time", ["29990101T000000000000", "29990101T000000999999"])
def test_order_holds_when_the_clock_goes_back(tmp_path: Path, time: str) -> None:
    history = FileHistory(tmp_path)
    history.keep(content(1))
    (first,) = tmp_path.iterdir()
    first.rename(tmp_path / f"{time}Z-1.plain.gz")
    history.keep(content(2))
    assert [one.serial for one in history.versions()] == [2, 1]


def test_a_history_that_cannot_be_written_does_not_keep_a_state_from_being_saved(tmp_path: Path) -> None:
    backend = LocalBackend(tmp_path)
    (tmp_path / HISTORY).write_text("in the way")
    backend.write("default", (content(1),), None)
    backend.write("default", (content(2),), None)
    stored = backend.read("default")
    assert stored is not None
    assert stored.data == content(2)


def test_a_workspace_takes_its_history_with_it(tmp_path: Path) -> None:
    backend = LocalBackend(tmp_path)
    backend.create("other")
    for serial in (1, 2):
        backend.write("other", (content(serial),), None)
    backend.delete("other")
    assert os.listdir(tmp_path / "terraform.tfstate.d") == []


def test_a_serial_is_told_from_the_beginning_of_any_state() -> None:
    assert serial_of(content(42)[:300]) == 42
    assert serial_of(b"".join(encryption(SIMPLE).state().encode((content(43),)))[:300]) == 43
    assert serial_of(b"anything else") == -1


def test_what_was_kept_in_the_clear_is_encrypted_once_encryption_is_on(tmp_path: Path) -> None:
    plain = LocalBackend(tmp_path)
    for serial in (1, 2, 3):
        plain.write("default", (content(serial),), None)
    text = f"{provider()}{PLAIN_METHOD}state {{\n method = method.aes_gcm.main\n fallback {{ method = method.unencrypted.off }}\n}}"
    backend = EncryptedBackend(LocalBackend(tmp_path), encryption(text).state())
    backend.write("default", (content(4),), None)
    names = os.listdir(tmp_path / HISTORY)
    assert len(names) == 3
    assert all(".sealed." in name for name in names)
    versions = backend.history("default")
    assert [one.serial for one in versions] == [3, 2, 1]
    assert backend.read_version("default", versions[-1].id) == content(1)


# -- objects


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="states")
        yield "states"


@pytest.mark.parametrize("kept", [True, False])
def test_versions_of_a_bucket_are_the_history(bucket: str, tmp_path: Path, kept: bool) -> None:
    if kept:
        boto3.client("s3", region_name="us-east-1").put_bucket_versioning(
            Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}
        )
    settings = {"bucket": bucket, "key": "one", "region": "us-east-1"}
    backend = connect("s3", settings, Place(tmp_path, tmp_path / ".terraform"))
    for serial in (1, 2, 3):
        backend.write("default", (content(serial),), None)
    boto3.client("s3", region_name="us-east-1").put_object(Bucket=bucket, Key="one-more", Body=b"x")
    assert isinstance(backend, Versioned)
    versions = backend.history("default")
    assert {one.serial for one in versions} == ({1, 2} if kept else set())
    for one in versions:
        assert backend.read_version("default", one.id) == content(one.serial)
    if kept:
        assert backend.read_version("default", "00000000-0000-0000-0000-000000000000") is None
    backend.close()


def test_versions_and_copies_are_one_history_where_versioning_came_later(bucket: str, tmp_path: Path) -> None:
    client = boto3.client("s3", region_name="us-east-1")
    settings = {"bucket": bucket, "key": "one", "region": "us-east-1"}
    backend = connect("s3", settings, Place(tmp_path, tmp_path / ".terraform"))
    for versioned in (False, True):
        if versioned:
            client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        for _ in range(2):
            with open_store(backend, "default", "test", tmp_path) as store:
                store.save(state_of(f"a{store.state.serial}", lineage=store.state.lineage))
    assert [one.serial for one in Kept(backend).history("default")] == [3, 2, 1]
    assert [
        bool(Kept(backend).read_version("default", one.id)) for one in Kept(backend).history("default")
    ] == [True] * 3
    backend.close()


# -- commands


def main(*names: str, value: str = "one") -> str:
    blocks = [f'resource "terraform_data" "{name}" {{ input = "{value}" }}' for name in names]
    return "\n".join(
        [*blocks, f'output "value" {{\n  value = sensitive("{SECRET}-{value}")\n  sensitive = true\n}}\n']
    )


@pytest.fixture
def project(twinfra: Directory) -> Directory:  # noqa: F811
    twinfra.write(main_tf=main("a", "b"))
    twinfra.ok("apply", "-auto-approve")
    twinfra.write(main_tf=main("a", "c", value="two"))
    twinfra.ok("apply", "-auto-approve")
    return twinfra


def test_the_history_is_listed(project: Directory) -> None:
    listed = project.ok("state", "history").out.splitlines()
    assert listed[0].split() == ["2", "(current)"]
    assert listed[1].split()[0] == "1"
    document = json.loads(project.ok("state", "history", "-json").out)
    assert document["current"] == 2
    assert [one["serial"] for one in document["versions"]] == [1]


def test_versions_are_compared_without_their_secrets(project: Directory) -> None:
    ran = project.ok("state", "diff", "1")
    assert "+ terraform_data.c" in ran.out
    assert "- terraform_data.b" in ran.out
    assert '    input: "one" -> "two"' in ran.out
    assert "~ output.value" in ran.out
    assert SECRET not in ran.all
    document = json.loads(project.ok("state", "diff", "-json", "1", "2").out)
    assert document["added"] == ["terraform_data.c"]
    assert document["changed"][0]["attributes"]["input"] == {"before": '"one"', "after": '"two"'}
    assert SECRET not in json.dumps(document)
    assert project.ok("state", "diff", "2", "current").out == "No differences.\n"


def test_a_version_that_is_not_kept_is_told(project: Directory) -> None:
    ran = project("state", "diff", "77")
    assert ran.code == 1
    assert "No version 77" in ran.all
    assert "(1)" in ran.all


def test_restoring_shows_what_it_means_and_asks(project: Directory) -> None:
    before = (project.path / "terraform.tfstate").read_bytes()
    ran = project("state", "restore", "1", stdin="no\n")
    assert ran.code == 1
    assert "+ terraform_data.b" in ran.out
    assert "- terraform_data.c" in ran.out
    assert "1 added, 1 removed, 1 changed" in ran.out
    assert (project.path / "terraform.tfstate").read_bytes() == before
    assert project("state", "restore", "-dry-run", "1").code == 0
    assert (project.path / "terraform.tfstate").read_bytes() == before
    assert SECRET not in ran.all


def test_restoring_makes_a_new_version_that_can_be_undone(project: Directory) -> None:
    project.ok("state", "restore", "1", stdin="yes\n")
    assert project.ok("state", "list").out.split() == ["terraform_data.a", "terraform_data.b"]
    state = json.loads((project.path / "terraform.tfstate").read_bytes())
    assert state["serial"] == 3
    project.ok("state", "restore", "-auto-approve", "2")
    assert project.ok("state", "list").out.split() == ["terraform_data.a", "terraform_data.c"]
    assert "No changes" in project.ok("plan").out
    assert "says the same" in project.ok("state", "restore", "-auto-approve", "2").out


def test_a_state_of_another_lineage_is_not_restored(project: Directory) -> None:
    (project.path / "terraform.tfstate").unlink()
    project.write(main_tf=main("z"))
    project.ok("apply", "-auto-approve")
    project.write(main_tf=main("z", value="more"))
    project.ok("apply", "-auto-approve")
    kept = sorted((project.path / HISTORY).iterdir())
    ran = project("state", "restore", "-auto-approve", kept[0].name)
    assert ran.code == 1
    assert "another lineage" in ran.all


def test_a_lost_state_is_restored_from_what_is_kept(project: Directory) -> None:
    (project.path / "terraform.tfstate").unlink()
    kept = sorted((project.path / HISTORY).iterdir())
    project.ok("state", "restore", "-auto-approve", kept[-1].name)
    assert project.ok("state", "list").out.split() == ["terraform_data.a", "terraform_data.b"]


def test_what_became_a_secret_later_is_not_shown_as_it_was(twinfra: Directory) -> None:  # noqa: F811
    block = 'resource "terraform_data" "a" {{ input = {} }}\n'
    twinfra.write(main_tf=block.format('"was-no-secret-then"'))
    twinfra.ok("apply", "-auto-approve")
    twinfra.write(main_tf=block.format(f'sensitive("{SECRET}-new")'))
    twinfra.ok("apply", "-auto-approve")
    input = next(line for line in twinfra.ok("state", "diff", "1").out.splitlines() if "input:" in line)
    assert input == "    input: (sensitive value, changed)"


def test_what_is_secret_of_a_type_that_is_not_known_is_not_shown(twinfra: Directory) -> None:  # noqa: F811
    twinfra.write(main_tf="")

    def state(serial: int, password: str) -> str:
        path = [[{"type": "get_attr", "value": "result"}]]
        instance = {
            "attributes": {"id": "i", "result": password, "length": serial},
            "sensitive_attributes": path,
        }
        resource = {
            "mode": "managed",
            "type": "random_password",
            "name": "p",
            "provider": 'provider["registry.terraform.io/hashicorp/random"]',
            "instances": [instance],
        }
        return json.dumps({"version": 4, "serial": serial, "lineage": "l", "resources": [resource]})

    for serial in (1, 2):
        (twinfra.path / "file").write_text(state(serial, f"{SECRET}-{serial}"))
        twinfra.ok("state", "push", "file")
    ran = twinfra.ok("state", "diff", "1")
    assert "    result: (sensitive value, changed)" in ran.out
    assert "    length: 1 -> 2" in ran.out
    assert SECRET not in ran.all
    ran = twinfra.ok("state", "secrets")
    assert ran.out == "random_password.p: result, marked in the state\n"


# -- secrets

SECRETS = f"""
variable "password" {{
  type      = string
  default   = "{SECRET}"
  sensitive = true
}}
locals {{ login = {{ user = "u", password = var.password }} }}
resource "terraform_data" "variable" {{ input = local.login }}
resource "terraform_data" "function" {{ input = sensitive("{SECRET}") }}
resource "terraform_data" "reference" {{ input = terraform_data.function.input }}
resource "terraform_data" "open" {{ input = "anything" }}
output "secret" {{
  value     = var.password
  sensitive = true
}}
"""


def test_secrets_are_listed_with_where_they_came_from(twinfra: Directory) -> None:  # noqa: F811
    twinfra.write(main_tf=SECRETS)
    twinfra.ok("apply", "-auto-approve")
    ran = twinfra.ok("state", "secrets")
    assert SECRET not in ran.all
    assert "terraform_data.open" not in ran.out
    found = {
        (one["address"], one["path"]): one for one in json.loads(twinfra.ok("state", "secrets", "-json").out)
    }
    (of_variable,) = (
        one for name, one in found.items() if name[0] == "terraform_data.variable" and "input" in name[1]
    )
    assert (of_variable["origin"], of_variable["sources"]) == ("variable", ["var.password"])
    assert found["terraform_data.function", "input"]["sources"] == ["sensitive()"]
    assert found["terraform_data.reference", "input"]["sources"] == ["terraform_data.function"]
    assert found["output.secret", ""]["origin"] == "output"
    # What the provider copied has no mark.
    copied = found["terraform_data.variable", "output.password"]
    assert (copied["origin"], copied["sources"]) == ("copy", ["input.password"])
    assert ("terraform_data.variable", "output.user") not in found
    assert "terraform_data.function: output, says what is sensitive elsewhere in it (input)" in ran.out
    assert "terraform_data.function: input, made sensitive in the configuration (sensitive())" in ran.out


def test_a_state_without_secrets_says_so(twinfra: Directory) -> None:  # noqa: F811
    twinfra.write(main_tf='resource "terraform_data" "a" {}\n')
    twinfra.ok("apply", "-auto-approve")
    assert "No value" in twinfra.ok("state", "secrets").out
