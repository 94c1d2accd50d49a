"""The version 4 state file, the public format that Terraform and OpenTofu share: reading; writing is
`v4_writing`.

The format is described at https://developer.hashicorp.com/terraform/internals/json-format only in part; the
rest follows what stock Terraform 1.11 writes.
"""

from __future__ import annotations

import base64
import json
import re
from contextlib import nullcontext
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any, NoReturn

from twinfra.addresses import (
    DATA,
    MANAGED,
    ROOT,
    AbsResource,
    Key,
    ModuleInstance,
    ProviderAddress,
    ProviderConfig,
    Resource,
    key_text,
    parse_address,
)
from twinfra.collector import paused
from twinfra.diagnostics import DiagnosticError, error
from twinfra.state.json_places import line_and_column, place_of
from twinfra.state.model import Extra, InstanceObject, InstanceState, OutputState, ResourceState, State
from twinfra.state.v4_writing import COMPATIBLE_VERSION, IDENTITY, VERBATIM, compact_json, write_state

__all__ = ["COMPATIBLE_VERSION", "IDENTITY", "VERBATIM", "read_state", "write_state"]

_STATE = frozenset(
    ("version", "terraform_version", "serial", "lineage", "outputs", "resources", "check_results")
)
_OUTPUT = frozenset(("value", "type", "sensitive"))
_RESOURCE = frozenset(("module", "mode", "type", "name", "provider", "instances"))
_INSTANCE = frozenset(
    (
        "index_key",
        "status",
        "deposed",
        "schema_version",
        "attributes",
        "sensitive_attributes",
        "private",
        "dependencies",
        "create_before_destroy",
    )
)
_PROVIDER = re.compile(
    r'((?:module\.[^."\[\]]+\.)*)provider(?:\["([^"]+)"\]|\.([^."\[\]]+))(?:\.([^."\[\]]+))?'
)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_HEX = "[0-9a-fA-F]{2}"
_ESCAPE = re.compile(rf"\\(?:u[dD][89abAB]{_HEX}\\u[dD][c-fC-F]{_HEX}|(u[dD][89a-fA-F]{_HEX})|.)", re.DOTALL)
_BACKUP = "Restore the file from a backup (such as terraform.tfstate.backup) or from the backend's versions."
_LARGE = 1 << 20


