"""The scheduler: order, waiting, failing and stopping."""

from __future__ import annotations

import threading

import pytest

from twinfra.engine.scheduler import Abandoned, Call, Operation, Walk
from twinfra.engine.stop import FINISH, Stop


class Visits:
    """A visitor that notes what happens; `operations` gives the generators of a node."""

    def __init__(self, operations=None) -> None:
        self.order: list[str] = []
        self.settled_before: list[list[str]] = []
        self.operations = operations or {}

    def visit(self, node):
        self.order.append(node)
        make = self.operations.get(node)
        return None if make is None else [make()] if callable(make) else [one() for one in make]

    def settle(self) -> None:
        self.settled_before.append(list(self.order))


def walk(graph, visitor, stop=None, parallelism=0) -> bool:
    return Walk(graph, visitor, stop or Stop(), parallelism).run()


def test_nodes_come_after_what_they_wait_for() -> None:
    visits = Visits()
    assert walk({"c": ["b"], "b": ["a"], "a": []}, visits)
    assert visits.order == ["a", "b", "c"]


def test_ready_nodes_come_in_the_order_given() -> None:
    visits = Visits()
    walk({"z": [], "a": [], "m": []}, visits)
    assert visits.order == ["z", "a", "m"]


def test_ready_nodes_come_in_an_order_drawn_from_a_seed() -> None:
    def visited(order: int) -> list[str]:
        visits = Visits()
        graph = {"a": [], "b": [], "c": [], "d": ["a"], "e": ["d"]}
        assert Walk(graph, visits, Stop(), order=order).run()
        assert visits.order.index("a") < visits.order.index("d") < visits.order.index("e")
        return visits.order

    assert visited(7) == visited(7)
    assert len({tuple(visited(seed)) for seed in range(20)}) > 5


def test_calls_start_in_an_order_drawn_from_a_seed() -> None:
    def started(order: int) -> list[int]:
        calls: list[int] = []

        def operation(number: int) -> Operation:
            yield Call(lambda: calls.append(number))

        visits = Visits({"a": [lambda number=number: operation(number) for number in range(6)]})
        assert Walk({"a": []}, visits, Stop(), 1, order).run()
        assert sorted(calls) == list(range(6))
        return calls

    assert started(7) == started(7)
    assert len({tuple(started(seed)) for seed in range(20)}) > 5


def test_a_circle_is_never_visited() -> None:
    visits = Visits()
    graph = Walk({"a": ["b"], "b": ["a"], "c": []}, visits, Stop())
    assert not graph.run()
    assert graph.unvisited() == ["a", "b"]


def test_a_dependent_starts_when_all_operations_of_its_node_are_done() -> None:
    finished: list[int] = []

    def operation(number: int) -> Operation:
        yield Call(lambda: None)
        finished.append(number)

    seen: list[list[int]] = []

    class Checked(Visits):
        def visit(self, node):
            if node == "b":
                seen.append(sorted(finished))
            return super().visit(node)

    walk(
        {"a": [], "b": ["a"]},
        Checked({"a": [lambda: operation(1), lambda: operation(2), lambda: operation(3)]}),
    )
    assert seen == [[1, 2, 3]]


def test_calls_of_independent_nodes_overlap() -> None:
    both = threading.Barrier(2, timeout=60)

    def operation() -> Operation:
        yield Call(both.wait)

    assert walk({"a": [], "b": []}, Visits({"a": operation, "b": operation}))


def test_no_more_calls_run_at_a_time_than_allowed() -> None:
    lock = threading.Lock()
    running = [0]
    most = [0]
    passed = threading.Semaphore(0)

    def work() -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        passed.release()
        with lock:
            running[0] -= 1

    def operation() -> Operation:
        yield [Call(work) for _ in range(20)]

    assert walk({"a": []}, Visits({"a": operation}), parallelism=3)
    assert most[0] <= 3


def test_results_of_a_list_come_in_order_with_errors_as_values() -> None:
    got: list[object] = []
    failure = ValueError("no")

    def fails() -> None:
        raise failure

    def operation() -> Operation:
        got.extend((yield [Call(lambda: 1), Call(fails), Call(lambda: 3, inline=True)]))

    walk({"a": []}, Visits({"a": operation}))
    assert got == [1, failure, 3]


