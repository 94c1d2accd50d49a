"""A cloud in memory, a provider for it, and a project to plan and apply: what the engine's tests work with.

`MemoryProvider` serves `memory_thing` (see `THING`) and the data source `memory_lookup`. The things live in a
`MemoryCloud`, which can be told to fail, and notes every call.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twinfra.addresses import BUILTIN_PROVIDER, Instance, ProviderAddress, ProviderConfig, parse_address
from twinfra.config.installer import load
from twinfra.config.model import Configuration
from twinfra.diagnostics import error
from twinfra.engine import api
from twinfra.engine.changes import Action, ResourceChange
from twinfra.engine.events import Listener, Silent
from twinfra.engine.recorder import Intent
from twinfra.providers.protocol import (
    OPERATION_TOKEN,
    UNCONFIRMED,
    Imported,
    Object,
    Planned,
    Progress,
    Proposal,
    Provider,
    ProviderError,
    Stored,
    silent,
)
from twinfra.providers.terraform import TerraformProvider
from twinfra.schema import Attribute, Block, NestedBlock, Nesting, ProviderSchema, ResourceSchema
from twinfra.state.model import InstanceObject, State
from twinfra.values.types import NUMBER, STRING, MapType
from twinfra.values.value import GetAttr, List, Unknown

MEMORY = ProviderAddress("memory", "test", "example.com")

THING = Block(
    {
        "id": Attribute(STRING, computed=True),
        "name": Attribute(STRING, required=True),
        "size": Attribute(NUMBER, optional=True),
        "zone": Attribute(STRING, optional=True, computed=True),
        "label": Attribute(STRING, optional=True),
        "tags": Attribute(MapType(STRING), optional=True),
        "secret": Attribute(STRING, optional=True, sensitive=True),
        "token": Attribute(STRING, optional=True, write_only=True),
        "token_version": Attribute(NUMBER, optional=True),
        "revision": Attribute(NUMBER, computed=True),
    },
    {
        "rule": NestedBlock(
            Block({"port": Attribute(NUMBER, required=True), "rule_id": Attribute(STRING, computed=True)}),
            Nesting.LIST,
        )
    },
)
"""`name` forces replacement; `zone` defaults to "a"; `revision` counts changes; `token` is write-only."""

LOOKUP = Block({"name": Attribute(STRING, required=True), "id": Attribute(STRING, computed=True)})

SCHEMA = ProviderSchema(
    Block(
        {
            "region": Attribute(STRING, optional=True),
            "key": Attribute(STRING, optional=True, sensitive=True),
        }
    ),
    {"memory_thing": ResourceSchema(THING, 1)},
    {"memory_lookup": ResourceSchema(LOOKUP)},
)


@dataclass
class MemoryCloud:
    """What exists, what was asked, and what is to fail.

    `fail`: (operation, name of the thing) to a message; `fail_at`: numbers of changes that fail; `half`: creates that fail after making the thing.
    """

    things: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    fail: dict[tuple[str, str], str] = field(default_factory=dict)
    half: set[str] = field(default_factory=set)
    tokens: list[Any] = field(default_factory=list)
    made: dict[str, str] = field(default_factory=dict)
    confirmed: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    fail_at: set[int] = field(default_factory=set)
    changes: int = 0
    region: str = "here"
    hold: threading.Event | None = None
    serial: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, operation: str, name: str) -> None:
        """Note a call; fail it where told so."""
        with self.lock:
            self.calls.append((operation, name))
        self.refuse(operation, name)

    def refuse(self, operation: str, name: str) -> None:
        """Fail a call where told so."""
        with self.lock:
            message = self.fail.get((operation, name))
            if operation in ("create", "update", "delete"):
                self.changes += 1
                if self.changes in self.fail_at:
                    message = f"change {self.changes} fails"
        if message is not None:
            raise ProviderError(error("Cloud says no", message, path=(GetAttr("name"),)))

    def attach(self, id: Any) -> None:
        """A thing whose label is the id of another counts as a change of that one."""
        with self.lock:
            other = self.things.get(id)
            if other is not None:
                other["revision"] += 1

    def asked(self, operation: str) -> list[str]:
        """The names of the things for which an operation was asked, in order."""
        return [name for one, name in self.calls if one == operation]


class MemoryProvider:
    """A provider whose cloud is a `MemoryCloud`."""

    def __init__(self, cloud: MemoryCloud) -> None:
        self.cloud = cloud
        self.region = ""

    def schema(self) -> ProviderSchema:
        return SCHEMA

    def configure(self, config: Object) -> None:
        self.region = config["region"] or self.cloud.region
        self.cloud.refuse("configure", self.region)

    def identity(self) -> dict[str, str]:
        self.cloud.refuse("identity", self.region)
        return {"region": self.region}

    def validate(self, kind: str, config: Object) -> list[Any]:
        if config["label"] == "forbidden":
            return [error("Label is forbidden", "Choose another.", path=(GetAttr("label"),))]
        return []

    def validate_data(self, kind: str, config: Object) -> list[Any]:
        return []

    def plan(self, kind: str, proposal: Proposal) -> Planned:
        prior = proposal.prior
        planned = dict(proposal.proposed)
        if prior is None:
            planned["id"] = Unknown(STRING)
            planned["revision"] = 1
            if planned["zone"] is None:
                planned["zone"] = Unknown(STRING)
            planned["rule"] = _rules(planned["rule"])
            return Planned(None, proposal.config, planned)
        replace = ((GetAttr("name"),),) if planned["name"] != prior.attributes["name"] else ()
        if planned != prior.attributes:
            planned["revision"] = Unknown(NUMBER)
            planned["rule"] = _rules(planned["rule"])
        return Planned(prior, proposal.config, planned, replace)

    def read(self, kind: str, current: Stored, progress: Progress = silent) -> Stored | None:
        self.cloud.note("read", str(current.attributes["name"]))
        found = self.cloud.things.get(current.attributes["id"])
        return None if found is None else Stored(dict(found), current.private)

    def apply(self, kind: str, change: Planned, progress: Progress = silent) -> Stored | None:
        cloud = self.cloud
        if change.planned is None:
            assert change.prior is not None
            cloud.note("delete", change.prior.attributes["name"])
            cloud.things.pop(change.prior.attributes["id"], None)
            cloud.attach(change.prior.attributes["label"])
            cloud.gone.append(change.prior.attributes["id"])
            return None
        name = change.planned["name"]
        operation = "create" if change.prior is None else "update"
        if cloud.hold is not None:
            cloud.hold.wait(60)
        progress("working")
        cloud.note(operation, name)
        made = dict(change.planned)
        with cloud.lock:
            if change.prior is None:
                cloud.serial += 1
                made["id"] = f"id-{cloud.serial}"
            else:
                made["revision"] = change.prior.attributes["revision"] + 1
        if type(made["zone"]) is Unknown:
            made["zone"] = "a"
        made["rule"] = List(
            [dict(one, rule_id=f"rule-{one['port']}") for one in made["rule"]], made["rule"].element
        )
        assert change.config is not None
        cloud.tokens.append(change.config["token"])
        cloud.things[made["id"]] = made
        cloud.attach(made["label"])
        token = change.private.get(OPERATION_TOKEN)
        if token:
            cloud.made[token] = made["id"]
        if name in cloud.half:
            raise ProviderError(error("Cloud says no", "only half of it was made"), Stored(dict(made)))
        return Stored(dict(made), {UNCONFIRMED: token} if token else {})

    def import_(self, kind: str, id: str) -> list[Imported]:
        found = self.cloud.things.get(id)
        return [] if found is None else [Imported(kind, Stored(dict(found)))]

    def read_data(self, kind: str, config: Object, progress: Progress = silent) -> Object:
        self.cloud.note("lookup", config["name"])
        for thing in self.cloud.things.values():
            if thing["name"] == config["name"]:
                return {"name": config["name"], "id": thing["id"]}
        raise ProviderError(error("Not found", f"There is no thing named {config['name']}."))

    def upgrade(self, kind: str, version: int, attributes: dict[str, Any]) -> dict[str, Any]:
        current = {name: attributes.get(name) for name in THING.type.attributes}
        if version == 0 and "title" in attributes:
            current["name"] = attributes["title"]
        current["rule"] = current["rule"] or []
        return current

    def recover(self, kind: str, change: Planned, token: str) -> Stored | None:
        made = self.cloud.things.get(self.cloud.made.get(token, ""))
        return None if made is None else Stored(dict(made))

    def confirm(self, kind: str, stored: Stored) -> Stored:
        self.cloud.refuse("confirm", stored.attributes["name"])
        self.cloud.confirmed.append(stored.attributes["name"])
        return Stored(stored.attributes, {})

    def close(self) -> None:
        """It holds nothing."""


def _rules(rules: Any) -> Any:
    return List([dict(one, rule_id=one["rule_id"] or Unknown(STRING)) for one in rules], rules.element)


class Notes(Silent):
    """A listener that keeps what it is told, as short texts."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.seconds: dict[str, float] = {}

    def apply_started(self, change: ResourceChange, action: Action, id: str) -> None:
        self.texts.append(f"{action} {change.address}")

    def apply_finished(self, address: Instance, action: Action, id: str, seconds: float) -> None:
        self.texts.append(f"{action} {address} done")
        self.seconds[str(address)] = seconds

    def apply_failed(self, address: Instance, action: Action, seconds: float) -> None:
        self.texts.append(f"{action} {address} failed")

    def apply_progress(self, address: Instance, action: Action, seconds: float, message: str) -> None:
        self.texts.append(f"{address}: {message}")

    def provision_output(self, address: Instance, provisioner: str, line: str) -> None:
        self.texts.append(f"{address} {provisioner}: {line}")

    def refresh_started(self, address: Instance, id: str) -> None:
        self.texts.append(f"refresh {address}")


