"""Failed API calls: one exception for the code inside the provider, one diagnostic for people."""

from __future__ import annotations

from typing import Any

from twinfra.diagnostics import Diagnostic, error

_THROTTLED = frozenset(
    {
        "EC2ThrottledException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
    }
)


class ApiError(Exception):
    """An API call failed. `code` and `message` are the service's; `status` the HTTP status (0: none came).

    `attempts` is the number of times it was tried. `code` is "Unreachable" when no answer came and
    "Credentials" when there was nothing to sign with.
    """

    def __init__(
        self,
        service: str,
        operation: str,
        code: str,
        message: str,
        status: int = 0,
        attempts: int = 1,
        request_id: str = "",
        response: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{service} {operation}: {code}: {message}")
        self.service = service
        self.operation = operation
        self.code = code
        self.message = message
        self.status = status
        self.attempts = attempts
        self.request_id = request_id
        self.response = response or {}

    @property
    def unsure(self) -> bool:
        """Whether the call may have been carried out all the same."""
        return self.code == "Unreachable" or self.status >= 500 or self.attempts > 1

    @property
    def throttled(self) -> bool:
        """Whether it was refused for coming too fast: nothing was carried out."""
        return self.code in _THROTTLED


class WaitError(Exception):
    """What was waited for did not come: `reason` is a sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def translate(problem: Exception, service: str, operation: str) -> ApiError:
    """A botocore exception as an `ApiError`; anything unknown is raised on."""
    from botocore import exceptions as known
    from botocore.parsers import ResponseParserError

    if isinstance(problem, known.ClientError):
        body = problem.response
        meta = body.get("ResponseMetadata", {})
        told = body.get("Error", {})
        return ApiError(
            service,
            operation,
            str(told.get("Code", "Unknown")),
            str(told.get("Message", "")),
            int(meta.get("HTTPStatusCode", 0)),
            int(meta.get("RetryAttempts", 0)) + 1,
            str(meta.get("RequestId", "")),
            dict(body),
        )
    if isinstance(
        problem,
        known.NoCredentialsError
        | known.PartialCredentialsError
        | known.CredentialRetrievalError
        | known.TokenRetrievalError
        | known.SSOError
        | known.ProfileNotFound
        | known.UnauthorizedSSOTokenError,
    ):
        return ApiError(service, operation, "Credentials", str(problem))
    if isinstance(problem, known.HTTPClientError | known.ConnectionError | known.IncompleteReadError):
        return ApiError(service, operation, "Unreachable", str(problem))
    if isinstance(problem, ResponseParserError):
        # An answer that is not of the API, such as a proxy's own page: it may have been done all the same.
        return ApiError(service, operation, "UnreadableAnswer", str(problem).partition("\n")[0], 500)
    if isinstance(problem, known.ParamValidationError):
        return ApiError(service, operation, "Parameters", str(problem))
    if isinstance(problem, known.BotoCoreError):
        return ApiError(service, operation, type(problem).__name__, str(problem))
    raise problem


_MENDS: dict[str, str] = {
    "Unreachable": "Check the network, the region, and any endpoint set in the provider block or in "
    "AWS_ENDPOINT_URL; then run it again.",
    "Credentials": "Set credentials in the provider block, in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
    "or name a profile; or run it with --sandbox.",
    "ExpiredToken": "Get new credentials, then run it again.",
    "ExpiredTokenException": "Get new credentials, then run it again.",
    "RequestExpired": "Set this machine's clock, or get new credentials.",
    "InvalidClientTokenId": "Check the access key; it is not known to this cloud.",
    "UnrecognizedClientException": "Check the access key; it is not known to this cloud.",
    "InvalidAccessKeyId": "Check the access key; it is not known to this cloud.",
    "AuthFailure": "Check the credentials.",
    "SignatureDoesNotMatch": "Check the secret key.",
}

_DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "AuthorizationError",
        "AuthorizationErrorException",
    }
)


def describe(problem: ApiError, doing: str) -> Diagnostic:
    """The diagnostic of a failed call made while `doing` (such as 'creating aws_vpc')."""
    if problem.code == "Credentials":
        return error(
            "No usable AWS credentials", f"{problem.message}.".replace("..", "."), mend=_MENDS["Credentials"]
        )
    if problem.code == "Unreachable":
        return error(
            "AWS not reachable",
            f"No answer from {problem.service} while {doing}: {problem.message}.".replace("..", "."),
            mend=_MENDS["Unreachable"],
        )
    if problem.code == "Parameters":
        said = " ".join(line.strip() for line in problem.message.splitlines()[1:]) or problem.message
        return error(
            f"Error while {doing}",
            f"{_camel(problem.operation)} of {problem.service} does not take this: {said}.",
        )
    mend = _MENDS.get(problem.code, "")
    if problem.code in _DENIED:
        mend = f"Allow the action {problem.service}:{_camel(problem.operation)} to these credentials."
    if problem.throttled:
        mend = (
            "Run it again; where that does not help, with a lower -parallelism, or a higher max_retries in "
            "the provider block."
        )
    said = problem.message.rstrip(". ") or "no reason given"
    detail = f"{_camel(problem.operation)} of {problem.service} answered {problem.code}: {said}."
    if problem.attempts > 1:
        detail += f" It was tried {problem.attempts} times."
    if problem.request_id:
        detail += f" (request {problem.request_id})"
    return error(f"Error while {doing}", detail, mend=mend)


def _camel(operation: str) -> str:
    return "".join(part.capitalize() for part in operation.split("_"))
