"""HTML made of elements, so that text is always escaped: only what was made here is taken as it is."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import TypeAlias


class Markup(str):
    """Text that is HTML."""

    __slots__ = ()


Content: TypeAlias = "str | Iterable[Content] | None"
"""What stands in an element: text, elements, nothing, or several of these."""

_VOID = frozenset({"br", "input", "meta"})
_CONTROLS = {code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\t\n"} | {0x7F: "\u2421"}
"""Characters that no page may have, and the pictures that show them."""


def element(name: str, /, *content: Content, **attributes: str | bool) -> Markup:
    """An element with its content. Of attributes, `cls` is `class`, and `_` stands for a hyphen; false ones and
    empty ones are left out.
    """
    opened = "".join([f"<{name}", *map(_attribute, attributes.items()), ">"])
    if name in _VOID:
        return Markup(opened)
    return Markup(f"{opened}{joined(*content)}</{name}>")


def joined(*content: Content) -> Markup:
    """Content one after the other."""
    parts: list[str] = []
    _collect(content, parts)
    return Markup("".join(parts))


def escaped(text: str) -> Markup:
    """Text as it is to be read. What no page may have is shown by its picture."""
    if type(text) is Markup:
        return text
    return Markup(escape(text.translate(_CONTROLS) if not text.isprintable() else text))


def _collect(content: Iterable[Content], parts: list[str]) -> None:
    for one in content:
        if isinstance(one, str):
            parts.append(escaped(one))
        elif one is not None:
            _collect(one, parts)


def _attribute(item: tuple[str, str | bool]) -> str:
    name, value = item
    if value is False or value == "":
        return ""
    name = "class" if name == "cls" else name.replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escaped(value)}"'
