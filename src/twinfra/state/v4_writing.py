"""Writes a state as version 4 JSON, byte for byte as stock Terraform lays it out, in pieces as it goes."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

from twinfra.addresses import MANAGED, AbsResource, Key, key_order
from twinfra.state.model import InstanceObject, InstanceState, ResourceState, State

COMPATIBLE_VERSION = "1.11.4"
"""The Terraform version whose file format is written."""

VERBATIM = "twinfra:bytes"
"""The one key of a private note that is another provider's own bytes, in base64: written as they were."""

IDENTITY = "twinfra:identity"
"""The key of a private note under which `State.identities` travels, as base64 of JSON.

In that form the public provider frameworks take it for a note of the provider's own, and keep it.
"""

_PIECE = 1 << 18
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_WIDE = 4000
"""Decimals with exponents beyond this are written with an exponent: their digits would be megabytes."""


def write_state(state: State) -> Iterator[bytes]:
    """The file in pieces of some 256 KB. Resources are sorted as stock Terraform sorts them."""
    head = {
        "version": 4,
        "terraform_version": COMPATIBLE_VERSION,
        "serial": state.serial,
        "lineage": state.lineage,
        "outputs": {name: _output(state, name) for name in sorted(state.outputs)},
    }
    pieces = [f'{{\n{_members(head, "  ")},\n  "resources": [']
    notes = _Notes(state)
    size = 0
    separator = "\n    "
    for address, module in _sorted(state):
        piece = separator + json_text(_resource(address, module, state.resources[address], notes), "    ")
        separator = ",\n    "
        pieces.append(piece)
        size += len(piece)
        if size > _PIECE:
            yield _encode("".join(pieces))
            pieces = []
            size = 0
    pieces.append("\n  ]" if state.resources else "]")
    tail = {"check_results": state.check_results, **dict(state.extra)}
    pieces.append(f",\n{_members(tail, '  ')}\n}}\n")
    yield _encode("".join(pieces))


def _output(state: State, name: str) -> dict[str, Any]:
    output = state.outputs[name]
    result = {"value": output.value, "type": output.type}
    if output.sensitive:
        result["sensitive"] = True
    result.update(output.extra)
    return result


def _sorted(state: State) -> list[tuple[AbsResource, str]]:
    """Resources with the text of their module, by module, mode, type and name."""
    modules: dict[Any, str] = {}
    found = []
    for address in state.resources:
        module = modules.get(address.module)
        if module is None:
            module = modules[address.module] = str(address.module)
        found.append((module, address.resource.mode, address.resource.type, address.resource.name, address))
    found.sort(key=lambda one: one[:4])
    return [(address, module) for module, _, _, _, address in found]


def _resource(address: AbsResource, module: str, record: ResourceState, notes: _Notes) -> dict[str, Any]:
    result: dict[str, Any] = {"module": module} if module else {}
    resource = address.resource
    result["mode"] = resource.mode
    result["type"] = resource.type
    result["name"] = resource.name
    result["provider"] = provider = notes.provider(record)
    identity = notes.identities.get(provider) if resource.mode == MANAGED else None
    instances: list[dict[str, Any]] = []
    for key, instance in _in_order(record.instances):
        if instance.current is not None:
            instances.append(_object(key, "", instance.current, identity, notes))
        if instance.deposed:
            instances.extend(
                _object(key, deposed, instance.deposed[deposed], identity, notes)
                for deposed in sorted(instance.deposed)
            )
    result["instances"] = instances
    result.update(record.extra)
    return result


def _in_order(instances: dict[Key, InstanceState]) -> Iterable[tuple[Key, InstanceState]]:
    if len(instances) < 2:
        return instances.items()
    return sorted(instances.items(), key=lambda one: key_order(one[0]))


def _object(
    key: Key, deposed: str, stored: InstanceObject, identity: dict[str, str] | None, notes: _Notes
) -> dict[str, Any]:
    result: dict[str, Any] = {} if key is None else {"index_key": key}
    if stored.tainted:
        result["status"] = "tainted"
    if deposed:
        result["deposed"] = deposed
    result["schema_version"] = stored.schema_version
    result["attributes"] = stored.attributes
    result["sensitive_attributes"] = stored.sensitive
    if stored.private or identity:
        result["private"] = notes.private(stored.private, identity)
    if stored.dependencies:
        result["dependencies"] = stored.dependencies
    if stored.create_before_destroy:
        result["create_before_destroy"] = True
    if stored.extra:
        result.update(stored.extra)
    return result


class _Notes:
    """Texts that many resources share, made once."""

    def __init__(self, state: State) -> None:
        self.identities = state.identities
        self._providers: dict[int, str] = {}
        self._private: dict[str, str] = {}

    def provider(self, record: ResourceState) -> str:
        # By identity: configurations are shared by all resources of a state and outlive the writing.
        text = self._providers.get(id(record.provider))
        if text is None:
            text = self._providers[id(record.provider)] = str(record.provider)
        return text

    def private(self, note: dict[str, Any], identity: dict[str, str] | None) -> str:
        if VERBATIM in note and len(note) == 1 and not identity:
            verbatim: str = note[VERBATIM]
            return verbatim
        text = compact_json({**note, IDENTITY: _base64(compact_json(identity))} if identity else note)
        found = self._private.get(text)
        if found is None:
            found = _base64(text)
            if len(self._private) < 10_000:
                self._private[text] = found
        return found


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "surrogatepass")).decode("ascii")


# -- JSON text

_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def compact_json(value: Any) -> str:
    """A value on one line; `Decimal`s are written with all their digits."""
    try:
        return _compact(value)
    except TypeError:
        # Line ends in strings are escaped: those left over are layout.
        return json_text(value, "").replace("\n", "")


def json_text(value: Any, pad: str) -> str:
    """A value as indented JSON; `pad` is the indentation of the line that it begins on.

    Strings, whole numbers, `Decimal`s, bools, None, dicts, lists and tuples. Raises `TypeError` for others.
    """
    kind = type(value)
    if kind is str:
        return encode_basestring(value)
    if kind is dict:
        if not value:
            return "{}"
        return f"{{\n{_members(value, pad + '  ')}\n{pad}}}"
    if kind is list or kind is tuple:
        if not value:
            return "[]"
        inner = pad + "  "
        items = f",\n{inner}".join([json_text(one, inner) for one in value])
        return f"[\n{inner}{items}\n{pad}]"
    if isinstance(value, dict):
        return json_text(dict(value), pad)
    if isinstance(value, list | tuple):
        return json_text(list(value), pad)
    return _scalar(value)


def _members(value: dict[str, Any], pad: str) -> str:
    parts = []
    for name, inner in value.items():
        text = encode_basestring(inner) if type(inner) is str else json_text(inner, pad)
        parts.append(f"{encode_basestring(name)}: {text}")
    return pad + f",\n{pad}".join(parts)


def _scalar(value: Any) -> str:
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int):
        return str(value) if value.bit_length() < 14_000 else str(Decimal(value))
    if isinstance(value, Decimal) and value.is_finite():
        exponent = value.as_tuple().exponent
        if isinstance(exponent, int) and -_WIDE < exponent < _WIDE:
            return format(value, "f")
        return str(value)
    if isinstance(value, str):
        return encode_basestring(str(value))
    raise TypeError(f"{value!r} has no JSON form")


def _encode(text: str) -> bytes:
    """UTF-8, with the characters escaped that stock Terraform escapes (to be safe inside of HTML)."""
    text = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    if not text.isascii():
        text = text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _LONE_SURROGATE.sub("\ufffd", text).encode()
