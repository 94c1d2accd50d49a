"""EC2: further addresses of NAT gateways, regional ones, tags as filters, and addresses freed by deletion."""

from __future__ import annotations

from functools import cache
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.nat_gateways import NatGateway
from moto.ec2.responses import EC2Response
from moto.ec2.utils import add_tag_specification, random_nat_gateway_id, random_private_ip

from twinfra.sandbox.overlay import graft


def _gateway(backend: Any, number: str) -> Any:
    found = backend.nat_gateways.get(number)
    if found is None:
        raise EC2ClientError("NatGatewayNotFound", f"The Nat Gateway {number} was not found")
    return found


def _address(backend: Any, gateway: Any, allocation: str | None = None, inside: str | None = None) -> None:
    """One more address of a gateway: outside, inside, or both."""
    address: dict[str, Any] = {
        "PrivateIp": inside or random_private_ip(),
        "NetworkInterfaceId": gateway._eni.id if gateway._eni is not None else None,
        "IsPrimary": False,
        "Status": "succeeded",
    }
    if allocation is not None:
        (elastic,) = backend.address_by_allocation([allocation])
        backend.associate_address(eni=gateway._eni, allocation_id=allocation, reassociate=True)
        address |= {
            "AllocationId": allocation,
            "PublicIp": elastic.public_ip,
            "AssociationId": elastic.association_id,
        }
    gateway.address_set.append(address)


def _free(backend: Any, address: dict[str, Any]) -> None:
    association = address.get("AssociationId")
    for elastic in backend.addresses:
        if association and elastic.association_id == association:
            elastic.eni = elastic.instance = elastic.association_id = None


def _regional(response: Any) -> Any:
    """A gateway of a whole network, which lies in no subnet."""
    backend = response.ec2_backend
    gateway = NatGateway.__new__(NatGateway)
    gateway.id, gateway.subnet_id, gateway.state = random_nat_gateway_id(), None, "available"
    gateway.address_set, gateway.private_ip, gateway._eni = [], None, None
    gateway.connectivity_type = response._get_param("ConnectivityType") or "public"
    gateway._created_at, gateway.ec2_backend = utcnow(), backend
    gateway.vpc_id = backend.get_vpc(response._get_param("VpcId")).id
    gateway.availability_mode = "regional"
    zones = response._get_param("AvailabilityZoneAddresses", [])
    gateway.auto_scaling_ips = gateway.auto_provision_zones = "disabled" if zones else "enabled"
    gateway.route_table_id = backend.create_route_table(gateway.vpc_id).id
    gateway.add_tags(add_tag_specification(response._get_param("TagSpecifications", [])))
    for zone in zones:
        for allocation in zone.get("AllocationIds", []):
            _address(backend, gateway, allocation)
            _place(backend, gateway, zone.get("AvailabilityZone"), zone.get("AvailabilityZoneId"))
    backend.nat_gateways[gateway.id] = gateway
    return gateway


def _place(backend: Any, gateway: Any, name: str | None, number: str | None) -> None:
    """The address added last is used in a zone, told by name or id."""
    for zone in backend.describe_availability_zones():
        if name == zone.name or number == zone.zone_id:
            gateway.address_set[-1] |= {"AvailabilityZone": zone.name, "AvailabilityZoneId": zone.zone_id}


