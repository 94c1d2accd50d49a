"""Decodes states and plans for showing: attributes by their provider's schema, marked where sensitive."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twinfra.addresses import DATA, Instance, ProviderAddress, instance_order
from twinfra.cli.machine.state import ShownResource
from twinfra.config.model import Configuration, Module, ResourceConfig
from twinfra.diagnostics import DiagnosticError
from twinfra.engine.changes import Plan, ResourceChange
from twinfra.engine.objects import Facts, decode_object, marked, stored_marks
from twinfra.engine.providers import Providers
from twinfra.schema import Block, ResourceSchema
from twinfra.state.model import State


class SchemaReader:
    """Finds the schema of a type; None where no provider of ours knows it."""

    def __init__(self, providers: Providers | None = None) -> None:
        self.providers = providers or Providers()
        self.found: dict[tuple[ProviderAddress, str, str], ResourceSchema | None] = {}

    def resource(self, provider: ProviderAddress, mode: str, type: str) -> ResourceSchema | None:
        """The schema of a resource type or data source."""
        key = (provider, mode, type)
        if key not in self.found:
            try:
                schema = self.providers.schema(provider)
                table = schema.data_sources if mode == DATA else schema.resources
                self.found[key] = table.get(type)
            except DiagnosticError:
                self.found[key] = None
        return self.found[key]

    def of_change(self, change: ResourceChange) -> Block | None:
        """The block of a planned change's type."""
        resource = change.address.resource
        schema = self.resource(change.provider.provider, resource.mode, resource.type)
        return None if schema is None else schema.block


def decode_state(state: State, schemas: SchemaReader | None = None) -> list[ShownResource]:
    """Every object of a state in address order, decoded; raw attributes where the type is not known to us."""
    reader = schemas or SchemaReader()
    shown = []
    for resource, record in state.resources.items():
        schema = reader.resource(record.provider.provider, resource.resource.mode, resource.resource.type)
        facts = None if schema is None else Facts(schema)
        for key, instance in record.instances.items():
            address = Instance(resource.module, resource.resource, key)
            objects: Iterable[Any] = [("", instance.current), *instance.deposed.items()]
            for deposed, one in objects:
                if one is None:
                    continue
                values: Any = one.attributes
                if facts is not None:
                    provider = reader.providers.unconfigured(record.provider.provider)
                    decoded = decode_object(one, resource.resource.type, facts, provider, address)
                    values = marked(decoded, facts, stored_marks(one))
                shown.append(
                    ShownResource(
                        address,
                        record.provider,
                        one.schema_version,
                        values,
                        one.dependencies,
                        one.tainted,
                        deposed,
                    )
                )
    return sorted(shown, key=lambda one: (instance_order(one.address), one.deposed))


def plan_document(plan: Plan, configuration: Configuration, prior: State) -> dict[str, Any]:
    """The public JSON document of a plan."""
    from twinfra.cli.machine.plan import plan_json, planned_resources
    from twinfra.config.provider_resolution import resolve_providers

    reader = SchemaReader()
    before = decode_state(prior, reader)
    planned = []
    for one in planned_resources(plan, before):
        schema = reader.resource(one.provider.provider, one.address.resource.mode, one.address.resource.type)
        version = schema.version if schema is not None else one.schema_version
        planned.append(ShownResource(one.address, one.provider, version, one.values))
    resolution = resolve_providers(configuration)

    def schema_of(module: Module, resource: ResourceConfig) -> ResourceSchema | None:
        provider = resolution.of(module.path, resource).provider
        return reader.resource(provider, resource.address.mode, resource.address.type)

    return plan_json(plan, configuration, prior, before, planned, schema_of)
