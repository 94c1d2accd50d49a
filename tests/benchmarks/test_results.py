"""Whether a target is reached, and how results are shown."""

from __future__ import annotations

import pytest
from benchmarks.processes import Run
from benchmarks.results import Result, Target, compared, table

MB = 2**20


def run(seconds, megabytes=10):
    return Run(seconds, megabytes * MB, seconds)


@pytest.mark.parametrize(
    ("ours", "stock", "target", "reached"),
    [
        (run(1), run(60), Target(time=1 / 60), True),
        (run(1.1), run(60), Target(time=1 / 60), False),
        (run(1, 10), run(60, 100), Target(1 / 60, 0.1), True),
        (run(1, 11), run(60, 100), Target(1 / 60, 0.1), False),
        (run(1), None, Target(time=1 / 60), None),
        (run(1), None, Target(seconds=1.0), True),
        (run(1.2), None, Target(seconds=1.0), False),
        (run(1), run(2), None, None),
        (run(1, 100), None, Target(seconds=3, megabytes=110), True),
        (run(1, 100), None, Target(seconds=3, megabytes=100), False),
    ],
)
def test_a_target_is_reached_or_not(ours, stock, target, reached):
    assert Result("x", ours, stock, target).reached is reached


@pytest.mark.parametrize(("seconds", "reached"), [(4.4, True), (4.5, False)])
def test_growth_is_a_multiple_of_the_smaller_run(seconds, reached):
    assert Result("x", run(seconds), target=Target(growth=4.4), before=run(1)).reached is reached


@pytest.mark.parametrize(("count", "reached"), [(3, True), (4, False)])
def test_what_is_counted_has_a_most(count, reached):
    result = Result("x", run(1), target=Target(count=3), count=count)
    assert result.reached is reached
    assert f"| {count} " in table([result])


def test_the_table_shows_shares_and_what_is_missed():
    shown = table(
        [
            compared("fast", [run(1, 10), run(50, 200)], Target(1 / 40, 0.1)),
            compared("slow", [run(3, 10), run(2, 20)], Target(2.5, 0.4)),
            compared("alone", [run(1)]),
        ]
    ).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in shown]
    assert cells[2:] == [
        ["fast", "1.00 s, 10 MB", "50.00 s, 200 MB", "50.0x faster", "5%", "40x faster, 10% of its memory", "reached"],
        ["slow", "3.00 s, 10 MB", "2.00 s, 20 MB", "1.50x", "50%", "2.5 of its time, 40% of its memory", "MISSED"],
        ["alone", "1.00 s, 10 MB", "", "", "", "", ""],
    ]  # fmt: skip
    assert len({len(line) for line in shown}) == 1
