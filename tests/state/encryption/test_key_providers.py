"""Where keys come from: passphrases, AWS KMS (moto), Google Cloud KMS (a small server), commands, chains."""

from __future__ import annotations

import base64
import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import boto3
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from moto import mock_aws
from tests.state.encryption.blocks import encryption, provider, words

from twinfra.diagnostics import DiagnosticError

CONTENT = b"content that is not a state"
METHOD = 'method "aes_gcm" "m" {{ keys = key_provider.{}.k }}\nstate {{ method = method.aes_gcm.m }}\n'


def round_trip(text: str) -> bytes:
    """Write in one process, read in another; what was stored."""
    stored = b"".join(encryption(text).state().encode([CONTENT]))
    assert CONTENT not in stored
    assert encryption(text).state().decode(stored, "it") == CONTENT
    return stored


def refused(text: str) -> str:
    with pytest.raises(DiagnosticError) as problem:
        encryption(text).state()
    return words(problem.value)


def test_argon2_makes_keys() -> None:
    text = 'key_provider "argon2" "k" {\n passphrase = "a passphrase of some length"\n memory = 19456\n}\n'
    round_trip(text + METHOD.format("argon2"))


@pytest.mark.parametrize("length", [16, 24, 32])
def test_keys_of_every_length_of_aes(length: int) -> None:
    text = f'key_provider "pbkdf2" "k" {{\n passphrase = "a passphrase of some length"\n iterations = 200000\n key_length = {length}\n}}\n'
    round_trip(text + METHOD.format("pbkdf2"))


def test_a_key_of_another_length_is_refused() -> None:
    text = 'key_provider "pbkdf2" "k" {\n passphrase = "a passphrase of some length"\n key_length = 20\n}\n'
    codec = encryption(text + METHOD.format("pbkdf2")).state()
    with pytest.raises(DiagnosticError) as problem:
        codec.encode([CONTENT])
    assert "not of 20" in words(problem.value)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ('passphrase = "tiny"', "less than 16"),
        ("", "There is no passphrase"),
        (
            'passphrase = "long enough passphrase"\n iterations = 1000',
            "iterations must be a whole number from 200000",
        ),
        ('passphrase = "long enough passphrase"\n hash_function = "md5"', "sha512 or sha256"),
        ('passphrase = "long enough passphrase"\n chain = key_provider.pbkdf2.k', "needs"),
        ('passphrase = "long enough passphrase"\n salt = "x"', "salt"),
        ("chain = key_provider.pbkdf2.kk", 'Did you mean "pbkdf2.k"?'),
        ("passphrase = var.nothing", "var.nothing"),
        ("passphrase = terraform_data.a.output", "terraform_data.a"),
    ],
)
def test_settings_that_cannot_be_used(settings: str, told: str) -> None:
    found = refused(f'key_provider "pbkdf2" "k" {{\n {settings}\n}}\n' + METHOD.format("pbkdf2"))
    assert told in found
    assert "long enough passphrase" not in found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("state { method = method.aes_gcm.none }", "aes_gcm"),
        ('state { method = "method" }', "method.TYPE.NAME"),
        ("state {}", "method"),
        ('method "rot13" "m" {}\nstate { method = method.rot13.m }', "unencrypted"),
        ('key_provider "pbkdf" "k" {}\n' + METHOD.format("pbkdf"), 'Did you mean "pbkdf2"?'),
        ('key_provider "x" "k" {}\nkey_provider "x" "k" {}\nstate { method = method.a.b }', "k"),
        ("something {}", "something"),
    ],
)
def test_blocks_that_cannot_be_used(text: str, told: str) -> None:
    assert told in refused(text)


def test_providers_in_a_circle() -> None:
    text = (
        'key_provider "pbkdf2" "k" { chain = key_provider.pbkdf2.l }\n'
        'key_provider "pbkdf2" "l" { chain = key_provider.pbkdf2.k }\n'
    )
    assert "needs pbkdf2.k" in refused(text + METHOD.format("pbkdf2"))


