"""Make the emulator repeatable: the same request at the same place in the journal gives the same
identifiers and times.

moto draws identifiers from one random source and reads time through a few functions; both are given their
values from the journal entry. What cannot be repeated is key material that a cryptographic library makes.
"""

from __future__ import annotations

import datetime
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto.moto_api._internal import mock_random


class _Clock(datetime.datetime):
    """`datetime` whose present stands still while a request is carried out."""

    standing: float | None = None
    ahead = datetime.timedelta()

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        if cls.standing is None:
            return datetime.datetime.now(tz) + cls.ahead
        return datetime.datetime.fromtimestamp(cls.standing, tz)

    @classmethod
    def utcnow(cls) -> Any:
        if cls.standing is None:
            return datetime.datetime.now(datetime.UTC).replace(tzinfo=None) + cls.ahead
        return datetime.datetime.fromtimestamp(cls.standing, datetime.UTC).replace(tzinfo=None)

    def __new__(cls, *parts: Any, **named: Any) -> Any:
        return datetime.datetime(*parts, **named)


class _OperatingSystem(types.ModuleType):
    """`os` whose random bytes come from the emulator's random source (S3's upload ids)."""

    def __getattr__(self, name: str) -> Any:
        import os

        return getattr(os, name)

    @staticmethod
    def urandom(length: int) -> bytes:
        return bytes(mock_random.randbytes(length))


class Repeatable:
    """Gives requests their time and their randomness.

    `seed` is that of the journal in use; `ahead`: by how many seconds the clock is ahead where time does not stand
    still.
    """

    def __init__(self, seed: str, ahead: float = 0.0) -> None:
        self.seed = seed
        _Clock.ahead = datetime.timedelta(seconds=ahead)
        _patch_time()
        _patch_backend_creation(self)

    @contextmanager
    def request(self, number: int, time: float) -> Iterator[None]:
        """Within this, the emulator's randomness and time are those of the journal entry `number`."""
        mock_random.seed(f"{self.seed}/{number}")
        _Clock.standing = time
        try:
            yield
        finally:
            _Clock.standing = None
            mock_random.seed()

    @contextmanager
    def creation(self, what: str) -> Iterator[None]:
        """Within this, randomness depends only on `what`: whoever comes first makes it, a read or a write."""
        before = mock_random.getstate()
        mock_random.seed(f"{self.seed}/{what}")
        try:
            yield
        finally:
            mock_random.setstate(before)


def _patch_time() -> None:
    import moto.core.utils
    import moto.s3.models

    clocked: Any = types.ModuleType("datetime")
    clocked.__dict__.update(datetime.__dict__)
    clocked.datetime = _Clock
    moto.core.utils.datetime = clocked  # its utcnow() is what nearly all of moto asks
    moto.s3.models.datetime = clocked
    moto.s3.models.os = _OperatingSystem("os")


def _patch_backend_creation(repeatable: Repeatable) -> None:
    """A service's backend for a region (with EC2's default network in it) is made when first asked for."""
    from moto.core.base_backend import AccountSpecificBackend

    original = AccountSpecificBackend.__getitem__

    def find_or_make(self: Any, region: str) -> Any:
        if dict.__contains__(self, "aws" if region == "global" else region):
            return original(self, region)
        with repeatable.creation(f"{self.service_name}/{self.account_id}/{region}"):
            return original(self, region)

    AccountSpecificBackend.__getitem__ = find_or_make
