"""YAML as people write it: keys in the order given, scripts as blocks."""

from __future__ import annotations

import textwrap
from typing import Any


def dump(value: Any, indent: int = 0) -> str:
    """The text of a value, indented; ends with a line feed."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
            super().increase_indent(flow, False)

    def text(dumper: yaml.SafeDumper, one: str) -> yaml.ScalarNode:
        style = "|" if "\n" in one else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", one, style=style)

    Dumper.add_representer(str, text)
    written = yaml.dump(value, Dumper=Dumper, sort_keys=False, width=10_000, allow_unicode=True)
    return textwrap.indent(str(written), " " * indent)
