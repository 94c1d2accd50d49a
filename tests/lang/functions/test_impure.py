"""Functions whose answer changes from call to call, or with the run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import bcrypt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from twinfra.lang.functions import lookup
from twinfra.lang.functions.base64_text import write_base64
from twinfra.lang.functions.call import call
from twinfra.lang.functions.declaration import FunctionError
from twinfra.lang.scope import EvaluationContext
from twinfra.values.types import STRING
from twinfra.values.value import Refinement, Unknown


def run(name: str, *arguments: Any, planning: bool = False) -> Any:
    function = lookup(name)
    assert function is not None
    return call(function, list(arguments), EvaluationContext(Path("."), "2021-05-06T07:08:09Z", planning))


@pytest.mark.parametrize(("name", "arguments"), [("timestamp", ()), ("uuid", ()), ("bcrypt", ("x",))])
def test_what_only_the_apply_will_tell_is_unknown_while_planning(
    name: str, arguments: tuple[Any, ...]
) -> None:
    assert run(name, *arguments, planning=True) == Unknown(STRING, Refinement(not_null=True))


def test_the_time_of_the_plan_is_that_of_the_run() -> None:
    assert run("plantimestamp", planning=True) == "2021-05-06T07:08:09Z"


def test_the_current_time_is_in_utc() -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", run("timestamp"))


def test_uuids_differ() -> None:
    first, second = run("uuid"), run("uuid")
    assert first != second
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", first)


def test_a_bcrypt_hash_fits_its_string_and_has_the_cost_asked_for() -> None:
    hashed = run("bcrypt", "héllo", 4)
    assert hashed.startswith("$2a$04$")
    assert bcrypt.checkpw("héllo".encode(), hashed.encode())
    assert run("bcrypt", "x", 3).startswith("$2a$10$")


@pytest.mark.parametrize("arguments", [("x", 32), ("x", 4, 5), ("x", 4.5), ("x" * 73, 4)])
def test_bcrypt_refuses_what_it_cannot_do(arguments: tuple[Any, ...]) -> None:
    from twinfra.values.numbers import from_float

    given = [from_float(one) if isinstance(one, float) else one for one in arguments]
    with pytest.raises(FunctionError):
        run("bcrypt", *given)


KEY = rsa.generate_private_key(65537, 2048)
SECRET = write_base64(KEY.public_key().encrypt("geheim é".encode(), PKCS1v15()))


@pytest.mark.parametrize(
    "form", [PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8, PrivateFormat.OpenSSH]
)
def test_what_was_encrypted_for_a_key_is_decrypted(form: PrivateFormat) -> None:
    pem = KEY.private_bytes(Encoding.PEM, form, NoEncryption()).decode()
    assert run("rsadecrypt", SECRET, pem) == "geheim é"


def test_keys_that_cannot_decrypt_are_to_blame() -> None:
    locked = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")).decode()
    other = ec.generate_private_key(ec.SECP256R1())
    elliptic = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    for pem in (locked, elliptic, "no key", ""):
        with pytest.raises(FunctionError) as caught:
            run("rsadecrypt", SECRET, pem)
        assert caught.value.argument == 1


def test_text_that_is_not_base64_is_to_blame() -> None:
    with pytest.raises(FunctionError) as caught:
        run("rsadecrypt", "x", "y")
    assert caught.value.argument == 0
