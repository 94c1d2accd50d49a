"""EC2: routes that are led elsewhere, whatever they led to, and associations found by their gateway."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.route_tables import RouteTable
from moto.ec2.responses import EC2Response
from moto.ec2.utils import generate_route_id

from twinfra.sandbox.overlay import graft

_DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")


class _RouteTable:
    def get_filter_value(self: Any, filter_name: str, method_name: str | None = None) -> Any:
        if filter_name == "association.gateway-id":
            return [target for target in self._associations.values() if not target.startswith("subnet-")]
        return _original_filter(self, filter_name, method_name)


class _Routes:
    def replace_route(self: Any) -> ActionResult:
        """The route is made anew in its place: moto's own leaves parts of the old target behind."""
        table = self.ec2_backend.get_route_table(self._get_param("RouteTableId"))
        given = [self._get_param(name) for name in _DESTINATIONS]
        number = generate_route_id(table.id, *given)
        before = table._routes.pop(number, None)
        if before is None:
            raise EC2ClientError(
                "InvalidParameterValue",
                f"There is no route defined for '{next(filter(None, given), '')}' in the route table.",
            )
        try:
            if self._get_param("LocalTarget"):
                self.ec2_backend.create_route(table.id, given[0], given[1], local=True)
            else:
                self.create_route()
        except Exception:
            table._routes[number] = before
            raise
        return EmptyResult()

    def delete_route(self: Any) -> ActionResult:
        table = self.ec2_backend.get_route_table(self._get_param("RouteTableId"))
        given = [self._get_param(name) for name in _DESTINATIONS]
        route = table._routes.get(generate_route_id(table.id, *given))
        if route is not None and route.local:
            raise EC2ClientError(
                "InvalidParameterValue",
                f"cannot remove local route {next(filter(None, given), '')} in route table {table.id}",
            )
        answer: ActionResult = _original_delete(self)
        return answer


_original_filter = RouteTable.get_filter_value
_original_delete = EC2Response.delete_route


def install() -> None:
    """Graft onto moto's classes."""
    graft(RouteTable, _RouteTable)
    graft(EC2Response, _Routes)
