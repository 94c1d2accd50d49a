"""Which cloud a state belongs to: what a provider says of itself, against what the state remembers."""

from __future__ import annotations

from collections.abc import Mapping

from twinfra.addresses import ProviderConfig
from twinfra.diagnostics import Diagnostic, error


def check_identity(
    config: ProviderConfig, remembered: Mapping[str, str] | None, actual: Mapping[str, str]
) -> Diagnostic | None:
    """An error when what the state remembers of a provider configuration contradicts where it acts now.

    Only what both sides tell is compared, so that a provider may come to tell more.
    """
    if not remembered:
        return None
    differing = [
        name for name in sorted(remembered.keys() & actual.keys()) if remembered[name] != actual[name]
    ]
    if not differing:
        return None
    then = ", ".join(f"{name} {remembered[name]}" for name in differing)
    now = ", ".join(f"{name} {actual[name]}" for name in differing)
    return error(
        "State belongs to another cloud",
        f"What the state holds for {config} exists in {then}, but the provider acts on {now}. Nothing "
        "was read or "
        "changed.",
        mend="Use the credentials, region and endpoints that the state was made with (or --sandbox, if that "
        "is where it was made), or another state.",
    )
