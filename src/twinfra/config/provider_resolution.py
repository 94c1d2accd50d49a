"""Which provider configuration serves which resource, through modules, aliases and what is passed to calls.

The rules are those of https://developer.hashicorp.com/terraform/language/modules/develop/providers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field

from twinfra.addresses import ModulePath, ProviderAddress, ProviderConfig
from twinfra.config.hcl_modules import implied_address, provider_text
from twinfra.config.model import Configuration, Module, ModuleCall, ProviderBlock, ProviderRef, ResourceConfig
from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, Diagnostics, error, nearest, warning
from twinfra.lang.nodes import BodyShape


@dataclass(frozen=True, slots=True)
class Declared:
    """A provider block with the configuration it makes."""

    config: ProviderConfig
    block: ProviderBlock


@dataclass(slots=True)
class ProviderResolution:
    """Answers which provider configuration is meant; `diagnostics` say what is wrong with references to them.

    `incomplete`: one that is referred to is missing, so that nothing else can be looked at.
    """

    configuration: Configuration
    incomplete: bool = False
    diagnostics: Diagnostics = field(default_factory=Diagnostics)
    _blocks: dict[ModulePath, dict[tuple[str, str], Declared]] = field(default_factory=dict)
    _found: dict[tuple[ModulePath, str, str], ProviderConfig] = field(default_factory=dict)

    def declared(self, path: ModulePath) -> Iterator[Declared]:
        """The provider blocks of a module that make a configuration."""
        yield from self._blocks.get(path, {}).values()

    def of(self, path: ModulePath, resource: ResourceConfig) -> ProviderConfig:
        """The configuration that serves a resource of a module."""
        if resource.provider is not None:
            return self.resolve(path, resource.provider.name, resource.provider.alias)
        return self.resolve(path, implied_name(resource), "")

    def resolve(self, path: ModulePath, name: str, alias: str) -> ProviderConfig:
        """The configuration that a local name and alias stand for in a module."""
        key = (path, name, alias)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._resolve(path, name, alias)
        return found

    def _resolve(self, path: ModulePath, name: str, alias: str) -> ProviderConfig:
        module = self.configuration.modules[path]
        address = address_of(module, name)
        own = self._blocks.get(path, {}).get((name, alias))
        if own is not None:
            return own.config
        if not path:
            return ProviderConfig(address, alias)
        call = self.configuration.modules[path[:-1]].calls[path[-1]]
        for inner, outer in call.providers:
            if (inner.name, inner.alias) == (name, alias):
                return self.resolve(path[:-1], outer.name, outer.alias)
        if alias:
            return ProviderConfig(address, alias, path)
        return self._inherited(path[:-1], address)

    def _inherited(self, path: ModulePath, address: ProviderAddress) -> ProviderConfig:
        """The default configuration of a provider that a module has without being passed any."""
        module = self.configuration.modules[path]
        for name in (*module.required_providers, address.type):
            if address_of(module, name) == address:
                return self.resolve(path, name, "")
        return self._inherited(path[:-1], address) if path else ProviderConfig(address)


def address_of(module: Module, name: str) -> ProviderAddress:
    """The provider that a local name stands for in a module."""
    required = module.required_providers.get(name)
    return implied_address(name) if required is None else required.address


def implied_name(resource: ResourceConfig) -> str:
    """The local name of the provider of a resource that does not say which."""
    return resource.address.type.partition("_")[0]


def resolve_providers(configuration: Configuration) -> ProviderResolution:
    """Find the provider configurations of all modules, and what is wrong with references to them."""
    resolution = ProviderResolution(configuration)
    for path, module in configuration.modules.items():
        call = configuration.modules[path[:-1]].calls.get(path[-1]) if path else None
        passed = {(inner.name, inner.alias) for inner, _ in call.providers} if call is not None else set()
        own = resolution._blocks[path] = {}
        for (name, alias), block in module.providers.items():
            if path and _is_empty(block):
                # Configurations of old say so that one is to be passed.
                resolution.diagnostics.add(_redundant(block))
                if (name, alias) in passed or not alias:
                    continue
            config = ProviderConfig(address_of(module, name), alias, path)
            own[(name, alias)] = Declared(config, block)
    checks = _Checks(resolution)
    for path, module in configuration.modules.items():
        checks.module(path, module)
    placed = Diagnostics([one for one in resolution.diagnostics if one.subject is not None])
    if placed.has_errors:
        # What is missing may be so because of a wrong reference.
        resolution.diagnostics = placed
    return resolution


def _is_empty(block: ProviderBlock) -> bool:
    content, problems = block.body.content(BodyShape())
    return not problems and not content.attributes


def _redundant(block: ProviderBlock) -> Diagnostic:
    return warning(
        "Empty provider block",
        "A called module does not say by an empty block that it takes a provider from its caller.",
        block.range,
        mend=f"Remove it; declare {block.name} in required_providers, an alias as configuration_aliases.",
    )


class _Checks:
    """Checks references to provider configurations."""

    def __init__(self, resolution: ProviderResolution) -> None:
        self._resolution = resolution
        self._modules = resolution.configuration.modules
        self._found = resolution.diagnostics

    def module(self, path: ModulePath, module: Module) -> None:
        """Check the references of a module, and the calls it makes."""
        resources = [*module.resources.values()]
        resources += [check.data for check in module.checks.values() if check.data is not None]
        for resource in resources:
            reference = resource.provider
            if reference is not None and not self._exists(path, reference.name, reference.alias):
                self._missing(path, reference, f"{resource.address}, at {reference.range},")
        for one in module.imports:
            reference = one.provider
            if reference is not None and not self._exists(path, reference.name, reference.alias):
                self._missing(path, reference, f"an import, at {reference.range},")
        for call in module.calls.values():
            child = self._modules.get((*path, call.name))
            if child is not None:
                self._call(path, call, child)

    def _exists(self, path: ModulePath, name: str, alias: str) -> bool:
        """Whether a reference leads to a configuration (a default one always does)."""
        if not alias:
            return True
        module = self._modules[path]
        if (name, alias) in module.providers:
            return True
        if not path:
            return False
        required = module.required_providers.get(name)
        if required is not None and any(one.alias == alias for one in required.aliases):
            return True  # Whether it is passed is a question to the call.
        call = self._modules[path[:-1]].calls[path[-1]]
        return any((inner.name, inner.alias) == (name, alias) for inner, _ in call.providers)

    def _missing(self, path: ModulePath, reference: ProviderRef, who: str) -> None:
        """Tell that a provider configuration is missing which something asks for.

        Its place is told in words: as in stock Terraform, the diagnostic itself has none.
        """
        self._resolution.incomplete = True
        module = self._modules[path]
        text = provider_text(reference)
        known = [f"{name}.{alias}" for name, alias in module.providers if alias]
        where = f"module {'.'.join(path)}" if path else "the root module"
        alias = f' alias = "{reference.alias}" ...' if reference.alias else ""
        self._found.add(
            error(
                "No such provider configuration",
                f"There is no provider configuration {text} in {where}; {who} asks for it.",
                mend=(reference.alias and nearest(text, known))
                or f'Write provider "{reference.name}" {{{alias} }}, or correct the name.',
            )
        )

    def _call(self, path: ModulePath, call: ModuleCall, child: Module) -> None:
        passed: dict[tuple[str, str], ProviderRef] = {}
        for inner, outer in call.providers:
            passed[(inner.name, inner.alias)] = outer
            self._passed(path, call, child, inner, outer)
        for required in child.required_providers.values():
            for alias in required.aliases:
                if (alias.name, alias.alias) not in passed:
                    text = provider_text(alias)
                    self._found.add(
                        error(
                            "Provider configuration not passed",
                            f"The module {call.name} needs a configuration of {required.address} under the "
                            f"name {text}.",
                            call.range,
                            mend=f"Pass one in the call: providers = {{ {text} = {alias.name} }}.",
                        )
                    )
        self._repeated(call, child)

    def _passed(
        self, path: ModulePath, call: ModuleCall, child: Module, inner: ProviderRef, outer: ProviderRef
    ) -> None:
        caller = self._modules[path]
        within, given = address_of(child, inner.name), address_of(caller, outer.name)
        if outer.name not in caller.required_providers:
            # A name that no module explains stands for the provider of that name in the registry.
            given = ProviderAddress(outer.name)
        required = child.required_providers.get(inner.name)
        declared = (inner.name, inner.alias) in child.providers or required is not None
        if not declared or (inner.name not in child.required_providers):
            within = ProviderAddress(inner.name)
        implied = (
            not outer.alias and outer.name not in caller.required_providers and not path and not declared
        )
        if not self._exists(path, outer.name, outer.alias) or (
            implied and (outer.name, "") not in caller.providers
        ):
            self._missing(path, outer, f"the call of module {call.name}, at {outer.range},")
        if not declared:
            self._found.add(
                warning(
                    "Provider is not declared in the module",
                    f"The module {call.name} does not say which provider it means by {inner.name}; "
                    f"{within} is assumed.",
                    inner.range,
                    mend=f"Add {inner.name} to required_providers in the module.",
                )
            )
        if not outer.alias and outer.name not in caller.required_providers:
            self._found.add(
                warning(
                    "Provider is not declared",
                    f"Nothing says which provider is meant by {outer.name}; {given} is assumed.",
                    outer.range,
                    mend=f"Add {outer.name} to required_providers.",
                )
            )
        if declared and inner.alias and (inner.name, inner.alias) not in child.providers:
            known = required.aliases if required is not None else ()
            if all(one.alias != inner.alias for one in known):
                names = [provider_text(one) for one in known]
                self._found.add(
                    error(
                        "No such provider configuration",
                        f"The module {call.name} has no provider configuration {provider_text(inner)}.",
                        inner.range,
                        mend=nearest(provider_text(inner), names)
                        or f"Declare it in the module: configuration_aliases = [{provider_text(inner)}].",
                    )
                )
        if within != given:
            self._found.add(
                error(
                    "Different providers",
                    f"{provider_text(outer)} is a configuration of {given}; {provider_text(inner)} in the "
                    f"module {call.name} stands for {within}.",
                    outer.range,
                    mend="Pass a configuration of the same provider, or correct the sources in required_providers.",
                )
            )

    def _repeated(self, call: ModuleCall, child: Module) -> None:
        """Refuse calls with `count`, `for_each` or `depends_on` of modules that configure providers."""
        if call.count is None and call.for_each is None and not call.depends_on:
            return
        for path in self._modules:
            if path[: len(child.path)] != child.path:
                continue
            for declared in self._resolution.declared(path):
                if _is_empty(declared.block):
                    continue
                self._found.add(
                    error(
                        "Module configures its own provider",
                        f"The module {call.name} has a provider block ({declared.block.range}), so it cannot be "
                        "called with count, for_each or depends_on.",
                        call.range,
                        mend="Move the provider block to the caller, and pass it with providers.",
                    )
                )
                return
