"""Reading `module`, `provider` and `terraform` blocks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from twinfra.addresses import BUILTIN_PROVIDER, ProviderAddress
from twinfra.config.hcl_resources import count_and_for_each
from twinfra.config.model import (
    Backend,
    Encryption,
    Module,
    ModuleCall,
    ProviderBlock,
    ProviderRef,
    RequiredProvider,
)
from twinfra.config.reading import (
    NAME_RULE,
    addresses_of,
    check_name,
    constant_of,
    declared_twice,
    inner_range,
    is_identifier,
    list_of,
    provider_ref,
    reserved,
    text_of,
    unescaped,
)
from twinfra.config.versions import parse_constraint
from twinfra.diagnostics import Diagnostic, DiagnosticError, Diagnostics, SourceRange, error, nearest, warning
from twinfra.lang.nodes import (
    Attribute,
    Block,
    BlockShape,
    BodyShape,
    Expression,
    Literal,
    ObjectExpression,
    ObjectItem,
)
from twinfra.lang.static import as_keyword, is_quoted
from twinfra.values.convert import ConversionError, convert
from twinfra.values.types import STRING

_MODULE = BodyShape(
    {
        "source": True,
        "version": False,
        "count": False,
        "for_each": False,
        "depends_on": False,
        "providers": False,
    },
    (BlockShape("_"), BlockShape("lifecycle"), BlockShape("locals"), BlockShape("provider", ("name",))),
)
_RESERVED_IN_PROVIDER = ("count", "depends_on", "for_each", "source")
_PROVIDER = BodyShape(
    {"alias": False, "version": False, **dict.fromkeys(_RESERVED_IN_PROVIDER, False)},
    (BlockShape("_"), BlockShape("lifecycle"), BlockShape("locals")),
)
TERRAFORM = BodyShape(
    {"required_version": False, "experiments": False, "language": False},
    (
        BlockShape("backend", ("type",)),
        BlockShape("cloud"),
        BlockShape("encryption"),
        BlockShape("required_providers"),
        BlockShape("provider_meta", ("provider",)),
    ),
)
_REQUIRED = ("source", "version", "configuration_aliases")


def read_module_call(block: Block, module: Module, found: Diagnostics) -> None:
    """A `module` block."""
    name = block.labels[0]
    check_name(name, block.label_ranges[0], "module", found)
    content, rest, problems = block.body.partial(_MODULE)
    found.extend(problems)
    attributes = content.attributes
    for other in content.blocks:
        if other.type != "_":
            found.add(reserved("module", other.type, other.range))
    count, for_each = attributes.get("count"), attributes.get("for_each")
    if count is not None and for_each is not None:
        found.add(count_and_for_each(for_each))
    source = attributes.get("source")
    version = constraint_of(attributes.get("version"), found)
    before = len(found)
    path = text_of(source, found)
    readable = source is not None and len(found) == before
    unversioned = is_local(path) or (not version and path.partition("//")[0].count("/") not in (2, 3))
    if "version" in attributes and source is not None and readable and unversioned:
        found.add(
            error(
                "Version of a module without versions",
                "Only modules in a registry have versions to choose from, and this is no address of one.",
                source.expression.range,
                mend="Remove the version argument.",
            )
        )
    call = ModuleCall(
        name,
        path,
        source.expression.range if source is not None and readable else block.range,
        unescaped(rest, content.of("_"), "module", found),
        block.range,
        version,
        count.expression if count is not None else None,
        for_each.expression if for_each is not None else None,
        addresses_of(attributes.get("depends_on"), found),
        _passed(attributes.get("providers"), found),
    )
    if name in module.calls:
        found.add(declared_twice("module call", name, block.range, module.calls[name].range))
    else:
        module.calls[name] = call


def is_local(source: str) -> bool:
    """Whether a module's source is a path relative to the file that calls it."""
    return source in (".", "..") or source.startswith(("./", "../", ".\\", "..\\"))


def constraint_of(attribute: Attribute | None, found: Diagnostics) -> str:
    """The version constraint that an argument is set to; empty where it is not there or wrong."""
    if attribute is None:
        return ""
    try:
        value = constant_of(attribute.expression)
    except DiagnosticError as refused:
        found.extend(refused.at(attribute.expression.range).diagnostics)
        return ""
    if value is None:
        return ""
    try:
        text = convert(value, STRING)
    except ConversionError:
        found.add(_bad_constraint("A version constraint must be a string.", attribute.expression.range))
        return ""
    return _checked_constraint(str(text), attribute.expression.range, found)


def _checked_constraint(text: str, place: SourceRange, found: Diagnostics) -> str:
    try:
        parse_constraint(text)
    except ValueError as refused:
        found.add(_bad_constraint(f"{refused}.", place))
        return ""
    return text


def _bad_constraint(detail: str, place: SourceRange) -> Diagnostic:
    return error(
        "Invalid version constraint",
        detail,
        place,
        mend='Write conditions with commas between them, such as "~> 1.3" or ">= 1.3, < 2.0".',
    )


