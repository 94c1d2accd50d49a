"""Which backend a directory uses: its block, what `init -backend-config` added, and what was used before.

The settings in use are remembered in the data directory, since a backend that changes unseen looks like a state that
is empty: everything would be made again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinfra.config.model import Configuration
from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, DiagnosticError, Source, SourceRange, error, nearest
from twinfra.schema import Attribute, Block
from twinfra.state.files import file_problem, make_directory, replace_file
from twinfra.values.value import Null, Value

if TYPE_CHECKING:
    from twinfra.environments.declaration import Environment

FILE = "twinfra-backend.json"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A backend: its type and settings, in plain Python; those not given are absent."""

    type: str
    settings: dict[str, Any]

    @property
    def digest(self) -> str:
        """Tells one choice from another, secrets included, without showing them."""
        text = json.dumps([self.type, self.settings], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


LOCAL = Chosen("local", {})


@dataclass(frozen=True, slots=True)
class Remembered:
    """What was used last: the whole choice, and which of its settings came from `-backend-config`."""

    chosen: Chosen
    extra: dict[str, Any]


def declared(
    configuration: Configuration | None,
    inputs: Callable[[], Mapping[str, Value]],
    workspace: str,
    extra: Mapping[str, Any],
    environment: Environment | None = None,
) -> Chosen:
    """The backend of the root module's block; the local one without a block.

    The settings of `environment` are laid over it, and `extra` ones over those.
    `inputs` gives the values of the root variables when the block needs them. Raises `DiagnosticError`.
    """
    from twinfra.cli.backend_scope import EarlyScope
    from twinfra.decode import prepare
    from twinfra.state.backends.registry import backend_schema

    block = configuration.root.backend if configuration is not None and configuration.modules else None
    if configuration is None or block is None:
        if environment is not None and environment.backend and configuration is not None:
            raise DiagnosticError(
                error(
                    "No backend block",
                    f'The environment "{environment.name}" has settings of a backend, and the root module '
                    "declares none.",
                    environment.place_of("backend"),
                    mend='Write terraform { backend "TYPE" {} } in it.',
                )
            )
        if extra and configuration is not None and configuration.files:
            raise DiagnosticError(
                error(
                    "No backend block",
                    "Settings of a backend are given, and the root module declares none.",
                    mend='Write terraform { backend "TYPE" {} } in it.',
                )
            )
        return LOCAL
    try:
        schema = backend_schema(block.type)
    except DiagnosticError as unknown:
        raise unknown.at(block.type_range) from None
    decoder, found = prepare(block.body, _all_optional(schema))
    found.raise_errors()
    values = _plain(decoder.evaluate(EarlyScope(configuration, inputs, workspace)))
    settings = {name: one for name, one in values.items() if one is not None and one != []}
    _check_names(block.type, schema, extra)
    if environment is not None:
        settings |= _of_environment(environment, block.type, schema)
    return Chosen(block.type, settings | dict(extra))


def _of_environment(environment: Environment, type: str, schema: Block) -> dict[str, Any]:
    """The settings that an environment lays over the block, each of its type. Raises `DiagnosticError`."""
    from twinfra.values.convert import ConversionError, convert

    found: dict[str, Any] = {}
    problems: list[Diagnostic] = []
    for name, given in environment.backend.items():
        place = environment.place_of("backend", name)
        attribute = schema.attributes.get(name)
        if attribute is None:
            mend = nearest(name, schema.attributes) or "Remove it."
            problems.append(
                _unknown_setting(type, name, f'the environment "{environment.name}"', mend, place)
            )
            continue
        try:
            found[name] = _plain(convert(given, attribute.type))
        except ConversionError as refused:
            problems.append(error("Unsuitable setting of a backend", f"{name}: {refused}.", place))
    if problems:
        raise DiagnosticError(problems)
    return found


def _unknown_setting(
    type: str, name: str, giver: str, mend: str, place: SourceRange | None = None
) -> Diagnostic:
    detail = f'The "{type}" backend has no setting "{name}", which {giver} gives.'
    return error("Unknown setting of a backend", detail, place, mend=mend)


def _all_optional(schema: Block) -> Block:
    """The schema for a block of which `-backend-config` may bring a part."""
    attributes = {
        name: replace(one, required=False, optional=True) if one.required else one
        for name, one in schema.attributes.items()
    }
    return replace(schema, attributes=attributes)


def _plain(value: Value) -> Any:
    from twinfra.values.marks import unmark_deep

    bare, _ = unmark_deep(value)
    if bare is None or type(bare) is Null:
        return None
    if isinstance(bare, dict):
        return {name: _plain(inner) for name, inner in bare.items()}
    if isinstance(bare, tuple):
        return [_plain(inner) for inner in bare]
    return bare


def _check_names(type: str, schema: Block, extra: Mapping[str, Any]) -> None:
    for name in extra:
        if name not in schema.attributes:
            mend = nearest(name, schema.attributes) or "Remove it."
            raise DiagnosticError(_unknown_setting(type, name, "-backend-config", mend))


def read_extra(texts: Sequence[str], type: str) -> dict[str, Any]:
    """The settings of `-backend-config` options: files, or `NAME=VALUE`. Raises `DiagnosticError`."""
    from twinfra.lang.compiler import constant
    from twinfra.lang.json_syntax import parse_json
    from twinfra.lang.parser import parse_config, parse_expression
    from twinfra.state.backends.registry import backend_schema
    from twinfra.values.types import PrimitiveType

    found: dict[str, Any] = {}
    attributes = backend_schema(type).attributes
    for text in texts:
        name, equals, given = text.partition("=")
        if equals and not Path(text).is_file():
            attribute = attributes.get(name)
            if attribute is None or isinstance(attribute.type, PrimitiveType):
                found[name] = _converted(given, attribute, f"-backend-config={name}=...")
                continue
            # As in stock Terraform, what is more than a text is written as in the language.
            expression, problems = parse_expression(Source(f"-backend-config={name}", given))
            if problems:
                raise DiagnosticError(problems)
            found[name] = _converted(constant(expression), attribute, f"-backend-config={name}=...")
            continue
        try:
            source = Source(text, Path(text).read_text(encoding="utf-8"))
        except OSError as reason:
            raise file_problem(reason, "read the settings of the backend from", text) from None
        body, problems = (
            parse_json(source, templates=False) if text.endswith(".json") else parse_config(source)
        )
        if problems:
            raise DiagnosticError(problems)
        settings, problems = body.just_attributes()
        if problems:
            raise DiagnosticError(problems)
        for name, one in settings.items():
            found[name] = _converted(constant(one.expression), attributes.get(name), f"{name} in {text}")
    return found


def _converted(value: Value, attribute: Attribute | None, where: str) -> Any:
    """A setting in plain Python, of the type that it must have; one that nobody knows as it is: it is told later."""
    from twinfra.values.convert import ConversionError, convert

    try:
        return _plain(value if attribute is None else convert(value, attribute.type))
    except ConversionError as refused:
        raise DiagnosticError(
            error("Unsuitable setting of a backend", f"{where}: {refused}.", mend="Correct that value.")
        ) from None


def remembered(data: Path) -> Remembered | None:
    """What was used last in this directory, None where nothing was. `data` is the data directory."""
    path = data / FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        found = Remembered(Chosen(document["type"], document["settings"]), document["extra"])
        _require_settings(found.chosen.type, found.chosen.settings)
        _require_settings(found.chosen.type, found.extra)
        return found
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, KeyError, TypeError, RecursionError, DiagnosticError):
        raise DiagnosticError(
            error(
                "Damaged note of the backend",
                f"{path} does not say any more which backend was used here last.",
                mend="Run: twinfra init -reconfigure",
            )
        ) from None
    except OSError as reason:
        raise file_problem(reason, "read", path) from None