def test_the_json_syntax_says_the_same() -> None:
    fields = {
        "key_provider": {
            "pbkdf2": {"main": {"passphrase": "correct horse battery staple", "iterations": 200000}}
        },
        "method": {"aes_gcm": {"main": {"keys": "${key_provider.pbkdf2.main}"}}},
        "state": {"method": "${method.aes_gcm.main}", "enforced": True},
    }
    stored = b"".join(encryption(json.dumps(fields)).state().encode([CONTENT]))
    native = encryption(provider() + "state { method = method.aes_gcm.main }").state()
    assert native.decode(stored, "it") == CONTENT
    fields["method"]["aes_gcm"]["main"]["keys"] = "key_provider.pbkdf2.main"
    assert encryption(json.dumps(fields)).state().decode(stored, "it") == CONTENT


# -- AWS KMS


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield boto3.client("kms", region_name="eu-central-1").create_key()["KeyMetadata"]["KeyId"]


def aws(key: str, extra: str = "") -> str:
    settings = f'kms_key_id = "{key}"\n key_spec = "AES_256"\n region = "eu-central-1"\n {extra}'
    return f'key_provider "aws_kms" "k" {{\n {settings}\n}}\n' + METHOD.format("aws_kms")


def test_aws_kms_keeps_the_key(kms: str) -> None:
    stored = json.loads(round_trip(aws(kms)))
    meta = json.loads(base64.b64decode(stored["meta"]["key_provider.aws_kms.k"]))
    assert list(meta) == ["ciphertext_blob"]


def test_aws_kms_binds_keys_to_a_context(kms: str) -> None:
    stored = round_trip(aws(kms, 'encryption_context = { purpose = "state" }'))
    meta = json.loads(base64.b64decode(json.loads(stored)["meta"]["key_provider.aws_kms.k"]))
    assert meta["encryption_context"] == {"purpose": "state"}


def test_aws_kms_refuses_a_key_that_is_not_there(kms: str) -> None:
    codec = encryption(aws("no-such-key")).state()
    with pytest.raises(DiagnosticError) as problem:
        codec.encode([CONTENT])
    assert "data key" in words(problem.value)
    assert problem.value.diagnostics[0].subject is not None


def test_aws_kms_needs_a_region(kms: str) -> None:
    assert "no region" in refused(aws(kms).replace('region = "eu-central-1"', ""))


# -- Google Cloud KMS


