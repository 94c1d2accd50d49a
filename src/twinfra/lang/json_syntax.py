"""Reading configurations and files of variables in JSON syntax (`*.tf.json`, `*.tfvars.json`).

The text becomes values with source ranges here; `json_body` reads those as bodies and expressions. See the
JSON syntax specification of HCL (https://github.com/hashicorp/hcl/blob/main/json/spec.md).
"""

from __future__ import annotations

import json
import re
from typing import TypeAlias

from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, Source, SourceRange, error, nearest
from twinfra.lang.json_body import JsonBody
from twinfra.lang.json_values import (
    JsonArray,
    JsonInvalid,
    JsonLiteral,
    JsonObject,
    JsonProperty,
    JsonString,
    JsonValue,
)
from twinfra.lang.parsing.cursor import MAX_DEPTH
from twinfra.values.numbers import NumberError, parse_number

# No group is repeated possessively, as in `tokens`.
_TOKEN = re.compile(
    r"""[ \t\r\n]*+(?:
      (?P<mark>[{}\[\],:=])
    | (?P<string>"(?:[^"\\\x00-\x1f]++|\\[^\x00-\x1f])*\\?"?)
    | (?P<number>[-+.0-9][-+.0-9eE]*+)
    | (?P<keyword>[A-Za-z][A-Za-z_]*+)
    | (?P<end>\Z)
    | (?P<invalid>.)
    )""",
    re.VERBOSE | re.DOTALL,
)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_STRING_PREFIX = re.compile(r'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*')
_PARTIAL_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?")
_SURROGATE = re.compile("[\ud800-\udfff]")
_KEYWORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}

_Token: TypeAlias = tuple[str, int, int]
"""Kind (of punctuation the character itself), start and end."""


def parse_json(source: Source, templates: bool | None = None) -> tuple[JsonBody, list[Diagnostic]]:
    """The body of a file in JSON syntax.

    `templates`: whether its strings are templates, as in configurations, or plain text, as in files of
    variables; where not given, they are in files named `*.tf.json`. What is wrong with a template is told
    when it is read.
    """
    if templates is None:
        templates = source.filename.endswith(".tf.json")
    parser = _Parser(source)
    try:
        root = parser.file()
    except _TooDeepError:
        root = JsonInvalid(SourceRange(source, 0, 0))
    if not isinstance(root, JsonObject | JsonArray):
        parser.diagnostics.append(_no_object(root.range))
        start = SourceRange(source, 0, 0)
        root = JsonObject((), start, start, start)
    return JsonBody(root, templates), parser.diagnostics


def _no_object(place: SourceRange) -> Diagnostic:
    return error(
        "Not an object",
        "A file in JSON syntax must hold an object, or an array of objects.",
        place,
        mend="Put the content in braces, { }.",
    )


class _TooDeepError(Exception):
    """The text nests deeper than `MAX_DEPTH`."""


@dataclass(frozen=True, slots=True)
class _Slot:
    """What differs between reading an object and an array after an error."""

    opener: str
    closer: str


_OBJECT = _Slot("{", "}")
_ARRAY = _Slot("[", "]")


