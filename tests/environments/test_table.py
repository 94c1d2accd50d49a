from __future__ import annotations

from datetime import date
from pathlib import Path

from tests.environments.projects import declared, refused

from twinfra.environments.table import Table


def section(directory: Path, text: str) -> Table:
    return declared(directory, "[drift]\n" + text).section("drift")


def told(table: Table) -> list[tuple[int, str]]:
    return [
        (one.subject.first.line if one.subject is not None else 0, f"{one.summary}: {one.detail} {one.mend}")
        for one in table.found
    ]


def test_values_are_read_by_type(tmp_path: Path) -> None:
    table = section(
        tmp_path, 'a = "x"\nb = true\nc = 3\nd = 2026-12-31\ne = ["p", "q"]\nf = "r"\n[[drift.g]]\nh = 1\n'
    )
    assert (table.text("a"), table.flag("b"), table.number("c")) == ("x", True, 3)
    assert (table.date("d"), table.texts("e"), table.texts("f")) == (date(2026, 12, 31), ("p", "q"), ("r",))
    assert [one.number("h") for one in table.tables("g")] == [1]
    table.finish()
    assert not table.found


def test_a_section_that_is_not_written_is_empty(tmp_path: Path) -> None:
    table = declared(tmp_path, "").section("twins")
    assert not table.given
    assert table.texts("parameters") == ()
    table.finish()
    assert not table.found


def test_an_unknown_key_is_told_with_its_line_and_the_nearest_name(tmp_path: Path) -> None:
    table = section(tmp_path, 'adress = "x"\n')
    table.text("address")
    table.finish()
    assert told(table) == [(2, 'Unknown key: [drift] has no key "adress". Did you mean "address"?')]


def test_wrong_types_are_told_all_at_once(tmp_path: Path) -> None:
    table = section(tmp_path, 'a = 1\nb = "yes"\nc = true\nd = "2026-12-31"\ne = [1]\n')
    table.text("a"), table.flag("b"), table.number("c"), table.date("d"), table.texts("e")
    assert [line for line, _ in told(table)] == [2, 3, 4, 5, 6]
    assert "a is a string, not the number 1." in told(table)[0][1]


def test_a_missing_key_is_told_at_its_table(tmp_path: Path) -> None:
    table = section(tmp_path, "[[drift.ignore]]\n")
    table.tables("ignore")[0].text("reason", required=True)
    assert told(table) == [
        (2, 'Missing key: [drift.ignore] needs the key "reason". Add reason: a string.'),
    ]


def test_a_word_that_is_not_among_the_choices_is_told(tmp_path: Path) -> None:
    table = section(tmp_path, 'kind = "lokal"\n')
    assert table.choice("kind", ("local", "remote"), "local") == "local"
    assert 'Did you mean "local"?' in told(table)[0][1]


def test_a_section_that_is_no_table_is_refused(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, "drift = 3\n")
    assert problem.detail == "drift is a table, not the number 3."
