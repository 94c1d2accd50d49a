"""What stands between the socket and the emulator: journal, faults, the record of requests, and the
control paths.

Requests are carried out one at a time: the emulator is not made for threads, and the journal must have
their order.
"""

from __future__ import annotations

import json
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

from twinfra.sandbox import trail
from twinfra.sandbox.faults import CONTROL_HEADER, Fault, FaultPlan, RequestRecord
from twinfra.sandbox.journal import Entry, Journal, fresh_seed
from twinfra.sandbox.operations import Operation, identify
from twinfra.sandbox.repeatable import Repeatable
from twinfra.sandbox.replies import Reply, error_reply, json_reply
from twinfra.sandbox.snapshot import Snapshot

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_KEPT_VARIABLES = frozenset(
    {
        "REQUEST_METHOD",
        "PATH_INFO",
        "QUERY_STRING",
        "REQUEST_URI",
        "RAW_URI",
        "CONTENT_TYPE",
        "CONTENT_LENGTH",
        "SERVER_NAME",
        "SERVER_PORT",
        "SERVER_PROTOCOL",
        "wsgi.url_scheme",
        "moto.preserved_header_names",
    }
)


LONGEST_JOURNAL = 256 * 1024 * 1024
"""Bytes after which a journal is given up for a snapshot."""


class CannotRestoreError(Exception):
    """The snapshot that the journal builds on cannot be read."""

    def __str__(self) -> str:
        return "What was saved in it is of another version of the emulator and cannot be read."


