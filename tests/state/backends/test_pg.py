"""What only the `pg` backend has: its table, session locks that end, and settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.state.backends.conftest import Rig
from tests.state.stock import Stock, needs_stock

from twinfra.diagnostics import DiagnosticError
from twinfra.state.backends import registry
from twinfra.state.backends.protocol import NOTHING, Conflict, Locked, Place
from twinfra.state.locks import holder_process, new_lock

pytestmark = pytest.mark.emulator


@pytest.fixture
def rig(make_rig: Callable[[str], Rig]) -> Rig:
    return make_rig("pg")


@pytest.fixture
def ask(rig: Rig) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    """Runs SQL as the administrator."""
    import psycopg

    with psycopg.connect(rig.settings["conn_str"], autocommit=True) as connection:

        def run(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
            cursor = connection.execute(statement, parameters or None)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

        yield run


def whole(caught: pytest.ExceptionInfo[DiagnosticError]) -> str:
    one = caught.value.diagnostics[0]
    return f"{one.summary} {one.detail} {one.mend}"


# -- the table


@pytest.mark.witness
@needs_stock
def test_the_table_is_the_one_stock_terraform_makes(
    rig: Rig, ask: Callable[..., list[tuple[Any, ...]]], tmp_path: Path
) -> None:
    rig.open().read("default")
    theirs = f"{rig.settings['schema_name']}_theirs"
    stock = Stock(tmp_path).write(
        f'terraform {{\n  backend "pg" {{\n    conn_str = "{rig.settings["conn_str"]}"\n'
        f'    schema_name = "{theirs}"\n  }}\n}}\n'
    )
    stock.run("init")

    def shape(schema: str) -> tuple[Any, ...]:
        columns = ask(
            "SELECT column_name, data_type, is_nullable, column_default FROM information_schema.columns "
            "WHERE table_schema = %s AND table_name = 'states' ORDER BY ordinal_position",
            schema,
        )
        indexes = ask("SELECT indexname FROM pg_indexes WHERE schemaname = %s ORDER BY 1", schema)
        return columns, indexes

    assert shape(rig.settings["schema_name"]) == shape(theirs)


def test_a_table_that_is_there_needs_no_permission_to_make_one(
    rig: Rig, ask: Callable[..., list[tuple[Any, ...]]]
) -> None:
    schema = rig.settings["schema_name"]
    rig.open().read("default")
    ask(f"CREATE ROLE {schema}_user LOGIN")
    ask(f"GRANT USAGE ON SCHEMA {schema} TO {schema}_user")
    ask(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.states TO {schema}_user")
    ask(f"GRANT USAGE ON SEQUENCE public.global_states_id_seq TO {schema}_user")
    conn_str = rig.settings["conn_str"].replace("postgres@", f"{schema}_user@")
    backend = rig.open(conn_str=conn_str)
    lock = new_lock("apply")
    backend.lock("default", lock)
    version = backend.write("default", (b"1",), NOTHING)
    backend.write("default", (b"2",), version)
    # Others see that somebody has it; the administrator also sees whose it is.
    holder = rig.open().holder("default")
    assert holder is not None
    assert holder.id == lock.id
    assert holder.who == f"{schema}_user@127.0.0.1"
    assert "is still connected" in holder_process(holder)


@pytest.mark.parametrize("skip", ["skip_schema_creation", "skip_table_creation"])
def test_nothing_is_made_that_shall_not_be_made(rig: Rig, skip: str) -> None:
    with pytest.raises(DiagnosticError) as caught:
        rig.open(**{skip: True}).read("default")
    assert "does not exist" in whole(caught)
    assert caught.value.diagnostics[0].mend


def test_a_user_without_permission_is_told_what_is_needed(
    rig: Rig, ask: Callable[..., list[tuple[Any, ...]]]
) -> None:
    schema = rig.settings["schema_name"]
    rig.open().write("default", (b"1",), NOTHING)
    ask(f"CREATE ROLE {schema}_reader LOGIN")
    ask(f"GRANT USAGE ON SCHEMA {schema} TO {schema}_reader")
    ask(f"GRANT SELECT ON {schema}.states TO {schema}_reader")
    backend = rig.open(conn_str=rig.settings["conn_str"].replace("postgres@", f"{schema}_reader@"))
    found = backend.read("default")
    assert found is not None
    with pytest.raises(DiagnosticError) as caught:
        backend.write("default", (b"2",), found.version)
    assert "permission denied" in whole(caught)
    assert "Grant" in caught.value.diagnostics[0].mend


def test_a_state_is_text(rig: Rig) -> None:
    for data in (b"\xff", b"a\0b"):
        with pytest.raises(DiagnosticError, match="not text"):
            rig.open().write("default", (data,), NOTHING)


# -- locks that end


def test_a_lock_that_broke_and_that_somebody_took_is_lost_aloud(rig: Rig) -> None:
    backend, other = rig.open(), rig.open()
    lock = new_lock("apply")
    backend.lock("default", lock)
    first = backend.write("default", (b"1",), NOTHING)
    rig.proxy.break_all()
    second = new_lock("apply")
    while True:
        try:
            other.lock("default", second)
            break
        except Locked:
            continue
    other.write("default", (b"theirs",), first)
    with pytest.raises(Conflict):
        backend.write("default", (b"ours",), first)
    with pytest.raises(Locked):
        backend.unlock("default", lock.id)
    holder = rig.open().holder("default")
    assert holder is not None
    assert holder.id == second.id


def test_releasing_by_id_ends_the_session_that_holds_the_lock(
    rig: Rig, ask: Callable[..., list[tuple[Any, ...]]]
) -> None:
    backend = rig.open()
    lock = new_lock("apply")
    backend.lock("default", lock)
    name = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE %s"
    assert ask(name, f"twinfra {lock.id}%") == [(1,)]
    rig.open().unlock("default", lock.id)
    assert ask(name, f"twinfra {lock.id}%") == [(0,)]


def test_a_session_that_is_not_ours_is_named_by_its_number(
    rig: Rig, ask: Callable[..., list[tuple[Any, ...]]]
) -> None:
    backend = rig.open()
    backend.write("default", (b"1",), NOTHING)
    ask(f"SELECT pg_advisory_lock(id) FROM {rig.settings['schema_name']}.states")
    (pid,) = ask("SELECT pg_backend_pid()")[0]
    with pytest.raises(Locked) as caught:
        backend.lock("default", new_lock("apply"))
    assert caught.value.holder is not None
    assert caught.value.holder.id == f"session-{pid}"
    ask("SELECT pg_advisory_unlock_all()")


def test_while_a_workspace_is_made_no_other_is_locked(rig: Rig) -> None:
    """As in stock Terraform: who has a lock for what has no row yet keeps all others out."""
    backend = rig.open()
    rig.open().write("a", (b"1",), NOTHING)
    lock = new_lock("apply")
    backend.lock("new", lock)
    with pytest.raises(Locked) as caught:
        rig.open().lock("a", new_lock("apply"))
    assert caught.value.holder is not None
    assert caught.value.holder.id == lock.id
    backend.unlock("new", lock.id)
    rig.open().lock("a", new_lock("apply"))


def test_several_locks_of_one_backend(rig: Rig) -> None:
    backend = rig.open()
    for name in ("a", "b"):
        backend.write(name, (b"1",), NOTHING)
    locks = {name: new_lock("apply") for name in ("a", "b")}
    for name, lock in locks.items():
        backend.lock(name, lock)
    for name, lock in locks.items():
        with pytest.raises(Locked):
            rig.open().lock(name, new_lock("plan"))
        backend.unlock(name, lock.id)
    for name in locks:
        assert rig.open().holder(name) is None


# -- settings


def test_settings_come_from_the_environment_too(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    rig.open().write("default", (b"1",), NOTHING)
    monkeypatch.setenv("PG_CONN_STR", rig.settings["conn_str"])
    monkeypatch.setenv("PG_SCHEMA_NAME", rig.settings["schema_name"])
    backend = registry.connect("pg", {}, rig.place)
    found = backend.read("default")
    backend.close()
    assert found is not None
    assert found.data == b"1"


def test_a_connection_is_encrypted_unless_somebody_says_otherwise(rig: Rig) -> None:
    with pytest.raises(DiagnosticError) as caught:
        rig.open(conn_str=rig.settings["conn_str"].partition("?")[0]).read("default")
    assert "sslmode=disable" in whole(caught)


@pytest.mark.parametrize(
    "conn_str",
    [
        "postgres://me:pa55word@127.0.0.1:{port}/none?sslmode=disable",
        "host=127.0.0.1 port={port} user=me password=pa55word dbname=none sslmode=disable",
        "host=127.0.0.1 password=pa55word nonsense",
        "postgres://me:pa55word@127.0.0.1:{port}/none?sslmode=disable&pa55word=1",
        "pa55word",
    ],
)
def test_no_message_has_the_password(rig: Rig, conn_str: str, tmp_path: Path) -> None:
    port = getattr(rig.proxy, "port", 0)

    def read() -> None:
        backend = registry.connect("pg", {"conn_str": conn_str.format(port=port)}, Place(tmp_path, tmp_path))
        assert "pa55word" not in backend.label("default")
        backend.read("default")

    with pytest.raises(DiagnosticError) as caught:
        read()
    assert "pa55word" not in whole(caught)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("value", ["maybe", "2"])
def test_a_flag_in_the_environment_is_true_or_false(
    value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PG_SKIP_TABLE_CREATION", value)
    with pytest.raises(DiagnosticError, match="Wrong setting"):
        registry.connect("pg", {}, Place(tmp_path, tmp_path))
