"""Signatures of saved plans: who made a plan, told by a key that the plan's reader need not have.

Ed25519 by the `cryptography` library. Keys are PEM files as OpenSSL writes them: a private one (PKCS #8, encrypted
where a passphrase is given), and a public one (SubjectPublicKeyInfo), of which a file may hold several.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, DiagnosticError, error
from twinfra.state.files import file_problem, replace_file

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ALGORITHM = "ed25519"
PASSPHRASE = "TWINFRA_SIGNING_PASSPHRASE"
_SUBJECT = b"twinfra plan signature, format 1\n"
_PUBLIC = re.compile(rb"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----\n?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Signature:
    """What a signed plan says of its signature. `key` is the fingerprint of the public key."""

    key: str
    value: bytes

    def document(self) -> dict[str, str]:
        """It as JSON."""
        return {
            "algorithm": ALGORITHM,
            "key": self.key,
            "signature": base64.b64encode(self.value).decode(),
        }

    @staticmethod
    def of(document: Any) -> Signature:
        """What JSON says. Raises `ValueError` where it is no signature of ours."""
        if not isinstance(document, Mapping) or document.get("algorithm") != ALGORITHM:
            raise ValueError("no signature that this version knows")
        try:
            return Signature(str(document["key"]), base64.b64decode(document["signature"], validate=True))
        except (KeyError, TypeError, binascii.Error):
            raise ValueError("no signature that this version knows") from None


class Signer:
    """A private key, to sign plans with."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    def sign(self, digest: bytes) -> Signature:
        """A signature of content with this SHA-256."""
        return Signature(fingerprint(self._key.public_key()), self._key.sign(_SUBJECT + digest))


class Verifier:
    """Public keys, of which one must have signed a plan. `where` is where they come from, for people."""

    def __init__(self, keys: Iterable[Ed25519PublicKey], where: str) -> None:
        self._keys = {fingerprint(key): key for key in keys}
        self.where = where

    def check(self, signature: Signature | None, digest: bytes, path: Path) -> None:
        """Raise `DiagnosticError` unless one of the keys has signed content with this SHA-256."""
        if signature is None:
            raise DiagnosticError(_unsigned(path, self.where))
        key = self._keys.get(signature.key)
        if key is None:
            raise DiagnosticError(_other_key(path, signature.key, self.where))
        from cryptography.exceptions import InvalidSignature

        try:
            key.verify(signature.value, _SUBJECT + digest)
        except InvalidSignature:
            raise DiagnosticError(_wrong(path, signature.key)) from None


def fingerprint(key: Ed25519PublicKey) -> str:
    """The SHA-256 of a public key in hex: what `openssl pkey -pubin -outform DER | sha256sum` prints."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def make_keys(private: Path, public: Path, passphrase: str = "") -> str:
    """Write a new pair of keys to files that must not be there yet; returns the fingerprint.

    The private key is encrypted where there is a passphrase, and readable by its owner only. Raises `DiagnosticError`.
    """
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    for path in (private, public):
        if path.exists():
            raise DiagnosticError(
                error(
                    "File is there already",
                    f"{path} would be overwritten.",
                    mend="Give another name, or move it.",
                )
            )
    key = Ed25519PrivateKey.generate()
    encryption: form.KeySerializationEncryption = form.NoEncryption()
    if passphrase:
        encryption = form.BestAvailableEncryption(passphrase.encode())
    own = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, encryption)
    others = key.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
    for path, content in ((private, own), (public, others)):
        try:
            replace_file(path, (content,))
        except OSError as reason:
            raise file_problem(reason, "write the key to", path) from None
    # Everybody may read the public one.
    public.chmod(0o644)
    return fingerprint(key.public_key())


def read_signer(path: Path, environment: Mapping[str, str] = os.environ) -> Signer:
    """The private key in a file; its passphrase is in the environment. Raises `DiagnosticError`."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    content = _read(path, "read the key that signs from")
    passphrase = environment.get(PASSPHRASE, "")
    try:
        key = load_pem_private_key(
            content, passphrase.encode() if passphrase and b"ENCRYPTED" in content else None
        )
    except TypeError:
        raise DiagnosticError(_locked(path, f"{path} is encrypted, and {PASSPHRASE} is not set.")) from None
    except (ValueError, UnsupportedAlgorithm):
        if b"ENCRYPTED" in content and passphrase:
            raise DiagnosticError(_locked(path, f"{PASSPHRASE} is not the passphrase of {path}.")) from None
        raise DiagnosticError(_no_key(path, "private")) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise DiagnosticError(_no_key(path, "private"))
    return Signer(key)


def read_verifier(paths: Sequence[Path]) -> Verifier:
    """The public keys in these files. Raises `DiagnosticError`."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    keys: list[Ed25519PublicKey] = []
    for path in paths:
        found = _PUBLIC.findall(_read(path, "read the key that verifies from"))
        if not found:
            raise DiagnosticError(_no_key(path, "public"))
        for one in found:
            try:
                key = load_pem_public_key(one)
            except (ValueError, UnsupportedAlgorithm):
                raise DiagnosticError(_no_key(path, "public")) from None
            if not isinstance(key, Ed25519PublicKey):
                raise DiagnosticError(_no_key(path, "public"))
            keys.append(key)
    return Verifier(keys, ", ".join(map(str, paths)))


def _read(path: Path, doing: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as reason:
        raise file_problem(reason, doing, path) from None


# -- what may be wrong


def _no_key(path: Path, kind: str) -> Diagnostic:
    return error(
        "No key for signatures",
        f"{path} holds no {kind} Ed25519 key in PEM form.",
        mend="Make a pair of keys: twinfra key new NAME. NAME.key signs (plan -sign), NAME.pub verifies.",
    )


def _locked(path: Path, why: str) -> Diagnostic:
    return error("The key that signs is locked", why, mend=f"Set {PASSPHRASE} to the passphrase of {path}.")


def _unsigned(path: Path, where: str) -> Diagnostic:
    return error(
        "Saved plan is not signed",
        f"A signature by {where} is demanded here, and {path} has none.",
        mend="Nothing was done. Plan again where the key is: twinfra plan -out=FILE -sign=KEY",
    )


def _other_key(path: Path, key: str, where: str) -> Diagnostic:
    return error(
        "Saved plan is signed by somebody else",
        f"{path} is signed by the key {key}, which is none of those in {where}.",
        mend="Nothing was done. Apply a plan of somebody you trust, or add that key to those that verify.",
    )


def _wrong(path: Path, key: str) -> Diagnostic:
    return error(
        "Signature of the saved plan is wrong",
        f"{path} says that the key {key} has signed it, but that key has not signed what is in it.",
        mend="Nothing was done. Somebody may have changed it: look into who could, and plan again.",
    )
