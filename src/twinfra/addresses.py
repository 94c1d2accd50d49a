"""Addresses: the names by which people and state speak of modules, resources and their instances.

All are immutable, hashable and ordered as people expect (numbers by size, then strings). `str()` gives the
public notation, such as `module.net["a"].aws_subnet.private[0]`.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from twinfra.dataclass import dataclass

Key: TypeAlias = int | str | None
"""An instance key: from `count` (int), from `for_each` (str), or None for a single instance."""

MANAGED = "managed"
DATA = "data"
EPHEMERAL_MODE = "ephemeral"


def quote(text: str) -> str:
    """A string as a quoted literal of the language (`${`, `%{` and what cannot be printed escaped too)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    escaped = escaped.replace("\t", "\\t").replace("${", "$${").replace("%{", "%%{")
    if not escaped.isprintable():
        escaped = "".join([char if char.isprintable() else _code_of(char) for char in escaped])
    return f'"{escaped}"'


def _code_of(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def key_text(key: Key) -> str:
    """`[0]`, `["a"]`, or nothing."""
    if key is None:
        return ""
    return f"[{key}]" if isinstance(key, int) else f"[{quote(key)}]"


def key_order(key: Key) -> tuple[int, int, str]:
    """A sort key for instance keys: none, then numbers, then strings."""
    if key is None:
        return (0, 0, "")
    return (1, key, "") if isinstance(key, int) else (2, 0, key)


ModulePath: TypeAlias = tuple[str, ...]
"""A module as configured: the names of the calls from the root; the root is `()`."""


class _Hashed:
    """Keeps the hash of an address: they are keys of every table, and each would hash a nest of others."""

    __slots__ = ("_hash",)
    _hash: int

    def _parts(self) -> object:
        raise TypeError(f"{type(self).__name__} does not say what it is made of")

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash(self._parts()))

    def __hash__(self) -> int:
        try:
            return self._hash
        except AttributeError:  # A copy or a pickle brings the fields only.
            self.__post_init__()
            return self._hash


@dataclass(frozen=True, slots=True)
class ModuleInstance(_Hashed):
    """One instance of a module: (call name, key) steps from the root; the root module is `ROOT`."""

    steps: tuple[tuple[str, Key], ...] = ()

    def child(self, name: str, key: Key = None) -> ModuleInstance:
        """The instance of a call made in this one."""
        return ModuleInstance((*self.steps, (name, key)))

    @property
    def path(self) -> ModulePath:
        """The configured module this is an instance of."""
        return tuple(name for name, _ in self.steps)

    def _parts(self) -> object:
        return self.steps

    __hash__ = _Hashed.__hash__

    def __str__(self) -> str:
        return ".".join(f"module.{name}{key_text(key)}" for name, key in self.steps)


ROOT = ModuleInstance()


@dataclass(frozen=True, slots=True)
class Resource(_Hashed):
    """A resource block's own name: mode (`MANAGED`, `DATA` or `EPHEMERAL_MODE`), type and name."""

    mode: str
    type: str
    name: str

    def _parts(self) -> object:
        return (self.mode, self.type, self.name)

    __hash__ = _Hashed.__hash__

    def __str__(self) -> str:
        prefix = "" if self.mode == MANAGED else f"{self.mode}."
        return f"{prefix}{self.type}.{self.name}"


@dataclass(frozen=True, slots=True)
class ConfigResource(_Hashed):
    """A resource as configured: one per block, whatever the number of module or resource instances."""

    module: ModulePath
    resource: Resource

    def _parts(self) -> object:
        return (self.module, self.resource)

    __hash__ = _Hashed.__hash__

    def __str__(self) -> str:
        return "".join(f"module.{name}." for name in self.module) + str(self.resource)


@dataclass(frozen=True, slots=True)
class AbsResource(_Hashed):
    """A resource in a module instance: all its instances together."""

    module: ModuleInstance
    resource: Resource

    def instance(self, key: Key = None) -> Instance:
        """One of its instances."""
        return Instance(self.module, self.resource, key)

    @property
    def config(self) -> ConfigResource:
        """The block it comes from."""
        return ConfigResource(self.module.path, self.resource)

    def _parts(self) -> object:
        return (self.module, self.resource)

    __hash__ = _Hashed.__hash__

    def __str__(self) -> str:
        return f"{self.module}.{self.resource}" if self.module.steps else str(self.resource)