def _passed(attribute: Attribute | None, found: Diagnostics) -> tuple[tuple[ProviderRef, ProviderRef], ...]:
    """The pairs of `providers = { inner = outer }`."""
    if attribute is None:
        return ()
    if not isinstance(attribute.expression, ObjectExpression):
        found.add(
            error(
                "Providers must be an object",
                "Here the providers of the called module are written in braces, each with the one it gets.",
                inner_range(attribute.expression),
                mend="Write providers = { aws = aws.west }.",
            )
        )
        return ()
    pairs: list[tuple[ProviderRef, ProviderRef]] = []
    seen: dict[tuple[str, str], SourceRange] = {}
    for item in attribute.expression.items:
        inner = provider_ref(_key(item), found)
        outer = provider_ref(item.value, found)
        if inner is None or outer is None:
            continue
        name = (inner.name, inner.alias)
        if name in seen:
            found.add(declared_twice("provider", provider_text(inner), inner.range, seen[name]))
            continue
        seen[name] = inner.range
        pairs.append((inner, outer))
    return tuple(pairs)


def provider_text(reference: ProviderRef) -> str:
    """A reference as people write it."""
    return f"{reference.name}.{reference.alias}" if reference.alias else reference.name


def _key(item: ObjectItem) -> Expression:
    """The key of an object as an address: a bare word is the string of its name."""
    if item.bare and isinstance(item.key, Literal):
        from twinfra.lang.nodes import Variable

        return Variable(str(item.key.value), item.key.range)
    return item.key


def read_provider(block: Block, module: Module, found: Diagnostics) -> None:
    """A `provider` block."""
    name = block.labels[0]
    _check_local_name(name, block.label_ranges[0], found)
    content, rest, problems = block.body.partial(_PROVIDER)
    found.extend(problems)
    attributes = content.attributes
    alias = ""
    if "alias" in attributes:
        place = attributes["alias"].expression.range
        alias = text_of(attributes["alias"], found)
        if not is_identifier(alias):
            # Stock Terraform tells it without a place.
            found.add(
                error(
                    "Invalid alias",
                    f'"{alias}" cannot be the alias of a provider configuration ({place}).',
                    mend=NAME_RULE,
                )
            )
    version = attributes.get("version")
    if version is not None:
        found.add(
            warning(
                "Version in a provider block",
                "A version constraint belongs to required_providers in the terraform block.",
                version.expression.range,
                mend=f"Move it there: {name} = {{ version = ... }}.",
            )
        )
    for wrong in _RESERVED_IN_PROVIDER:
        if wrong in attributes:
            found.add(reserved("provider", wrong, attributes[wrong].name_range))
    for other in content.blocks:
        if other.type != "_":
            found.add(reserved("provider", other.type, other.type_range))
    made = ProviderBlock(
        name,
        alias,
        unescaped(rest, content.of("_"), "provider", found),
        block.range,
        constraint_of(version, found),
    )
    first = module.providers.setdefault((name, alias), made)
    if first is not made:
        called = f"{name} with alias {alias}" if alias else f"{name} without an alias"
        found.add(declared_twice("provider configuration", called, block.range, first.range))


def _check_local_name(name: str, place: SourceRange, found: Diagnostics) -> None:
    """Complain about a provider name with characters that providers cannot have."""
    valid = name.replace("-", "").isalnum() and not name.startswith("-") and not name.endswith("-")
    if not valid or "--" in name or name != name.lower():
        found.add(
            error(
                "Invalid provider name",
                f'"{name}" cannot be the name of a provider.',
                place,
                mend="Use small letters and digits, and single dashes between them.",
            )
        )


def read_terraform(blocks: Iterable[Block], module: Module, found: Diagnostics) -> None:
    """All `terraform` blocks. Their `required_version` was read before."""
    required: list[Block] = []
    for block in blocks:
        content, problems = block.body.content(TERRAFORM)
        found.extend(problems)
        _read_language(content.attributes, found)
        for other in content.of("cloud"):
            found.add(
                error(
                    "No cloud block",
                    "State in HCP Terraform or Terraform Enterprise is not supported.",
                    other.range,
                    mend='Use a backend block, such as backend "local" { ... }.',
                )
            )
        for other in content.of("backend"):
            if module.backend is None:
                module.backend = Backend(other.labels[0], other.body, other.range, other.label_ranges[0])
            else:
                found.add(declared_twice("backend", "", other.range, module.backend.range))
        for other in content.of("encryption"):
            if module.encryption is None:
                module.encryption = Encryption(other.body, other.range)
            else:
                found.add(declared_twice("encryption", "", other.range, module.encryption.range))
        required.extend(content.of("required_providers"))
    for other in required[1:]:
        found.add(declared_twice("required_providers block", "", other.range, required[0].range))
    if required:
        _read_required(required[0], module, found)


def _read_language(attributes: Mapping[str, Attribute], found: Diagnostics) -> None:
    """The arguments that choose a variant of the language, of which there is one."""
    experiments = attributes.get("experiments")
    if experiments is not None:
        found.add(
            error(
                "No experiments",
                "This version has no experimental features of the language.",
                experiments.range,
                mend="Remove the argument.",
            )
        )
    language = attributes.get("language")
    if language is not None and as_keyword(language.expression) != "TF2021":
        found.add(
            error(
                "Unknown edition of the language",
                "The one edition of the language is TF2021.",
                language.expression.range,
                mend="Remove the argument.",
            )
        )