def test_an_error_of_a_single_call_is_raised_in_the_operation() -> None:
    caught: list[str] = []

    def fails() -> None:
        raise ValueError("no")

    def operation() -> Operation:
        try:
            yield Call(fails)
        except ValueError as error:
            caught.append(str(error))

    walk({"a": []}, Visits({"a": operation}))
    assert caught == ["no"]


def test_inline_calls_run_without_a_thread() -> None:
    threads: list[threading.Thread] = []

    def operation() -> Operation:
        yield Call(lambda: threads.append(threading.current_thread()), inline=True)

    walk({"a": []}, Visits({"a": operation}))
    assert threads == [threading.current_thread()]


def test_a_call_started_ahead_runs_once() -> None:
    runs: list[int] = []
    call = Call(lambda: runs.append(1))

    def operation() -> Operation:
        yield call

    graph = Walk({"a": [], "b": []}, Visits({"a": operation, "b": operation}), Stop())
    graph.start([call])
    graph.run()
    assert runs == [1]


def test_what_was_done_is_settled_before_calls_are_handed_out() -> None:
    visits = Visits()

    def operation() -> Operation:
        assert visits.settled_before == []
        yield Call(lambda: visits.settled_before[-1].copy())

    visits.operations = {"a": operation}
    walk({"a": [], "b": []}, visits)
    assert visits.settled_before[0] == ["a", "b"]


def test_a_stop_lets_calls_in_flight_finish_and_starts_nothing_new() -> None:
    stop = Stop()
    finished: list[str] = []

    def operation() -> Operation:
        yield Call(stop.request)
        finished.append("a")

    visits = Visits({"a": operation})
    assert not walk({"a": [], "b": ["a"]}, visits, stop)
    assert finished == ["a"]
    assert visits.order == ["a"]
    assert stop.level == FINISH


def test_a_second_stop_abandons_calls_in_flight() -> None:
    stop = Stop()
    release = threading.Event()
    abandoned: list[bool] = []

    def first() -> None:
        stop.request()
        stop.request()
        release.wait(60)

    def operation() -> Operation:
        try:
            yield Call(first)
        except Abandoned:
            abandoned.append(True)
            raise

    assert not walk({"a": []}, Visits({"a": operation}), stop)
    release.set()
    assert abandoned == [True]


def test_messages_of_a_call_reach_its_tick_on_the_walks_thread() -> None:
    told: list[tuple[str, bool]] = []
    main = threading.current_thread()

    def operation() -> Operation:
        call = Call(lambda: graph.post(call, "half way"))
        call.tick = lambda seconds, message: told.append((message, threading.current_thread() is main))
        yield call

    graph = Walk({"a": []}, Visits({"a": operation}), Stop())
    graph.run()
    assert told == [("half way", True)]


def test_an_operation_may_wait_several_times() -> None:
    total: list[int] = []

    def operation() -> Operation:
        one = yield Call(lambda: 1)
        two = yield Call(lambda: one + 1)
        total.append(one + two)

    walk({"a": []}, Visits({"a": operation}))
    assert total == [3]


@pytest.mark.parametrize("size", [1000, 20000])
def test_a_long_chain_is_walked_without_recursion(size: int) -> None:
    graph = {number: [number - 1] if number else [] for number in range(size)}
    visits = Visits()
    assert walk(graph, visits)
    assert len(visits.order) == size


def test_a_bug_in_one_operation_lets_the_others_finish_and_is_raised() -> None:
    finished: list[str] = []
    release = threading.Event()

    def bug() -> None:
        raise LookupError("bug")

    def broken() -> Operation:
        try:
            yield Call(bug)
        finally:
            release.set()

    def sound() -> Operation:
        yield Call(lambda: release.wait(60))
        finished.append("sound")

    visits = Visits({"a": broken, "b": sound})
    with pytest.raises(LookupError):
        walk({"a": [], "b": [], "c": ["b"]}, visits)
    assert finished == ["sound"]
    assert visits.order == ["a", "b"]
    assert visits.settled_before[-1] == ["a", "b"]
