"""Make a sandbox fail on purpose, and see what was asked of it: for tests of everything that talks to a
cloud.

The next CreateSubnet is refused; the fourth change is carried out, but the client hears of a failure; ten
calls are throttled:

>>> inject(sandbox, "ec2", "CreateSubnet", code="UnauthorizedOperation", status=403)
>>> inject(sandbox, changes_only=True, skip=3, code="InternalFailure", when="after")
>>> inject(sandbox, code="ThrottlingException", status=400, times=10)
>>> counts(sandbox)
{'ec2.CreateSubnet': 1}
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

from twinfra.dataclass import dataclass

if TYPE_CHECKING:
    from twinfra.sandbox.operations import Operation
    from twinfra.sandbox.server import Sandbox

CONTROL_HEADER = "X-Twinfra-Sandbox"
"""Requests to the control paths must carry it: a web page in a browser cannot send it unasked."""

When = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong, and with which requests.

    `service` is boto3's name of it, `operation` the operation's; empty means any. `changes_only` leaves
    out what only reads. The first `skip` requests that match go through, the next `times` are hit (None:
    all that follow). `when` is "before" (nothing was carried out) or "after" (it was, but the reply is
    lost). `drop` closes the connection instead of answering. `delay` is in seconds and comes first; with
    `code` empty and `drop` false there is only the delay.
    """

    service: str = ""
    operation: str = ""
    changes_only: bool = False
    skip: int = 0
    times: int | None = 1
    code: str = "InternalFailure"
    message: str = "The sandbox fails on purpose."
    status: int = 500
    when: When = "before"
    drop: bool = False
    delay: float = 0.0

    def __post_init__(self) -> None:
        if self.when not in ("before", "after"):
            raise ValueError(f'when is "before" or "after", not {self.when!r}')

    def concerns(self, operation: Operation) -> bool:
        """Whether a request of this operation counts for this fault."""
        return (
            self.service in ("", operation.service)
            and self.operation in ("", operation.name)
            and (operation.changes or not self.changes_only)
        )


class FaultPlan:
    """The faults that are set, and how far each has counted. Not safe for threads: the caller takes turns."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._seen: list[int] = []
        self.hits = 0

    def add(self, fault: Fault) -> None:
        """Set one more."""
        self._faults.append(fault)
        self._seen.append(0)

    def clear(self) -> None:
        """Unset all."""
        self._faults.clear()
        self._seen.clear()
        self.hits = 0

    def strike(self, operation: Operation) -> Fault | None:
        """Count a request; the first fault that hits it, if any."""
        struck = None
        for index, fault in enumerate(self._faults):
            if fault.concerns(operation):
                seen = self._seen[index]
                self._seen[index] = seen + 1
                if (
                    struck is None
                    and seen >= fault.skip
                    and (fault.times is None or seen < fault.skip + fault.times)
                ):
                    struck = fault
        self.hits += struck is not None
        return struck


class RequestRecord:
    """Which requests came: a count of each operation, and the last of them in order."""

    KEPT = 10_000

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._recent: deque[tuple[str, int]] = deque(maxlen=self.KEPT)

    def add(self, operation: Operation, status: int) -> None:
        """Note one request with the status it was answered with (0: connection dropped)."""
        name = str(operation)
        self._counts[name] = self._counts.get(name, 0) + 1
        self._recent.append((name, status))

    def clear(self) -> None:
        """Forget all."""
        self._counts.clear()
        self._recent.clear()

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {"counts": dict(self._counts), "recent": list(self._recent)}


def inject(sandbox: Sandbox, service: str = "", operation: str = "", **details: Any) -> None:
    """Set a fault; see `Fault` for the details. Faults add up until `heal`."""
    _control(sandbox, "POST", "faults", asdict(Fault(service=service, operation=operation, **details)))


def heal(sandbox: Sandbox) -> int:
    """Unset all faults; returns how many requests they hit."""
    return int(_control(sandbox, "DELETE", "faults")["hits"])


def counts(sandbox: Sandbox) -> dict[str, int]:
    """How often each operation was asked for since `forget_requests` (`{"s3.CreateBucket": 1}`)."""
    found: dict[str, int] = _control(sandbox, "GET", "requests")["counts"]
    return found


def requests(sandbox: Sandbox) -> list[tuple[str, int]]:
    """The last requests in order: operation (`s3.CreateBucket`) and status of the answer (0: dropped)."""
    return [(name, status) for name, status in _control(sandbox, "GET", "requests")["recent"]]


def forget_requests(sandbox: Sandbox) -> None:
    """Begin counting anew."""
    _control(sandbox, "DELETE", "requests")


def empty(sandbox: Sandbox) -> None:
    """Make the running sandbox as new: no resources, no faults, no counts. Far quicker than
    `server.reset`.
    """
    _control(sandbox, "POST", "empty")


def save(sandbox: Sandbox) -> None:
    """Have the sandbox write its snapshot now instead of when it next rests."""
    _control(sandbox, "POST", "save")


def _control(sandbox: Sandbox, method: str, path: str, content: Any = None) -> Any:
    request = Request(
        f"{sandbox.endpoint}/twinfra/{path}",
        data=None if content is None else json.dumps(content).encode(),
        headers={CONTROL_HEADER: "control", "Content-Type": "application/json"},
        method=method,
    )
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=60) as reply:
            return json.loads(reply.read() or b"null")
    except URLError as reason:
        raise ConnectionError(
            f"The sandbox at {sandbox.endpoint} did not take {method} {path}: {reason}"
        ) from None
