"""Reading YAML as stock Terraform does: YAML 1.1 syntax, with the scalars of the core schema and a few more.

Every mapping becomes an object, every sequence a tuple. Anchors, aliases and merge keys (`<<`) are followed.
"""

from __future__ import annotations

import re
from typing import Any

from twinfra.lang.functions.arguments import normal_text
from twinfra.lang.functions.base64_text import read_base64
from twinfra.lang.functions.moments import MomentError, parse_moment
from twinfra.values.convert import convert
from twinfra.values.numbers import infinity, normalise, parse_number
from twinfra.values.types import STRING
from twinfra.values.value import Value, is_null

_MOST_NODES = 10_000_000
"""Values that a document may stand for, aliases counted as what they refer to: more is an attack."""

_CORE = "tag:yaml.org,2002:"
_RESOLVED_TAGS = {_CORE + name for name in ("int", "float", "bool", "null", "timestamp")}
_NULLS = {"", "~", "null", "Null", "NULL"}
_TRUE = {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"}
_FALSE = {"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"}
_INFINITY = re.compile(r"[+-]?\.(?:inf|Inf|INF)")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_OCTAL = re.compile(r"0o([0-7]+)")
_HEXADECIMAL = re.compile(r"0x([0-9a-fA-F]+)")
_TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
    r"(?:(?:([Tt])|( ))([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)


class YAMLError(Exception):
    """Why a text is no YAML document that the language can take, in words for people."""

    def __init__(self, reason: str, mark: Any = None) -> None:
        at = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
        super().__init__(at + reason)
        self.reason = at + reason


def read_yaml(text: str) -> Value:
    """The value of a YAML text with one document. Raises `YAMLError`."""
    import yaml

    # Only the parser of it is used; libyaml's where it is built in, for it is far quicker.
    parser = getattr(yaml, "CLoader", yaml.Loader)(text)
    try:
        return _Reader(parser, text).document()
    except yaml.YAMLError as failure:
        mark = getattr(failure, "problem_mark", None)
        problem = getattr(failure, "problem", None) or getattr(failure, "reason", None) or "it cannot be read"
        raise YAMLError(str(problem), mark) from failure
    finally:
        parser.dispose()


class _Reader:
    """Builds values from the events of a YAML parser."""

    def __init__(self, parser: Any, text: str) -> None:
        self.parser = parser
        self.text = text
        self.anchors: dict[str, tuple[Value, int]] = {}
        self.open_anchors: set[str] = set()
        self.nodes = 0

    def document(self) -> Value:
        """The value of the only document."""
        self.parser.get_event()
        event = self.parser.get_event()
        if self.kind(event) == "StreamEndEvent":
            raise YAMLError("there is no document in it", event.start_mark)
        if event.version not in (None, (1, 1)):
            raise YAMLError("only YAML 1.1 is understood", event.start_mark)
        value = self.node(self.parser.get_event())
        self.parser.get_event()
        event = self.parser.get_event()
        if self.kind(event) != "StreamEndEvent":
            raise YAMLError("there is more than one document in it", event.start_mark)
        return value

    @staticmethod
    def kind(event: Any) -> str:
        """The name of the event's class."""
        return type(event).__name__

    def node(self, event: Any) -> Value:
        """The value that starts with this event."""
        kind = self.kind(event)
        before = self.nodes
        self.count(1, event)
        if kind == "AliasEvent":
            return self.alias(event)
        anchor = event.anchor
        if anchor:
            self.open_anchors.add(anchor)
        if kind == "ScalarEvent":
            value = self.scalar(event)
        elif kind == "SequenceStartEvent":
            value = self.sequence(event)
        else:
            value = self.mapping(event)
        if anchor:
            self.open_anchors.discard(anchor)
            self.anchors[anchor] = (value, self.nodes - before)
        return value

    def count(self, nodes: int, event: Any) -> None:
        """Take note of so many more values."""
        self.nodes += nodes
        if self.nodes > _MOST_NODES:
            raise YAMLError(f"its aliases make more than {_MOST_NODES} values of it", event.start_mark)

    def alias(self, event: Any) -> Value:
        """The value that an alias refers to."""
        if event.anchor in self.open_anchors:
            raise YAMLError(f'"{event.anchor}" refers to itself', event.start_mark)
        found = self.anchors.get(event.anchor)
        if found is None:
            raise YAMLError(f'there is no anchor "{event.anchor}" before this place', event.start_mark)
        self.count(found[1], event)
        return found[0]

    def sequence(self, start: Any) -> Value:
        """The tuple of a sequence."""
        self.check_tag(start, "seq")
        items: list[Value] = []
        while self.kind(event := self.parser.get_event()) != "SequenceEndEvent":
            items.append(self.node(event))
        return tuple(items)

    def mapping(self, start: Any) -> Value:
        """The object of a mapping; of equal keys the last counts, merged ones too."""
        self.check_tag(start, "map")
        items: dict[str, Value] = {}
        while self.kind(event := self.parser.get_event()) != "MappingEndEvent":
            is_merge = self.kind(event) == "ScalarEvent" and event.value == "<<" and not event.tag
            key = self.node(event)
            value = self.node(self.parser.get_event())
            if is_merge:
                if type(value) is not dict:
                    raise YAMLError("only a mapping can be merged into a mapping", event.start_mark)
                items.update(value)
            else:
                items[self.key(key, event)] = value
        return items

    def key(self, key: Value, event: Any) -> str:
        """The name that a key gives an attribute."""
        if is_null(key):
            raise YAMLError("a key of a mapping must not be null", event.start_mark)
        if type(key) is dict or type(key) is tuple:
            raise YAMLError("a key of a mapping must be a scalar", event.start_mark)
        return str(convert(key, STRING))

    def check_tag(self, event: Any, name: str) -> None:
        """Refuse a tag that gives a collection another meaning."""
        if event.tag not in (None, _CORE + name):
            raise YAMLError(f"the tag {event.tag} is not understood here", event.start_mark)

    def scalar(self, event: Any) -> Value:
        """The value of a scalar by its tag, style and text."""
        tag, text, style = event.tag, event.value, event.style
        quoted = style in ("'", '"')
        if style == '"' and "\\/" in self.text[event.start_mark.index : event.end_mark.index].replace(
            "\\\\", ""
        ):
            raise YAMLError("\\/ is not an escape sequence of YAML 1.1", event.start_mark)
        if tag == _CORE + "str" or (not tag and quoted):
            return normal_text(text)
        if tag == _CORE + "binary":
            if read_base64(text) is None:
                raise YAMLError("!!binary is followed by something else than base64", event.start_mark)
            return text
        if tag and tag not in _RESOLVED_TAGS:
            raise YAMLError(f"the tag {tag} is not understood", event.start_mark)
        if quoted and (text in _NULLS or text in _TRUE or text in _FALSE or text[:1] in "+-.0123456789"):
            return normal_text(text)
        found, value = self.resolve(text, event)
        if not found and (not tag or tag.endswith(":timestamp")):
            found, value = _timestamp(text)
        if not found:
            if tag == _CORE + "null":
                return None
            if tag:
                raise YAMLError(f'"{text}" does not fit its tag {tag}', event.start_mark)
            return normal_text(text)
        # A block scalar without a tag is a string, but one made of what its text means.
        return convert(value, STRING) if not tag and style in ("|", ">") else value

    def resolve(self, text: str, event: Any) -> tuple[bool, Value]:
        """Whether a text means a null, bool or number, and which."""
        if text in _NULLS:
            return True, None
        if text in _TRUE:
            return True, True
        if text in _FALSE:
            return True, False
        if text[0] not in "+-.0123456789":
            return False, None
        if text in ("-", ".nan", ".NaN", ".NAN"):
            raise YAMLError(f'"{text}" is no number of the language', event.start_mark)
        if _DECIMAL.fullmatch(text):
            return True, parse_number(text)
        if _INFINITY.fullmatch(text):
            return True, infinity(text.startswith("-"))
        if octal := _OCTAL.fullmatch(text):
            return True, normalise(int(octal[1], 8))
        if hexadecimal := _HEXADECIMAL.fullmatch(text):
            return True, normalise(int(hexadecimal[1], 16))
        return False, None


def _timestamp(text: str) -> tuple[bool, Value]:
    """Whether a text is a date or time, and that as an RFC 3339 timestamp."""
    found = _TIMESTAMP.fullmatch(text)
    if found is None:
        return False, None
    year, month, day, divider, space, hour, minute, second, zone = found.groups()
    if (divider and not zone) or (space and zone):
        return False, None
    date = f"{year}-{int(month):02d}-{int(day):02d}"
    time = f"{int(hour or 0):02d}:{int(minute or 0):02d}:{int(second or 0):02d}"
    try:
        return True, str(parse_moment(f"{date}T{time}{zone or 'Z'}"))
    except MomentError:
        return False, None
