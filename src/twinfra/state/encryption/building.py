"""Makes codecs of an `encryption` block: evaluates its settings and finds the methods that each target names."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, cast

from twinfra.decode import Decoder, prepare
from twinfra.diagnostics import Diagnostic, DiagnosticError, SourceRange, error, nearest
from twinfra.lang.nodes import Expression, GetAttr, Variable
from twinfra.lang.static import as_traversal
from twinfra.schema import Attribute, Block
from twinfra.state.encryption import key_providers
from twinfra.state.encryption.codec import PLAIN, Codec
from twinfra.state.encryption.content import ContentCodec
from twinfra.state.encryption.declared import Declaration, Declared, Name, Target
from twinfra.state.encryption.key_providers.protocol import KeyProviderModule
from twinfra.state.encryption.methods import Link, Method
from twinfra.state.encryption.names import KEY_PROVIDER, METHOD, StaticNames, undeclared
from twinfra.values import value as values
from twinfra.values.marks import unmark_deep
from twinfra.values.types import NUMBER, STRING, ListType
from twinfra.values.value import is_null

_AES_GCM = Block(
    {
        "keys": Attribute(STRING, required=True, description="The key provider."),
        "aad": Attribute(
            ListType(NUMBER), optional=True, description="Bytes that must be the same to decrypt."
        ),
    }
)
_METHODS = {"aes_gcm": _AES_GCM, "unencrypted": Block()}
_NOT_PROVIDERS = ("protocol",)


class Encryption:
    """The codecs of an `encryption` block, each made when it is first asked for. Raises `DiagnosticError`."""

    def __init__(self, declared: Declared, names: StaticNames) -> None:
        self._declared = declared
        self._names = names
        self._links: dict[Name, tuple[Link, ...]] = {}
        self._methods: dict[Name, Method] = {}
        self._linking: list[Name] = []

    def state(self) -> Codec:
        """For the state and its journal."""
        return self._codec(self._declared.state, "state")

    def plan(self) -> Codec:
        """For saved plans."""
        return self._codec(self._declared.plan, "plan")

    def remote(self) -> Codec:
        """For states of others, which are only read: with any method that some remote state is read with."""
        targets = [
            *([self._declared.remote] if self._declared.remote else []),
            *self._declared.remotes.values(),
        ]
        if not targets:
            return PLAIN
        methods: list[Method] = []
        for target in targets:
            methods += [one for one in self._chosen(target, "remote state") if one not in methods]
        return ContentCodec(methods, "state", accepts_plain=self._declared.remote is None)

    def _codec(self, target: Target | None, kind: str) -> Codec:
        if target is None:
            return PLAIN
        methods = self._chosen(target, kind)
        plain = next((one for one in methods if not one.encrypts), None)
        if target.enforced and plain is not None:
            raise DiagnosticError(
                error(
                    "Encryption is enforced",
                    f"The {kind} must be encrypted (enforced = true), yet {plain.address} is among its methods.",
                    target.range,
                    mend="Remove that method from it, or do not enforce encryption while you migrate.",
                )
            )
        return ContentCodec(methods, kind)

    # -- methods

    def _chosen(self, target: Target, kind: str) -> list[Method]:
        """The method of a target and those of its fallbacks, in order."""
        found: list[Method] = []
        one: Target | None = target
        while one is not None:
            if one.method is None:
                raise DiagnosticError(
                    error(
                        "No method of encryption",
                        f"Here the method that the {kind} is encrypted with must be named.",
                        one.range,
                        mend="Write method = method.TYPE.NAME.",
                    )
                )
            found.append(self._method(_named(one.method, METHOD), one.method.range))
            one = one.fallback
        return found

    def _method(self, name: Name, place: SourceRange) -> Method:
        found = self._methods.get(name)
        if found is None:
            declared = self._declared.methods.get(name)
            if declared is None:
                raise undeclared(METHOD, *name, self._declared.methods).at(place)
            found = self._methods[name] = self._made(declared)
        return found

    def _made(self, declared: Declaration) -> Method:
        address = f"{METHOD}.{declared.type}.{declared.name}"
        schema = _METHODS.get(declared.type)
        if schema is None:
            raise DiagnosticError(_unknown_type("method", declared, sorted(_METHODS)))
        decoder = _prepared(declared, schema)
        if declared.type == "unencrypted":
            return Method(address, declared.range)
        settings = self._settings(decoder)
        place = _place(decoder, "keys", declared.range)
        links = self._chain(str(settings["keys"]), place)
        names = [link.stored_as for link in links]
        if len(set(names)) < len(names):
            raise DiagnosticError(
                error(
                    "Name for meta used twice",
                    f"Two key providers of {address} would store what they need under the same name.",
                    declared.range,
                    mend="Give each its own encrypted_metadata_alias.",
                )
            )
        return Method(address, declared.range, links, _bytes(settings["aad"], _place(decoder, "aad", place)))

    # -- key providers

    def _chain(self, address: str, place: SourceRange) -> tuple[Link, ...]:
        kind, type, name = (*address.split("."), "", "", "")[:3]
        if kind != KEY_PROVIDER or address.count(".") != 2:
            raise DiagnosticError(
                error(
                    "Not a key provider",
                    "Here a key provider must be named.",
                    place,
                    mend="Write key_provider.TYPE.NAME, without quotes.",
                )
            )
        known = self._links.get((type, name))
        if known is None:
            declared = self._declared.key_providers.get((type, name))
            if declared is None:
                raise undeclared(KEY_PROVIDER, type, name, self._declared.key_providers).at(place)
            if (type, name) in self._linking:
                circle = " needs ".join(".".join(one) for one in (*self._linking, (type, name)))
                raise DiagnosticError(
                    error("Key provider needs itself", f"{circle}.", place, mend="Break the circle.")
                )
            self._linking.append((type, name))
            known = self._links[type, name] = self._linked(declared)
            self._linking.pop()
        return known

    def _linked(self, declared: Declaration) -> tuple[Link, ...]:
        module = _provider_module(declared)
        decoder = _prepared(declared, module.SCHEMA)
        settings = self._settings(decoder)
        before: tuple[Link, ...] = ()
        if settings.get("chain") is not None:
            before = self._chain(str(settings["chain"]), _place(decoder, "chain", declared.range))
        try:
            provider = module.provider(settings)
        except DiagnosticError as refused:
            raise DiagnosticError(
                one if one.subject is not None else replace(one, subject=_at(one, decoder, declared.range))
                for one in refused.diagnostics
            ) from None
        stored_as = declared.alias or f"{KEY_PROVIDER}.{declared.type}.{declared.name}"
        return (*before, Link(stored_as, provider, declared.range))

    def _settings(self, decoder: Decoder) -> dict[str, Any]:
        return cast(dict[str, Any], _plain(unmark_deep(decoder.evaluate(self._names))[0]))


def _plain(value: Any) -> Any:
    """A value without marks as plain Python: null is None, whatever its type."""
    if is_null(value):
        return None
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, tuple | list | frozenset | set | values.Set):
        return [_plain(inner) for inner in value]
    return value


def key_provider_types() -> list[str]:
    """The types that a `key_provider` block may have, sorted."""
    return sorted(
        module.name
        for module in iter_modules(key_providers.__path__)
        if module.name not in _NOT_PROVIDERS and not module.name.startswith("_")
    )


def _provider_module(declared: Declaration) -> KeyProviderModule:
    known = key_provider_types()
    if declared.type not in known:
        raise DiagnosticError(_unknown_type("key provider", declared, known))
    return cast(KeyProviderModule, import_module(f"{key_providers.__name__}.{declared.type}"))


def _prepared(declared: Declaration, schema: Block) -> Decoder:
    decoder, found = prepare(declared.body, schema)
    found.raise_errors()
    return decoder


def _named(expression: Expression, kind: str) -> Name:
    """The type and name of `method.TYPE.NAME`. Raises `DiagnosticError`."""
    found = as_traversal(expression)
    if isinstance(found, GetAttr) and isinstance(found.source, GetAttr):
        root = found.source.source
        if isinstance(root, Variable) and root.name == kind:
            return found.source.name, found.name
    raise DiagnosticError(
        error(
            f"Not a {kind}",
            f"Here a {kind} of the encryption block must be named.",
            expression.range,
            mend=f"Write {kind}.TYPE.NAME, without quotes.",
        )
    )


def _unknown_type(what: str, declared: Declaration, known: list[str]) -> Diagnostic:
    return error(
        f"Unknown type of {what}",
        f'There is no {what} of type "{declared.type}". There is: {", ".join(known)}.',
        declared.type_range,
        mend=nearest(declared.type, known) or "Correct the type.",
    )


def _place(decoder: Decoder, name: str, default: SourceRange) -> SourceRange:
    return decoder.range_of((values.GetAttr(name),)) or default


def _at(problem: Diagnostic, decoder: Decoder, default: SourceRange) -> SourceRange:
    name = problem.path[0] if problem.path else None
    return _place(decoder, name, default) if isinstance(name, str) else default


def _bytes(value: Any, place: SourceRange) -> bytes | None:
    if value is None:
        return None
    try:
        return bytes(int(one) for one in value)
    except (ValueError, TypeError):
        raise DiagnosticError(
            error("Wrong setting of a method", "aad is a list of whole numbers from 0 to 255.", place)
        ) from None