class _NatGateways:
    def create_nat_gateway(self: Any) -> ActionResult:
        if self._get_param("AvailabilityMode") == "regional":
            return ActionResult({"NatGateway": _regional(self)})
        answer: ActionResult = _original_create(self)
        gateway = answer.result["NatGateway"]
        gateway.connectivity_type = gateway.connectivity_type or "public"
        backend, first = self.ec2_backend, gateway.address_set[0]
        shown = {name[0].upper() + name[1:]: value for name, value in first.items()}
        gateway.address_set[0] = {"IsPrimary": True, "Status": "succeeded", **shown}
        if self._get_param("PrivateIpAddress"):
            gateway.address_set[0]["PrivateIp"] = self._get_param("PrivateIpAddress")
        for allocation in self._get_param("SecondaryAllocationIds", []):
            _address(backend, gateway, allocation)
        for inside in self._get_param("SecondaryPrivateIpAddresses", []):
            _address(backend, gateway, inside=inside)
        for _ in range(int(self._get_param("SecondaryPrivateIpAddressCount") or 0)):
            _address(backend, gateway)
        return answer

    def delete_nat_gateway(self: Any) -> ActionResult:
        gateway = _gateway(self.ec2_backend, self._get_param("NatGatewayId"))
        for address in gateway.address_set:
            _free(self.ec2_backend, address)
        if gateway._eni is not None:
            self.ec2_backend.enis.pop(gateway._eni.id, None)
        gateway.state = "deleted"
        return ActionResult({"NatGatewayId": gateway.id})

    def describe_nat_gateways(self: Any) -> ActionResult:
        numbers = self._get_param("NatGatewayIds", [])
        for number in numbers:
            _gateway(self.ec2_backend, number)
        filters = self._filters_from_querystring()
        tags = {name: values for name, values in filters.items() if name.startswith("tag")}
        found = self.ec2_backend.describe_nat_gateways(filters, numbers)
        return ActionResult({"NatGateways": [one for one in found if _tagged(one, tags)]})

    def associate_nat_gateway_address(self: Any) -> ActionResult:
        backend = self.ec2_backend
        gateway = _gateway(backend, self._get_param("NatGatewayId"))
        inside = self._get_param("PrivateIpAddresses", [])
        for at, allocation in enumerate(self._get_param("AllocationIds", [])):
            _address(backend, gateway, allocation, inside[at] if at < len(inside) else None)
            _place(
                backend, gateway, self._get_param("AvailabilityZone"), self._get_param("AvailabilityZoneId")
            )
        return _answer(gateway)

    def disassociate_nat_gateway_address(self: Any) -> ActionResult:
        gateway = _gateway(self.ec2_backend, self._get_param("NatGatewayId"))
        gone = self._get_param("AssociationIds", [])
        for address in gateway.address_set:
            if address.get("AssociationId") in gone:
                _free(self.ec2_backend, address)
        gateway.address_set = [one for one in gateway.address_set if one.get("AssociationId") not in gone]
        return _answer(gateway)

    def assign_private_nat_gateway_address(self: Any) -> ActionResult:
        gateway = _gateway(self.ec2_backend, self._get_param("NatGatewayId"))
        for inside in self._get_param("PrivateIpAddresses", []):
            _address(self.ec2_backend, gateway, inside=inside)
        for _ in range(int(self._get_param("PrivateIpAddressCount") or 0)):
            _address(self.ec2_backend, gateway)
        return _answer(gateway)

    def unassign_private_nat_gateway_address(self: Any) -> ActionResult:
        gateway = _gateway(self.ec2_backend, self._get_param("NatGatewayId"))
        gone = self._get_param("PrivateIpAddresses", [])
        gateway.address_set = [one for one in gateway.address_set if one["PrivateIp"] not in gone]
        return _answer(gateway)


def _answer(gateway: Any) -> ActionResult:
    return ActionResult({"NatGatewayId": gateway.id, "NatGatewayAddresses": gateway.address_set})


def _tagged(gateway: Any, filters: dict[str, list[str]]) -> bool:
    tags = {tag["key"]: tag["value"] for tag in gateway.get_tags()}
    for name, wanted in filters.items():
        found = list(tags) if name == "tag-key" else [tags.get(name.removeprefix("tag:"))]
        if not set(found) & set(wanted):
            return False
    return True


_original_create = EC2Response.create_nat_gateway


@cache
def install() -> None:
    """Graft onto moto's classes."""
    graft(EC2Response, _NatGateways)
