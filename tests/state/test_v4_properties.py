"""Any state survives its file, and no file brings anything but a state or a diagnostic."""

from __future__ import annotations

import gc
import json
import random
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.state.states import json_values, states

from twinfra.diagnostics import DiagnosticError
from twinfra.state.comparison import same_content
from twinfra.state.model import State
from twinfra.state.v4 import read_state, write_state

STOCK = (Path(__file__).parents[1] / "data" / "state" / "stock" / "state.json").read_bytes()


@given(states)
@settings(max_examples=150, deadline=None)
def test_any_state_is_read_back_as_it_was_written(state: State) -> None:
    content = b"".join(write_state(state))
    found = read_state(content, "x")
    assert found is not None
    assert same_content(found, state)
    assert (found.serial, found.lineage) == (state.serial, state.lineage)
    assert b"".join(write_state(found)) == content


@given(states)
@settings(max_examples=50, deadline=None)
def test_what_is_written_is_json_that_others_read(state: State) -> None:
    document = json.loads(b"".join(write_state(state)))
    assert document["version"] == 4
    assert document["serial"] == state.serial


def _survives(content: bytes) -> None:
    refused: DiagnosticError | None = None
    try:
        found = read_state(content, "x")
    except DiagnosticError as caught:
        refused, found = caught, None
    if refused is not None:
        assert all(one.summary and one.mend for one in refused.diagnostics)
    if found is not None:
        b"".join(write_state(found))


@given(st.binary(max_size=200))
def test_arbitrary_bytes_bring_a_diagnostic(content: bytes) -> None:
    _survives(content)


@given(st.integers(), st.integers(1, 20))
@settings(max_examples=200, deadline=None)
def test_changed_bytes_bring_a_state_or_a_diagnostic(seed: int, count: int) -> None:
    chance = random.Random(seed)
    content = bytearray(STOCK[: chance.randrange(len(STOCK))] if chance.random() < 0.3 else STOCK)
    for _ in range(count if content else 0):
        at = chance.randrange(len(content))
        kind = chance.randrange(3)
        if kind == 0:
            content[at] = chance.randrange(256)
        elif kind == 1:
            del content[at : at + chance.randrange(9)]
        else:
            content[at:at] = chance.choice((b"{", b"]", b'"', b"1", b"\\", b"null", b",", b"\x00"))
        if not content:
            break
    _survives(bytes(content))


def _places(value: Any, found: list[tuple[Any, Any]]) -> None:
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            found.append((value, key))
            _places(inner, found)


@given(st.integers(), json_values)
@settings(max_examples=200, deadline=None)
def test_any_value_in_any_place_brings_a_state_or_a_diagnostic(seed: int, value: Any) -> None:
    document = json.loads(STOCK)
    found: list[tuple[Any, Any]] = []
    _places(document, found)
    container, key = random.Random(seed).choice(found)
    container[key] = json.loads(json.dumps(value, default=float))
    _survives(json.dumps(document).encode())


@pytest.mark.parametrize(
    "make",
    [
        lambda n: b'{"version": 4, "resources": [' + b"1," * n + b"]}",
        lambda n: b'{"version": 4, "outputs": {' + b'"a": {"value": 1, "type": "x"},' * n + b'"b": 1}}',
        lambda n: b'{"version": 4, "x": "' + b"\\ud800" * n + b'"}',
        lambda n: b'{"version": 4, "x": ' + b"9" * n + b"}",
        lambda n: b'{"version": 4, "x": 0.' + b"9" * n + b"}",
        lambda n: b"\n" * n + b"{",
        lambda n: b'{"version": 4, "resources": [{"module": "' + b"module.a." * n + b'"}]}',
        lambda n: (
            b'{"version": 4, "resources": [{"mode":"managed","type":"a","name":"b","provider": "'
            + b"module.a." * n
            + b'"}]}'
        ),
    ],
)
def test_hostile_files_take_no_more_than_linear_time(make: Any) -> None:
    def seconds(size: int) -> float:
        content = make(size)
        # What other tests have left is not cleared away meanwhile.
        gc.disable()
        start = time.process_time()
        try:
            _survives(content)
            return time.process_time() - start
        finally:
            gc.enable()

    seconds(1_000)
    small, large = (min(seconds(size) for _ in range(2)) for size in (20_000, 160_000))
    # Eight times the size; four times that is room for a busy machine, not for a quadratic cost.
    assert large < max(small, 0.005) * 32
