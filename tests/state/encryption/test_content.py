"""States, plans and journals encrypted: read back, changed, with wrong keys, rotated, enforced."""

from __future__ import annotations

import base64
import json
import re

import pytest
from tests.state.encryption import opentofu
from tests.state.encryption.blocks import PASSPHRASE, PLAIN_METHOD, SIMPLE, encryption, provider, words
from tests.state.states import state_of

from twinfra.diagnostics import DiagnosticError
from twinfra.state.encryption.codec import PLAIN, Codec
from twinfra.state.v4 import write_state

SECRET = b"planted-secret-value"
STATE = b"".join(write_state(state_of("a", "b", serial=7))).replace(b"id-a", SECRET)


@pytest.fixture(scope="module")
def codec() -> Codec:
    return encryption(SIMPLE).state()


def encoded(codec: Codec, content: bytes = STATE) -> bytes:
    return b"".join(codec.encode([content]))


def test_what_is_written_is_read_back_and_shows_nothing(codec: Codec) -> None:
    stored = encoded(codec)
    assert SECRET in STATE
    assert SECRET not in stored
    assert codec.decode(stored, "it") == STATE


def test_pieces_of_any_size_are_one_content(codec: Codec) -> None:
    pieces = [STATE[at : at + 7] for at in range(0, len(STATE), 7)]
    assert codec.decode(b"".join(codec.encode(pieces)), "it") == STATE


def test_the_same_content_is_never_the_same_twice(codec: Codec) -> None:
    assert encoded(codec) != encoded(codec)


@pytest.mark.parametrize("hash", ["sha512", "sha256"])
def test_what_opentofu_writes_is_read(codec: Codec, hash: str) -> None:
    assert codec.decode(opentofu.encrypt(STATE, PASSPHRASE, hash=hash), "it") == STATE


def test_opentofu_reads_what_is_written(codec: Codec) -> None:
    stored = encoded(codec)
    assert opentofu.decrypt(stored, PASSPHRASE) == STATE
    fields = json.loads(stored)
    assert list(fields) == ["serial", "lineage", "meta", "encrypted_data", "encryption_version"]
    assert (fields["serial"], fields["lineage"]) == (7, "a-lineage")


def test_a_plan_has_no_serial_beside_it() -> None:
    codec = encryption(SIMPLE).plan()
    stored = b"".join(codec.encode([b"any bytes \0\xff"]))
    assert list(json.loads(stored)) == ["meta", "encrypted_data", "encryption_version"]
    assert codec.decode(stored, "it") == b"any bytes \0\xff"


def test_any_changed_byte_is_refused(codec: Codec) -> None:
    stored = encoded(codec)
    data = re.search(rb'"encrypted_data":"([^"]*)"', stored)
    assert data is not None
    places = [
        *range(0, data.start(1), 3),
        *range(data.start(1), data.end(1), 61),
        *range(data.end(1) - 24, len(stored)),
    ]
    for place in places:
        for flip in (1, 2):
            changed = bytearray(stored)
            changed[place] ^= flip
            with pytest.raises(DiagnosticError) as refused:
                codec.decode(bytes(changed), "it")
            assert SECRET.decode() not in words(refused.value)


@pytest.mark.parametrize("kept", [0, 1, 40, 200, -1, -20, -200])
def test_a_file_that_is_cut_is_refused(codec: Codec, kept: int) -> None:
    stored = encoded(codec)[:kept]
    if stored:
        with pytest.raises(DiagnosticError):
            codec.decode(stored, "it")
    else:
        assert codec.decode(stored, "it") == b""


def test_content_of_another_serial_cannot_be_passed_off(codec: Codec) -> None:
    fields = json.loads(encoded(codec))
    fields["serial"] += 1
    with pytest.raises(DiagnosticError, match="damaged"):
        codec.decode(json.dumps(fields).encode(), "it")


def test_numbers_out_of_all_reason_are_refused_before_they_cost_anything(codec: Codec) -> None:
    fields = json.loads(encoded(codec))
    meta = json.loads(base64.b64decode(fields["meta"]["key_provider.pbkdf2.main"]))
    meta["iterations"] = 10**15
    fields["meta"]["key_provider.pbkdf2.main"] = base64.b64encode(json.dumps(meta).encode()).decode()
    with pytest.raises(DiagnosticError) as refused:
        codec.decode(json.dumps(fields).encode(), "it")
    assert "no usable iterations" in words(refused.value)


def test_a_wrong_passphrase_is_refused_without_telling_any(codec: Codec) -> None:
    other = encryption(SIMPLE.replace(PASSPHRASE, "another passphrase, just as long")).state()
    with pytest.raises(DiagnosticError) as refused:
        other.decode(encoded(codec), "terraform.tfstate")
    told = words(refused.value)
    assert "terraform.tfstate" in told
    assert "method.aes_gcm.main" in told
    assert "passphrase," not in told
    assert PASSPHRASE not in told


def test_keys_are_rotated_with_a_fallback(codec: Codec) -> None:
    old = encoded(codec)
    rotating = encryption(
        provider()
        + provider("new", "a new passphrase of our own")
        + "state {\n method = method.aes_gcm.new\n fallback { method = method.aes_gcm.main }\n}"
    ).state()
    assert rotating.decode(old, "it") == STATE
    new = encoded(rotating)
    done = encryption(
        provider("new", "a new passphrase of our own") + "state { method = method.aes_gcm.new }"
    ).state()
    assert done.decode(new, "it") == STATE
    with pytest.raises(DiagnosticError) as refused:
        done.decode(old, "it")
    assert "nothing of key_provider.pbkdf2.new" in words(refused.value)


