"""Network interfaces as launch templates describe them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twinfra.providers.aws.checks import between
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import Field, block, boolean, number, one_block, string, string_set
from twinfra.providers.aws.resource import Api
from twinfra.providers.aws.services.ec2._switches import switch

_ENA_SRD: dict[str, Field] = {
    "ena_srd_enabled": boolean("EnaSrdEnabled", about="Whether ENA Express is on."),
    "ena_srd_udp_specification": one_block(
        {"ena_srd_udp_enabled": boolean("EnaSrdUdpEnabled", about="Whether it is for UDP too.")},
        "EnaSrdUdpSpecification",
        hollow=True,
        about="ENA Express for UDP.",
    ),
}

_TRACKING: dict[str, Field] = {
    "tcp_established_timeout": number(
        "TcpEstablishedTimeout", checks=(between(60, 432000),), about="Seconds for idle TCP connections."
    ),
    "udp_stream_timeout": number(
        "UdpStreamTimeout", checks=(between(60, 180),), about="Seconds for idle streams of UDP."
    ),
    "udp_timeout": number("UdpTimeout", checks=(between(30, 60),), about="Seconds for single UDP packets."),
}


def _wrapped(api: str, key: str, about: str) -> Field:
    """A set of strings, each of which the API has in a structure of its own."""

    def write(values: Any) -> Api:
        return {api: [{key: str(one)} for one in values]}

    def read(found: Api, _: Context) -> list[Any]:
        return [one.get(key) for one in found.get(api, ())]

    return string_set("", read=read, write=write, about=about)


def _primary(found: Api, _: Context) -> Any:
    listed = [one for one in found.get("PrivateIpAddresses", ()) if one.get("Primary")]
    return found.get("PrivateIpAddress") or (listed[0].get("PrivateIpAddress") if listed else None)


_INTERFACE: dict[str, Field] = {
    "associate_carrier_ip_address": switch(
        "AssociateCarrierIpAddress", about="Whether it gets an address of the carrier."
    ),
    "associate_public_ip_address": switch(
        "AssociatePublicIpAddress", about="Whether it gets a public address."
    ),
    "connection_tracking_specification": one_block(
        _TRACKING, "ConnectionTrackingSpecification", hollow=True, about="How long idle connections are kept."
    ),
    "delete_on_termination": switch("DeleteOnTermination", about="Whether it goes with the instance."),
    "description": string("Description", about="What it is for."),
    "device_index": number("DeviceIndex", default=0, about="Its position."),
    "ena_srd_specification": one_block(_ENA_SRD, "EnaSrdSpecification", hollow=True, about="ENA Express."),
    "interface_type": string("InterfaceType", allowed=("interface", "efa", "efa-only"), about="Its kind."),
    "ipv4_address_count": number("SecondaryPrivateIpAddressCount", about="How many further IPv4 addresses."),
    "ipv4_addresses": _wrapped("PrivateIpAddresses", "PrivateIpAddress", "Its IPv4 addresses."),
    "ipv4_prefix_count": number("Ipv4PrefixCount", about="How many IPv4 prefixes."),
    "ipv4_prefixes": _wrapped("Ipv4Prefixes", "Ipv4Prefix", "Its IPv4 prefixes."),
    "ipv6_address_count": number("Ipv6AddressCount", about="How many IPv6 addresses."),
    "ipv6_addresses": _wrapped("Ipv6Addresses", "Ipv6Address", "Its IPv6 addresses."),
    "ipv6_prefix_count": number("Ipv6PrefixCount", about="How many IPv6 prefixes."),
    "ipv6_prefixes": _wrapped("Ipv6Prefixes", "Ipv6Prefix", "Its IPv6 prefixes."),
    "network_card_index": number("NetworkCardIndex", about="The network card that it is on."),
    "network_interface_id": string("NetworkInterfaceId", about="One that exists, instead of a new one."),
    "primary_ipv6": switch("PrimaryIpv6", about="Whether the first IPv6 address stays for good."),
    "private_ip_address": string("PrivateIpAddress", read=_primary, about="Its primary IPv4 address."),
    "security_groups": string_set("Groups", about="Its security groups, by id."),
    "subnet_id": string("SubnetId", about="The subnet that it lies in."),
}

NETWORK_INTERFACES = block(_INTERFACE, "NetworkInterfaces", about="Network interfaces.")


def mark_primary(interfaces: Iterable[Api]) -> None:
    """Where all addresses are listed, the primary one is a mark in that list."""
    for one in interfaces:
        if one.get("PrivateIpAddresses"):
            primary = one.pop("PrivateIpAddress", None)
            for address in one["PrivateIpAddresses"]:
                address["Primary"] = address["PrivateIpAddress"] == primary
