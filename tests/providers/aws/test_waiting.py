"""Waiting for a state, and lengths of time."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinfra.providers.aws.failures import WaitError
from twinfra.providers.aws.resource import Wait
from twinfra.providers.aws.waiting import dig, seconds_of, wait_for

WAIT = Wait(
    status="Thing.State",
    target=("ready",),
    failed=("broken",),
    reason="Thing.Why",
    interval=1.0,
    noun="thing",
)


def looks(*states: str | None) -> Any:
    """A look that sees these states one after the other, the last one for ever."""
    left = list(states)

    def look() -> dict[str, Any] | None:
        state = left.pop(0) if len(left) > 1 else left[0]
        return None if state is None else {"Thing": {"State": state, "Why": "no room"}}

    return look


def test_it_ends_at_the_target_and_tells_what_it_waits_for() -> None:
    told: list[str] = []
    pauses: list[float] = []
    found = wait_for(
        WAIT, looks(None, "pending", "pending", "ready"), progress=told.append, pause=pauses.append
    )
    assert found == {"Thing": {"State": "ready", "Why": "no room"}}
    assert told == ["thing not there yet", "thing pending", "thing pending"]
    assert pauses == sorted(pauses)
    assert pauses[0] < 1


def test_a_failed_state_ends_it_with_the_reason() -> None:
    with pytest.raises(WaitError, match="broken: no room"):
        wait_for(WAIT, looks("pending", "broken"), pause=lambda _: None)


def test_it_ends_when_the_time_is_over() -> None:
    with pytest.raises(WaitError, match="still pending"):
        wait_for(WAIT, looks("pending"), seconds=0.1, pause=lambda _: None)


def test_waiting_for_deletion_ends_when_it_is_gone() -> None:
    gone = Wait(status="Thing.State")
    assert wait_for(gone, looks("deleting", None), gone=True, pause=lambda _: None) is None
    late = Wait(status="Thing.State", target=("deleted",))
    assert wait_for(late, looks("deleting", "deleted"), gone=True, pause=lambda _: None) is not None


def test_what_was_seen_already_is_not_looked_at_again() -> None:
    def never() -> None:
        raise AssertionError("looked")

    assert wait_for(WAIT, never, first={"Thing": {"State": "ready"}}) == {"Thing": {"State": "ready"}}


@given(st.integers(0, 100), st.integers(0, 59), st.integers(0, 59))
def test_lengths_of_time_add_up(hours: int, minutes: int, seconds: int) -> None:
    assert seconds_of(f"{hours}h{minutes}m{seconds}s") == hours * 3600 + minutes * 60 + seconds


@given(st.text())
def test_other_texts_are_no_length_of_time(text: str) -> None:
    try:
        assert seconds_of(text) >= 0
    except ValueError:
        return


@pytest.mark.parametrize("text", ["", "5", "m5", "5 m", "5m x", "-5m"])
def test_these_are_no_length_of_time(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        seconds_of(text)


def test_a_path_leads_through_structures_and_first_elements() -> None:
    assert dig({"a": [{"b": 1}]}, "a.b") == 1
    assert dig({"a": []}, "a.b") is None
    assert dig({"a": 1}, "") == {"a": 1}