def test_one_provider_under_an_alias_takes_over_from_another() -> None:
    first = encryption(
        provider("a", extra='encrypted_metadata_alias = "shared"') + "state { method = method.aes_gcm.a }"
    )
    second = encryption(
        provider("b", extra='encrypted_metadata_alias = "shared"') + "state { method = method.aes_gcm.b }"
    )
    assert second.state().decode(encoded(first.state()), "it") == STATE


def test_what_is_not_encrypted_is_refused_unless_a_fallback_says_so(codec: Codec) -> None:
    with pytest.raises(DiagnosticError, match="not encrypted"):
        codec.decode(STATE, "it")
    migrating = encryption(
        provider()
        + PLAIN_METHOD
        + "state {\n method = method.aes_gcm.main\n fallback { method = method.unencrypted.off }\n}"
    ).state()
    assert migrating.decode(STATE, "it") == STATE
    assert SECRET not in encoded(migrating)


def test_encryption_is_left_with_the_method_unencrypted(codec: Codec) -> None:
    leaving = encryption(
        provider()
        + PLAIN_METHOD
        + "state {\n method = method.unencrypted.off\n fallback { method = method.aes_gcm.main }\n}"
    ).state()
    assert leaving.decode(encoded(codec), "it") == STATE
    assert encoded(leaving) == STATE
    assert leaving.sealer() is None


@pytest.mark.parametrize("where", ["method", "fallback"])
def test_nothing_unencrypted_where_encryption_is_enforced(where: str) -> None:
    main, other = "method.unencrypted.off", "method.aes_gcm.main"
    if where == "fallback":
        main, other = other, main
    text = f"{provider()}{PLAIN_METHOD}state {{\n enforced = true\n method = {main}\n fallback {{ method = {other} }}\n}}"
    with pytest.raises(DiagnosticError, match="enforced"):
        encryption(text).state()


def test_without_encryption_not_a_byte_differs() -> None:
    assert list(PLAIN.encode([STATE])) == [STATE]
    assert PLAIN.decode(STATE, "it") == STATE
    assert PLAIN.sealer() is None


def test_without_encryption_what_is_encrypted_is_refused(codec: Codec) -> None:
    with pytest.raises(DiagnosticError, match="encrypted"):
        PLAIN.decode(encoded(codec), "it")


def test_what_is_kept_of_older_content_is_encrypted_too(codec: Codec) -> None:
    kept = codec.kept(STATE)
    assert SECRET not in kept
    assert codec.decode(kept, "it") == STATE
    assert codec.kept(kept) == kept


# -- journals


def sealed(codec: Codec, *lines: bytes) -> bytes:
    sealer = codec.sealer()
    assert sealer is not None
    return sealer.header + b"".join(sealer.seal(line) for line in lines)


LINES = (b"first secret\n", b"second secret\n", b"third secret\n")


def test_the_lines_of_a_journal_come_back_and_show_nothing(codec: Codec) -> None:
    content = sealed(codec, *LINES)
    assert b"secret" not in content
    assert codec.unseal(content, "journal") == b"".join(LINES)
    assert codec.unseal(content + bytes(4096), "journal") == b"".join(LINES)


def test_a_torn_last_line_is_left_out(codec: Codec) -> None:
    content = sealed(codec, *LINES)
    assert codec.unseal(content[:-5], "journal") == b"".join(LINES[:2])
    assert codec.unseal(content[:-5] + bytes(100), "journal") == b"".join(LINES[:2])


def test_lines_that_are_lost_changed_moved_or_repeated_are_no_records(codec: Codec) -> None:
    header, one, two, three = sealed(codec, *LINES).splitlines(keepends=True)
    assert codec.unseal(header + one + three, "journal").count(b"secret\n") == 2
    assert b"lost" in codec.unseal(header + one + three, "journal")
    damaged = two[:20] + bytes([two[20] ^ 1]) + two[21:]
    for content in (header + one + damaged + three, header + one + one + three):
        found = codec.unseal(content, "journal")
        assert found.startswith(LINES[0])
        assert found.endswith(LINES[2])
        assert b"lost" in found
    swapped = codec.unseal(header + two + one + three, "journal")
    assert LINES[0] not in swapped
    renumbered = codec.unseal(header + one + b"2" + three[1:], "journal")
    assert LINES[2] not in renumbered


def test_lines_of_another_journal_are_no_records(codec: Codec) -> None:
    header, one, *_ = sealed(codec, *LINES).splitlines(keepends=True)
    other = sealed(codec, b"of another\n", b"also of another\n").splitlines(keepends=True)
    assert b"another" not in codec.unseal(header + one + other[2], "journal")


def test_a_journal_with_another_key_is_refused_as_a_whole(codec: Codec) -> None:
    other = encryption(SIMPLE.replace(PASSPHRASE, "another passphrase, just as long")).state()
    with pytest.raises(DiagnosticError, match="decrypted"):
        other.unseal(sealed(codec, *LINES), "journal")


def test_a_journal_in_the_clear_is_refused_where_only_encrypted_content_may_be_read(codec: Codec) -> None:
    with pytest.raises(DiagnosticError, match="not encrypted"):
        codec.unseal(b"a line\n", "journal")
    with pytest.raises(DiagnosticError, match="encrypted"):
        PLAIN.unseal(sealed(codec, *LINES), "journal")
