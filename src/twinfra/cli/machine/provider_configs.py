"""Which provider configuration is meant where, in the `configuration` part of a plan's JSON.

Each module's local names are looked up as stock Terraform does it: what a module is given is its caller's, and what it
neither configures nor is given is that of the module around it, if that one knows the name.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from twinfra.addresses import ModulePath
from twinfra.cli.machine.expressions import body_expressions
from twinfra.config.model import Configuration, Module, ModuleCall, ResourceConfig
from twinfra.config.provider_resolution import address_of
from twinfra.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """A local name of a module: what is told of it, and the key of that which it stands for, if another."""

    provider: str
    entry: dict[str, Any]
    stands_for: str = ""


ProviderConfigs: TypeAlias = dict[str, Known]
"""By key: the local name, after the module and a colon where it is not that of the root."""


def provider_configs(configuration: Configuration) -> ProviderConfigs:
    """All local names of all modules."""
    found: ProviderConfigs = {}
    pending: list[ModulePath] = [()]
    while pending:
        path = pending.pop()
        module = configuration.modules[path]
        _own(module, found)
        for call in module.calls.values():
            child = configuration.modules.get((*path, call.name))
            if child is not None:
                _given(module, call, child, found)
                pending.append(child.path)
    return found


def provider_config_json(found: ProviderConfigs) -> dict[str, Any]:
    """The `provider_config` object: those that stand for themselves."""
    return {key: one.entry for key, one in sorted(found.items()) if not one.stands_for}


def provider_key(path: ModulePath, resource: ResourceConfig, found: ProviderConfigs) -> str:
    """The key of the configuration that a block uses."""
    key = _key(path, _local_name(resource))
    known = found.get(key)
    return known.stands_for or key if known is not None else key


def _own(module: Module, found: ProviderConfigs) -> None:
    """What the module configures, requires, or uses without a word; what it was given is known already."""
    for (name, alias), block in module.providers.items():
        entry = _entry(module, name, name)
        if alias:
            entry["alias"] = alias
        if block.version:
            entry["version_constraint"] = block.version
        expressions = body_expressions(block.body)
        if expressions:
            entry["expressions"] = expressions
        found[_key(module.path, _joined(name, alias))] = Known(entry["full_name"], entry)
    for name, required in module.required_providers.items():
        for written in (*(_joined(one.name, one.alias) for one in required.aliases), name):
            _implied(module, name, written, found)
    for resource in module.resources.values():
        # Of a name with an alias nothing can be assumed.
        name = _local_name(resource).partition(".")[0]
        _implied(module, name, name, found)


def _implied(module: Module, name: str, written: str, found: ProviderConfigs) -> None:
    key = _key(module.path, written)
    if key not in found:
        entry = _entry(module, name, name)
        around = _key(module.path[:-1], written) if module.path else ""
        found[key] = Known(entry["full_name"], entry, _source(around, entry["full_name"], found))


def _given(module: Module, call: ModuleCall, child: Module, found: ProviderConfigs) -> None:
    """What a call passes to a module, under the module's own names."""
    for inner, outer in call.providers:
        written = _joined(inner.name, inner.alias)
        entry = _entry(child, inner.name, written)
        entry.pop("version_constraint", None)
        source = _key(module.path, _joined(outer.name, outer.alias))
        found[_key(child.path, written)] = Known(
            entry["full_name"], entry, _source(source, entry["full_name"], found)
        )


def _source(key: str, provider: str, found: ProviderConfigs) -> str:
    """The configuration that a name stands for in the end; "" where that is not known."""
    last = ""
    while key and (known := found.get(key)) is not None and known.provider == provider:
        last, key = key, known.stands_for
    return last


def _entry(module: Module, name: str, written: str) -> dict[str, Any]:
    required = module.required_providers.get(name)
    entry: dict[str, Any] = {"name": written, "full_name": str(address_of(module, name))}
    if required is not None and required.constraint:
        entry["version_constraint"] = required.constraint
    if module.path:
        entry["module_address"] = _address(module.path)
    return entry


def _local_name(resource: ResourceConfig) -> str:
    if resource.provider is not None:
        return _joined(resource.provider.name, resource.provider.alias)
    return resource.address.type.partition("_")[0]


def _joined(name: str, alias: str) -> str:
    return f"{name}.{alias}" if alias else name


def _key(path: ModulePath, name: str) -> str:
    return f"{_address(path)}:{name}" if path else name


def _address(path: ModulePath) -> str:
    return ".".join(f"module.{step}" for step in path)