def _require_settings(type: str, settings: Any) -> None:
    """Raise `ValueError`, `TypeError` or `DiagnosticError` for what no backend of this type can have noted."""
    from twinfra.state.backends.registry import backend_schema
    from twinfra.values.encoding import value_from_json

    attributes = backend_schema(type).attributes
    if not isinstance(settings, dict) or not settings.keys() <= attributes.keys():
        raise ValueError(type)
    json.dumps(settings, ensure_ascii=False).encode()
    for name, value in settings.items():
        read = value_from_json(value, attributes[name].type)
        # Which also makes a string of a number.
        if isinstance(read, str) and not isinstance(value, str):
            raise TypeError(name)


def remember(data: Path, chosen: Chosen, extra: Mapping[str, Any]) -> None:
    """Note what is used from now on, readable by its owner only: settings may hold credentials."""
    path = data / FILE
    document = {"type": chosen.type, "settings": chosen.settings, "extra": dict(extra)}
    try:
        make_directory(data)
        replace_file(path, (json.dumps(document, indent=2, default=str).encode(),))
    except OSError as reason:
        raise file_problem(reason, "write", path) from None


def forget(data: Path) -> None:
    """Note that the local backend without a block is used from now on. Raises `DiagnosticError`."""
    path = data / FILE
    try:
        if path.exists():  # where nothing can be written, even removing nothing fails
            path.unlink(missing_ok=True)
    except OSError as reason:
        raise file_problem(reason, "remove", path) from None


def check_unchanged(
    chosen: Chosen, before: Remembered | None, directory: Path, environment: Environment | None = None
) -> None:
    """Raise `DiagnosticError` where the backend is not the one used last, or a local state would be left behind.

    A local state of plain work is no state of an environment.
    """
    if before is not None:
        if before.chosen.digest == chosen.digest:
            return
        changed = _differing(before.chosen, chosen)
        who = "This directory" if environment is None else f'The environment "{environment.name}"'
        option = "" if environment is None else f" -env {environment.name}"
        raise DiagnosticError(
            error(
                "Backend has changed",
                f"{who} used another backend before ({before.chosen.type}; {changed}).",
                mend=f"To take the state along: twinfra init{option} -migrate-state. To leave it where it is: "
                f"twinfra init{option} -reconfigure.",
            )
        )
    if environment is not None:
        return
    elsewhere = (
        chosen.type != "local" or chosen.settings.get("path", "terraform.tfstate") != "terraform.tfstate"
    )
    if elsewhere and _has_state(directory / "terraform.tfstate"):
        raise DiagnosticError(
            error(
                "State still lies in this directory",
                f'The configuration asks for another place ("{chosen.type}"), and terraform.tfstate holds a state.',
                mend="To take it along: twinfra init -migrate-state. To leave it: twinfra init -reconfigure.",
            )
        )


def _has_state(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def _differing(before: Chosen, now: Chosen) -> str:
    if before.type != now.type:
        return f"now {now.type}"
    names = sorted(
        name
        for name in before.settings.keys() | now.settings.keys()
        if before.settings.get(name) != now.settings.get(name)
    )
    return "changed: " + ", ".join(names)
