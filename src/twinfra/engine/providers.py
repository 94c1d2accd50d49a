"""The provider instances of one process: schemas without configuration, and configured ones by their settings."""

from __future__ import annotations

from collections.abc import Callable

from twinfra.addresses import ProviderAddress, ProviderConfig
from twinfra.providers.protocol import Object, Provider
from twinfra.providers.registry import create
from twinfra.schema import ProviderSchema


class Providers:
    """Makes providers on demand with `factory`, which raises `DiagnosticError` for an address it does not know.

    An instance whose settings did not change serves the next run too (plan, then apply).
    """

    def __init__(self, factory: Callable[[ProviderAddress], Provider] = create) -> None:
        self._factory = factory
        self._schemas: dict[ProviderAddress, ProviderSchema] = {}
        self._configured: dict[ProviderConfig, tuple[Object, Provider]] = {}

    def schema(self, address: ProviderAddress) -> ProviderSchema:
        """What a provider declares; raises `DiagnosticError` where there is no such provider."""
        found = self._schemas.get(address)
        if found is None:
            provider = self._factory(address)
            found = self._schemas[address] = provider.schema()
            provider.close()
        return found

    def configured(self, config: ProviderConfig, settings: Object) -> Provider:
        """A provider that took `settings`; raises `ProviderError` where it refuses them."""
        held = self._configured.get(config)
        if held is not None:
            if held[0] == settings:
                return held[1]
            held[1].close()
            del self._configured[config]
        provider = self._factory(config.provider)
        provider.configure(settings)
        self._configured[config] = (settings, provider)
        return provider

    def close(self) -> None:
        """Let go of all of them."""
        held, self._configured = self._configured, {}
        for _, provider in held.values():
            provider.close()
