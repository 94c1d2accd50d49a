"""The public JSON form of a state (`show -json`): values by module, with what is sensitive."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from twinfra.addresses import DATA, Instance, ModuleInstance, ProviderConfig, instance_order
from twinfra.cli.machine.values import plain, sensitive_flags
from twinfra.dataclass import dataclass
from twinfra.state.model import State
from twinfra.values.value import Value

COMPATIBLE_VERSION = "1.11.4"
"""The Terraform version whose formats and language we keep to."""

STATE_FORMAT = "1.0"


@dataclass(frozen=True, slots=True)
class ShownResource:
    """One object for `values`: decoded attributes, marked where sensitive."""

    address: Instance
    provider: ProviderConfig
    schema_version: int
    values: Value
    depends_on: tuple[str, ...] = ()
    tainted: bool = False
    deposed: str = ""


def resource_json(shown: ShownResource) -> dict[str, Any]:
    """One entry of a module's `resources`."""
    address = shown.address
    result: dict[str, Any] = {
        "address": str(address),
        "mode": "data" if address.resource.mode == DATA else "managed",
        "type": address.resource.type,
        "name": address.resource.name,
    }
    if address.key is not None:
        result["index"] = address.key
    result["provider_name"] = str(shown.provider.provider)
    result["schema_version"] = shown.schema_version
    if shown.values is not None:  # of what is forgotten, a plan tells no values
        result["values"] = plain(shown.values)
    result["sensitive_values"] = sensitive_flags(shown.values)
    if shown.depends_on:
        result["depends_on"] = list(shown.depends_on)
    if shown.tainted:
        result["tainted"] = True
    if shown.deposed:
        result["deposed_key"] = shown.deposed
    return result


def module_json(resources: Iterable[ShownResource], *, by_text: bool = False) -> dict[str, Any]:
    """The `root_module` object: its resources, and child modules below it, each with theirs.

    As in stock Terraform, child modules are in the order of their addresses as text, resources in that of what they
    are; `by_text`: these, too, in that of their addresses as text.
    """
    by_module: dict[ModuleInstance, list[ShownResource]] = {}
    for shown in resources:
        module = shown.address.module
        while module not in by_module:
            by_module[module] = []
            if not module.steps:
                break
            module = ModuleInstance(module.steps[:-1])
        by_module[shown.address.module].append(shown)
    children: dict[ModuleInstance, list[ModuleInstance]] = {}
    for module in by_module:
        if module.steps:
            children.setdefault(ModuleInstance(module.steps[:-1]), []).append(module)
    return _module(ModuleInstance(), by_module, children, _by_text if by_text else _by_address)


def _by_address(shown: ShownResource) -> tuple[Any, ...]:
    return (instance_order(shown.address), shown.deposed)


def _by_text(shown: ShownResource) -> tuple[Any, ...]:
    return (str(shown.address), shown.deposed)


def _module(
    module: ModuleInstance,
    by_module: dict[ModuleInstance, list[ShownResource]],
    children: dict[ModuleInstance, list[ModuleInstance]],
    order: Callable[[ShownResource], tuple[Any, ...]],
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    own = sorted(by_module.get(module, ()), key=order)
    if own:
        result["resources"] = [resource_json(shown) for shown in own]
    if module.steps:
        result["address"] = str(module)
    below = sorted(children.get(module, ()), key=str)
    if below:
        result["child_modules"] = [_module(child, by_module, children, order) for child in below]
    return result


def state_outputs(state: State) -> dict[str, Any]:
    """The `outputs` object of a state's values."""
    return {
        name: {"sensitive": output.sensitive, "value": output.value, "type": output.type}
        for name, output in sorted(state.outputs.items())
    }


def state_json(state: State, shown: Callable[[State], Iterable[ShownResource]]) -> dict[str, Any]:
    """The whole document; `shown` decodes the objects of a state."""
    result: dict[str, Any] = {"format_version": STATE_FORMAT}
    if not state.resources and not state.outputs:
        return result
    result["terraform_version"] = state.terraform_version or COMPATIBLE_VERSION
    values: dict[str, Any] = {}
    if state.outputs:
        values["outputs"] = state_outputs(state)
    values["root_module"] = module_json(shown(state))
    result["values"] = values
    checks = checks_of_state(state)
    if checks:
        result["checks"] = checks
    return result


def checks_of_state(state: State) -> list[Any]:
    """The `checks` list from the results kept in the state file."""
    found = []
    for result in state.check_results or ():
        kind, name = result["object_kind"], result["config_addr"]
        entry: dict[str, Any] = {"address": check_address(kind, name), "status": result["status"]}
        instances = []
        for one in result.get("objects") or ():
            inner: dict[str, Any] = {
                "address": instance_address(one["object_addr"], name),
                "status": one["status"],
            }
            if one.get("failure_messages"):
                inner["problems"] = [{"message": text} for text in one["failure_messages"]]
            instances.append(inner)
        if instances:
            entry["instances"] = instances
        found.append(entry)
    return found


def check_address(kind: str, container: str) -> dict[str, Any]:
    """The static address object of something checkable, from its kind and its configured address."""
    public = {"output": "output_value", "input_variable": "var"}.get(kind, kind)
    parts = container.split(".")
    modules: list[str] = []
    while len(parts) > 2 and parts[0] == "module":
        modules.append(parts[1])
        parts = parts[2:]
    address: dict[str, Any] = {"kind": public, "to_display": container}
    if kind == "resource":
        address["mode"] = "data" if parts[0] == "data" else "managed"
        address["name"] = parts[-1]
        address["type"] = parts[-2]
    else:
        address["name"] = parts[-1]
    if modules:
        address["module"] = ".".join(f"module.{name}" for name in modules)
    return dict(sorted(address.items()))


def instance_address(address: str, container: str) -> dict[str, Any]:
    """The address object of one instance of something checkable, whose configured address is `container`."""
    module, key = _instance_parts(address, container)
    result: dict[str, Any] = {}
    if key is not None:
        result["instance_key"] = key
    if module:
        result["module"] = module
    result["to_display"] = address
    return result


def _instance_parts(address: str, container: str) -> tuple[str, Any]:
    """The module instance and instance key in an address, given the configured object's address."""
    import json

    tail = container.rsplit(".", 2 if container.count(".") else 1)
    name = ".".join(tail[-2:])
    at = address.rfind(name)
    module = address[:at].rstrip(".").removesuffix(".data").removesuffix("data")
    rest = address[at + len(name) :]
    try:
        key = json.loads(rest[1:-1]) if rest.startswith("[") else None
    except ValueError:
        # Not as any program writes it: the address as it stands must do.
        key = None
    return module, key
