"""The `pg` backend: states in a table of PostgreSQL, locked so that stock Terraform keeps out too.

Stock Terraform keeps a row for each workspace in the table `states`, and holds a session's advisory lock on
the row's number; for a workspace without a row the lock -1. Such a lock ends with the connection, so that
nobody can leave one behind. Written is with a condition on the row's version, whoever has the lock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from twinfra.diagnostics import DiagnosticError, error
from twinfra.schema import Attribute, Block
from twinfra.state.backends import _remote
from twinfra.state.backends.local import check_workspace_name
from twinfra.state.backends.protocol import (
    DEFAULT_WORKSPACE,
    NOTHING,
    Backend,
    Conflict,
    Content,
    Locked,
    Place,
)
from twinfra.state.backends.records import check_record_name
from twinfra.state.locks import LockInfo
from twinfra.values.types import BOOL, STRING

if TYPE_CHECKING:
    from pathlib import Path

    from twinfra.state.backends._pg_session import Session

SCHEMA = Block(
    {
        "conn_str": Attribute(
            STRING,
            optional=True,
            sensitive=True,
            description="How to connect: a postgres:// URL or key=value pairs; else PG_CONN_STR, and "
            "PGHOST, PGUSER and the others of libpq.",
        ),
        "schema_name": Attribute(
            STRING, optional=True, description="The schema of the table; terraform_remote_state by default."
        ),
        "skip_schema_creation": Attribute(
            BOOL, optional=True, description="The schema is there already: never make it."
        ),
        "skip_table_creation": Attribute(
            BOOL, optional=True, description="The table is there already: never make it."
        ),
        "skip_index_creation": Attribute(
            BOOL, optional=True, description="The index is there already: never make it."
        ),
    }
)

_CREATION = -1
"""The lock for workspaces that have no row yet, as in stock Terraform."""
_OURS = "twinfra "
"""How the name of a session begins that holds a lock of ours; the lock's ID and purpose follow."""

_Result = TypeVar("_Result")


def connect(config: Mapping[str, Any], place: Place) -> Backend:
    """The backend of a `backend "pg"` block."""
    from twinfra.state.backends._pg_session import Session, Table

    table = Table(
        _remote.text_setting(config, "schema_name", "PG_SCHEMA_NAME") or "terraform_remote_state",
        make_schema=not _remote.flag_setting(config, "skip_schema_creation", "PG_SKIP_SCHEMA_CREATION"),
        make_table=not _remote.flag_setting(config, "skip_table_creation", "PG_SKIP_TABLE_CREATION"),
        make_index=not _remote.flag_setting(config, "skip_index_creation", "PG_SKIP_INDEX_CREATION"),
    )
    return PgBackend(Session(_remote.text_setting(config, "conn_str", "PG_CONN_STR"), table), place)


