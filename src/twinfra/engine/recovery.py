"""Recovery: looks for what interrupted creates have made, so that nothing is made twice or left behind."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from twinfra.config.model import Configuration
from twinfra.diagnostics import Diagnostic, DiagnosticError, Diagnostics, error, warning
from twinfra.engine.bodies import locate, secrets_in
from twinfra.engine.console import View
from twinfra.engine.objects import Facts, encode_object
from twinfra.engine.providers import Providers
from twinfra.engine.recorder import Intent, Recorder
from twinfra.engine.settings import configure
from twinfra.providers.protocol import Planned, Provider, ProviderError, Stored
from twinfra.state.model import State
from twinfra.values.encoding import value_from_json
from twinfra.values.value import Unknown, Value

if TYPE_CHECKING:
    from twinfra.engine.api import ApplyResult


def recover(
    configuration: Configuration,
    state: State,
    inputs: Mapping[str, Value],
    providers: Providers,
    intents: Iterable[Intent],
    recorder: Recorder,
    workspace: str,
) -> ApplyResult:
    """See `api.recover`."""
    from twinfra.engine.api import ApplyResult

    result = state.copy()
    found = Diagnostics()
    program = providers.program(configuration)
    view = View(program, result, inputs, providers, workspace)
    if not program.broken:
        view.run()
    started: dict[str, Provider] = {}
    for intent in intents:
        node = program.provider(intent.provider)
        facts = program.facts(intent.provider, intent.address.resource)
        if node is None or facts is None or node in view.failed:
            found.add(_lost(intent, "its provider is not configured (any more)"))
            continue
        try:
            provider = started.get(str(intent.provider))
            if provider is None:
                scope = next(iter(view.scopes.get(node.path, ())), view.root)
                provider = started[str(intent.provider)] = configure(node, scope, providers)
            made = _look(provider, intent, facts)
        except DiagnosticError as failed:
            found.extend(failed.diagnostics)
            found.add(_lost(intent, "the provider could not be started"))
            continue
        except ProviderError as failed:
            # Of the marks of the configuration nothing is journaled.
            hidden = secrets_in(_recorded(intent.config, facts), [], facts)
            found.extend(locate(one, None, None, str(intent.address), hidden) for one in failed.diagnostics)
            found.add(_lost(intent, "looking for it failed"))
            continue
        if made is None:
            recorder.answered(intent.token)
            continue
        stored = encode_object(
            made,
            facts,
            [],
            tainted=True,
            dependencies=intent.dependencies,
            create_before_destroy=intent.create_before_destroy,
        )
        # Somebody else's object has the address by now: ours is put beside it, to be destroyed.
        deposed = "" if result.current(intent.address) is None else os.urandom(4).hex()
        result.put(intent.address, intent.provider, stored, deposed)
        recorder.record(intent.address, intent.provider, stored, deposed)
        recorder.answered(intent.token)
        found.add(_recovered(intent))
    recorder.sync()
    return ApplyResult(result, found)


def _look(provider: Any, intent: Intent, facts: Facts) -> Stored | None:
    if not hasattr(provider, "recover"):
        return None
    types = facts.type.attributes
    config = _recorded(intent.config, facts)
    planned = dict(_recorded(intent.planned, facts))
    planned.update({name: Unknown(types[name]) for name in intent.unknown if name in types})
    change = Planned(None, config, planned, private=intent.private)
    made: Stored | None = provider.recover(intent.address.resource.type, change, intent.token)
    return made


def _recorded(attributes: Mapping[str, Any], facts: Facts) -> dict[str, Value]:
    """Journaled attributes with the names that the schema has now: another version may have written them."""
    fitting = {name: attributes.get(name) for name in facts.type.attributes}
    found: dict[str, Value] = value_from_json(fitting, facts.type)
    return found


def _recovered(intent: Intent) -> Diagnostic:
    return warning(
        "Found what an interrupted run made",
        f"{intent.address} was being created when an earlier run ended. What there is of it is recorded, as "
        "tainted: the next apply replaces it.",
        mend="To keep it instead, take it out of the state (state rm) and import it.",
        address=str(intent.address),
    )


def _lost(intent: Intent, reason: str) -> Diagnostic:
    return error(
        "Cannot look for what an interrupted run made",
        f"{intent.address} was being created when an earlier run ended, and {reason}.",
        mend="Mend that and run again: nothing else is done before, lest it be made twice.",
        address=str(intent.address),
    )