@dataclass(frozen=True, slots=True)
class Instance(_Hashed):
    """One resource instance: `module.m[0].aws_subnet.private["a"]`."""

    module: ModuleInstance
    resource: Resource
    key: Key = None

    @property
    def of(self) -> AbsResource:
        """The resource it is an instance of."""
        return AbsResource(self.module, self.resource)

    @property
    def config(self) -> ConfigResource:
        """The block it comes from."""
        return ConfigResource(self.module.path, self.resource)

    def _parts(self) -> object:
        return (self.module, self.resource, self.key)

    __hash__ = _Hashed.__hash__

    def __str__(self) -> str:
        base = f"{self.resource}{key_text(self.key)}"
        return f"{self.module}.{base}" if self.module.steps else base


def instance_order(address: Instance) -> tuple[object, ...]:
    """A sort key for instances: by module, those nearer to the root first, then mode, type, name and key."""
    steps = tuple((name, key_order(key)) for name, key in address.module.steps)
    resource = address.resource
    return (len(steps), steps, resource.mode != DATA, resource.type, resource.name, key_order(address.key))


@dataclass(frozen=True, slots=True)
class ProviderAddress(_Hashed):
    """Where a provider is published: `registry.terraform.io/hashicorp/aws`."""

    type: str
    namespace: str = "hashicorp"
    host: str = "registry.terraform.io"

    def _parts(self) -> object:
        return (self.type, self.namespace, self.host)

    __hash__ = _Hashed.__hash__

    def __str__(self) -> str:
        return f"{self.host}/{self.namespace}/{self.type}"


BUILTIN_PROVIDER = ProviderAddress("terraform", "builtin", "terraform.io")


@dataclass(frozen=True, slots=True)
class ProviderConfig(_Hashed):
    """A provider configuration: the provider, the module whose block configures it, and its alias if any.

    `str()` is the notation of state files: `provider["registry.terraform.io/hashicorp/aws"].west`.
    """

    provider: ProviderAddress
    alias: str = ""
    module: ModulePath = ()

    def _parts(self) -> object:
        return (self.provider, self.alias, self.module)

    __hash__ = _Hashed.__hash__

    def __str__(self) -> str:
        prefix = "".join(f"module.{name}." for name in self.module)
        return f'{prefix}provider["{self.provider}"]' + (f".{self.alias}" if self.alias else "")


_NAME = re.compile(r"[^\W\d][\w-]*")
_NUMBER_KEY = re.compile(r"\[\s*(\d+)\s*\]")
_TEXT_KEY = re.compile(r'\[\s*"((?:[^"\\]|\\.)*)"\s*\]', re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))|\$\$\{|%%\{", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def parse_address(text: str) -> ModuleInstance | AbsResource | Instance:
    """What an address as people write it names: a module instance, a resource, or (with a key) one instance.

    Raises `ValueError` that says what is wrong with it.

    >>> parse_address('module.net["a"].aws_subnet.private[0]').key
    0
    """
    module = ROOT
    at = 0
    while True:
        name, at = _name(text, at)
        if name != "module":
            break
        called, at = _name(text, _dot(text, at, "the name of the module"))
        key, at = _key(text, at)
        module = module.child(called, key)
        if at == len(text):
            return module
        at = _dot(text, at, "a resource")
    mode = MANAGED
    if name in (DATA, EPHEMERAL_MODE):
        mode = name
        name, at = _name(text, _dot(text, at, "a type and a name"))
    type, (name, at) = name, _name(text, _dot(text, at, "the name of the resource"))
    key, at = _key(text, at)
    if at != len(text):
        raise ValueError(f'an address ends with the resource or its key; "{text[at:]}" is too much')
    resource = AbsResource(module, Resource(mode, type, name))
    return resource if key is None else resource.instance(key)


def _name(text: str, at: int) -> tuple[str, int]:
    found = _NAME.match(text, at)
    if found is None:
        raise ValueError(
            f'a name must stand where "{text[at:]}" begins' if text[at:] else "a name is missing at its end"
        )
    return found.group(), found.end()


def _dot(text: str, at: int, what: str) -> int:
    if text[at : at + 1] != ".":
        raise ValueError(f'"{text[:at]}" must be followed by a dot and {what}')
    return at + 1


def _key(text: str, at: int) -> tuple[Key, int]:
    if text[at : at + 1] != "[":
        return None, at
    number = _NUMBER_KEY.match(text, at)
    if number is not None:
        return int(number.group(1)), number.end()
    quoted = _TEXT_KEY.match(text, at)
    if quoted is None:
        raise ValueError("brackets must hold a whole number or a string in double quotes")
    return _ESCAPE.sub(_unescape, quoted.group(1)), quoted.end()


def _unescape(found: re.Match[str]) -> str:
    code = found.group(1) or found.group(2)
    if code:
        return chr(int(code, 16))
    if found.group(3):
        return _ESCAPES.get(found.group(3), found.group(3))
    return found.group()[1:]
