"""Asks providers where they act, before a state is opened or anything is read."""

from __future__ import annotations

from collections.abc import Mapping

from twinfra.config.model import Configuration
from twinfra.diagnostics import DiagnosticError, Diagnostics
from twinfra.engine.console import View
from twinfra.engine.nodes import ResourceNode
from twinfra.engine.providers import Providers
from twinfra.engine.settings import refused_settings, settings_of
from twinfra.providers.protocol import ProviderError
from twinfra.state.model import State
from twinfra.values.unknowns import contains_unknown
from twinfra.values.value import Value


def identify(
    configuration: Configuration, inputs: Mapping[str, Value], providers: Providers, workspace: str
) -> tuple[dict[str, dict[str, str]], Diagnostics]:
    """See `api.identify`."""
    program = providers.program(configuration)
    found = Diagnostics()
    identities: dict[str, dict[str, str]] = {}
    if program.broken:
        return identities, found
    view = View(program, State(), inputs, providers, workspace)
    view.run()
    used = dict.fromkeys(node.provider for node in program.nodes if isinstance(node, ResourceNode))
    for node in used:
        scope = next(iter(view.scopes.get(node.path, ())), None)
        if scope is None or node in view.failed:
            continue
        try:
            settings = settings_of(node, scope, providers.schema(node.config.provider).provider)
            if not contains_unknown(settings):
                identity = providers.configured(node.config, settings).identity()
                identities[str(node.config)] = dict(identity)
        except ProviderError as refused:
            found.extend(refused_settings(node, scope, providers, refused))
        except DiagnosticError:
            # What is wrong with its settings is told by the run, with all the rest.
            continue
    return identities, found
