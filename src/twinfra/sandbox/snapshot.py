"""The snapshot: the whole emulated cloud as it was at one place in the journal, so that a start need not
repeat it all.

Only ever a short cut: without it, or when it does not fit, the journal alone brings everything back. A
pickle can run code, so only a file is read that is our own and closed to others, and nothing is looked up
in it but plain data types and classes of the emulator.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import sys
import threading
import types
from importlib import import_module
from pathlib import Path
from typing import Any

import moto
from moto.core.base_backend import AccountSpecificBackend, BackendDict, BaseBackend

from twinfra.sandbox import tracking
from twinfra.sandbox.files import is_private, replace_private

FORMAT = (
    f"twinfra sandbox 1, moto {moto.__version__}, python {sys.version_info.major}.{sys.version_info.minor}"
)
"""A snapshot of another format is not read: the emulator's classes may have changed."""

Contents = list[tuple[tuple[str, str], dict[str, Any], dict[tuple[str, str], BaseBackend]]]
"""Each service in use: where its table lives, what else the table holds, its backends by account and
region.
"""

_PLAIN = {
    "builtins": frozenset(
        {"set", "frozenset", "bytearray", "complex", "object", "list", "dict", "tuple", "int", "str"}
    ),
    "collections": frozenset({"OrderedDict", "defaultdict", "deque", "Counter"}),
    "datetime": frozenset({"datetime", "date", "time", "timedelta", "timezone"}),
    "decimal": frozenset({"Decimal"}),
    "uuid": frozenset({"UUID", "SafeUUID"}),
    "ipaddress": frozenset({"IPv4Network", "IPv4Address", "IPv6Network", "IPv6Address"}),
    "re": frozenset({"_compile"}),
    "copyreg": frozenset({"_reconstructor"}),
    "twinfra.sandbox.snapshot": frozenset(
        {"_new_lock", "_bare", "_inner_function", "_method", "_set_default", "_private_key"}
    ),
}
_EMULATOR = ("moto.", "twinfra.sandbox.extensions.")
_LOCKS = (type(threading.Lock()), type(threading.RLock()))


class Snapshot:
    """The snapshot file of a sandbox."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, places: dict[str, int]) -> bool:
        """Save the cloud as it is. `places` tells where in which journal that is: seed to place.

        Returns whether it was possible.
        """
        buffer = io.BytesIO()
        buffer.write(json.dumps({"format": FORMAT, "places": places}).encode() + b"\n")
        try:
            _Pickler(buffer, pickle.HIGHEST_PROTOCOL).dump(_contents())
        except Exception as reason:
            # Something that moto keeps cannot be saved. The journal has it, only the next start takes longer.
            _tell(f"No snapshot this time: {type(reason).__name__}: {reason}")
            return False
        replace_private(self._path, buffer.getvalue())
        return True

    def load(self, seed: str, end: int) -> int | None:
        """Bring the cloud back; returns the place in the journal it was saved at, None if there is no use
        in it.

        `seed` and `end` are the journal's: a snapshot from beyond its end belongs to another one.
        """
        if not is_private(self._path):
            return None
        try:
            with open(os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
                heading = json.loads(file.readline())
                place = heading["places"].get(seed)
                if heading["format"] != FORMAT or not isinstance(place, int) or place > end:
                    _tell("The snapshot is not used: it is of another version or journal")
                    return None
                contents: Contents = _Unpickler(file).load()
        except Exception as reason:
            _tell(f"The snapshot is not used: {type(reason).__name__}: {reason}")
            return None
        _install(contents)
        return place

    def forget(self) -> None:
        """Empty the cloud, and remove what was saved of it."""
        self._path.unlink(missing_ok=True)
        for services in BackendDict._instances:
            services.clear()  # moto's own reset makes each backend anew first, only to throw it away
            vars(services).get("bucket_accounts", {}).clear()
        BackendDict._instances.clear()
        tracking.forget()


def _contents() -> Contents:
    found = []
    for services in BackendDict._instances:
        extra = {"bucket_accounts": services.bucket_accounts} if hasattr(services, "bucket_accounts") else {}
        backends = {(account, region): backend for account, region, backend in services.iter_backends()}
        found.append((_place(services), extra, backends))
    return found


def _install(
    contents: list[tuple[tuple[str, str], dict[str, Any], dict[tuple[str, str], BaseBackend]]],
) -> None:
    for place, extra, backends in contents:
        services = _services_at(place)
        vars(services).update(extra)
        for (account, region), backend in backends.items():
            dict.__setitem__(services[account], region, backend)


def _place(services: BackendDict[Any]) -> tuple[str, str]:
    """The module and name under which a service's table of backends can be found again."""
    for module in (services.backend.__module__, services.backend.__module__.rpartition(".")[0]):
        for name, value in vars(sys.modules[module]).items():
            if value is services:
                return module, name
    raise pickle.PicklingError(f"{services.service_name} has no table")


