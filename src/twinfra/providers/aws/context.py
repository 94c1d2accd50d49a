"""What a function of a resource works with: calls to the cloud, and where and for whom they are made."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twinfra.providers.aws.endpoints import dns_suffix, partition_of
from twinfra.providers.aws.failures import ApiError
from twinfra.providers.aws.mapping import arguments, plain
from twinfra.providers.aws.resource import Api, Attributes, Call, Retry, Wait
from twinfra.providers.aws.waiting import dig, seconds_of, wait_for
from twinfra.providers.protocol import Progress, silent

if TYPE_CHECKING:
    from twinfra.providers.aws.session import Session
    from twinfra.providers.aws.settings import Settings


class Context:
    """One operation on one type in one region.

    `token`: the operation's idempotency token while something is being created, else empty. `once`: calls are
    not tried again by themselves, because each would make one more. `limits`: the `timeouts` block.
    `unstored`: values of write-only fields, which the state never has.
    """

    def __init__(
        self, session: Session, service: str, region: str = "", progress: Progress = silent, token: str = "",
        not_found: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        self.session = session
        self.service = service
        self._given_region = region
        self.progress = progress
        self.token = token
        self.not_found = not_found
        self.once = False
        self.limits: dict[str, str] = {}
        self.unstored: Attributes = {}

    @property
    def region(self) -> str:
        """The region acted in."""
        return self._given_region or self.session.region

    @property
    def partition(self) -> str:
        """Its partition: `aws`, `aws-cn`, ..."""
        return partition_of(self.region)

    @property
    def dns_suffix(self) -> str:
        """The partition's domain, such as `amazonaws.com`."""
        return dns_suffix(self.partition)

    @property
    def account_id(self) -> str:
        """The account acted on; asks the token service once per provider."""
        return self.session.caller()[0]

    @property
    def settings(self) -> Settings:
        """The provider block's settings."""
        return self.session.settings

    def arn(
        self, resource: str, service: str = "", *, region: str | None = None, account: str | None = None
    ) -> str:
        """The ARN of a resource of this service, region and account (empty strings leave those out)."""
        return ":".join((
            "arn", self.partition, service or self.service, self.region if region is None else region,
            self.account_id if account is None else account, resource,
        ))  # fmt: skip

    def call(self, operation: str, /, **request: Any) -> Api:
        """One call of this type's service. Members that are None are left out. Raises `ApiError`."""
        return self.call_service(self.service, operation, **request)

    def call_service(self, service: str, operation: str, /, **request: Any) -> Api:
        """One call of another service."""
        given = {name: value for name, value in request.items() if value is not None}
        return self.session.call(service, self.region, operation, given, self.once)

    def find(self, operation: str, /, *, missing: tuple[str, ...] = (), **request: Any) -> Api | None:
        """One call; None where it answers that there is no such thing (`missing` codes, or the type's
        own).
        """
        try:
            return self.call(operation, **request)
        except ApiError as problem:
            if problem.code in missing or problem.code in self.not_found:
                return None
            raise

    def pages(self, operation: str, items: str, /, **request: Any) -> list[Any]:
        """All items of a list call, over all its pages. `items`: dotted path to the list in a page.

        `a[].b` collects the lists `b` of all elements of `a`, such as `Reservations[].Instances`.
        """
        given = {name: value for name, value in request.items() if value is not None}
        found: list[Any] = []
        outer, _, inner = items.partition("[].")
        for page in self.session.pages(self.service, self.region, operation, given):
            for one in dig(page, outer) or ():
                found.extend(dig(one, inner) or () if inner else (one,))
        return found

    def make(self, call: Call, attributes: Attributes, request: dict[str, Any] | None = None) -> Api:
        """A declared call: its `args` and `request`, its token and retries; returns what `result` leads
        to.
        """
        members = _merge(dict(request or {}), arguments(call.args, attributes))
        if call.token and self.token:
            members[call.token] = self.token
        service = call.service or self.service
        answer = self.retry(lambda: self.call_service(service, call.operation, **members), call.retry)
        found = dig(answer, call.result)
        return found if isinstance(found, dict) else {} if found is None else {"": found}

    def retry(self, action: Callable[[], Any], errors: tuple[Retry, ...]) -> Any:
        """Do it again while it fails with one of these errors, for as long as each says."""
        started = time.monotonic()
        delay = 0.5
        while True:
            try:
                return action()
            except ApiError as problem:
                for one in errors:
                    if problem.code == one.code and one.contains.lower() in problem.message.lower():
                        break
                else:
                    raise
                if time.monotonic() - started + delay > one.seconds:
                    raise
                self.progress(f"waiting out {problem.code}")
            time.sleep(delay)
            delay = min(delay * 1.6, 10.0)

    def wait(self, wait: Wait, look: Callable[[], Api | None], *, action: str = "", gone: bool = False,
             first: Api | None = None) -> Api | None:  # fmt: skip
        """`waiting.wait_for` with this operation's progress and the `timeouts` block's limit for `action`."""
        limit = self.limits.get(action)
        return wait_for(
            wait,
            look,
            seconds=seconds_of(limit) if limit else None,
            gone=gone,
            progress=self.progress,
            first=first,
        )

    @staticmethod
    def plain(value: Any) -> Any:
        """A value of the language as plain Python for a request."""
        return plain(value)


def _merge(base: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            base[key] = _merge(dict(base[key]), value)
        else:
            base[key] = value
    return base
