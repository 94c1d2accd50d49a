"""Generated identifiers under canonical names: each occurrence of one becomes a reference to where it was made.

Linear in the length of the texts: identifiers are looked up word by word in one tree.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

SHORTEST = 6
"""Values shorter than this are renamed where they were generated only: elsewhere they may mean anything."""
_WORDS = re.compile(r"[0-9A-Za-z]+|[^0-9A-Za-z]")
_BASE64 = re.compile(r"[0-9A-Za-z+/]{8,}={0,2}")
_SCHEME = "https://"
_END = ""


class Identifiers:
    """The generated identifiers of a state with their names, and texts in which they are renamed."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._tree: dict[str, Any] = {}
        self._known: dict[str, str] = {}

    def add(self, value: str, name: str) -> None:
        """Name an identifier; the first name that it gets stays. Of a URL, what follows `https://` is named."""
        value = value.removeprefix(_SCHEME)
        if len(value) < SHORTEST or value in self._names:
            return
        self._names[value] = name
        branch = self._tree
        for word in _WORDS.findall(value):
            branch = branch.setdefault(word, {})
        branch[_END] = name

    def rename(self, text: str) -> str:
        """A text with a reference in place of each identifier, and every other `$` doubled."""
        found = self._known.get(text)
        if found is None:
            found = self._known[text] = self._renamed(text)
        return found

    def _renamed(self, text: str) -> str:
        if len(text) >= SHORTEST and self._tree:
            replaced = self._replaced(text)
            if replaced is not None:
                return replaced
            decoded = _decoded(text)
            inner = None if decoded is None else self._replaced(decoded)
            if inner is not None:
                return "${base64:" + inner + "}"
        return text.replace("$", "$$")

    def _replaced(self, text: str) -> str | None:
        """The text with identifiers renamed, the longest that begins at each word; None where there is none."""
        words = _WORDS.findall(text)
        tree = self._tree
        out: list[str] = []
        at = start = 0
        count = len(words)
        while at < count:
            branch = tree.get(words[at])
            if branch is None:
                at += 1
                continue
            end, name, ahead = 0, "", at
            while branch is not None:
                ahead += 1
                if _END in branch:
                    end, name = ahead, branch[_END]
                branch = branch.get(words[ahead]) if ahead < count else None
            if not end:
                at += 1
                continue
            out += ["".join(words[start:at]).replace("$", "$$"), "${", name, "}"]
            at = start = end
        if not out:
            return None
        out.append("".join(words[start:]).replace("$", "$$"))
        return "".join(out)


def _decoded(text: str) -> str | None:
    """The UTF-8 text that a base64 text stands for, or None."""
    if len(text) % 4 or not _BASE64.fullmatch(text):
        return None
    try:
        data = base64.b64decode(text, validate=True)
        # The last character may have bits that stand for nothing: then this is not the one form of that text.
        return data.decode("utf-8") if base64.b64encode(data).decode("ascii") == text else None
    except (binascii.Error, UnicodeDecodeError):
        return None