def _services_at(place: tuple[str, str]) -> BackendDict[Any]:
    module, name = place
    if module.partition(".")[0] != "moto":
        raise pickle.UnpicklingError(f"{module} is none of the emulator's modules")
    found = getattr(import_module(module), name)
    if not isinstance(found, BackendDict):
        raise pickle.UnpicklingError(f"{module}.{name} is no table of backends")
    return found


def _tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


class _Pickler(pickle.Pickler):
    def persistent_id(self, found: Any) -> Any:
        if isinstance(found, BackendDict):
            return "services", _place(found)
        if isinstance(found, AccountSpecificBackend):
            return "account", _place(_services_of(found)), found.account_id
        return None

    def reducer_override(self, found: Any) -> Any:
        if isinstance(found, types.MethodType):
            return _method, (found.__self__, found.__func__.__name__)
        if isinstance(found, types.FunctionType) and "<locals>" in found.__qualname__:
            return _inner_function, _place_of_inner(found)
        if isinstance(found, _LOCKS):
            return _new_lock, (isinstance(found, _LOCKS[1]),)
        kind = type(found)
        if (
            kind.__module__.startswith("moto.")
            and issubclass(kind, dict)
            and hasattr(found, "default_factory")
        ):
            # A defaultdict whose constructor takes other arguments than those of defaultdict.
            return (
                _bare,
                (kind,),
                (vars(found), found.default_factory),
                None,
                iter(found.items()),
                _set_default,
            )
        if kind.__module__.startswith("cryptography.") and hasattr(found, "private_bytes"):
            return _private_key, (_as_pem(found),)
        return NotImplemented


def _services_of(accounts: AccountSpecificBackend[Any]) -> BackendDict[Any]:
    for services in BackendDict._instances:
        if any(value is accounts for value in services.values()):
            return services
    raise pickle.PicklingError(f"{accounts.service_name} has no table")


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, reference: Any) -> Any:
        if reference[0] == "services":
            return _services_at(reference[1])
        return _services_at(reference[1])[reference[2]]

    def find_class(self, module: str, name: str) -> Any:
        if name in _PLAIN.get(module, ()):
            return super().find_class(module, name)
        if module.startswith(_EMULATOR) and "." not in name:
            found = super().find_class(module, name)
            if isinstance(found, type) and found.__module__ == module:
                return found
        raise pickle.UnpicklingError(f"{module}.{name} does not belong into a snapshot")


def _new_lock(reentrant: bool) -> Any:
    return threading.RLock() if reentrant else threading.Lock()


def _method(owner: Any, name: str) -> Any:
    if not type(owner).__module__.startswith(_EMULATOR):
        raise pickle.UnpicklingError(f"{type(owner).__name__} is none of the emulator's classes")
    return getattr(owner, name)


def _place_of_inner(function: types.FunctionType) -> tuple[str, str, int]:
    """Where a function without a name of its own stands: module, enclosing function, place among its
    constants.
    """
    outer = function.__qualname__.rpartition(".<locals>.")[0]
    if function.__closure__ or "<locals>" in outer:
        raise pickle.PicklingError(f"{function.__qualname__} closes over variables")
    return function.__module__, outer, _enclosing(function.__module__, outer).index(function.__code__)


def _inner_function(module: str, outer: str, place: int) -> Any:
    if not module.startswith(_EMULATOR):
        raise pickle.UnpicklingError(f"{module} is none of the emulator's modules")
    return types.FunctionType(_enclosing(module, outer)[place], vars(sys.modules[module]))


def _enclosing(module: str, outer: str) -> tuple[Any, ...]:
    found: Any = import_module(module)
    for name in outer.split("."):
        found = vars(found)[name]
    return tuple(found.__code__.co_consts)


def _bare(kind: Any) -> Any:
    return kind.__new__(kind)


def _set_default(made: Any, state: Any) -> None:
    attributes, made.default_factory = state
    vars(made).update(attributes)


def _as_pem(key: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem


def _private_key(pem: bytes) -> Any:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    return load_pem_private_key(pem, None)