class Journal:
    """A recorder that keeps everything, with "sync" between."""

    def __init__(self) -> None:
        self.entries: list[Any] = []
        self.intents: list[Intent] = []
        self.identities: dict[str, dict[str, str]] = {}

    def record(
        self, address: Instance, provider: ProviderConfig, value: InstanceObject | None, deposed: str = ""
    ) -> None:
        self.entries.append((str(address), value, deposed))

    def intend(self, intent: Intent) -> None:
        self.intents.append(intent)
        self.entries.append(("intend", str(intent.address), intent.token))

    def answered(self, token: str) -> None:
        self.entries.append(("answered", token))

    def identify(self, provider: ProviderConfig, identity: Mapping[str, str]) -> None:
        self.identities[str(provider)] = dict(identity)

    def sync(self) -> None:
        self.entries.append("sync")


class Project:
    """A directory with a configuration, its state, and the cloud in memory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.state = State.fresh()
        self.cloud = MemoryCloud()
        self.inputs: dict[str, Any] = {}
        self.providers = api.Providers(self._make)
        self.notes = Notes()
        self.journal = Journal()

    def _make(self, address: ProviderAddress) -> Provider:
        if address == BUILTIN_PROVIDER:
            return TerraformProvider()
        return MemoryProvider(self.cloud)

    def write(self, text: str, name: str = "main.tf") -> Project:
        """Write a file of the configuration; `memory` is declared as a provider where it is used."""
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return self

    def load(self) -> Configuration:
        """The configuration; fails the test where it has errors."""
        needs = 'terraform {\n  required_providers {\n    memory = { source = "example.com/test/memory" }\n  }\n}\n'
        for directory in {self.directory, *(one.parent for one in self.directory.rglob("*.tf"))}:
            (directory / "versions.tf").write_text(needs)
        configuration, diagnostics = load(self.directory)
        assert not diagnostics.has_errors, list(diagnostics)
        return configuration

    def plan(self, **options: Any) -> api.PlanResult:
        """Plan what is written."""
        stop = options.pop("stop", None)
        return api.plan(
            self.load(),
            self.state,
            self.inputs,
            self.providers,
            api.PlanOptions(**options),
            self.notes,
            stop,
        )

    def apply(self, listener: Listener | None = None, stop: Any = None, **options: Any) -> api.ApplyResult:
        """Plan and apply what is written, and keep the state."""
        configuration = self.load()
        planned = api.plan(
            configuration, self.state, self.inputs, self.providers, api.PlanOptions(**options), self.notes
        )
        assert not planned.plan.errored, list(planned.diagnostics)
        done = api.apply(
            planned.plan,
            configuration,
            planned.state,
            self.inputs,
            self.providers,
            recorder=self.journal,
            listener=listener or self.notes,
            stop=stop,
        )
        self.state = done.state
        return done

    def attributes(self, address: str) -> dict[str, Any]:
        """The attributes of an instance in the state."""
        found = self.object(address)
        assert found is not None, address
        return found.attributes

    def object(self, address: str) -> InstanceObject | None:
        """The current object of an instance in the state."""
        parsed = parse_address(address)
        return self.state.current(parsed if isinstance(parsed, Instance) else parsed.instance(None))  # type: ignore[union-attr]


def actions(result: api.PlanResult) -> dict[str, str]:
    """The planned action of each instance; deposed objects with their key."""
    return {
        f"{change.address}{f' ({change.deposed})' if change.deposed else ''}": str(change.action)
        for change in result.plan.changes
    }


def reasons(result: api.PlanResult) -> dict[str, str]:
    """The reason of each planned action that has one."""
    return {str(change.address): change.reason.value for change in result.plan.changes if change.reason}


def errors(result: Any) -> list[str]:
    """The summaries of errors."""
    return [one.summary for one in result.diagnostics if one.severity == "error"]


def warnings(result: Any) -> list[str]:
    """The summaries of warnings."""
    return [one.summary for one in result.diagnostics if one.severity == "warning"]


__all__ = ["MEMORY", "Journal", "MemoryCloud", "Notes", "Project", "actions", "errors", "reasons", "warnings"]
