"""Functions that write and read the formats of other systems: base64, URL, CSV, JSON and YAML."""

from __future__ import annotations

import string
from collections.abc import Sequence

from twinfra.lang.functions.arguments import normal_text
from twinfra.lang.functions.base64_text import read_base64, write_base64
from twinfra.lang.functions.declaration import FunctionError, function, parameter
from twinfra.values.encoding import EncodingError, decode_json, encode_json
from twinfra.values.types import (
    BOOL,
    DYNAMIC,
    NUMBER,
    STRING,
    ListType,
    MapType,
    ObjectType,
    SetType,
    TupleType,
    Type,
)
from twinfra.values.unknowns import UNKNOWN_STRING, contains_unknown, definitely_not_null
from twinfra.values.value import List, Map, Refinement, Set, Unknown, Value

_UNKNOWN_MAYBE_NULL = Unknown(STRING)


@function(
    "base64decode",
    "Reads text out of base64.",
    parameter("str", STRING, "base64 of UTF-8 text"),
    returns=STRING,
)
def base64decode(text: str) -> str:
    """Bytes that are not UTF-8 are an error: strings of the language cannot hold them."""
    data = read_base64(text)
    if data is None:
        raise FunctionError("the string is not base64")
    try:
        return normal_text(data.decode("utf-8"))
    except UnicodeDecodeError as failure:
        raise FunctionError("what the base64 stands for is not UTF-8 text") from failure


@function(
    "base64encode",
    "Writes text as base64 of its UTF-8 bytes.",
    parameter("str", STRING, "the text"),
    returns=STRING,
)
def base64encode(text: str) -> str:
    """The standard alphabet, with padding."""
    return write_base64(text.encode("utf-8", "surrogatepass"))


@function(
    "base64gzip",
    "Compresses text with gzip and writes that as base64.",
    parameter("str", STRING, "the text"),
    returns=STRING,
)
def base64gzip(text: str) -> str:
    """The compressed bytes are those that stock Terraform makes."""
    from twinfra.lang.functions.deflate import gzip

    return write_base64(gzip(text.encode("utf-8", "surrogatepass")))


@function(
    "textencodebase64",
    "Writes text in a given character encoding, and that as base64.",
    parameter("string", STRING, "the text"),
    parameter("encoding", STRING, "the encoding's IANA name, such as UTF-16LE"),
    returns=STRING,
)
def textencodebase64(text: str, encoding: str) -> str:
    """A character that the encoding does not have is an error."""
    from twinfra.lang.functions.charsets import find_charset

    charset = find_charset(encoding)
    if charset is None:
        raise FunctionError(f'"{encoding}" is not the IANA name of a supported encoding', 1)
    try:
        return write_base64(charset.encode(text))
    except UnicodeError as failure:
        raise FunctionError(f"the string has characters that {charset.name} does not have", 0) from failure


@function(
    "textdecodebase64",
    "Reads text in a given character encoding out of base64.",
    parameter("source", STRING, "base64 of the encoded text"),
    parameter("encoding", STRING, "the encoding's IANA name, such as UTF-16LE"),
    returns=STRING,
)
def textdecodebase64(source: str, encoding: str) -> str:
    """Bytes that stand for nothing in the encoding are an error."""
    from twinfra.lang.functions.charsets import find_charset

    charset = find_charset(encoding)
    if charset is None:
        raise FunctionError(f'"{encoding}" is not the IANA name of a supported encoding', 1)
    data = read_base64(source)
    if data is None:
        raise FunctionError('"source" is not base64', 0)
    try:
        text = charset.decode(data)
    except UnicodeError as failure:
        raise FunctionError(f'"source" has bytes that stand for nothing in {charset.name}', 0) from failure
    if "\ufffd" in text:
        raise FunctionError('"source" has the replacement character in it, which marks broken text', 0)
    return normal_text(text)


_URL_SAFE = frozenset((string.ascii_letters + string.digits + "-_.~").encode())


@function(
    "urlencode",
    "Writes text so that it can stand in the query of a URL.",
    parameter("str", STRING, "the text"),
    returns=STRING,
)
def urlencode(text: str) -> str:
    """Letters, digits and `-_.~` stay, a space becomes `+`, all other bytes `%XX`."""
    data = text.encode("utf-8", "surrogatepass")
    return "".join(chr(byte) if byte in _URL_SAFE else "+" if byte == 32 else f"%{byte:02X}" for byte in data)


