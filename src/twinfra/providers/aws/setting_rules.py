"""What single settings of the provider block may be; how they go together is said in `settings`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from twinfra.diagnostics import Diagnostic, error
from twinfra.providers.aws.waiting import seconds_of
from twinfra.providers.protocol import Object
from twinfra.values.value import GetAttr, Index, Path, Unknown

_CHOICES: dict[str, tuple[str, ...]] = {
    "s3_us_east_1_regional_endpoint": ("legacy", "regional"),
    "ec2_metadata_service_endpoint_mode": ("IPv4", "IPv6"),
}

_ROLE_ARN = re.compile(r"arn:[\w-]+:iam::\d{12}:role/.+")

_SHORTEST, _LONGEST = 15 * 60, 12 * 60 * 60
"""Seconds that credentials of a role hold
(https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html).
"""


def broken(config: Object, variables: Mapping[str, str] | None) -> Iterator[Diagnostic]:
    """What is wrong with single settings; what is not known yet is passed over.

    `variables`: the environment that may have what the block lacks; None where no role is assumed anyway.
    """
    for name, allowed in _CHOICES.items():
        value = config.get(name)
        if isinstance(value, str) and value and value.lower() not in map(str.lower, allowed):
            listed = " or ".join(f'"{one}"' for one in allowed)
            yield _invalid((GetAttr(name),), f'{name} must be {listed}, not "{value}".')
    tries = config.get("max_retries")
    if isinstance(tries, int | float) and (tries < 0 or tries != int(tries)):
        yield _invalid((GetAttr("max_retries"),), "max_retries must be a whole number, 0 or more.")
    for block in ("assume_role", "assume_role_with_web_identity"):
        for at, role in enumerate(blocks(config.get(block))):
            yield from _role(role, (GetAttr(block), Index(at)))
    for at, role in enumerate(blocks(config.get("assume_role_with_web_identity"))):
        path = (GetAttr("assume_role_with_web_identity"), Index(at))
        if not role.get("role_arn"):
            yield error("Missing role", "assume_role_with_web_identity needs role_arn.", path=path)
        names = ("web_identity_token", "web_identity_token_file")
        given = any(role.get(name) for name in names)
        if variables is not None and not given and not variables.get("AWS_WEB_IDENTITY_TOKEN_FILE"):
            yield error(
                "Missing token",
                "assume_role_with_web_identity has no token to show.",
                path=path,
                mend="Give web_identity_token_file or web_identity_token, or set AWS_WEB_IDENTITY_TOKEN_FILE.",
            )


def _role(role: Object, path: Path) -> Iterator[Diagnostic]:
    arn, duration = role.get("role_arn"), role.get("duration")
    if isinstance(arn, str) and arn and not _ROLE_ARN.fullmatch(arn):
        yield _invalid(
            (*path, GetAttr("role_arn")),
            f'"{arn}" is not the ARN of a role, such as "arn:aws:iam::123456789012:role/deployer".',
        )
    if isinstance(duration, str) and duration:
        try:
            fits = _SHORTEST <= seconds_of(duration) <= _LONGEST
        except ValueError:
            fits = False
        if not fits:
            yield _invalid(
                (*path, GetAttr("duration")),
                f'duration must be between 15 minutes and 12 hours, such as "1h30m", not "{duration}".',
            )


def _invalid(path: Path, detail: str) -> Diagnostic:
    return error("Invalid provider setting", detail, path=path)


def blocks(value: Any) -> list[Object]:
    """The blocks of one type in the provider block, as far as they are known."""
    if value is None or type(value) is Unknown:
        return []
    return [one for one in value if isinstance(one, dict)]