class Malformed(ValueError):
    """What is wrong with a state file, and where: the path of keys and positions to the value in question."""

    def __init__(self, reason: str, *path: str | int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path

    def below(self, *path: str | int) -> Malformed:
        """The same, seen from further out."""
        return Malformed(self.reason, *path, *self.path)


def read_state(content: bytes, name: str) -> State | None:
    """The state in a file's content; None where the file is empty. `name` is the file's, for messages.

    Numbers are kept exactly: whole ones as `int`, others as `Decimal`. Raises `DiagnosticError` that says
    where the content is damaged, or which program it needs.
    """
    text = _decoded(content, name)
    if not text or text.isspace():
        return None
    with paused() if len(text) > _LARGE else nullcontext():
        document = _parsed(text, name)
        del text
        try:
            return _state(document, name)
        except Malformed as wrong:
            _refuse_shape(wrong, content, name)


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = content.count(b"\n", 0, wrong.start) + 1
        column = wrong.start - content.rfind(b"\n", 0, wrong.start)
        raise DiagnosticError(
            error(
                "State file is damaged",
                f"{name}, line {line}, byte {column} of it: this is not UTF-8 text.",
                mend=_BACKUP,
            )
        ) from None


def _parsed(text: str, name: str) -> Any:
    if _SURROGATE.search(text):
        text = _ESCAPE.sub(lambda found: "\\ufffd" if found[1] else found[0], text)
    try:
        try:
            return json.loads(text, parse_float=_exact, parse_constant=_no_number)
        except ValueError as wrong:
            if isinstance(wrong, json.JSONDecodeError | Malformed):
                raise
            # A whole number of more digits than Python turns into an `int`.
            return json.loads(text, parse_float=_exact, parse_int=_whole, parse_constant=_no_number)
    except json.JSONDecodeError as wrong:
        reason = wrong.msg[0].lower() + wrong.msg[1:]
        if not text[wrong.pos :].strip():
            reason = "the text ends in the middle"
        where = f"{name}, line {wrong.lineno}, column {wrong.colno}"
    except RecursionError:
        reason, where = "values are nested too deeply", name
    except Malformed as wrong:
        reason, where = wrong.reason, name
    raise DiagnosticError(
        error("State file is damaged", f"{where}: this is not JSON ({reason}).", mend=_BACKUP)
    )


def _exact(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise Malformed(f"the number {text[:40]} is out of range") from None


def _whole(text: str) -> int | Decimal:
    return int(text) if len(text) < 4000 else Decimal(text)


def _no_number(text: str) -> NoReturn:
    raise Malformed(f"{text} is no JSON value")


def _refuse_shape(wrong: Malformed, content: bytes, name: str) -> NoReturn:
    where = name
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in wrong.path).lstrip(".")
    text = content.decode("utf-8-sig")
    offset = place_of(text, wrong.path)
    if offset is not None:
        line, column = line_and_column(text, offset)
        where = f"{name}, line {line}, column {column}"
    at = f" (at {path})" if path else ""
    raise DiagnosticError(
        error("State file is damaged", f"{where}{at}: {wrong.reason}.", mend=_BACKUP)
    ) from None


# -- the parts


def _state(document: Any, name: str) -> State:
    if type(document) is not dict:
        raise Malformed("a state file is a JSON object")
    _check_version(document, name)
    serial = document.get("serial", 0)
    if type(serial) is not int or serial < 0:
        raise Malformed("the serial must be a whole number", "serial")
    state = State(
        serial=serial,
        lineage=_text(document, "lineage"),
        terraform_version=_text(document, "terraform_version"),
        check_results=document.get("check_results"),
        extra=_extra(document, _STATE),
    )
    for output, value in _mapping(document, "outputs").items():
        try:
            state.outputs[output] = _output(value)
        except Malformed as wrong:
            raise wrong.below("outputs", output) from None
    reader = _Reader(state)
    for at, resource in enumerate(_sequence(document, "resources")):
        try:
            reader.resource(resource)
        except Malformed as wrong:
            raise wrong.below("resources", at) from None
    for at, result in enumerate(_sequence(document, "check_results")):
        try:
            _look_at_check(result)
        except Malformed as wrong:
            raise wrong.below("check_results", at) from None
    return state


def _look_at_check(result: Any) -> None:
    """Results of checks are kept as they are; who reads them relies on this."""
    _require_texts(result, "object_kind", "config_addr", "status")
    if result["object_kind"] == "resource" and "." not in result["config_addr"]:
        raise Malformed("that is no address of a resource", "config_addr")
    for at, one in enumerate(_sequence(result, "objects")):
        try:
            _require_texts(one, "object_addr", "status")
            if any(type(text) is not str for text in _sequence(one, "failure_messages")):
                raise Malformed("messages must be strings", "failure_messages")
        except Malformed as wrong:
            raise wrong.below("objects", at) from None


def _require_texts(fields: Any, *names: str) -> None:
    if type(fields) is not dict or any(type(fields.get(name)) is not str for name in names):
        raise Malformed(f"the result of a check must have {', '.join(names)}, which are strings")


def _check_version(document: dict[str, Any], name: str) -> None:
    version = document.get("version")
    if version == 4 and type(version) is int:
        return
    if "encrypted_data" in document:
        raise DiagnosticError(
            error(
                "State file is encrypted",
                f"{name} is encrypted, and no encryption is configured here.",
                mend="Write the encryption block that it was encrypted with, or set TF_ENCRYPTION.",
            )
        )
    if type(version) is not int:
        raise Malformed(
            "there is no format version: this is no state file"
            if version is None
            else "the version must be a number",
            *(() if version is None else ("version",)),
        )
    writer = document.get("terraform_version")
    by = f" (written by version {writer})" if type(writer) is str and writer else ""
    if version > 4:
        raise DiagnosticError(
            error(
                "State file is of a newer format",
                f"{name} has format version {version}{by}; this program reads version 4.",
                mend="Use the program that wrote it, or a newer version of this one.",
            )
        )
    raise DiagnosticError(
        error(
            "State file is of an old format",
            f"{name} has format version {version}{by}; this program reads version 4. The values of older "
            "formats have no types, which only the providers of that time can tell.",
            mend="Let Terraform 0.12 or newer rewrite it once: terraform apply -refresh-only.",
        )
    )


def _output(value: Any) -> OutputState:
    if type(value) is not dict or "value" not in value or "type" not in value:
        raise Malformed("an output must have a value and a type")
    return OutputState(value["value"], value["type"], value.get("sensitive") is True, _extra(value, _OUTPUT))


def _extra(fields: dict[str, Any], known: frozenset[str]) -> Extra:
    if fields.keys() <= known:
        return ()
    return tuple((name, value) for name, value in fields.items() if name not in known)


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if value is None:
        return ""
    if type(value) is not str:
        raise Malformed(f"the {name} must be a string", name)
    return value


def _mapping(fields: dict[str, Any], name: str) -> dict[str, Any]:
    value = fields.get(name)
    if value is None:
        return {}
    if type(value) is not dict:
        raise Malformed(f"{name} must be an object", name)
    return value


def _sequence(fields: dict[str, Any], name: str) -> list[Any]:
    value = fields.get(name)
    if value is None:
        return []
    if type(value) is not list:
        raise Malformed(f"{name} must be a list", name)
    return value


class _Reader:
    """Turns entries of `resources` into the state's records. What many entries share is made once."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.module = cache(_module)
        self.provider = cache(parse_provider)
        self.note = cache(_note)

    def resource(self, entry: Any) -> None:
        """Add one entry to the state."""
        if type(entry) is not dict:
            raise Malformed("a resource must be an object")
        mode = entry.get("mode")
        if mode not in (MANAGED, DATA):
            raise Malformed("the mode must be managed or data", *(("mode",) if "mode" in entry else ()))
        type_, name = entry.get("type"), entry.get("name")
        if type(type_) is not str or type(name) is not str or not type_ or not name:
            raise Malformed("a resource must have a type and a name")
        module = self.module(_text(entry, "module"))
        provider = self.provider(_text(entry, "provider"))
        address = AbsResource(module, Resource(mode, type_, name))
        record = self.state.resources.get(address)
        if record is None:
            record = self.state.resources[address] = ResourceState(provider, {}, _extra(entry, _RESOURCE))
        elif record.provider != provider:
            raise Malformed(f"{address} occurs twice, with different providers")
        for at, instance in enumerate(_sequence(entry, "instances")):
            try:
                self.instance(address, record, instance)
            except Malformed as wrong:
                raise wrong.below("instances", at) from None
        if not record.instances:
            del self.state.resources[address]

    def instance(self, address: AbsResource, record: ResourceState, entry: Any) -> None:
        """Add one object to a resource."""
        if type(entry) is not dict:
            raise Malformed("an instance must be an object")
        key = _key(entry.get("index_key"))
        deposed = _text(entry, "deposed")
        stored = self.object(address, record, entry)
        instance = record.instances.get(key)
        if instance is None:
            instance = record.instances[key] = InstanceState()
        if deposed in instance.deposed or (not deposed and instance.current is not None):
            which = f" (deposed {deposed})" if deposed else ""
            raise Malformed(f"{address}{key_text(key)}{which} occurs twice")
        if deposed:
            instance.deposed[deposed] = stored
        else:
            instance.current = stored

    def object(self, address: AbsResource, record: ResourceState, entry: dict[str, Any]) -> InstanceObject:
        """The object of one entry."""
        attributes = entry.get("attributes")
        if type(attributes) is not dict:
            if attributes is None and "attributes_flat" in entry:
                raise Malformed(
                    f"the values of {address} are still in the form of Terraform 0.11; let a newer Terraform "
                    "rewrite the state first (terraform apply -refresh-only)",
                    "attributes_flat",
                )
            raise Malformed(
                "attributes must be an object", *(("attributes",) if attributes is not None else ())
            )
        version = entry.get("schema_version", 0)
        if type(version) is not int or version < 0:
            raise Malformed("the schema version must be a whole number", "schema_version")
        status = entry.get("status", "")
        if status not in ("", "tainted"):
            raise Malformed("the status must be tainted or nothing", "status")
        sensitive = _sequence(entry, "sensitive_attributes")
        if sensitive:
            _check_paths(sensitive)
        dependencies = _sequence(entry, "dependencies")
        if dependencies and not all(type(one) is str for one in dependencies):
            raise Malformed("dependencies must be strings", "dependencies")
        private: dict[str, Any] = {}
        text = entry.get("private")
        if text is not None:
            if type(text) is not str:
                raise Malformed("the private note must be a string", "private")
            note, identity = self.note(text)
            private = dict(note)
            if identity:
                self.state.identities.setdefault(str(record.provider), dict(identity))
        return InstanceObject(
            attributes,
            version,
            status == "tainted",
            tuple(sensitive),
            private,
            tuple(dependencies),
            entry.get("create_before_destroy") is True,
            _extra(entry, _INSTANCE),
        )


def _key(key: Any) -> Key:
    if key is None or type(key) is str or type(key) is int:
        return key
    if type(key) is Decimal and key == key.to_integral_value() and key.adjusted() < 20:
        return int(key)
    raise Malformed("an index key must be a string or a whole number", "index_key")


def _check_paths(paths: list[Any]) -> None:
    for at, path in enumerate(paths):
        good = type(path) is list and all(
            type(step) is dict
            and (
                (step.get("type") == "get_attr" and type(step.get("value")) is str)
                or (
                    step.get("type") == "index"
                    and type(step.get("value")) is dict
                    and "value" in step["value"]
                )
            )
            for step in path
        )
        if not good:
            raise Malformed("this is no path to an attribute", "sensitive_attributes", at)


def _module(text: str) -> ModuleInstance:
    if not text:
        return ROOT
    try:
        module = parse_address(text)
    except ValueError as wrong:
        raise Malformed(f"the module's address is wrong: {wrong}", "module") from None
    if not isinstance(module, ModuleInstance):
        raise Malformed("this is no module's address", "module")
    return module


def parse_provider(text: str) -> ProviderConfig:
    """A provider configuration as state files write it, also as those of Terraform 0.12 do.

    Raises `Malformed`.
    """
    found = _PROVIDER.fullmatch(text)
    if found is None:
        raise Malformed("this is no provider configuration's address", "provider")
    modules, source, legacy, alias = found.groups()
    path = tuple(part for part in modules.split(".")[1::2]) if modules else ()
    if legacy:
        return ProviderConfig(ProviderAddress(legacy, "-"), alias or "", path)
    parts = source.split("/")
    if not all(parts) or len(parts) > 3:
        raise Malformed("a provider's address has a host, a namespace and a name", "provider")
    return ProviderConfig(ProviderAddress(*reversed(parts)), alias or "", path)


def _note(text: str) -> tuple[dict[str, Any], dict[str, str]]:
    """A private note, and the identity of the cloud that travels in it; `VERBATIM` where it is no JSON."""
    if not text:
        return {}, {}
    try:
        plain = base64.b64decode(text, validate=True).decode()
        note = json.loads(plain, parse_float=_exact, parse_constant=_no_number)
        exact = type(note) is dict and compact_json(note) == plain
    except (ValueError, RecursionError):
        exact = False
    if not exact or not note:
        return {VERBATIM: text}, {}
    identity: dict[str, str] = {}
    if IDENTITY in note:
        try:
            identity = {
                str(name): str(value) for name, value in json.loads(base64.b64decode(note[IDENTITY])).items()
            }
        except (ValueError, TypeError, AttributeError, RecursionError):
            return note, {}
        del note[IDENTITY]
    return note, identity
