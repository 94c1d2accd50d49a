"""Two sides of a configuration written in the test, compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.engine.memory import MEMORY, MemoryCloud, MemoryProvider

from twinfra.addresses import BUILTIN_PROVIDER, ProviderAddress
from twinfra.config.installer import load
from twinfra.engine.providers import Providers
from twinfra.environments.twins.compare import compare
from twinfra.environments.twins.inputs import Side
from twinfra.environments.twins.report import Entry, Report
from twinfra.environments.twins.rules import Allow, Rules
from twinfra.providers.protocol import Provider
from twinfra.providers.registry import create
from twinfra.providers.terraform import TerraformProvider

MEMORY_SETTINGS = """
terraform {
  required_providers {
    memory = { source = "example.com/test/memory" }
  }
}
"""


class Pair:
    """A configuration in a directory, and what each side is given."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.cloud = MemoryCloud()

    def write(self, text: str, **modules: str) -> None:
        """The root module's text, and those of modules by the name of their directory."""
        (self.directory / "main.tf").write_text(text, "utf-8")
        for name, inner in modules.items():
            (self.directory / name).mkdir(exist_ok=True)
            (self.directory / name / "main.tf").write_text(inner, "utf-8")

    def compare(
        self,
        first: Mapping[str, Any],
        second: Mapping[str, Any],
        parameters: Sequence[str] = (),
        allow: Sequence[Allow] = (),
        workspaces: tuple[str, str] = ("a", "b"),
        regions: tuple[str, str] = ("", ""),
    ) -> Report:
        """The report on environments `a` and `b` with these variables."""
        configuration, found = load(self.directory)
        found.raise_errors()

        def make(address: ProviderAddress) -> Provider:
            if address == MEMORY:
                return MemoryProvider(self.cloud)
            return TerraformProvider() if address == BUILTIN_PROVIDER else create(address)

        sides = [
            Side(name, dict(values), workspace, region)
            for name, values, workspace, region in zip(
                "ab", (first, second), workspaces, regions, strict=True
            )
        ]
        providers = Providers(make)
        try:
            return compare(configuration, *sides, providers, Rules(tuple(parameters), tuple(allow)))
        finally:
            providers.close()


def causes(report: Report) -> dict[str, list[str]]:
    """The inputs that each difference comes from, by its place."""
    return {
        one.place: [cause.input.name for cause in one.causes] for one in (*report.findings, *report.outfits)
    }


def entry(report: Report, place: str) -> Entry:
    """The difference at a place."""
    found = [one for one in (*report.findings, *report.outfits) if one.place == place]
    assert len(found) == 1, sorted(one.place for one in (*report.findings, *report.outfits))
    return found[0]


def texts(one: Entry) -> tuple[str, str]:
    """Both values as people see them."""
    return one.values[0].text, one.values[1].text
