"""Failures of the provider's own kind as diagnostics, with what an operation that failed has left behind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twinfra.diagnostics import error
from twinfra.providers.aws.failures import ApiError, WaitError, describe
from twinfra.providers.aws.lifecycle import HalfDone
from twinfra.providers.protocol import ProviderError, Stored


class Explained:
    """Turns failures of the provider's own kind into diagnostics, with what is left behind."""

    def __init__(self, doing: str, private: Mapping[str, Any] | None = None) -> None:
        self._doing = doing
        self._private = private or {}

    def __enter__(self) -> None: ...

    def __exit__(self, kind: Any, problem: BaseException | None, trace: Any) -> None:
        partial = None
        if isinstance(problem, HalfDone):
            partial = Stored(problem.attributes, dict(self._private))
            problem = problem.cause
            if isinstance(problem, ProviderError):
                raise ProviderError(problem.diagnostics, partial) from problem
        if isinstance(problem, ApiError):
            if problem.code == "Region":
                found = error(
                    "No AWS region",
                    "No region is set for the AWS provider.",
                    mend='Add region = "us-east-1" (or another) to the provider block, or set AWS_REGION.',
                )
            else:
                found = describe(problem, self._doing)
            raise ProviderError(found, partial) from problem
        if isinstance(problem, WaitError):
            raise ProviderError(
                error(f"Error while {self._doing}", f"Waited, but {problem.reason}."), partial
            ) from problem


def guarded(action: Any, item: Any) -> Stored | ProviderError | None:
    """What an action comes to for one of many, its failure included."""
    try:
        result: Stored | None = action(item)
    except ProviderError as problem:
        return problem
    return result