class _Parser:
    """A place in the tokens of one source."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.tokens = self._scan()
        self.at = 0
        self.depth = 0
        self.diagnostics: list[Diagnostic] = []

    def _scan(self) -> list[_Token]:
        tokens: list[_Token] = []
        start = 1 if self.text.startswith("\ufeff") else 0
        for found in _TOKEN.finditer(self.text, start):
            kind = found.lastgroup or ""
            first, last = found.span(kind)
            tokens.append((self.text[first] if kind == "mark" else kind, first, last))
            if kind == "invalid":
                # Nothing beyond it can be made sense of.
                tokens.append(("end", last, last))
                break
            if kind == "end":
                break
        return tokens

    def peek(self) -> str:
        return self.tokens[self.at][0]

    def read(self) -> _Token:
        token = self.tokens[self.at]
        if token[0] != "end":
            self.at += 1
        return token

    def range_of(self, token: _Token) -> SourceRange:
        return SourceRange(self.source, token[1], token[2])

    def next_range(self) -> SourceRange:
        return self.range_of(self.tokens[self.at])

    def fail(self, summary: str, detail: str, place: SourceRange, mend: str) -> None:
        self.diagnostics.append(error(summary, detail, place, mend=mend))

    def file(self) -> JsonValue:
        """The one value of the whole text."""
        value = self.value()
        if not self.diagnostics and self.peek() != "end":
            self.fail(
                "Text after the value",
                "The value of this file ends before this.",
                self.next_range(),
                "Remove what follows.",
            )
        return value

    def value(self) -> JsonValue:
        """One value of any kind; an invalid one after complaining."""
        kind, start, end = self.tokens[self.at]
        place = SourceRange(self.source, start, end)
        if kind == "{" or kind == "[":
            self.depth += 1
            if self.depth > MAX_DEPTH:
                self.fail(
                    "Nested too deeply",
                    f"Values may be nested up to {MAX_DEPTH} levels deep.",
                    place,
                    "Split the file.",
                )
                raise _TooDeepError
            found = self._object() if kind == "{" else self._array()
            self.depth -= 1
            return found or JsonInvalid(place)
        if kind == "string":
            self.at += 1
            return self._string(start, end)
        if kind == "number":
            self.at += 1
            return self._number(start, end)
        if kind == "keyword":
            self.at += 1
            return self._keyword(start, end)
        if kind == "end":
            self.fail(
                "Missing value",
                "A value must stand here, but this is where the text ends.",
                place,
                "Write a value.",
            )
        else:
            self.fail(
                "Missing value",
                "A value must start here: an object, an array, a string, a number, true, false or null.",
                place,
                "Write a value.",
            )
        return JsonInvalid(place)

    def _recover(self, slot: _Slot, token: _Token) -> None:
        """Go to just after what seems to be the end of the object or array at hand."""
        depth = 1
        while True:
            kind = token[0]
            if kind == slot.opener:
                depth += 1
            elif kind == slot.closer:
                depth -= 1
                if depth <= 1:
                    return
            elif kind == "end":
                return
            token = self.read()

    def _object(self) -> JsonObject | None:
        opening = self.read()
        properties: list[JsonProperty] = []
        while self.peek() != "}":
            key = self.value()
            if not isinstance(key, JsonString):
                self.fail(
                    "Invalid key",
                    "The keys of an object must be strings.",
                    key.range,
                    "Put the key in quotes.",
                )
                return None
            colon = self.read()
            if colon[0] != ":":
                self._no_colon(colon)
                return None
            properties.append(JsonProperty(key.text, key.range, self.value()))
            kind = self.peek()
            if kind == ",":
                comma = self.read()
                if self.peek() == "}":
                    self.fail(
                        "Comma at the end",
                        "No comma may follow the last property of an object.",
                        self.range_of(comma),
                        "Remove the comma.",
                    )
                    return None
            elif kind == "end":
                self.fail(
                    "Unclosed object",
                    "This brace is never closed.",
                    self.range_of(opening),
                    "Write } at its end.",
                )
                return None
            elif kind == "]":
                self.read()
                self.fail(
                    "Wrong bracket",
                    "An object must be closed with a brace.",
                    self.next_range(),
                    "Write } for ].",
                )
                return None
            elif kind != "}":
                self._recover(_OBJECT, self.read())
                self.fail(
                    "Missing comma",
                    "The properties of an object must be separated by commas.",
                    self.next_range(),
                    "Write a comma after each property but the last.",
                )
                return None
        closing = self.read()
        return JsonObject(
            tuple(properties),
            SourceRange(self.source, opening[1], closing[2]),
            self.range_of(opening),
            self.range_of(closing),
        )

    def _no_colon(self, found: _Token) -> None:
        self._recover(_OBJECT, found)
        if found[0] == "}" or found[0] == ",":
            detail, mend = (
                "A key must be followed by a colon and a value.",
                "Write a value; for a list, use brackets.",
            )
        elif found[0] == "=":
            detail, mend = "In JSON, a colon stands between a key and its value.", "Write : for =."
        else:
            detail, mend = "A key must be followed by a colon and a value.", "Write a colon before this."
        self.fail("Missing colon", detail, self.range_of(found), mend)

    def _array(self) -> JsonArray | None:
        opening = self.read()
        values: list[JsonValue] = []
        while self.peek() != "]":
            values.append(self.value())
            kind = self.peek()
            if kind == ",":
                comma = self.read()
                if self.peek() == "]":
                    self.fail(
                        "Comma at the end",
                        "No comma may follow the last value of an array.",
                        self.range_of(comma),
                        "Remove the comma.",
                    )
                    return None
            elif kind == "end":
                self.fail(
                    "Unclosed array",
                    "This bracket is never closed.",
                    self.range_of(opening),
                    "Write ] at its end.",
                )
                return None
            elif kind != "]":
                self._recover(_ARRAY, self.read())
                detail, mend = _ARRAY_ERRORS.get(kind, _NO_COMMA)
                self.fail("Invalid array", detail, self.next_range(), mend)
                return None
        closing = self.read()
        return JsonArray(
            tuple(values), SourceRange(self.source, opening[1], closing[2]), self.range_of(opening)
        )

    def _number(self, start: int, end: int) -> JsonValue:
        place = SourceRange(self.source, start, end)
        text = self.text[start:end]
        try:
            if _NUMBER.fullmatch(text):
                return JsonLiteral(parse_number(text), place)
        except NumberError:
            pass
        self.fail("Invalid number", f"{text} is no number in JSON.", place, "Write digits, a dot and digits.")
        return JsonInvalid(place)

    def _string(self, start: int, end: int) -> JsonValue:
        text = self.text[start:end]
        try:
            decoded = json.loads(text)
        except ValueError:
            self._bad_string(start, text)
            return JsonInvalid(SourceRange(self.source, start, end))
        return JsonString(_SURROGATE.sub("\ufffd", decoded), SourceRange(self.source, start, end))

    def _bad_string(self, start: int, text: str) -> None:
        """Complain about a string, just after the character that makes it invalid."""
        valid = _STRING_PREFIX.match(text)
        at = valid.end() if valid else 1
        partial = _PARTIAL_ESCAPE.match(text, at)
        if partial:
            at = partial.end()
        at = min(at + 1, len(text))
        place = SourceRange(self.source, start + at, min(start + at + 1, len(self.text)))
        self.diagnostics.append(
            error(
                "Invalid string",
                "This string has an invalid escape sequence, or is not closed on its line.",
                place,
                mend='The escapes are \\", \\\\, \\/, \\b, \\f, \\n, \\r, \\t and \\uNNNN.',
                context=SourceRange(self.source, start, start + len(text)),
            )
        )

    def _keyword(self, start: int, end: int) -> JsonValue:
        place = SourceRange(self.source, start, end)
        word = self.text[start:end]
        if word in _KEYWORDS:
            return JsonLiteral(_KEYWORDS[word], place)
        self.fail(
            "Invalid keyword",
            f"JSON has no keyword {word}.",
            place,
            nearest(word, _KEYWORDS) or "Put the text in quotes, or write true, false or null.",
        )
        return JsonInvalid(place)


_NO_COMMA = (
    "The values of an array must be separated by commas.",
    "Write a comma after each value but the last.",
)
_ARRAY_ERRORS = {
    ":": ("The values of an array have no keys.", "Use an object, { }, for keys and values."),
    "}": ("An array must be closed with a bracket.", "Write ] for }."),
}
