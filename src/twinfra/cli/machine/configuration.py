"""The `configuration` part of a plan's JSON: what is declared, with the references of each expression."""

from __future__ import annotations

from typing import Any

from twinfra.config.model import Configuration, Module, ModuleCall, ResourceConfig
from twinfra.lang import nodes
from twinfra.lang.compiler import Compiled, compile_expression
from twinfra.lang.scope import Reference


def configuration_json(configuration: Configuration) -> dict[str, Any]:
    """The whole `configuration` object."""
    result: dict[str, Any] = {}
    providers = _providers(configuration)
    if providers:
        result["provider_config"] = providers
    result["root_module"] = _module(configuration, configuration.root)
    return result


def _providers(configuration: Configuration) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path, module in configuration.modules.items():
        prefix = ".".join(path) + ":" if path else ""
        for (name, alias), block in module.providers.items():
            required = module.required_providers.get(name)
            entry: dict[str, Any] = {
                "name": name,
                "full_name": str(required.address) if required else _implied(name),
            }
            if alias:
                entry["alias"] = alias
            constraint = block.version or (required.constraint if required else "")
            if constraint:
                entry["version_constraint"] = constraint
            if path:
                entry["module_address"] = ".".join(f"module.{step}" for step in path)
            expressions = body_expressions(block.body)
            if expressions:
                entry["expressions"] = expressions
            found[prefix + name + (f".{alias}" if alias else "")] = entry
        for resource in module.resources.values():
            name = _local_provider(resource)
            key = prefix + name
            if key in found or name in found or resource.provider is not None:
                continue
            required = module.required_providers.get(name)
            entry = {"name": name, "full_name": str(required.address) if required else _implied(name)}
            if required and required.constraint:
                entry["version_constraint"] = required.constraint
            if path:
                continue
            found[key] = entry
    return dict(sorted(found.items()))


def _implied(name: str) -> str:
    from twinfra.addresses import BUILTIN_PROVIDER, ProviderAddress

    return str(BUILTIN_PROVIDER if name == "terraform" else ProviderAddress(name))


def _local_provider(resource: ResourceConfig) -> str:
    if resource.provider is not None:
        return resource.provider.name + (f".{resource.provider.alias}" if resource.provider.alias else "")
    return resource.address.type.partition("_")[0]


def _module(configuration: Configuration, module: Module) -> dict[str, Any]:
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
    resources = sorted(
        module.resources.values(), key=lambda one: (one.address.mode != "managed", str(one.address))
    )
    if resources:
        result["resources"] = [_resource(one) for one in resources]
    calls = {name: _call(configuration, module, call) for name, call in sorted(module.calls.items())}
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


def _resource(resource: ResourceConfig) -> dict[str, Any]:
    result: dict[str, Any] = {
        "address": str(resource.address),
        "mode": "data" if resource.address.mode == "data" else "managed",
        "type": resource.address.type,
        "name": resource.address.name,
        "provider_config_key": _local_provider(resource),
    }
    if resource.provisioners:
        result["provisioners"] = [
            {"type": one.type, "expressions": body_expressions(one.body)} for one in resource.provisioners
        ]
    expressions = body_expressions(resource.body)
    if expressions:
        result["expressions"] = expressions
    result["schema_version"] = 0
    if resource.count is not None and (found := expression_json(resource.count)):
        result["count_expression"] = found
    if resource.for_each is not None and (found := expression_json(resource.for_each)):
        result["for_each_expression"] = found
    if resource.depends_on:
        result["depends_on"] = [one.range.text for one in resource.depends_on]
    return result


def _call(configuration: Configuration, module: Module, call: ModuleCall) -> dict[str, Any]:
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
        result["module"] = _module(configuration, child)
    if call.version:
        result["version_constraint"] = call.version
    if call.depends_on:
        result["depends_on"] = [one.range.text for one in call.depends_on]
    return result


def body_expressions(body: nodes.Body) -> dict[str, Any]:
    """Every argument of a body, nested blocks as lists of the same."""
    attributes = getattr(body, "attributes", None)
    blocks = getattr(body, "blocks", ())
    if attributes is None:
        attributes, _ = body.just_attributes()
        blocks = ()
    found: dict[str, Any] = {name: expression_json(one.expression) for name, one in attributes.items()}
    for block in blocks:
        inner = body_expressions(block.body)
        found.setdefault(block.type, []).append(inner)
    return dict(sorted(found.items()))


def expression_json(expression: nodes.Expression) -> dict[str, Any]:
    """`constant_value` of a literal, or the references of anything else; empty when it has neither."""
    from twinfra.cli.machine.values import plain
    from twinfra.lang.scope import EvaluationContext

    compiled = compile_expression(expression)
    if compiled.has_calls:
        # Stock Terraform has no functions where it looks for constants.
        return _references(compiled)
    if not compiled.references:
        from pathlib import Path

        from twinfra.diagnostics import DiagnosticError

        try:
            return {"constant_value": plain(compiled.evaluate(NoScope(EvaluationContext(Path(), "", True))))}
        except DiagnosticError:
            return {}
    return _references(compiled)


def _references(compiled: Compiled) -> dict[str, Any]:
    names: list[str] = []
    for reference in compiled.references:
        for name in reference_names(reference):
            if name not in names:
                names.append(name)
    return {"references": names} if names else {}


def reference_names(reference: Reference) -> list[str]:
    """A reference as written, then each shorter form down to the object itself."""
    text = reference.range.text
    base = str(reference)
    if reference.kind == "module" and reference.attribute:
        # The last that is named is the call, or its instance where a key says which.
        at = text.find(f".{reference.attribute}", len(base))
        base = text[:at] if at >= 0 and text.startswith(base) else base
    if not text.startswith(base):
        return [base]
    names = []
    while len(text) > len(base):
        names.append(text)
        text = text[: text.rindex("[" if text.endswith("]") else ".")]
    return [*names, base]


class NoScope:
    """A scope for expressions without references."""

    def __init__(self, context: Any) -> None:
        self.context = context

    def value(self, reference: Reference) -> Any:
        """Never called: there are no references."""
        raise LookupError(str(reference))

    def instance(self, reference: Reference, key: Any) -> Any:
        """Never called: there are no references."""
        raise LookupError(str(reference))

    def output(self, reference: Reference, name: str) -> Any:
        """Never called: there are no references."""
        raise LookupError(str(reference))

    def instance_output(self, reference: Reference, key: Any, name: str) -> Any:
        """Never called: there are no references."""
        raise LookupError(str(reference))
