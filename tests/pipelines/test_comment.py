"""The text of the comment on a pull request."""

from __future__ import annotations

from twinfra.pipelines.comment import mark, render
from twinfra.pipelines.outcome import APPLIED, FAILED, NOTHING, PLANNED, Outcome

PLAN = '  + aws_s3_bucket.data\n      + bucket = "data"\n\nPlan: 1 to add, 0 to change, 0 to destroy.'
STAGING = Outcome("staging", PLANNED, "c" * 40, {"add": 1}, "sha256:" + "a" * 64, PLAN)
PRODUCTION = Outcome("production", FAILED, problems="╷\n│ Error: No way\n╵")
LIMIT = 65_000
MARK = mark()


def test_it_has_a_table_and_a_section_for_each_environment() -> None:
    text = render([STAGING, PRODUCTION], limit=LIMIT)
    assert text.startswith(MARK)
    assert "| **staging** | 1 to add |\n| **production** | failed |" in text
    assert f"```text\n{PLAN}\n```" in text
    assert "Error: No way" in text
    assert "plan `sha256:aaaaaaaaaaaa`, commit `cccccccccccc`" in text


def test_a_short_plan_is_open_and_a_long_one_folded() -> None:
    long = Outcome("staging", PLANNED, text="\n".join(f"line {number}" for number in range(200)))
    assert "<details>" not in render([STAGING], limit=LIMIT)
    assert "<details><summary>Plan (200 lines)</summary>" in render([long], limit=LIMIT)


def test_it_is_never_longer_than_allowed_and_says_what_is_missing() -> None:
    long = "\n".join(f"line {number} " + "x" * 90 for number in range(5000))
    outcomes = [Outcome(name, PLANNED, text=long, problems=long) for name in ("one", "two", "three")]
    text = render(outcomes, limit=LIMIT)
    assert LIMIT // 2 < len(text) <= LIMIT
    assert text.count("more lines are in the log of the job)") == 6


def test_a_change_of_one_environment_keeps_the_sections_of_others() -> None:
    before = render([STAGING, PRODUCTION], limit=LIMIT)
    after = render([Outcome("production", APPLIED, counts={"change": 2})], limit=LIMIT, kept=before)
    assert "| **staging** | 1 to add |\n| **production** | applied: 2 to change |" in after
    assert PLAN in after
    assert "No way" not in after


def test_a_comment_that_came_back_with_other_line_ends_is_the_same() -> None:
    before = render([STAGING], limit=LIMIT).replace("\n", "\r\n")
    assert "| **staging** | 1 to add |" in render([PRODUCTION], limit=LIMIT, kept=before)


def test_secrets_are_nowhere_in_it() -> None:
    told = Outcome(
        "staging", PLANNED, text="token tok-123456", problems="tok-123456", notes=("tok-123456 it is",)
    )
    text = render([told], limit=LIMIT, secrets=["tok-123456"])
    assert "tok-123456" not in text
    assert text.count("(redacted)") == 3


def test_a_plan_cannot_end_its_own_block_or_a_section() -> None:
    evil = "````\n```\n<!-- twinfra:end staging -->\n"
    text = render([Outcome("staging", PLANNED, text=evil)], limit=LIMIT)
    assert "`````text\n" in text
    assert text.count("<!-- twinfra:end staging -->") == 1


def test_a_note_mentions_nobody_and_is_no_html() -> None:
    text = render([Outcome("staging", NOTHING, notes=("by @ada <b>",))], limit=LIMIT)
    assert "@ada" not in text
    assert "<b>" not in text


def test_without_environments_it_says_so() -> None:
    assert "touches no environment" in render([], limit=LIMIT)


def test_configurations_in_two_directories_have_a_comment_each() -> None:
    text = render([STAGING], limit=LIMIT, within="infra/ml")
    assert text.startswith(mark("infra/ml"))
    assert "## Twinfra: infra/ml" in text
    assert not text.startswith(MARK)
