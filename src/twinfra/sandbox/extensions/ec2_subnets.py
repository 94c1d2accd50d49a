"""EC2: the settings of subnets that the emulator does not keep, and the state of their IPv6 networks."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models.subnets import Subnet
from moto.ec2.responses import EC2Response

from twinfra.sandbox.overlay import graft

_SWITCHES = {"EnableDns64": "enable_dns64", "MapCustomerOwnedIpOnLaunch": "map_customer_owned_ip_on_launch"}
_OPTIONS = {
    "EnableResourceNameDnsARecordOnLaunch": "EnableResourceNameDnsARecord",
    "EnableResourceNameDnsAAAARecordOnLaunch": "EnableResourceNameDnsAAAARecord",
}


class _Subnet:
    @property
    def ipv6_cidr_block_association_set(self: Any) -> list[dict[str, Any]]:
        return [
            {
                "AssociationId": one["associationId"],
                "Ipv6CidrBlock": one["ipv6CidrBlock"],
                "Ipv6CidrBlockState": one["ipv6CidrBlockState"],
            }
            for one in self.ipv6_cidr_block_associations.values()
            if one["ipv6CidrBlockState"]["State"] == "associated"
        ]


class _Subnets:
    def modify_subnet_attribute(self: Any) -> ActionResult:
        subnet = self.ec2_backend.get_subnet(self._get_param("SubnetId"))
        for member, name in _SWITCHES.items():
            value = self._get_param(f"{member}.Value")
            if value is not None:
                setattr(subnet, name, value)
        for member, option in _OPTIONS.items():
            value = self._get_param(f"{member}.Value")
            if value is not None:
                subnet.private_dns_name_options_on_launch[option] = value
        hostnames = self._get_param("PrivateDnsHostnameTypeOnLaunch")
        if hostnames is not None:
            subnet.private_dns_name_options_on_launch["HostnameType"] = hostnames
        if self._get_param("EnableLniAtDeviceIndex") is not None:
            subnet.enable_lni_at_device_index = self._get_param("EnableLniAtDeviceIndex")
        if self._get_param("DisableLniAtDeviceIndex.Value"):
            subnet.enable_lni_at_device_index = None
        if self._get_param("CustomerOwnedIpv4Pool") is not None:
            subnet.customer_owned_ipv4_pool = self._get_param("CustomerOwnedIpv4Pool")
        answer: ActionResult = _original_modify(self)
        return answer


_original_modify = EC2Response.modify_subnet_attribute


def install() -> None:
    """Graft onto moto's classes."""
    graft(Subnet, _Subnet)
    graft(EC2Response, _Subnets)
