"""Which provider serves an address: a table of names, each provider's code loaded only when asked for."""

from __future__ import annotations

from importlib import import_module

from twinfra.addresses import BUILTIN_PROVIDER, ProviderAddress
from twinfra.diagnostics import DiagnosticError, error, nearest
from twinfra.providers.protocol import Provider

_SERVED: dict[ProviderAddress, tuple[str, str]] = {
    BUILTIN_PROVIDER: ("twinfra.providers.terraform", "TerraformProvider"),
    ProviderAddress("aws"): ("twinfra.providers.aws", "AwsProvider"),
}
"""Address to (module, name of the class or factory in it)."""


def served() -> tuple[ProviderAddress, ...]:
    """All addresses that have a provider."""
    return tuple(_SERVED)


def is_served(address: ProviderAddress) -> bool:
    """Whether some provider serves the address."""
    return address in _SERVED


def create(address: ProviderAddress) -> Provider:
    """A new, unconfigured provider; raises `DiagnosticError` where none serves the address."""
    entry = _SERVED.get(address)
    if entry is None:
        known = sorted(str(one) for one in _SERVED)
        raise DiagnosticError(
            error(
                "Provider not available",
                f"No provider for {address} is part of this version. There is: {', '.join(known)}.",
                mend=nearest(str(address), known)
                or "Correct the source in required_providers, or remove its use.",
            )
        )
    module, name = entry
    made: Provider = getattr(import_module(module), name)()
    return made
