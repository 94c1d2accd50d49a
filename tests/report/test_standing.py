"""What is made of states, ledgers and summaries of drift."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from twinfra.diagnostics import DiagnosticError
from twinfra.report.areas import areas
from twinfra.report.charts import activity, shares, trend
from twinfra.report.estate import Day, Looked
from twinfra.report.standing import past_of, read_trend
from twinfra.report.wording import counted, when
from twinfra.state.backends.local import LocalBackend
from twinfra.state.ledger.log import Ledger, open_ledger

TODAY = date(2026, 11, 26)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_ledger(LocalBackend(tmp_path), "default")


def look(drifted: int) -> Looked:
    return Looked("2026-11-26T02:00:00Z", 9, drifted, 0, drifted, 0)


def test_days_count_receipts_by_their_outcome_and_nothing_else(ledger: Ledger, tmp_path: Path) -> None:
    for kind, body in (
        ("apply", {"outcome": "done"}),
        ("apply", {"outcome": "failed"}),
        ("destroy", {"outcome": "stopped"}),
        ("refresh", {"outcome": "done", "mode": "refresh-only"}),
        ("state mv", {"outcome": "done"}),
    ):
        ledger.append(kind, body)
    past = past_of(ledger, tmp_path, 2, lambda entry: entry.kind)
    assert list(past.days.values()) == [Day(1, 2)]
    assert [one.words for one in past.newest] == ["state mv", "refresh"]
    assert past.last is not None
    assert past.last.words == "destroy"
    assert past.entries == 5


@pytest.mark.parametrize(
    ("entries", "serial"),
    [
        ([], None),
        ([("apply", {"serial": 3}), ("release", {})], 3),
        ([("apply", {"serial": 3}), ("state rm", {"serial": 4})], 4),
        ([("apply", {"serial": 3}), ("apply", {"outcome": "interrupted"})], None),
    ],
)
def test_the_serial_is_that_of_the_last_entry_about_the_state(
    ledger: Ledger, tmp_path: Path, entries: list[tuple[str, dict[str, object]]], serial: int | None
) -> None:
    for kind, body in entries:
        ledger.append(kind, body)
    assert past_of(ledger, tmp_path, 0, str).serial == serial


def test_a_trend_leaves_out_what_is_no_look(tmp_path: Path) -> None:
    path = tmp_path / "drift.jsonl"
    assert read_trend(path) == {}
    good = '{"environment": null, "time": "t", "checked": 9, "drifted": 1, "gone": 0, "violations": 1, "ignored": 0}'
    path.write_text(
        "\n".join(["", "[]", "7", '{"environment": "a"}', good, "{" * 9, good.replace("9", "1e999")])
    )
    assert read_trend(path) == {"": [Looked("t", 9, 1, 0, 1, 0)]}
    with pytest.raises(DiagnosticError):
        read_trend(tmp_path)


def test_activity_draws_the_last_weeks_only_and_failures_on_top() -> None:
    drawn = activity({date(2026, 1, 1): Day(5), TODAY: Day(1, 1), date(2027, 1, 1): Day(9)}, TODAY, "a & b")
    assert drawn.count("<rect") == 2
    assert drawn.index('class="done"') < drawn.index('class="failed"')
    assert "a &amp; b: 2 applies in 12 weeks" in drawn


def test_shares_gather_what_comes_after_the_most_frequent() -> None:
    assert shares((("a", 5), ("b", 3), ("c", 1), ("d", 1)), 2).count("<rect") == 3
    assert "2 other" in shares((("a", 5), ("b", 3), ("c", 1), ("d", 1)), 2)


def test_one_look_is_no_trend() -> None:
    assert trend([look(1)]) is None
    drawn = trend([look(0), look(2)])
    assert drawn is not None
    assert 'points="0.0,30.0 160.0,4.0"' in drawn


def test_types_of_one_service_are_counted_together() -> None:
    kinds = (("aws_s3_bucket", 2), ("aws_s3_bucket_policy", 1), ("terraform_data", 1), ("aws_vpc", 1))
    assert areas(kinds) == (("S3", 3), ("EC2", 1), ("terraform_data", 1))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-11-26T14:10:00Z", ">26 Nov, 14:10 UTC<"),
        ("2026-11-26T14:10:00+02:00", ">26 Nov, 12:10 UTC<"),
        ("<yesterday>", "&lt;yesterday&gt;"),
        ("0001-01-01T00:00:00+05:00", "0001-01-01T00:00:00+05:00"),
    ],
)
def test_times_are_in_utc_and_what_is_none_stays_as_it_is(text: str, shown: str) -> None:
    assert shown in when(text)


def test_numbers_have_their_noun() -> None:
    assert (counted(1, "entry", "entries"), counted(2000, "entry", "entries")) == ("1 entry", "2,000 entries")