class Gateway:
    """Answers requests. `handle` may be called from many threads."""

    def __init__(
        self, application: Application, journal: Journal, snapshot: Snapshot, ahead: float = 0.0
    ) -> None:
        """`ahead`: by how many seconds the emulator's clock is ahead."""
        self._application = application
        self._journal = journal
        self._snapshot = snapshot
        self._ahead = ahead
        self._repeatable = Repeatable(journal.seed, ahead)
        self._turn = threading.RLock()
        self._bookkeeping = threading.Lock()
        self._faults = FaultPlan()
        self._record = RequestRecord()
        self._saved = journal.start
        self._changed_at: float | None = None

    def restore(self) -> int:
        """Bring back what was: the snapshot, and the requests after it. Returns how many were carried out
        again.
        """
        place = self._snapshot.load(self._journal.seed, self._journal.end)
        if place is None and self._journal.continues:
            raise CannotRestoreError
        self._saved = self._journal.start if place is None else place
        count = 0
        for entry in self._journal.after(self._saved):
            self._repeat(entry)
            count += 1
        if count:
            self._changed_at = time.monotonic()
        return count

    def unsaved_for(self) -> float:
        """Seconds since the last change, when the snapshot does not have it; 0 when it has."""
        changed_at = self._changed_at
        return 0.0 if changed_at is None else time.monotonic() - changed_at

    def save(self) -> None:
        """Write the snapshot if something changed since the last one."""
        with self._turn:
            self._changed_at = None
            if self._journal.end == self._saved:
                return
            successor = fresh_seed()
            places = {self._journal.seed: self._journal.end}
            is_long = self._journal.end > LONGEST_JOURNAL
            if is_long:
                places[successor] = self._journal.length_of_opening(successor)
            if self._snapshot.write(places):
                if is_long:
                    self._journal.continue_as(successor)
                    self._repeatable.seed = successor
                self._journal.sync()
                self._saved = self._journal.end

    def handle(self, variables: dict[str, Any], body: bytes) -> Reply | None:
        """Answer one request, given its WSGI variables and whole body; None: close the connection without
        a word.
        """
        path = variables["PATH_INFO"]
        if path.startswith("/twinfra/"):
            return self._control(variables, path.removeprefix("/twinfra/"), body)
        operation = identify(variables, body)
        with self._bookkeeping:
            fault = self._faults.strike(operation)
        reply = self._answer(operation, variables, body, fault)
        with self._bookkeeping:
            self._record.add(operation, reply.status if reply else 0)
        return reply

    def _answer(
        self, operation: Operation, variables: dict[str, Any], body: bytes, fault: Fault | None
    ) -> Reply | None:
        if fault is not None:
            if fault.delay:
                time.sleep(fault.delay)
            if not fault.code and not fault.drop:
                fault = None
        if fault is None:
            return self._carry_out(operation, variables, body)
        if fault.when == "after":
            self._carry_out(operation, variables, body)
        if fault.drop:
            return None
        return error_reply(operation, variables, fault.status, fault.code, fault.message)

    def _carry_out(self, operation: Operation, variables: dict[str, Any], body: bytes) -> Reply:
        if operation.waits:
            return self._ask(operation, variables, body)
        with self._turn:
            if (operation.service, operation.name) == trail.LOOKUP:
                entries = self._journal.after(self._journal.start)
                return trail.lookup(operation, variables, body, entries, trail.identity_of)
            if not operation.changes:
                return self._ask(operation, variables, body)
            now = time.time() + self._ahead
            number = self._journal.append(now, _worth_keeping(variables), body)
            self._changed_at = time.monotonic()
            with self._repeatable.request(number, now):
                return self._ask(operation, variables, body)

    def _repeat(self, entry: Entry) -> None:
        operation = identify(entry.variables, entry.body)
        with self._turn, self._repeatable.request(entry.number, entry.time):
            self._ask(operation, entry.variables, entry.body)

    def _ask(self, operation: Operation, variables: dict[str, Any], body: bytes) -> Reply:
        """Have the emulator answer, and turn its accidents into errors that a client understands."""
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            started[:] = [int(status.split(None, 1)[0]), headers]

        environment = variables | {
            "wsgi.version": (1, 0),
            "wsgi.input": BytesIO(body),
            "wsgi.input_terminated": True,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "SCRIPT_NAME": "",
            "CONTENT_LENGTH": str(len(body)),
        }
        try:
            parts = self._application(environment, start_response)
            try:
                content = b"".join(parts)
            finally:
                close = getattr(parts, "close", None)
                if close is not None:
                    close()
            status, headers = started
        except NotImplementedError:
            return self._unknown(operation, variables)
        except Exception as accident:
            _log_accident(operation, accident)
            text = f"The sandbox cannot carry out {operation}: it failed inside ({type(accident).__name__})."
            return error_reply(operation, variables, 500, "InternalFailure", text)
        if (
            status == 404
            and (not content or content.startswith(b"<!doctype html>"))
            and operation.service != "s3"
        ):
            return self._unknown(operation, variables)
        return Reply(status, headers, content)

    @staticmethod
    def _unknown(operation: Operation, variables: dict[str, Any]) -> Reply:
        text = f"The sandbox does not have {operation}. A real account does."
        return error_reply(operation, variables, 400, "UnknownOperationException", text)

    def _control(self, variables: dict[str, Any], path: str, body: bytes) -> Reply:
        method = variables["REQUEST_METHOD"]
        if "HTTP_" + CONTROL_HEADER.upper().replace("-", "_") not in variables:
            return json_reply({"error": f"The header {CONTROL_HEADER} is missing."}, 403)
        with self._bookkeeping:
            match method, path:
                case "POST", "faults":
                    self._faults.add(Fault(**json.loads(body)))
                    return json_reply({})
                case "DELETE", "faults":
                    hits = self._faults.hits
                    self._faults.clear()
                    return json_reply({"hits": hits})
                case "GET", "requests":
                    return json_reply(self._record.document())
                case "DELETE", "requests":
                    self._record.clear()
                    return json_reply({})
                case "POST", "empty":
                    self._empty()
                    return json_reply({})
                case "POST", "save":
                    self.save()
                    return json_reply({})
        return json_reply({"error": f"There is no {method} {path}."}, 404)

    def _empty(self) -> None:
        with self._turn:
            self._faults.clear()
            self._record.clear()
            self._snapshot.forget()
            self._journal.clear()
            self._repeatable.seed = self._journal.seed
            self._saved = self._journal.start
            self._changed_at = None


def _worth_keeping(variables: dict[str, Any]) -> dict[str, Any]:
    """The variables by which a request can be carried out again; of the signature, only who signed."""
    kept = {
        name: value
        for name, value in variables.items()
        if name in _KEPT_VARIABLES or name.startswith("HTTP_")
    }
    if "HTTP_AUTHORIZATION" in kept:
        kept["HTTP_AUTHORIZATION"] = kept["HTTP_AUTHORIZATION"].partition("Signature=")[0]
    return kept


def _log_accident(operation: Operation, accident: Exception) -> None:
    """Where the emulator failed, but no message: it may hold what a person sent."""
    frames = "".join(traceback.format_list(traceback.extract_tb(accident.__traceback__)[-6:]))
    print(f"{operation} failed inside: {type(accident).__name__}\n{frames}", file=sys.stderr, flush=True)
