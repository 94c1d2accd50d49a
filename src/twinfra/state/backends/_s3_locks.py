"""Locks of the `s3` backend: an object beside the state, an item in DynamoDB, or both, as stock Terraform's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from twinfra.diagnostics import DiagnosticError, error
from twinfra.state.backends._s3_objects import Bucket
from twinfra.state.backends.protocol import NOTHING, Content, Locked
from twinfra.state.locks import LockInfo

if TYPE_CHECKING:
    from twinfra.providers.aws.session import Session

_LOCKING, _UNLOCKING, _LOOKING = "lock the state", "unlock the state", "look for the lock of the state"


class Locks:
    """All locks that are configured, taken one after the other; none where none is."""

    def __init__(self, file: LockFile | None, table: LockTable | None) -> None:
        self._file = file
        self._table = table

    def take(self, key: str, path: str, lock: LockInfo) -> None:
        """Take them. `key` is the state's, `path` that with the bucket in front. Raises `Locked`."""
        if self._file is not None:
            self._file.take(key, lock)
        if self._table is not None:
            try:
                self._table.take(path, lock)
            except BaseException:
                if self._file is not None:
                    self._file.release(key, lock.id)
                raise

    def release(self, key: str, path: str, id: str) -> None:
        """Release what has this ID, in the other order. Raises `Locked` when another has it."""
        try:
            if self._table is not None:
                self._table.release(path, id)
        finally:
            if self._file is not None:
                self._file.release(key, id)

    def holder(self, key: str, path: str) -> LockInfo | None:
        """Who holds one of them."""
        found = self._file.holder(key) if self._file is not None else None
        if found is None and self._table is not None:
            return self._table.holder(path)
        return found


class LockFile:
    """Locks that are objects, each made only where there is none."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._held: dict[str, tuple[LockInfo, str]] = {}

    def take(self, key: str, lock: LockInfo) -> None:
        """Make the object. Raises `Locked`."""
        name = _lock_key(key)
        for last in (False, False, True):
            etag = self._bucket.put(name, lock.to_json(), NOTHING, _LOCKING)
            if not self._bucket.conditions:
                self._without_conditions(name, etag)
            if etag is not None:
                self._held[key] = lock, etag
                return
            found = self._bucket.get(name, _LOOKING)
            if found is not None or last:
                # Where it is gone by now, it may be ours the next time.
                raise Locked(None if found is None else _holder_in(found))

    def release(self, key: str, id: str) -> None:
        """Remove the object if it is the one of this lock. Raises `Locked`."""
        name = _lock_key(key)
        held = self._held.get(key)
        if held is not None:
            lock, etag = held
            if lock.id != id:
                raise Locked(lock)
        else:
            found = self._bucket.get(name, _LOOKING)
            if found is None:
                return
            holder = _holder_in(found)
            if holder.id != id:
                raise Locked(holder)
            etag = found.version
        removed = self._bucket.delete(name, _UNLOCKING, etag)
        self._held.pop(key, None)
        if not removed:
            raise Locked(self.holder(key))

    def holder(self, key: str) -> LockInfo | None:
        """Who made the object."""
        found = self._bucket.get(_lock_key(key), _LOOKING)
        return None if found is None else _holder_in(found)

    def _without_conditions(self, name: str, etag: str | None) -> None:
        """Take back a lock that excludes nobody, and say what to do."""
        if etag is not None:
            self._bucket.delete(name, _UNLOCKING, etag)
        raise DiagnosticError(
            error(
                "No lock file in this service",
                "The service that keeps the bucket knows no conditional writes, which use_lockfile needs.",
                mend="Use dynamodb_table for locks; or give -lock=false where nobody else works on it.",
            )
        )


class LockTable:
    """Locks and digests that are items of a DynamoDB table, whose key is `LockID`."""

    def __init__(self, session: Session, table: str) -> None:
        self._session = session
        self._table = table
        self._held: dict[str, LockInfo] = {}

    def take(self, path: str, lock: LockInfo) -> None:
        """Put the item where there is none. Raises `Locked`."""
        content = lock.to_json().decode()
        answer = self._call(
            "put_item",
            _LOCKING,
            Item={"LockID": {"S": path}, "Info": {"S": content}},
            ConditionExpression="attribute_not_exists(LockID)",
        )
        if answer is None:
            holder = self.holder(path)
            # The answer to a first attempt may have been lost.
            if holder is None or holder.id != lock.id:
                raise Locked(holder)
        self._held[path] = lock

    def release(self, path: str, id: str) -> None:
        """Delete the item if it is the one of this lock. Raises `Locked`."""
        held = self._held.get(path)
        if held is not None and held.id != id:
            raise Locked(held)
        info = held.to_json().decode() if held is not None else self._info(path)
        if not info:
            return
        if held is None:
            holder = LockInfo.from_json(info)
            if holder is None or holder.id != id:
                raise Locked(holder)
        answer = self._call(
            "delete_item",
            _UNLOCKING,
            Key={"LockID": {"S": path}},
            ConditionExpression="attribute_not_exists(LockID) OR Info = :info",
            ExpressionAttributeValues={":info": {"S": info}},
        )
        self._held.pop(path, None)
        if answer is None:
            raise Locked(self.holder(path))

    def holder(self, path: str) -> LockInfo | None:
        """Who put the item."""
        info = self._info(path)
        return LockInfo.from_json(info) if info else None

    def digest(self, path: str) -> str:
        """The MD5 digest of the state that was written last, in hex; empty where none is known."""
        return self._item(f"{path}-md5", "read the state's digest").get("Digest", "")

    def put_digest(self, path: str, digest: str) -> None:
        """Say which state was written last."""
        item = {"LockID": {"S": f"{path}-md5"}, "Digest": {"S": digest}}
        self._call("put_item", "write the state's digest", Item=item)

    def delete_digest(self, path: str) -> None:
        """There is no state any more."""
        self._call("delete_item", "delete the state's digest", Key={"LockID": {"S": f"{path}-md5"}})

    def _info(self, path: str) -> str:
        return self._item(path, _LOOKING).get("Info", "")

    def _item(self, id: str, doing: str) -> dict[str, str]:
        answer = self._call("get_item", doing, Key={"LockID": {"S": id}}, ConsistentRead=True) or {}
        item: Mapping[str, Mapping[str, Any]] = answer.get("Item") or {}
        return {name: str(value.get("S", "")) for name, value in item.items()}

    def _call(self, operation: str, doing: str, **request: Any) -> dict[str, Any] | None:
        """One call; None when its condition was not met."""
        from twinfra.providers.aws.failures import ApiError, describe

        request["TableName"] = self._table
        try:
            return self._session.call("dynamodb", self._session.region, operation, request)
        except ApiError as problem:
            if problem.code == "ConditionalCheckFailedException":
                return None
            if problem.code == "ResourceNotFoundException":
                raise DiagnosticError(
                    error(
                        "No such DynamoDB table",
                        f"There is no table {self._table} in {self._session.region} to {doing}.",
                        mend='Correct dynamodb_table, or make the table with the partition key "LockID" (string).',
                    )
                ) from None
            raise DiagnosticError(describe(problem, f"trying to {doing}")) from None


def _holder_in(lock: Content) -> LockInfo:
    """What a lock file says; one that cannot be read is known by its ETag, so that it can be released."""
    return LockInfo.from_json(lock.data) or LockInfo(lock.version.strip('"'))


def _lock_key(key: str) -> str:
    return f"{key}.tflock"
