"""The `s3` backend: states as objects in a bucket, locked by an object beside them, by DynamoDB, or both.

A state is written on condition that its ETag is the one that was read, so that no update is lost even without
the lock; a service that knows no conditions is asked before instead. Names, lock contents and the digests in
DynamoDB are stock Terraform's: https://developer.hashicorp.com/terraform/language/backend/s3.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinfra.diagnostics import DiagnosticError, error
from twinfra.state.backends import _remote
from twinfra.state.backends._s3_locks import LockFile, Locks, LockTable
from twinfra.state.backends._s3_objects import Bucket
from twinfra.state.backends._s3_settings import SCHEMA, Objects, access_of, objects_of
from twinfra.state.backends.local import check_workspace_name
from twinfra.state.backends.protocol import DEFAULT_WORKSPACE, NOTHING, Backend, Conflict, Content, Place
from twinfra.state.backends.records import at_once, check_record_name
from twinfra.state.history import MOST, Version
from twinfra.state.locks import LockInfo

if TYPE_CHECKING:
    from twinfra.providers.aws.session import Session

__all__ = ["SCHEMA", "S3Backend", "connect"]

_STALE_PAUSES = (0.5, 1.0, 2.0, 3.0, 3.5)
"""How long to wait (10 s in all) for a state that fits its digest."""


def connect(config: Mapping[str, Any], place: Place) -> Backend:
    """The backend of a `backend "s3"` block."""
    objects, access = objects_of(config), access_of(config)
    try:
        import botocore  # noqa: F401
    except ImportError:
        raise _remote.needs_package("aws", "botocore") from None
    from twinfra.providers.aws.session import Session

    return S3Backend(Session(access), objects, place)


class S3Backend:
    """States in a bucket. `pause` waits, in seconds."""

    def __init__(
        self, session: Session, objects: Objects, place: Place, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._session = session
        self._objects = objects
        self._place = place
        self._pause = pause
        self._bucket = Bucket(session, objects)
        self._table = LockTable(session, objects.table) if objects.table else None
        self._locks = Locks(LockFile(self._bucket) if objects.lock_file else None, self._table)
        self._allowed = False

    def label(self, workspace: str) -> str:
        return f"s3://{self._objects.bucket}/{self._key(workspace)}"

    def workspaces(self) -> list[str]:
        self._check_account()
        prefix = f"{self._objects.workspace_prefix}/" if self._objects.workspace_prefix else ""
        end = f"/{self._objects.key}"
        found = set()
        for key in self._bucket.keys(prefix):
            name = key.removeprefix(prefix)
            if name.endswith(end) and "/" not in (name := name.removesuffix(end)) and name:
                found.add(name)
        return [DEFAULT_WORKSPACE, *sorted(found - {DEFAULT_WORKSPACE})]

    def create(self, workspace: str) -> None:
        check_workspace_name(workspace)

    def read(self, workspace: str) -> Content | None:
        self._check_account()
        key = self._key(workspace)
        for pause in (*_STALE_PAUSES, None):
            found = self._bucket.get(key, "read the state")
            # An empty object is no state yet.
            content = found if found is not None and found.data else None
            if self._table is None:
                return content
            digest = self._table.digest(self._lock_path(workspace))
            if not digest or digest == _md5(b"" if content is None else content.data):
                return content
            if pause is None:
                raise self._stale(workspace, content)
            self._pause(pause)
        raise AssertionError("the last attempt returns or raises")

    def write(self, workspace: str, pieces: Iterable[bytes], expected: str | None) -> str:
        check_workspace_name(workspace)
        self._check_account()
        key, doing = self._key(workspace), "write the state"
        data = _remote.join(pieces)
        version = self._bucket.put(key, data, expected, doing)
        if version is None and expected == NOTHING:
            now = self._bucket.get(key, doing)
            if now is not None and not now.data:
                version = self._bucket.put(key, data, now.version, doing)
        if version is None:
            raise Conflict
        if self._table is not None:
            self._table.put_digest(self._lock_path(workspace), _md5(data))
        return version

    def delete(self, workspace: str) -> None:
        if workspace == DEFAULT_WORKSPACE:
            raise ValueError("the default workspace cannot be deleted")
        self._bucket.delete(self._key(workspace), "delete the workspace")
        if self._table is not None:
            self._table.delete_digest(self._lock_path(workspace))
        for name in self.list_records(workspace):
            self._bucket.delete(self._records(workspace) + name, "delete the workspace")
        self.journal_path(workspace).unlink(missing_ok=True)

    def lock(self, workspace: str, lock: LockInfo) -> None:
        check_workspace_name(workspace)
        self._check_account()
        path = self._lock_path(workspace)
        self._locks.take(self._key(workspace), path, replace(lock, path=path))

    def unlock(self, workspace: str, id: str) -> None:
        self._locks.release(self._key(workspace), self._lock_path(workspace), id)

    def holder(self, workspace: str) -> LockInfo | None:
        return self._locks.holder(self._key(workspace), self._lock_path(workspace))

    def journal_path(self, workspace: str) -> Path:
        return _remote.journal_path(self._place, self.label(workspace), workspace)

    def history(self, workspace: str) -> list[Version]:
        self._check_account()
        return self._bucket.versions(self._key(workspace), MOST)

    def read_version(self, workspace: str, id: str) -> bytes | None:
        self._check_account()
        return self._bucket.version(self._key(workspace), id)

    def list_records(self, workspace: str) -> list[str]:
        self._check_account()
        prefix = self._records(workspace)
        return sorted(key.removeprefix(prefix) for key in self._bucket.keys(prefix, "list the records"))

    def read_record(self, workspace: str, name: str) -> Content | None:
        self._check_account()
        check_record_name(name)
        return self._bucket.get(self._records(workspace) + name, "read the record")

    def read_records(self, workspace: str, names: Sequence[str]) -> list[Content | None]:
        return at_once(lambda name: self.read_record(workspace, name), names)

    def write_record(self, workspace: str, name: str, data: bytes, expected: str | None) -> str:
        check_workspace_name(workspace)
        check_record_name(name)
        self._check_account()
        version = self._bucket.put(self._records(workspace) + name, data, expected, "write the record")
        if version is None:
            raise Conflict
        return version

    def kept_version(self) -> bool:
        return not self._bucket.unversioned

    def close(self) -> None:
        self._session.close()

    # -- names

    def _key(self, workspace: str) -> str:
        if workspace == DEFAULT_WORKSPACE:
            return self._objects.key
        prefix = f"{self._objects.workspace_prefix}/" if self._objects.workspace_prefix else ""
        return f"{prefix}{workspace}/{self._objects.key}"

    def _records(self, workspace: str) -> str:
        return f"{self._key(workspace)}.records/"

    def _lock_path(self, workspace: str) -> str:
        return f"{self._objects.bucket}/{self._key(workspace)}"

    # -- checks

    def _check_account(self) -> None:
        """Refuse an account that must not be used; asked once."""
        settings = self._session.settings
        if self._allowed or not (settings.allowed_accounts or settings.forbidden_accounts):
            return
        account = self._bucket.account()
        if account in settings.forbidden_accounts or (
            settings.allowed_accounts and account not in settings.allowed_accounts
        ):
            name = "forbidden_account_ids" if settings.forbidden_accounts else "allowed_account_ids"
            raise DiagnosticError(
                error(
                    "Wrong AWS account",
                    f"The credentials are of the account {account}, which {name} rules out.",
                    mend="Use credentials of the right account, or correct that list.",
                )
            )
        self._allowed = True

    def _stale(self, workspace: str, content: Content | None) -> DiagnosticError:
        digest = _md5(b"" if content is None else content.data)
        return DiagnosticError(
            error(
                "State does not fit its digest",
                f"{self.label(workspace)} has the MD5 digest {digest}, but the table {self._objects.table} says "
                "that another one was written last. Either the last writer was stopped between the two, or "
                "the state was replaced by other means.",
                mend="If this is the right state, set Digest of the item with LockID "
                f'"{self._lock_path(workspace)}-md5" in that table to {digest}.',
            )
        )


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest() if data else NOTHING