def _csv_type(arguments: Sequence[Value]) -> Type:
    return DYNAMIC if type(arguments[0]) is Unknown else ListType(ObjectType({}))


@function(
    "csvdecode",
    "Reads comma-separated values: a list with an object for each record.",
    parameter("str", STRING, "CSV whose first line names the columns"),
    returns=_csv_type,
)
def csvdecode(text: str) -> Value:
    """Attributes are named by the columns and are strings, all of them."""
    from twinfra.lang.functions.csv_reading import CSVError, read_csv

    try:
        records = read_csv(text)
    except CSVError as failure:
        raise FunctionError(f"the string is not CSV: {failure.reason}") from failure
    if not records:
        raise FunctionError("the string is empty: a first line with the names of the columns is needed")
    header, *rows = records
    names = list(map(normal_text, header))
    if len(set(names)) < len(names):
        twice = next(name for at, name in enumerate(names) if name in names[:at])
        raise FunctionError(f'two columns have the name "{twice}"')
    rows_as_objects = [dict(zip(names, map(normal_text, row), strict=True)) for row in rows]
    return List(rows_as_objects, ObjectType(dict.fromkeys(names, STRING)))


def _json_type(arguments: Sequence[Value]) -> Type:
    """What can be told of the decoded value from the known start of an unknown document."""
    document = arguments[0]
    if type(document) is not Unknown or document.refinement is None:
        return DYNAMIC
    start = document.refinement.prefix.strip(" \t\r\n")[:1]
    if not start or start in "{[n":
        return DYNAMIC
    if start == '"':
        return STRING
    if start in "tf":
        return BOOL
    if start in "-0123456789":
        return NUMBER
    raise FunctionError(f"a JSON document cannot start with {start}", 0)


@function(
    "jsondecode",
    "Reads JSON.",
    parameter("str", STRING, "the JSON document"),
    returns=_json_type,
    refine_not_null=False,
)
def jsondecode(text: str) -> Value:
    """Objects become objects, arrays tuples; numbers keep all their digits."""
    try:
        return decode_json(text)
    except EncodingError as failure:
        raise FunctionError(f"the string is not JSON: {failure.reason}") from failure


@function(
    "jsonencode",
    "Writes a value as JSON.",
    parameter("val", DYNAMIC, "the value", allow_null=True, allow_unknown=True),
    returns=STRING,
    refine_not_null=False,
)
def jsonencode(value: Value) -> Value:
    """In one line, keys in order. With anything unknown inside, only the first character is known."""
    if contains_unknown(value):
        return _unknown_json(value)
    try:
        return normal_text(encode_json(value))
    except EncodingError as failure:
        raise FunctionError(failure.reason) from failure


def _unknown_json(value: Value) -> Value:
    if not definitely_not_null(value):
        return _UNKNOWN_MAYBE_NULL
    kind = value.type if type(value) is Unknown else None
    if isinstance(kind, ObjectType | MapType) or type(value) in (dict, Map):
        start = "{"
    elif isinstance(kind, ListType | SetType | TupleType) or type(value) in (tuple, List, Set):
        start = "["
    else:
        start = '"' if kind == STRING else ""
    return Unknown(STRING, Refinement(not_null=True, prefix=start))


@function(
    "yamldecode",
    "Reads YAML.",
    parameter("src", STRING, "one YAML 1.1 document"),
    returns=DYNAMIC,
    refine_not_null=False,
)
def yamldecode(text: str) -> Value:
    """Mappings become objects, sequences tuples; dates become RFC 3339 timestamps."""
    from twinfra.lang.functions.yaml_reading import YAMLError, read_yaml

    try:
        return read_yaml(text)
    except YAMLError as failure:
        raise FunctionError(f"the string is not YAML that can be read: {failure.reason}") from failure


@function(
    "yamlencode",
    "Writes a value as YAML.",
    parameter("value", DYNAMIC, "the value", allow_null=True, allow_unknown=True),
    returns=STRING,
)
def yamlencode(value: Value) -> Value:
    """In block style, strings quoted, keys in order."""
    if contains_unknown(value):
        return UNKNOWN_STRING
    from twinfra.lang.functions.yaml_writing import write_yaml

    return normal_text(write_yaml(value))
