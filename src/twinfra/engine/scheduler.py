"""One thread that thinks, many that wait: runs operations over a dependency graph.

An operation is a generator. It yields a `Call` (or a list of them) wherever it must wait for the outside,
and is
resumed with the result (a list of results; exceptions of a list come as values). All generators run on the
caller's thread; only the calls run on the pool. A call marked `inline` runs right there, without any thread.
"""

from __future__ import annotations

import queue
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Hashable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol, TypeAlias

from twinfra.engine.stop import ABANDON, RUN, Stop


class Call:
    """Something to wait for: `run` is called on a worker; then `result` or `error` is set and `done` true."""

    __slots__ = (
        "_queued",
        "_waiting",
        "begun",
        "done",
        "error",
        "inline",
        "result",
        "run",
        "started",
        "tick",
        "ticked",
    )

    def __init__(
        self,
        run: Callable[[], Any],
        inline: bool = False,
        tick: Callable[[float, str], None] | None = None,
    ) -> None:
        self.run = run
        self.inline = inline
        self.tick = tick
        """Told (elapsed seconds, "") from time to time while it runs, and of each message it posts."""
        self.begun: Callable[[], None] | None = None
        """Told on the walk's thread just before the call is handed to the pool."""
        self.done = False
        self.result: Any = None
        self.error: BaseException | None = None
        self.started = 0.0
        self.ticked = 0.0
        self._queued = False
        self._waiting: list[_Running] = []

    @property
    def seconds(self) -> float:
        """How long ago it was handed out; 0 for inline calls."""
        return time.monotonic() - self.started if self.started else 0.0

    def execute(self) -> None:
        """Run it here and now, keeping the result."""
        try:
            self.result = self.run()
        except Exception as caught:
            self.error = caught
        self.done = True


Operation: TypeAlias = Generator[Any, Any, None]
"""Yields a `Call` or a sequence of them; is sent a result, or a list of results and errors."""
Node: TypeAlias = Hashable


class Abandoned(Exception):
    """Raised inside an operation whose calls are no longer waited for."""


class Visitor(Protocol):
    """What a walk does at each node."""

    def visit(self, node: Any) -> Iterable[Operation] | None:
        """Begin a node's work; returns operations that go on, or None when all is done already.

        Called when all dependencies of the node are done.
        """

    def settle(self) -> None:
        """Make what was done so far durable: called before any call is handed out, and before waiting."""


class _Running:
    """An operation under way, and the calls that it waits for."""

    __slots__ = ("missing", "node", "operation", "single", "waits")

    def __init__(self, operation: Operation, node: Node) -> None:
        self.operation = operation
        self.node = node
        self.waits: Sequence[Call] = ()
        self.single = False
        self.missing = 0


class Pool:
    """Up to `size` daemon threads, made as needed, that run calls and post them to `results` when done."""

    def __init__(self, size: int) -> None:
        self.size = max(1, size)
        self.results: queue.SimpleQueue[tuple[Call | None, str | None]] = queue.SimpleQueue()
        self._work: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._threads = 0
        self.in_flight: dict[Call, None] = {}

    def submit(self, call: Call) -> None:
        """Run a call on some thread."""
        if len(self.in_flight) >= self._threads and self._threads < self.size:
            self._threads += 1
            threading.Thread(target=self._serve, name=f"provider-call-{self._threads}", daemon=True).start()
        call.started = call.ticked = time.monotonic()
        self.in_flight[call] = None
        self._work.put(call)

    def post(self, call: Call, message: str) -> None:
        """Tell the walk what a running call waits for; called on the worker."""
        self.results.put((call, message))

    def wake(self) -> None:
        """Make a waiting walk look around."""
        self.results.put((None, None))

    def close(self) -> None:
        """Let the threads end once idle."""
        for _ in range(self._threads):
            self._work.put(None)

    def _serve(self) -> None:
        while (call := self._work.get()) is not None:
            call.execute()
            self.results.put((call, None))