def _read_required(block: Block, module: Module, found: Diagnostics) -> None:
    attributes, problems = block.body.just_attributes()
    found.extend(problems)
    seen: dict[ProviderAddress, str] = {}
    for name, attribute in attributes.items():
        required = _required_provider(name, attribute, found)
        if required is None:
            continue
        other = seen.setdefault(required.address, name)
        if other != name:
            found.add(
                warning(
                    "Provider required twice",
                    f"{required.address} is required as {other} already.",
                    attribute.expression.range,
                    mend="Keep one of the two names.",
                )
            )
        module.required_providers[name] = required


def _required_provider(name: str, attribute: Attribute, found: Diagnostics) -> RequiredProvider | None:
    before = len(found.errors)
    expression = attribute.expression
    place = expression.range
    _check_local_name(name, place, found)
    if not isinstance(expression, ObjectExpression):
        try:
            known = constant_of(expression) is not None
        except DiagnosticError:
            known = False
        if not known:
            found.add(_bad_constraint("A required provider is a version constraint or an object.", place))
            return None
        constraint = constraint_of(attribute, found)
        if len(found.errors) > before:
            return None
        return RequiredProvider(name, implied_address(name), constraint, place)
    parts: dict[str, Expression] = {}
    for item in expression.items:
        key = item.key.value if isinstance(item.key, Literal) else as_keyword(item.key)
        if key in _REQUIRED:
            parts[str(key)] = item.value
            continue
        found.add(
            error(
                "Unknown part of a required provider",
                f"A required provider has a source, a version and configuration_aliases, and no {key}.",
                item.key.range,
                mend=nearest(str(key), _REQUIRED) or "Settings of a provider stand in a provider block.",
            )
        )
    address = implied_address(name)
    source = _text_part(parts.get("source"), "source", found)
    if source:
        try:
            address = parse_provider_address(source)
        except ValueError as refused:
            found.add(
                error(
                    "Invalid provider source",
                    f"{refused}.",
                    parts["source"].range,
                    mend='Write it like "hashicorp/aws" or "example.com/team/thing".',
                )
            )
    constraint = _text_part(parts.get("version"), "version", found)
    if constraint:
        constraint = _checked_constraint(constraint, parts["version"].range, found)
    aliases = _configuration_aliases(name, parts.get("configuration_aliases"), found)
    if len(found.errors) > before:
        return None
    return RequiredProvider(name, address, constraint, place, aliases)


def _text_part(expression: Expression | None, name: str, found: Diagnostics) -> str:
    if expression is None:
        return ""
    try:
        value = constant_of(expression)
    except DiagnosticError as refused:
        found.extend(refused.at(expression.range).diagnostics)
        return ""
    if isinstance(value, str):
        return value
    found.add(
        error(
            f"Invalid {name}",
            f"The {name} of a required provider must be a string.",
            expression.range,
            mend="Put it in quotes.",
        )
    )
    return ""


def _configuration_aliases(
    name: str, expression: Expression | None, found: Diagnostics
) -> tuple[ProviderRef, ...]:
    if expression is None:
        return ()
    aliases = []
    for one in list_of(expression, found):
        if is_quoted(one):
            found.add(
                error(
                    "Not a provider configuration",
                    "A configuration alias is the local name of the provider, a dot and the alias.",
                    one.range,
                    mend="Write it without quotes.",
                )
            )
            continue
        reference = provider_ref(one, found)
        if reference is None:
            continue
        if reference.name != name or not reference.alias:
            found.add(
                error(
                    "Invalid configuration alias",
                    f"A configuration alias of {name} begins with {name} and a dot.",
                    expression.range,
                    mend=f"Write {name}.{reference.alias or 'other'} for {provider_text(reference)}.",
                )
            )
            continue
        aliases.append(reference)
    return tuple(aliases)


def implied_address(name: str) -> ProviderAddress:
    """The provider that a local name stands for where nothing else is said."""
    return BUILTIN_PROVIDER if name == "terraform" else ProviderAddress(name)


def parse_provider_address(source: str) -> ProviderAddress:
    """The address that a source text such as `hashicorp/aws` gives; raises `ValueError` for anything else."""
    parts = source.split("/")
    if not all(parts) or len(parts) > 3:
        raise ValueError(f'"{source}" has not the form [hostname/][namespace/]name')
    for part in parts[-2:]:
        if not part.replace("-", "").replace("_", "").isalnum():
            raise ValueError(f'"{part}" in "{source}" has other characters than letters, digits and dashes')
    lowered = [part.lower() for part in parts]
    if len(lowered) == 1:
        return ProviderAddress(lowered[0])
    if len(lowered) == 2:
        return ProviderAddress(lowered[1], lowered[0])
    return ProviderAddress(lowered[2], lowered[1], lowered[0])