class _Kms(BaseHTTPRequestHandler):
    """Encrypts as the service would, with a key of its own for each name."""

    keys: ClassVar[dict[str, bytes]] = {}

    def do_POST(self) -> None:
        name, _, operation = self.path.removeprefix("/v1/").rpartition(":")
        fields = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = AESGCM(self.keys.setdefault(name, AESGCM.generate_key(256)))
        bound = base64.b64decode(fields.get("additionalAuthenticatedData", ""))
        status, answer = 200, {}
        if "forbidden" in name:
            status, answer = 403, {"error": {"message": "Permission denied."}}
        elif operation == "encrypt":
            data = bytes(12) + key.encrypt(bytes(12), base64.b64decode(fields["plaintext"]), bound)
            answer = {"ciphertext": base64.b64encode(data).decode()}
        else:
            try:
                data = key.decrypt(bytes(12), base64.b64decode(fields["ciphertext"])[12:], bound)
                answer = {"plaintext": base64.b64encode(data).decode()}
            except InvalidTag:
                status, answer = 400, {"error": {"message": "Decryption failed"}}
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = HTTPServer(("127.0.0.1", 0), _Kms)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    monkeypatch.setenv("GOOGLE_KMS_CUSTOM_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    for name in ("GOOGLE_CREDENTIALS", "GOOGLE_OAUTH_ACCESS_TOKEN", "GOOGLE_BACKEND_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    yield
    server.shutdown()
    server.server_close()


def gcp(name: str, extra: str = "") -> str:
    key = f"projects/p/locations/l/keyRings/r/cryptoKeys/{name}"
    settings = f'kms_encryption_key = "{key}"\n key_length = 32\n {extra}'
    return f'key_provider "gcp_kms" "k" {{\n {settings}\n}}\n' + METHOD.format("gcp_kms")


@pytest.mark.usefixtures("google")
def test_google_kms_keeps_the_key() -> None:
    stored = round_trip(gcp("one", 'additional_authenticated_data = "c3RhdGU="'))
    other = encryption(gcp("other")).state()
    with pytest.raises(DiagnosticError) as problem:
        other.decode(stored, "it")
    assert "KMS did not encrypt it with this key" in words(problem.value)


@pytest.mark.usefixtures("google")
def test_google_kms_that_refuses_is_told() -> None:
    codec = encryption(gcp("forbidden")).state()
    with pytest.raises(DiagnosticError) as problem:
        codec.encode([CONTENT])
    assert "403 Permission denied" in words(problem.value)


def test_google_kms_needs_a_full_name() -> None:
    text = 'key_provider "gcp_kms" "k" {\n kms_encryption_key = "short"\n key_length = 32\n}\n'
    assert "full name" in refused(text + METHOD.format("gcp_kms"))


# -- commands

_COMMAND = """
import base64, hashlib, json, sys
print(json.dumps({"magic": "OpenTofu-External-Key-Provider", "version": VERSION}), flush=True)
meta = json.load(sys.stdin)
key = lambda salt: base64.b64encode(hashlib.sha256(b"planted-root-key" + salt.encode()).digest()).decode()
keys = {"encryption_key": key("new")}
if meta is not None:
    keys["decryption_key"] = key(meta["external_data"]["salt"])
sys.exit(CODE) if CODE else print(json.dumps({"keys": keys, "meta": {"external_data": {"salt": "new"}}}))
"""


def external(directory: Path, version: int = 1, code: int = 0, text: str = _COMMAND) -> str:
    program = directory / "keys.py"
    program.write_text(text.replace("VERSION", str(version)).replace("CODE", str(code)), encoding="utf-8")
    command = json.dumps([sys.executable, str(program)])
    return f'key_provider "external" "k" {{ command = {command} }}\n' + METHOD.format("external")


def test_a_command_gives_keys(tmp_path: Path) -> None:
    stored = round_trip(external(tmp_path))
    meta = json.loads(base64.b64decode(json.loads(stored)["meta"]["key_provider.external.k"]))
    assert meta == {"external_data": {"salt": "new"}}


def test_a_command_that_stores_nothing_gives_the_same_keys_each_time(tmp_path: Path) -> None:
    text = (
        _COMMAND.split("keys = ", maxsplit=1)[0]
        + "assert meta is None\nprint(json.dumps({'keys': {KEYS}}))\n"
    )
    keys = "name: key('') for name in ('encryption_key', 'decryption_key')"
    stored = round_trip(external(tmp_path, text=text.replace("KEYS", keys)))
    meta = json.loads(base64.b64decode(json.loads(stored)["meta"]["key_provider.external.k"]))
    # As OpenTofu writes it.
    assert meta == {"external_data": None}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"version": 2}, "another version"),
        ({"code": 3}, "ended with 3"),
        ({"text": "print('hello')"}, "first line"),
        ({"text": _COMMAND.split("keys = ", maxsplit=1)[0] + "print('{}')"}, "no keys"),
    ],
)
def test_a_command_that_fails_is_told(tmp_path: Path, given: dict[str, Any], told: str) -> None:
    codec = encryption(external(tmp_path, **given)).state()
    with pytest.raises(DiagnosticError) as problem:
        codec.encode([CONTENT])
    assert told in words(problem.value)
    assert "planted-root-key" not in words(problem.value)


def test_a_program_that_is_not_there_is_told() -> None:
    text = 'key_provider "external" "k" { command = ["./no-such-program"] }\n' + METHOD.format("external")
    with pytest.raises(DiagnosticError) as problem:
        encryption(text).state().encode([CONTENT])
    assert "no such program" in words(problem.value)


def test_a_key_of_one_provider_is_the_passphrase_of_another(tmp_path: Path) -> None:
    chained = 'key_provider "pbkdf2" "k" {\n chain = key_provider.external.k\n iterations = 200000\n}\n'
    text = external(tmp_path).split("method")[0] + chained + METHOD.format("pbkdf2")
    stored = json.loads(round_trip(text))
    assert set(stored["meta"]) == {"key_provider.external.k", "key_provider.pbkdf2.k"}
