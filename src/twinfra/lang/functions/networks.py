"""Functions that calculate with IP networks in CIDR notation, of both versions."""

from __future__ import annotations

from twinfra.lang.functions.arguments import whole_number
from twinfra.lang.functions.declaration import FunctionError, function, parameter
from twinfra.lang.functions.prefixes import Prefix, parse_prefix, write_address
from twinfra.values.numbers import Number, format_number, to_index
from twinfra.values.types import NUMBER, STRING, ListType
from twinfra.values.value import List, Value

_WORD = 1 << 64
_MOST_EXTENSION = 32


def _parse(text: str, argument: int | None = None) -> Prefix:
    try:
        return parse_prefix(text)
    except ValueError as failure:
        raise FunctionError(f'"prefix": {failure}', argument) from failure


def _any_whole(number: Number, name: str) -> int:
    """Like `whole_number`, but of any size."""
    whole = to_index(number)
    if whole is None:
        raise FunctionError(f'"{name}" must be a whole number, not {format_number(number)}')
    return whole


def _insert(prefix: Prefix, number: int, length: int) -> int:
    """The address with a number written behind the first `length` bits."""
    # The magnitude of a negative result is what stock Terraform shows, too.
    address = abs(prefix.address | number << (prefix.bits - length))
    if address >> prefix.bits:
        raise FunctionError(f"{number} does not fit into an address of {prefix.bits} bits")
    return address


@function(
    "cidrhost",
    "The address of a host within a network.",
    parameter("prefix", STRING, "the network, such as 10.0.0.0/16"),
    parameter("hostnum", NUMBER, "the number of the host; from the end of the network when negative"),
    returns=STRING,
)
def cidrhost(network: str, host: Value) -> str:
    """Numbers count from 0, the address of the network itself."""
    prefix = _parse(network)
    number = _any_whole(host, "hostnum")
    most = (1 << (prefix.bits - prefix.length)) - 1
    counted = -number - 1 if number < 0 else _low_word(number)
    if counted > most:
        raise FunctionError(f"there is no host {number} in {prefix}: it has {most + 1} addresses")
    wanted = most - counted if number < 0 else number
    return write_address(_insert(prefix, wanted, 32 if prefix.mapped else prefix.bits), prefix.bits)


def _low_word(number: int) -> int:
    """The low 64 bits, as a signed number: all that stock Terraform compares of a host number."""
    low = number % _WORD
    return low - _WORD if low >= _WORD // 2 else low


@function(
    "cidrnetmask",
    "The netmask of an IPv4 network, such as 255.255.0.0.",
    parameter("prefix", STRING, "the network, such as 10.0.0.0/16"),
    returns=STRING,
)
def cidrnetmask(network: str) -> str:
    """IPv6 has no netmasks: an error."""
    prefix = _parse(network)
    if prefix.bits == 128 and not prefix.mapped:
        raise FunctionError(f"{network} is an IPv6 network, which has no netmask")
    return write_address(prefix.mask, prefix.bits)


@function(
    "cidrsubnet",
    "A network within another one.",
    parameter("prefix", STRING, "the network to divide, such as 10.0.0.0/16"),
    parameter("newbits", NUMBER, "how many bits longer the new prefix is"),
    parameter("netnum", NUMBER, "which of those networks, from 0"),
    returns=STRING,
)
def cidrsubnet(network: str, extension: Value, which: Value) -> str:
    """`cidrsubnet("10.0.0.0/16", 8, 2)` is `10.0.2.0/24`."""
    prefix = _parse(network)
    added = whole_number(extension, "newbits")
    number = _any_whole(which, "netnum")
    length = prefix.length + added
    if not 0 <= length <= prefix.bits:
        raise FunctionError(
            f"{prefix} cannot be extended by {added} bits: prefixes have from 0 to {prefix.bits} bits"
        )
    if 0 <= added < 64 and abs(number) % _WORD >= 1 << added:
        raise FunctionError(
            f"an extension by {added} bits makes {1 << added} networks, none with number {number}"
        )
    return str(Prefix(_insert(prefix, number, length), prefix.bits, length))


@function(
    "cidrsubnets",
    "Several networks within another one, each after the one before.",
    parameter("prefix", STRING, "the network to divide, such as 10.0.0.0/16"),
    variadic=parameter("newbits", NUMBER, "how many bits longer each new prefix is"),
    returns=ListType(STRING),
)
def cidrsubnets(network: str, *extensions: Value) -> Value:
    """Each network starts at the first place after the one before that its size allows."""
    prefix = _parse(network, 0)
    found: list[str] = []
    position = prefix.address
    # A network that starts at zero is exhausted at once, as stock Terraform has it.
    full = position == 0
    for at, extension in enumerate(extensions, 1):
        added = whole_number(extension, "newbits", at)
        length = prefix.length + added
        if not 1 <= added <= _MOST_EXTENSION:
            raise FunctionError(f"an extension is by 1 to {_MOST_EXTENSION} bits, not by {added}", at)
        if length > prefix.bits:
            raise FunctionError(f"{prefix} extended by {added} bits is longer than an address", at)
        size = 1 << (prefix.bits - length)
        start = (position + size - 1) // size * size
        full = full or prefix.mapped or start >> prefix.bits > 0 or start > prefix.last
        if full:
            raise FunctionError(f"{prefix} has no room left for a network with {length} bits of prefix", at)
        found.append(str(Prefix(start, prefix.bits, length)))
        position = start + size
    return List(found, STRING)
