"""Signed plans: who made them, and what is refused where a signature is demanded."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from tests.cli.conftest import Directory, twinfra
from tests.state.encryption.blocks import SIMPLE

from twinfra.diagnostics import DiagnosticError
from twinfra.engine import plan_container
from twinfra.engine.plan_container import unseal, write_sealed
from twinfra.engine.plan_signature import PASSPHRASE, make_keys, read_signer, read_verifier

__all__ = ["twinfra"]
MAIN = 'variable "v" {\n  default = "x"\n}\nresource "terraform_data" "a" {\n  input = var.v\n}\n'


@pytest.fixture
def signed(twinfra: Directory) -> Directory:
    """A directory with keys, and a plan that the key `ours` has signed."""
    twinfra.write(main_tf=MAIN)
    twinfra.ok("key", "new", "ours")
    twinfra.ok("plan", "-out=plan", "-sign=ours.key")
    return twinfra


def words(text: str) -> str:
    return " ".join(text.replace("│", " ").split())


def refused(directory: Directory, *arguments: str) -> str:
    ran = directory("apply", *arguments)
    assert ran.code == 1
    assert not (directory.path / "terraform.tfstate").exists()
    return words(ran.err)


def test_a_plan_is_applied_by_who_trusts_the_key(signed: Directory) -> None:
    assert "1 added" in signed.ok("apply", "-verify-key=ours.pub", "plan").out


def test_a_plan_that_was_made_elsewhere_is_applied_by_who_trusts_the_key(signed: Directory) -> None:
    shutil.rmtree(signed.path / ".terraform")
    signed.ok("plan", "-out=other")
    assert "made elsewhere" in refused(signed, "plan")
    assert "1 added" in signed.ok("apply", "-verify-key=ours.pub", "plan").out


def test_an_unsigned_plan_is_refused_where_a_signature_is_demanded(
    signed: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed.ok("plan", "-out=unsigned")
    assert "Saved plan is not signed" in refused(signed, "-verify-key=ours.pub", "unsigned")
    monkeypatch.setenv("TWINFRA_VERIFY_KEY", "ours.pub")
    assert "Saved plan is not signed" in refused(signed, "unsigned")


@pytest.mark.parametrize("arguments", [("apply", "-auto-approve"), ("destroy", "-auto-approve")])
def test_nothing_is_applied_without_a_plan_where_a_signature_is_demanded(
    signed: Directory, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("TWINFRA_VERIFY_KEY", "ours.pub")
    ran = signed(*arguments)
    assert ran.code == 1
    assert "A signed plan is demanded" in ran.err
    assert "1 added" in signed.ok("apply", "plan").out


def test_a_plan_signed_by_somebody_else_is_refused(signed: Directory) -> None:
    signed.ok("key", "new", "theirs")
    assert "signed by somebody else" in refused(signed, "-verify-key=theirs.pub", "plan")
    both = signed.path / "both.pub"
    both.write_bytes((signed.path / "theirs.pub").read_bytes() + (signed.path / "ours.pub").read_bytes())
    signed.ok("apply", "-verify-key=both.pub", "plan")


def sealed(tmp_path: Path) -> tuple[Path, Path]:
    """A signed file of some parts, and the file of the public key."""
    make_keys(tmp_path / "k.key", tmp_path / "k.pub")
    path = tmp_path / "file"
    write_sealed(path, {"one": 1, "two": "two"}, tmp_path, signer=read_signer(tmp_path / "k.key"))
    return path, tmp_path / "k.pub"


def resealed(path: Path, body: bytes) -> None:
    """Put a body into the file with a checksum that fits, as one who changes it on purpose would."""
    path.write_bytes(body + plan_container._seal([body], b"x" * 32))


def problem(path: Path, key: Path) -> str:
    with pytest.raises(DiagnosticError) as caught:
        unseal(path, path.read_bytes(), path.parent, verifier=read_verifier([key]))
    return caught.value.diagnostics[0].summary


def test_a_part_changed_under_a_fitting_checksum_is_noticed(tmp_path: Path) -> None:
    path, key = sealed(tmp_path)
    body = path.read_bytes()[: -plan_container._SEAL]
    first, second = b"".join(plan_container._packed("one", 1)), b"".join(plan_container._packed("one", 2))
    assert first in body
    resealed(path, body.replace(first, second))
    assert problem(path, key) == "Signature of the saved plan is wrong"


def test_a_part_added_behind_the_signature_is_noticed(tmp_path: Path) -> None:
    path, key = sealed(tmp_path)
    body = path.read_bytes()[: -plan_container._SEAL]
    resealed(path, body + b"".join(plan_container._packed("three", 3)))
    assert problem(path, key) == "Saved plan is not signed"
    resealed(path, body + b"".join(plan_container._packed("one", 3)))
    assert problem(path, key) == "Saved plan is damaged"


def test_every_changed_byte_of_a_signed_plan_is_noticed(tmp_path: Path) -> None:
    path, key = sealed(tmp_path)
    content = path.read_bytes()
    for at in range(len(content)):
        changed = bytearray(content)
        changed[at] ^= 1
        path.write_bytes(changed)
        assert problem(path, key)


def test_an_encrypted_plan_can_be_signed(signed: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_ENCRYPTION", SIMPLE)
    signed.ok("plan", "-out=secret", "-sign=ours.key")
    assert "1 added" in signed.ok("apply", "-verify-key=ours.pub", "secret").out


def test_a_private_key_is_for_its_owner_and_its_passphrase_opens_it(
    twinfra: Directory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    twinfra.write(main_tf=MAIN)
    monkeypatch.setenv(PASSPHRASE, "open sesame")
    document = json.loads(twinfra.ok("key", "new", "-json", "k").out)
    assert document["private"] == "k.key"
    assert stat.S_IMODE((twinfra.path / "k.key").stat().st_mode) == 0o600
    twinfra.ok("plan", "-out=plan", "-sign=k.key")
    monkeypatch.setenv(PASSPHRASE, "open nothing")
    assert "is not the passphrase" in words(twinfra("plan", "-out=plan", "-sign=k.key").err)
    monkeypatch.delenv(PASSPHRASE)
    assert f"{PASSPHRASE} is not set" in words(twinfra("plan", "-out=plan", "-sign=k.key").err)
    assert "would be overwritten" in words(twinfra("key", "new", "k").err)
    assert document["fingerprint"] in twinfra.ok("show", "plan").out


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not on the PATH")
def test_keys_made_by_openssl_serve(twinfra: Directory) -> None:
    twinfra.write(main_tf=MAIN)
    for command in (
        "openssl genpkey -algorithm ed25519 -out k.key",
        "openssl pkey -in k.key -pubout -out k.pub",
    ):
        subprocess.run(command.split(), cwd=twinfra.path, check=True, capture_output=True, timeout=120)
    twinfra.ok("plan", "-out=plan", "-sign=k.key")
    twinfra.ok("apply", "-verify-key=k.pub", "plan")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("plan", "-sign=ours.key"), "-sign signs a saved plan"),
        (("plan", "-out=p", "-sign=ours.pub"), "No key for signatures"),
        (("plan", "-out=p", "-sign=nowhere"), "No such file"),
        (("apply", "-verify-key=ours.key", "plan"), "No key for signatures"),
    ],
)
def test_wrong_usage_is_told(signed: Directory, arguments: tuple[str, ...], said: str) -> None:
    ran = signed(*arguments)
    assert ran.code == 1
    assert said in words(ran.err)
