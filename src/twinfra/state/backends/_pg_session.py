"""The connection to PostgreSQL: opened when first needed, never waiting for ever, its messages without secrets."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from twinfra import log
from twinfra.dataclass import dataclass
from twinfra.diagnostics import DiagnosticError, error
from twinfra.state.backends import _remote

_CONNECT_SECONDS = 15
_ANSWER_SECONDS = 120.0
RECORDS = "twinfra_records"
_SEQUENCE = "public.global_states_id_seq"
_RECORD_COLUMNS = "(workspace text, name text, data bytea NOT NULL, PRIMARY KEY (workspace, name))"
_IS_THERE = """
SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s
"""


@dataclass(frozen=True, slots=True)
class Table:
    """The schema that the table `states` is in, and which parts may be made where they are missing."""

    schema: str
    make_schema: bool = True
    make_table: bool = True
    make_index: bool = True


class Session:
    """One connection, in which every statement is a transaction of its own.

    `conninfo` is libpq's, as a URL or pairs. A connection that breaks is a `ConnectionError`; all else that
    the server refuses is a `DiagnosticError`. `answer_seconds`: how long one statement may take.
    """

    def __init__(self, conninfo: str, table: Table, answer_seconds: float | None = None) -> None:
        try:
            import psycopg
            from psycopg import conninfo as reading
        except ImportError:
            raise _remote.needs_package("pg", "psycopg") from None
        try:
            self._parameters = reading.conninfo_to_dict(conninfo)
        except psycopg.Error:
            # The library's own message quotes from it, and there may be a password in it.
            raise _remote.wrong(
                "conn_str",
                "conn_str is neither a URL nor key=value pairs that PostgreSQL's client library takes.",
                "Write it as postgres://USER@HOST:5432/DATABASE, special characters percent-encoded.",
            ) from None
        self._table = table
        self._answer_seconds = _ANSWER_SECONDS if answer_seconds is None else answer_seconds
        self._connection: Any = None
        self._checked = False
        self._records = False

    @property
    def label(self) -> str:
        """The place of the table, without user and password."""
        return f"postgres://{self._host}/{self._database}/{self._table.schema}"

    @property
    def _host(self) -> str:
        host = str(self._parameters.get("host") or os.environ.get("PGHOST") or "localhost")
        port = self._parameters.get("port") or os.environ.get("PGPORT")
        return f"{host}:{port}" if port else host

    @property
    def _database(self) -> str:
        return str(self._parameters.get("dbname") or os.environ.get("PGDATABASE") or "")

    @property
    def is_open(self) -> bool:
        """Whether the connection stands, as far as anybody knows."""
        return self._connection is not None and not self._connection.closed

    def run(self, statement: str, parameters: Sequence[Any], doing: str) -> list[tuple[Any, ...]]:
        """Run a statement and fetch what it returns; `{states}` in it is the table.

        Raises `ConnectionError` where it may or may not have been carried out, and `DiagnosticError` where
        the server refused (`doing` says what for).
        """
        import psycopg
        from psycopg import sql

        begun = log.timer()
        connection = self._open()
        query = sql.SQL(statement).format(
            states=sql.Identifier(self._table.schema, "states"),
            records=sql.Identifier(self._table.schema, RECORDS),
        )
        try:
            with self._watched(connection):
                cursor = connection.execute(query, parameters or None)
                log.say(log.DEBUG, "statement", purpose=doing, seconds=log.since(begun))
                return cursor.fetchall() if cursor.description is not None else []
        except psycopg.Error as reason:
            if connection.closed or connection.broken:
                self.close()
                raise ConnectionError(_said(reason)) from None
            raise DiagnosticError(
                error(
                    f"PostgreSQL refused to {doing}",
                    f"The server of {self.label} says: {_said(reason)}.",
                    mend=_mend(reason),
                )
            ) from None

    def has_records(self) -> bool:
        """Whether there is a table of records. Raises as `run`."""
        if not self._records:
            self._records = bool(self.run(_IS_THERE, (self._table.schema, RECORDS), "look for the records"))
        return self._records

    def make_records(self) -> None:
        """Make the table of records where it is missing. Raises as `run`."""
        if self.has_records():
            return
        if not self._table.make_table:
            raise DiagnosticError(
                error(
                    "No table of records",
                    f"{self.label} has no table {RECORDS}, and skip_table_creation says not to make it.",
                    mend=f"Have it made: CREATE TABLE {self._table.schema}.{RECORDS} {_RECORD_COLUMNS};",
                )
            )
        try:
            self.run(
                f"CREATE TABLE IF NOT EXISTS {{records}} {_RECORD_COLUMNS}", (), "make the table of records"
            )
        except DiagnosticError:
            # Another process may have made it at this very moment.
            if not self.has_records():
                raise

    def close(self) -> None:
        """Close the connection; the next statement opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def unreachable(self, reason: Exception) -> DiagnosticError:
        """The connection cannot be had, or broke again."""
        return DiagnosticError(
            error(
                "PostgreSQL not reachable",
                f"No usable connection to {self.label}: {reason}.".replace("..", "."),
                mend="Check conn_str (or PG_CONN_STR), the network, and whether the server runs.",
            )
        )

    def _open(self) -> Any:
        if self.is_open:
            return self._connection
        import psycopg

        try:
            connection = psycopg.connect(
                autocommit=True,
                prepare_threshold=None,
                **(self._defaults() | {k: str(v) for k, v in self._parameters.items()}),
            )
        except psycopg.Error as reason:
            raise self._not_connected(reason) from None
        try:
            with self._watched(connection):
                # A commit that is reported is one that survives.
                connection.execute(
                    "SELECT set_config('synchronous_commit', 'on', false) "
                    "WHERE current_setting('synchronous_commit') = 'off'"
                )
                if not self._checked:
                    self._make_table(connection)
        except psycopg.Error as reason:
            connection.close()
            raise DiagnosticError(
                error(
                    "PostgreSQL refused to make the table of states",
                    f"The server of {self.label} says: {_said(reason)}.",
                    mend="Let that user create it, or have an administrator do so and set skip_schema_creation, "
                    "skip_table_creation and skip_index_creation to true.",
                )
            ) from None
        self._checked = True
        self._connection = connection
        return connection

    def _defaults(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "application_name": "twinfra",
            "keepalives_idle": 20,
            "keepalives_interval": 10,
            "keepalives_count": 3,
        }
        if not os.environ.get("PGCONNECT_TIMEOUT"):
            found["connect_timeout"] = _CONNECT_SECONDS
        if not os.environ.get("PGSSLMODE"):
            # As stock Terraform: no state over an open line unless somebody says so.
            found["sslmode"] = "require"
        return found

    def _make_table(self, connection: Any) -> None:
        """Make what is missing, with the names that stock Terraform gives them."""
        import psycopg
        from psycopg import sql

        names = {
            "schema": sql.Identifier(self._table.schema),
            "states": sql.Identifier(self._table.schema, "states"),
        }
        there = connection.execute(_IS_THERE, (self._table.schema, "states")).fetchone()
        if there:
            return
        steps = []
        if self._table.make_schema:
            steps.append("CREATE SCHEMA IF NOT EXISTS {schema}")
        if self._table.make_table:
            steps.append(f"CREATE SEQUENCE IF NOT EXISTS {_SEQUENCE} AS bigint")
            steps.append(
                "CREATE TABLE IF NOT EXISTS {states} (id bigint NOT NULL DEFAULT "
                f"nextval('{_SEQUENCE}') PRIMARY KEY, name text UNIQUE, data text)"
            )
        if self._table.make_index:
            steps.append("CREATE UNIQUE INDEX IF NOT EXISTS states_by_name ON {states} (name)")
        for step in steps:
            for last in (False, False, True):
                try:
                    connection.execute(sql.SQL(step).format(**names))
                    break
                except (psycopg.errors.UniqueViolation, psycopg.errors.DuplicateObject):
                    # Another process makes the same at this very moment.
                    if last:
                        raise

    def _not_connected(self, reason: Exception) -> DiagnosticError:
        said = _said(reason)
        if "SSL" in said and not self._parameters.get("sslmode"):
            return DiagnosticError(
                error(
                    "PostgreSQL not reachable",
                    f"No encrypted connection to {self.label}: {said}.",
                    mend="Switch on TLS in the server; or, on a network you trust, add sslmode=disable to conn_str.",
                )
            )
        return self.unreachable(ConnectionError(said))

    @contextmanager
    def _watched(self, connection: Any) -> Iterator[None]:
        """Break the connection when an answer takes too long: a server that hangs must not hang us."""
        copy = os.dup(connection.fileno())

        def break_it() -> None:
            with suppress(OSError), socket.socket(fileno=os.dup(copy)) as line:
                line.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(self._answer_seconds, break_it)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()
            os.close(copy)


def _said(reason: Exception) -> str:
    """The server's message on one line; it never has parameters of a statement in it."""
    diag = getattr(reason, "diag", None)
    text = (diag.message_primary if diag is not None else None) or str(reason)
    return " ".join(text.split()).rstrip(". ")


def _mend(reason: Exception) -> str:
    state = getattr(reason, "sqlstate", None) or ""
    if state == "42501":
        return "Grant that user SELECT, INSERT, UPDATE and DELETE on the table."
    if state in ("42P01", "3F000"):
        return "Create the schema and the table, or leave skip_schema_creation and skip_table_creation out."
    if state.startswith("53"):
        return "Make room on the database server, then run the command again."
    return ""
