"""The `configuration` part of a plan's JSON: what is declared, with the references of each expression."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from twinfra.cli.machine.expressions import body_expressions, expression_json
from twinfra.cli.machine.provider_configs import (
    ProviderConfigs,
    provider_config_json,
    provider_configs,
    provider_key,
)
from twinfra.config.model import Configuration, Module, ModuleCall, ResourceConfig
from twinfra.schema import ResourceSchema

Schemas: TypeAlias = Callable[[Module, ResourceConfig], ResourceSchema | None]
"""Gives the schema of a block; None where no provider of ours knows its type."""


def configuration_json(configuration: Configuration, schemas: Schemas) -> dict[str, Any]:
    """The whole `configuration` object."""
    result: dict[str, Any] = {}
    found = provider_configs(configuration)
    providers = provider_config_json(found)
    if providers:
        result["provider_config"] = providers
    result["root_module"] = _module(configuration, configuration.root, found, schemas)
    return result


def _module(
    configuration: Configuration, module: Module, providers: ProviderConfigs, schemas: Schemas
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    outputs: dict[str, Any] = {}
    for name, output in sorted(module.outputs.items()):
        entry: dict[str, Any] = {}
        if output.sensitive:
            entry["sensitive"] = True
        entry["expression"] = expression_json(output.expression)
        if output.depends_on:
            entry["depends_on"] = [one.range.text for one in output.depends_on]
        if output.description:
            entry["description"] = output.description
        outputs[name] = entry
    if outputs:
        result["outputs"] = outputs
    nested = [one.data for one in module.checks.values() if one.data is not None]
    resources = sorted(
        [*module.resources.values(), *nested],
        key=lambda one: (one.address.mode != "managed", str(one.address)),
    )
    if resources:
        result["resources"] = [_resource(module, one, providers, schemas) for one in resources]
    calls = {
        name: _call(configuration, module, call, providers, schemas)
        for name, call in sorted(module.calls.items())
    }
    if calls:
        result["module_calls"] = calls
    variables: dict[str, Any] = {}
    for name, variable in sorted(module.variables.items()):
        entry = {}
        if variable.has_default:
            from twinfra.cli.machine.values import plain

            entry["default"] = plain(variable.default)
        if variable.description:
            entry["description"] = variable.description
        if variable.sensitive:
            entry["sensitive"] = True
        variables[name] = entry
    if variables:
        result["variables"] = variables
    return result


def _resource(
    module: Module, resource: ResourceConfig, providers: ProviderConfigs, schemas: Schemas
) -> dict[str, Any]:
    result: dict[str, Any] = {
        "address": str(resource.address),
        "mode": "data" if resource.address.mode == "data" else "managed",
        "type": resource.address.type,
        "name": resource.address.name,
        "provider_config_key": provider_key(module.path, resource, providers),
    }
    if resource.provisioners:
        result["provisioners"] = [
            {"type": one.type, "expressions": body_expressions(one.body)} for one in resource.provisioners
        ]
    schema = schemas(module, resource)
    expressions = body_expressions(resource.body, schema.block if schema is not None else None)
    if expressions:
        result["expressions"] = expressions
    result["schema_version"] = schema.version if schema is not None else 0
    if resource.count is not None and (found := expression_json(resource.count)):
        result["count_expression"] = found
    if resource.for_each is not None and (found := expression_json(resource.for_each)):
        result["for_each_expression"] = found
    if resource.depends_on:
        result["depends_on"] = [one.range.text for one in resource.depends_on]
    return result


def _call(
    configuration: Configuration,
    module: Module,
    call: ModuleCall,
    providers: ProviderConfigs,
    schemas: Schemas,
) -> dict[str, Any]:
    result: dict[str, Any] = {"source": call.source}
    expressions = body_expressions(call.body)
    if expressions:
        result["expressions"] = expressions
    if call.count is not None and (found := expression_json(call.count)):
        result["count_expression"] = found
    if call.for_each is not None and (found := expression_json(call.for_each)):
        result["for_each_expression"] = found
    child = configuration.modules.get((*module.path, call.name))
    if child is not None:
        result["module"] = _module(configuration, child, providers, schemas)
    if call.version:
        result["version_constraint"] = call.version
    if call.depends_on:
        result["depends_on"] = [one.range.text for one in call.depends_on]
    return result
