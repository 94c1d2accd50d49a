"""EC2's client tokens: a request that comes twice with the same token makes one thing, as in the real
service.

https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.responses import EC2Response

from twinfra.sandbox.extensions import ec2, ec2_instances, ec2_launch_templates, ec2_nat_gateways

_OPERATIONS = (
    "run_instances",
    "create_nat_gateway",
    "create_volume",
    "create_vpc_endpoint",
    "create_launch_template",
    "create_capacity_reservation",
    "create_network_interface",
    "create_egress_only_internet_gateway",
    "create_flow_logs",
    "create_route_table",
    "create_transit_gateway",
)


def _once(operation: str, original: Callable[[Any], ActionResult]) -> Callable[[Any], ActionResult]:
    @wraps(original)
    def answer_once(self: Any) -> ActionResult:
        token = self.querystring.get("ClientToken", [""])[0]
        if not token:
            return original(self)
        asked = sorted((name, value[0]) for name, value in self.querystring.items() if name != "ClientToken")
        answered: dict[tuple[str, str], Any] = vars(self.ec2_backend).setdefault("client_tokens", {})
        if (operation, token) in answered:
            before, result = answered[operation, token]
            if before != asked:
                raise EC2ClientError(
                    "IdempotentParameterMismatch",
                    "Arguments on this idempotent request are inconsistent with arguments used in previous "
                    "request(s).",
                )
            return ActionResult(result)
        answer = original(self)
        answered[operation, token] = (asked, answer.result)
        return answer

    return answer_once


def install() -> None:
    """Wrap the operations that take a token."""
    for extension in (ec2, ec2_instances, ec2_launch_templates, ec2_nat_gateways):
        extension.install()  # some of the operations are ours, and are to be wrapped with moto's
    for operation in _OPERATIONS:
        setattr(EC2Response, operation, _once(operation, getattr(EC2Response, operation)))
