"""Functions that cut, join, trim, search and re-case strings."""

from __future__ import annotations

from functools import lru_cache
from unicodedata import category

from twinfra.lang.functions.arguments import normal_text, whole_number
from twinfra.lang.functions.declaration import FunctionError, function, parameter
from twinfra.lang.functions.graphemes import grapheme_count, graphemes
from twinfra.values.types import BOOL, NUMBER, STRING, ListType
from twinfra.values.unknowns import UNKNOWN_BOOL, UNKNOWN_STRING, contains_unknown
from twinfra.values.value import List, Unknown, Value

_SPACES = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_MOST_TEXT = 1 << 28
"""Characters that `indent` will make at most: more is surely a mistake, and would exhaust memory."""


@function(
    "chomp",
    "Removes the line ends at the end of a string.",
    parameter("str", STRING, "the string"),
    returns=STRING,
)
def chomp(text: str) -> str:
    """`"a\\r\\n\\n"` becomes `"a"`."""
    return text.rstrip("\r\n")


@function(
    "endswith",
    "Whether a string ends with another.",
    parameter("str", STRING, "the string to look at"),
    parameter("suffix", STRING, "what it may end with"),
    returns=BOOL,
)
def endswith(text: str, suffix: str) -> bool:
    """Compares code points."""
    return text.endswith(suffix)


@function(
    "indent",
    "Puts spaces before each line of a string but the first.",
    parameter("spaces", NUMBER, "how many spaces"),
    parameter("str", STRING, "the string"),
    returns=STRING,
)
def indent(spaces: Value, text: str) -> str:
    """A line is what follows a line feed, even when nothing follows it."""
    width = whole_number(spaces, "spaces")
    if width < 0:
        raise FunctionError('"spaces" must not be negative')
    if width * text.count("\n") > _MOST_TEXT:
        raise FunctionError(f"the result would have more than {_MOST_TEXT} characters")
    return text.replace("\n", "\n" + " " * width)


@function(
    "join",
    "Puts the strings of one or more lists one after the other, with a separator between them.",
    parameter("separator", STRING, "what to put between"),
    variadic=parameter("lists", ListType(STRING), "lists of strings", allow_unknown=True),
    returns=STRING,
)
def join(separator: str, *lists: Value) -> Value:
    """All elements of all lists, in order; a null among them is an error."""
    if not lists:
        raise FunctionError("at least one list of strings is required")
    if any(map(contains_unknown, lists)):
        return UNKNOWN_STRING
    try:
        joined = separator.join(lists[0] if len(lists) == 1 else [item for one in lists for item in one])
    except TypeError:
        for at, one in enumerate(lists):
            if None in one:
                reason = f"element {one.index(None)} is null, which cannot be joined"
                raise FunctionError(reason, at + 1) from None
        raise
    return normal_text(joined)


@function(
    "lower",
    "Makes all letters of a string lower case.",
    parameter("str", STRING, "the string"),
    returns=STRING,
)
def lower(text: str) -> str:
    """Letter by letter, by Unicode's simple mapping: no letter becomes two."""
    return text.lower() if text.isascii() else normal_text("".join(map(_lower, text)))


@function(
    "upper",
    "Makes all letters of a string upper case.",
    parameter("str", STRING, "the string"),
    returns=STRING,
)
def upper(text: str) -> str:
    """Letter by letter, by Unicode's simple mapping: no letter becomes two."""
    return text.upper() if text.isascii() else normal_text("".join(map(_upper, text)))


@function(
    "title",
    "Makes the first letter of each word upper case.",
    parameter("str", STRING, "the string"),
    returns=STRING,
)
def title(text: str) -> str:
    """A word is a run of letters, digits and underscores; beyond ASCII, only spaces part words."""
    parts: list[str] = []
    previous = " "
    for character in text:
        parts.append(_title(character) if _parts_words(previous) else character)
        previous = character
    return normal_text("".join(parts))


@lru_cache(maxsize=1024)
def _lower(character: str) -> str:
    lowered = character.lower()
    return lowered if len(lowered) == 1 else lowered[0]