class PgBackend:
    """States in the table `states` of a schema, one row for each workspace."""

    def __init__(self, session: Session, place: Place) -> None:
        self._session = session
        self._place = place
        self._held: dict[str, tuple[LockInfo, int]] = {}
        self._reconnecting = False

    def label(self, workspace: str) -> str:
        return f"{self._session.label}/{workspace}"

    def workspaces(self) -> list[str]:
        rows = self._do("list the workspaces", "SELECT name FROM {states} WHERE name <> 'default'")
        return [DEFAULT_WORKSPACE, *sorted(row[0] for row in rows if row[0])]

    def create(self, workspace: str) -> None:
        check_workspace_name(workspace)

    def read(self, workspace: str) -> Content | None:
        rows = self._do("read the state", "SELECT data, xmin::text FROM {states} WHERE name = %s", workspace)
        if not rows or not rows[0][0]:
            return None
        return Content(rows[0][0].encode(), rows[0][1])

    def write(self, workspace: str, pieces: Iterable[bytes], expected: str | None) -> str:
        check_workspace_name(workspace)
        data = _text(_remote.join(pieces))
        writing = _writing(workspace, data, expected)
        return self._replace("write the state", writing, data.encode(), lambda: self.read(workspace))

    def _replace(
        self,
        doing: str,
        writing: tuple[str, tuple[Any, ...]],
        data: bytes,
        read: Callable[[], Content | None],
    ) -> str:
        """Run a statement that writes under a condition; returns the new version. Raises `Conflict`."""
        statement, parameters = writing
        try:
            rows = self._session.run(statement, parameters, doing)
        except ConnectionError:
            # Written or not: the connection broke before the answer came.
            self._reconnect()
            now = read()
            if now is not None and now.data == data:
                return now.version
            rows = self._do(doing, statement, *parameters)
        if not rows:
            raise Conflict
        return str(rows[0][0])

    def delete(self, workspace: str) -> None:
        if workspace == DEFAULT_WORKSPACE:
            raise ValueError("the default workspace cannot be deleted")
        self._do("delete the workspace", "DELETE FROM {states} WHERE name = %s", workspace)
        if self._has_records():
            self._do("delete the workspace", "DELETE FROM {records} WHERE workspace = %s", workspace)
        self.journal_path(workspace).unlink(missing_ok=True)

    def lock(self, workspace: str, lock: LockInfo) -> None:
        check_workspace_name(workspace)
        name = f"{_OURS}{lock.id} {lock.operation.removeprefix('OperationType')}"
        number = self._twice(lambda: self._take(workspace, name))
        if number is None:
            holder = self.holder(workspace)
            self._forget_name()
            raise Locked(holder)
        self._held[workspace] = (lock, number)

    def unlock(self, workspace: str, id: str) -> None:
        held = self._held.get(workspace)
        if held is not None:
            lock, number = held
            if lock.id != id:
                raise Locked(lock)
            del self._held[workspace]
            if self._session.is_open:
                self._release(number)
                self._forget_name()
            return
        found = self._holding(workspace)
        if found is None:
            return
        holder, pid = found
        if holder.id != id:
            raise Locked(holder)
        self._end_session(workspace, pid)

    def holder(self, workspace: str) -> LockInfo | None:
        held = self._held.get(workspace)
        if held is not None and self._session.is_open:
            return held[0]
        found = self._holding(workspace)
        return None if found is None else found[0]

    def journal_path(self, workspace: str) -> Path:
        return _remote.journal_path(self._place, self.label(workspace), workspace)

    def list_records(self, workspace: str) -> list[str]:
        if not self._has_records():
            return []
        rows = self._do("list the records", "SELECT name FROM {records} WHERE workspace = %s", workspace)
        return sorted(row[0] for row in rows)

    def read_record(self, workspace: str, name: str) -> Content | None:
        return self.read_records(workspace, (name,))[0]

    def read_records(self, workspace: str, names: Sequence[str]) -> list[Content | None]:
        for name in names:
            check_record_name(name)
        if not self._has_records():
            return [None] * len(names)
        rows = self._do("read the records", _RECORDS, workspace, list(names))
        found = {name: Content(bytes(data), version) for name, data, version in rows}
        return [found.get(name) for name in names]

    def write_record(self, workspace: str, name: str, data: bytes, expected: str | None) -> str:
        check_workspace_name(workspace)
        check_record_name(name)
        self._twice(self._session.make_records)
        writing = _writing_record(workspace, name, data, expected)
        return self._replace("write the record", writing, data, lambda: self.read_record(workspace, name))

    def _has_records(self) -> bool:
        return self._twice(self._session.has_records)

    def close(self) -> None:
        self._held.clear()
        self._session.close()

    # -- statements

    def _do(self, doing: str, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Run a statement that does no harm when it is run twice; once more where the connection breaks."""
        return self._twice(lambda: self._session.run(statement, parameters, doing))

    def _twice(self, once: Callable[[], _Result]) -> _Result:
        try:
            return once()
        except ConnectionError as reason:
            if self._reconnecting:
                raise self._session.unreachable(reason) from None
            self._reconnect()
        try:
            return once()
        except ConnectionError as reason:
            raise self._session.unreachable(reason) from None

    def _reconnect(self) -> None:
        """Connect again, and take again the locks that ended with the connection, where nobody else did."""
        self._session.close()
        self._reconnecting = True
        try:
            for workspace, (lock, _) in list(self._held.items()):
                try:
                    self.lock(workspace, lock)
                except Locked:
                    # The state is only written where it is still the one that was read.
                    del self._held[workspace]
        finally:
            self._reconnecting = False

    # -- locks

    def _take(self, workspace: str, name: str) -> int | None:
        """The number of the lock that was taken; None when somebody has it. Raises `ConnectionError`.

        `name`: what the session is called. A row's own lock counts only while nobody is making workspaces, so
        that both are tried for.
        """
        doing, run = "lock the state", self._session.run
        # The name first: whoever is kept out by the lock shall see whose it is.
        run("SELECT set_config('application_name', %s, false)", (name,), doing)
        rows = run(
            "SELECT id, pg_try_advisory_lock(id), pg_try_advisory_lock(-1) FROM {states} WHERE name = %s",
            (workspace,),
            doing,
        )
        if not rows:
            got = run("SELECT pg_try_advisory_lock(-1)", (), doing)
            return _CREATION if got[0][0] else None
        number, locked, creation = rows[0]
        if creation:
            self._release(_CREATION)
        if locked and creation:
            return int(number)
        if locked:
            self._release(number)
        return None

    def _release(self, number: int) -> None:
        try:
            self._session.run("SELECT pg_advisory_unlock(%s)", (number,), "unlock the state")
        except ConnectionError:
            # With the connection the lock has ended too.
            self._session.close()

    def _forget_name(self) -> None:
        if not self._held and self._session.is_open:
            self._do("unlock the state", "SELECT set_config('application_name', 'twinfra', false)")

    def _holding(self, workspace: str) -> tuple[LockInfo, int] | None:
        """Who keeps others from this workspace, and the process that serves their session."""
        rows = self._do("look for the lock of the state", _HOLDER, workspace)
        if not rows:
            return None
        pid, user, address, name, since = rows[0]
        path = self.label(workspace)
        who = f"{user or 'somebody'}@{address or 'localhost'}"
        if name and name.startswith(_OURS):
            id, _, operation = name.removeprefix(_OURS).partition(" ")
            return LockInfo(id, operation, f"session {pid}", who, "Twinfra", since or "", path), pid
        return LockInfo(f"session-{pid}", "", f"session {pid}", who, name or "", since or "", path), pid

    def _end_session(self, workspace: str, pid: int) -> None:
        """End the session that holds the lock: nothing else releases a lock of another session."""
        doing = "end the session that holds the lock"
        self._do(doing, "SELECT pg_terminate_backend(%s)", pid)
        for _ in range(100):
            found = self._holding(workspace)
            if found is None or found[1] != pid:
                return
            self._do(doing, "SELECT pg_sleep(0.05)")
        raise DiagnosticError(
            error(
                "Lock not released",
                f"Session {pid} of the database server holds the lock and does not end.",
                mend="Ask an administrator of the database to end that session.",
            )
        )


_HOLDER = """
SELECT l.pid, a.usename, host(a.client_addr), a.application_name,
       to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.pid <> pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND ((l.classid::bigint << 32) | l.objid::bigint) IN
      (-1, coalesce((SELECT id FROM {states} WHERE name = %s), -1))
ORDER BY l.objid LIMIT 1
"""

_REPLACE = """
INSERT INTO {states} (name, data) VALUES (%s, %s)
ON CONFLICT (name) DO UPDATE SET data = excluded.data RETURNING xmin::text
"""
_BEGIN = """
INSERT INTO {states} AS s (name, data) VALUES (%s, %s)
ON CONFLICT (name) DO UPDATE SET data = excluded.data WHERE coalesce(s.data, '') = '' RETURNING xmin::text
"""
_CONTINUE = """
UPDATE {states} SET data = %s WHERE name = %s AND xmin::text = %s RETURNING xmin::text
"""

_RECORDS = "SELECT name, data, xmin::text FROM {records} WHERE workspace = %s AND name = ANY(%s)"
_RECORD = "INSERT INTO {records} (workspace, name, data) VALUES (%s, %s, %s) ON CONFLICT (workspace, name) "
_REPLACE_RECORD = f"{_RECORD} DO UPDATE SET data = excluded.data RETURNING xmin::text"
_BEGIN_RECORD = f"{_RECORD} DO NOTHING RETURNING xmin::text"
_CONTINUE_RECORD = """
UPDATE {records} SET data = %s WHERE workspace = %s AND name = %s AND xmin::text = %s RETURNING xmin::text
"""


def _writing_record(
    workspace: str, name: str, data: bytes, expected: str | None
) -> tuple[str, tuple[Any, ...]]:
    if expected is None:
        return _REPLACE_RECORD, (workspace, name, data)
    if expected == NOTHING:
        return _BEGIN_RECORD, (workspace, name, data)
    return _CONTINUE_RECORD, (data, workspace, name, expected)


def _writing(workspace: str, data: str, expected: str | None) -> tuple[str, tuple[Any, ...]]:
    """The statement that writes a state under its condition and tells the row's new version."""
    if expected is None:
        return _REPLACE, (workspace, data)
    if expected == NOTHING:
        return _BEGIN, (workspace, data)
    return _CONTINUE, (data, workspace, expected)


def _text(data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise DiagnosticError(
            error("State is not text", "PostgreSQL keeps states as UTF-8 text, and this one is none.")
        )
    return text
