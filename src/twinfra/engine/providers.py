"""The provider instances of one process: schemas without configuration, and configured ones by their
settings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from twinfra.addresses import ProviderAddress, ProviderConfig
from twinfra.config.model import Configuration
from twinfra.providers.protocol import Object, Provider
from twinfra.providers.registry import create
from twinfra.schema import ProviderSchema

if TYPE_CHECKING:
    from twinfra.engine.program import Program


class Providers:
    """Makes providers on demand with `factory`, which raises `DiagnosticError` for an address it does not
    know.

    An instance whose settings did not change serves the next run too (plan, then apply).
    """

    def __init__(self, factory: Callable[[ProviderAddress], Provider] = create) -> None:
        self._factory = factory
        self._plain: dict[ProviderAddress, Provider] = {}
        self._schemas: dict[ProviderAddress, ProviderSchema] = {}
        self._configured: dict[ProviderConfig, tuple[Object, Provider]] = {}
        self._program: Program | None = None

    def another(self) -> Providers:
        """Others from the same factory, so that two runs side by side do not take turns in one provider."""
        return Providers(self._factory)

    def unconfigured(self, address: ProviderAddress) -> Provider:
        """A provider without settings, for its schema and checks; raises `DiagnosticError` where there is
        none.
        """
        found = self._plain.get(address)
        if found is None:
            found = self._plain[address] = self._factory(address)
        return found

    def schema(self, address: ProviderAddress) -> ProviderSchema:
        """What a provider declares; raises `DiagnosticError` where there is no such provider."""
        found = self._schemas.get(address)
        if found is None:
            found = self._schemas[address] = self.unconfigured(address).schema()
        return found

    def is_local(self, address: ProviderAddress) -> bool:
        """Whether it calls nobody (its attribute `local`), so that no thread is needed to wait for it."""
        return getattr(self.unconfigured(address), "local", False)

    def program(self, configuration: Configuration) -> Program:
        """A configuration made ready to run with these providers' schemas; kept for the next walk."""
        from twinfra.engine.program import Program

        if self._program is None or self._program.configuration is not configuration:
            self._program = Program(configuration, self)
        return self._program

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

    def started(self, config: ProviderConfig) -> Provider | None:
        """The provider that a walk configured for these settings; None where none did."""
        held = self._configured.get(config)
        return None if held is None else held[1]

    def close(self) -> None:
        """Let go of all of them."""
        held, self._configured = self._configured, {}
        plain, self._plain = self._plain, {}
        for provider in (*(one for _, one in held.values()), *plain.values()):
            provider.close()