@lru_cache(maxsize=1024)
def _upper(character: str) -> str:
    raised = character.upper()
    return raised if len(raised) == 1 else _title(character)


@lru_cache(maxsize=1024)
def _title(character: str) -> str:
    titled = character.title()
    return titled if len(titled) == 1 else character


@lru_cache(maxsize=1024)
def _parts_words(character: str) -> bool:
    if character.isascii():
        return not (character.isalnum() or character == "_")
    kind = category(character)
    return not (kind[0] == "L" or kind == "Nd") and character in _SPACES


@function(
    "split",
    "Cuts a string wherever a separator occurs.",
    parameter("separator", STRING, "where to cut"),
    parameter("str", STRING, "the string"),
    returns=ListType(STRING),
)
def split(separator: str, text: str) -> Value:
    """An empty separator cuts between all code points."""
    return List(text.split(separator) if separator else text, STRING)


@function(
    "startswith",
    "Whether a string starts with another.",
    parameter("str", STRING, "the string to look at", allow_unknown=True),
    parameter("prefix", STRING, "what it may start with"),
    returns=BOOL,
)
def startswith(text: Value, prefix: str) -> Value:
    """Compares code points. Of an unknown string the known start may be enough to tell."""
    if type(text) is not Unknown:
        return text.startswith(prefix)
    known = text.refinement.prefix if text.refinement else ""
    if known.startswith(prefix):
        return True
    return UNKNOWN_BOOL if prefix.startswith(known) else False


@function(
    "strcontains",
    "Whether a string contains another.",
    parameter("str", STRING, "the string to look at"),
    parameter("substr", STRING, "what it may contain"),
    returns=BOOL,
)
def strcontains(text: str, part: str) -> bool:
    """Compares code points."""
    return part in text


@function(
    "strrev",
    "Reverses the characters of a string.",
    parameter("str", STRING, "the string"),
    returns=STRING,
)
def strrev(text: str) -> str:
    """Characters are grapheme clusters, so that accents stay with their letters."""
    return normal_text("".join(reversed(graphemes(text))))


@function(
    "substr",
    "Takes a part of a string, counted in characters.",
    parameter("str", STRING, "the string"),
    parameter("offset", NUMBER, "where to start, from 0; from the end when negative"),
    parameter("length", NUMBER, "how many at most; -1 for all that follow"),
    returns=STRING,
)
def substr(text: str, offset: Value, length: Value) -> str:
    """Characters are grapheme clusters. Beyond the end there is nothing; before the start is the start."""
    start = whole_number(offset, "offset")
    count = whole_number(length, "length")
    if start < 0:
        start = max(start + grapheme_count(text), 0)
        if count == 0:
            # Stock Terraform reads a length of zero as "all" when counting from the end.
            count = -1
    elif count == 0:
        return ""
    characters: str | list[str] = text if text.isascii() and "\r\n" not in text else graphemes(text)
    return "".join(characters[start:] if count < 0 else characters[start : start + count])


@function(
    "trim",
    "Removes given characters from both ends of a string.",
    parameter("str", STRING, "the string"),
    parameter("cutset", STRING, "all characters to remove, in any order"),
    returns=STRING,
)
def trim(text: str, characters: str) -> str:
    """Counts by code points."""
    return text.strip(characters) if characters else text


@function(
    "trimprefix",
    "Removes a prefix from a string that starts with it.",
    parameter("str", STRING, "the string"),
    parameter("prefix", STRING, "what to remove"),
    returns=STRING,
)
def trimprefix(text: str, prefix: str) -> str:
    """Removes it once."""
    return text.removeprefix(prefix)


@function(
    "trimspace",
    "Removes space characters from both ends of a string.",
    parameter("str", STRING, "the string"),
    returns=STRING,
)
def trimspace(text: str) -> str:
    """Spaces, tabs, line ends and Unicode's other white space."""
    return text.strip(_SPACES)


@function(
    "trimsuffix",
    "Removes a suffix from a string that ends with it.",
    parameter("str", STRING, "the string"),
    parameter("suffix", STRING, "what to remove"),
    returns=STRING,
)
def trimsuffix(text: str, suffix: str) -> str:
    """Removes it once."""
    return text.removesuffix(suffix)