class Walk:
    """Visits the nodes of a graph, each after all that it depends on.

    `waits_for` maps each node to its dependencies, in the order in which nodes start when several are ready.
    `parallelism`: how many calls run at a time; 0 for the default, or what providers say they bear. `order`: a
    seed from which the order is drawn instead, of nodes that are ready and of calls that may start.
    """

    TICK = 10.0
    """Seconds of silence of a call after which its `tick` is told that it is still going on."""

    LOOK_AROUND = 1.0

    DEFAULT = 10
    """How many calls run at a time where nobody says."""

    def __init__(
        self,
        waits_for: Mapping[Any, Iterable[Any]],
        visitor: Visitor,
        stop: Stop,
        parallelism: int = 0,
        order: int | None = None,
    ) -> None:
        self._chance = None if order is None else random.Random(order)
        self._visitor = visitor
        self._stop = stop
        self._fixed = parallelism > 0
        self._parallelism = parallelism if self._fixed else self.DEFAULT
        self._pool: Pool | None = None
        self._next_tick = 0.0
        self._backlog: deque[Call] = deque()
        self._open: dict[Node, int] = {}
        self._running: dict[_Running, None] = {}
        self._bug: Exception | None = None
        self._missing: dict[Any, int] = {}
        self._dependents: dict[Node, list[Node]] = {}
        self._ready: deque[Node] = deque()
        missing, dependents, ready = self._missing, self._dependents, self._ready
        for node, needs in waits_for.items():
            count = 0
            for need in needs:
                count += 1
                dependents.setdefault(need, []).append(node)
            if count:
                missing[node] = count
            else:
                ready.append(node)

    def widen(self, parallelism: int) -> None:
        """Let this many calls run at a time, if that is more and nobody has said how many may."""
        if not self._fixed and parallelism > self._parallelism:
            self._parallelism = parallelism
            if self._pool is not None:
                self._pool.size = parallelism

    def post(self, call: Call, message: str) -> None:
        """A message from inside a running call, from any thread; reaches the call's `tick` on the walk's
        thread.
        """
        if self._pool is not None and not call.inline:
            self._pool.post(call, message)
        elif call.tick is not None:
            call.tick(0.0, message)

    def start(self, calls: Iterable[Call]) -> None:
        """Begin calls ahead of the operation that will yield them."""
        for call in calls:
            if call.inline:
                call.execute()
            else:
                call._queued = True
                self._backlog.append(call)

    def run(self) -> bool:
        """Walk all; returns False when stopped before the end.

        An exception that an operation does not handle is a bug: what is in flight is finished all the same, so
        that it can be recorded, and then it is raised.
        """
        unsubscribe = self._stop.on_request(self._wake)
        try:
            while True:
                try:
                    self._drain_ready()
                except Exception as bug:
                    self._bug = self._bug or bug
                self._visitor.settle()
                self._hand_out()
                pool = self._pool
                if pool is None or not pool.in_flight:
                    if self._ready and self._going:
                        continue
                    break
                self._wait(pool)
                if self._stop.level == ABANDON:
                    break
        finally:
            unsubscribe()
            self._abandon()
            if self._pool is not None:
                self._pool.close()
        if self._bug is not None:
            self._visitor.settle()
            raise self._bug
        return not (self._missing or self._open or self._ready)

    def unvisited(self) -> list[Any]:
        """The nodes that were never visited, because each waits for another."""
        return list(self._missing)

    @property
    def _going(self) -> bool:
        """Whether anything new may start."""
        return self._stop.level == RUN and self._bug is None

    def _wake(self) -> None:
        if self._pool is not None:
            self._pool.wake()

    def _drain_ready(self) -> None:
        ready, visit = self._ready, self._visitor.visit
        while ready and self._going:
            node = self._next(ready)
            operations = visit(node)
            if operations is None:
                self._complete(node)
                continue
            self._open[node] = 1
            for operation in operations:
                self._open[node] += 1
                running = _Running(operation, node)
                self._running[running] = None
                self._step(running, None, None)
            self._closed(node)

    def _complete(self, node: Node) -> None:
        missing, ready = self._missing, self._ready
        for dependent in self._dependents.get(node, ()):
            left = missing[dependent] - 1
            if left:
                missing[dependent] = left
            else:
                del missing[dependent]
                ready.append(dependent)

    def _closed(self, node: Node) -> None:
        left = self._open[node] - 1
        if left:
            self._open[node] = left
        else:
            del self._open[node]
            self._complete(node)

    def _step(self, running: _Running, value: Any, failure: BaseException | None) -> None:
        operation = running.operation
        while True:
            try:
                waits = operation.send(value) if failure is None else operation.throw(failure)
            except StopIteration:
                del self._running[running]
                self._closed(running.node)
                return
            except Exception as bug:
                del self._running[running]
                self._bug = self._bug or bug
                return
            running.single = isinstance(waits, Call)
            calls: Sequence[Call] = (waits,) if isinstance(waits, Call) else waits
            running.waits = calls
            missing = 0
            for call in calls:
                if call.done:
                    continue
                if call.inline:
                    call.execute()
                    continue
                missing += 1
                call._waiting.append(running)
                if not call._queued:
                    call._queued = True
                    self._backlog.append(call)
            running.missing = missing
            if missing:
                return
            value, failure = _outcome(running)

    def _hand_out(self) -> None:
        if not self._backlog or not self._going:
            return
        if self._pool is None:
            self._pool = Pool(self._parallelism)
        pool = self._pool
        while self._backlog and len(pool.in_flight) < pool.size:
            call = self._next(self._backlog)
            if call.begun is not None:
                call.begun()
            pool.submit(call)

    def _next(self, waiting: deque[Any]) -> Any:
        """Take the first of those that wait; any of them where the order is drawn."""
        if self._chance is not None and len(waiting) > 1:
            waiting.rotate(-self._chance.randrange(len(waiting)))
        return waiting.popleft()

    def _wait(self, pool: Pool) -> None:
        get = pool.results.get
        try:
            item = get(timeout=self.LOOK_AROUND)
        except queue.Empty:
            self._tick(pool)
            return
        while True:
            call, message = item
            if call is not None:
                if message is None:
                    pool.in_flight.pop(call, None)
                    self._arrived(call)
                elif call.tick is not None:
                    call.ticked = time.monotonic()
                    call.tick(call.ticked - call.started, message)
            try:
                item = get(block=False)
            except queue.Empty:
                break
        self._tick(pool)

    def _tick(self, pool: Pool) -> None:
        now = time.monotonic()
        if now < self._next_tick:
            return
        self._next_tick = now + self.LOOK_AROUND
        for call in pool.in_flight:
            if call.tick is not None and now - call.ticked >= self.TICK:
                call.ticked = now
                call.tick(now - call.started, "")

    def _arrived(self, call: Call) -> None:
        waiting, call._waiting = call._waiting, []
        for running in waiting:
            running.missing -= 1
            if not running.missing:
                self._step(running, *_outcome(running))

    def _abandon(self) -> None:
        for running in tuple(self._running):
            with suppress(Abandoned, StopIteration):
                running.operation.throw(Abandoned())


def _outcome(running: _Running) -> tuple[Any, BaseException | None]:
    if running.single:
        call = running.waits[0]
        return call.result, call.error
    return [call.result if call.error is None else call.error for call in running.waits], None
