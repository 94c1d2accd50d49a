from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from twinfra.diagnostics import Source
from twinfra.environments.places import Path, places


def at(text: str) -> dict[Path, tuple[int, str]]:
    return {path: (place.first.line, place.text) for path, place in places(Source("t", text)).items()}


def test_a_key_of_a_table_has_its_line() -> None:
    assert at("# first\n[a]\nkey = 1\n")["a", "key"] == (3, "key")


def test_a_header_is_the_place_of_its_table() -> None:
    assert at("\n[environments.staging]\n")["environments", "staging"] == (2, "staging")


def test_elements_of_an_array_of_tables_are_told_apart_by_position() -> None:
    found = at("[[t.allow]]\npath = 1\n[[t.allow]]\npath = 2\n[t.allow.more]\nx = 1\n")
    assert found["t", "allow", 0, "path"] == (2, "path")
    assert found["t", "allow", 1, "path"] == (4, "path")
    assert found["t", "allow", 1, "more", "x"] == (6, "x")


def test_keys_within_inline_tables_and_arrays_have_places() -> None:
    found = at('a = { b = 1, "c d" = [ { e = 2 },\n 3 ] }\n')
    assert found["a", "b"] == (1, "b")
    assert found["a", "c d"] == (1, '"c d"')
    assert found["a", "c d", 0, "e"] == (1, "e")
    assert found["a", "c d", 1] == (2, "3")


def test_brackets_quotes_and_hashes_within_strings_are_text() -> None:
    found = at('a = \'\'\'[x]\n# "\'\'\'\nb = "\\"]#"\nc = """\n\\"""\nd = 1""""\ne = 2\n')
    assert {path[0]: line for path, (line, _) in found.items()} == {"a": 1, "b": 3, "c": 4, "e": 7}


def test_dotted_keys_reach_into_tables() -> None:
    assert at("a . b.'c' = 1\n")["a", "b", "c"] == (1, "'c'")


_KEYS = st.text("abAB01-_", min_size=1, max_size=4)
_VALUES: Any = st.recursive(
    st.integers(-9, 9) | st.booleans() | st.text('ab"\\[]{}#,=. ', max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=8,
)


def written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {written(one)}" for key, one in value.items()) + "}"
    return str(value)


def paths(value: Any, path: Path = ()) -> set[Path]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found: set[Path] = set()
    for key, one in inner:
        found |= {(*path, key)} | paths(one, (*path, key))
    return found


@given(st.dictionaries(_KEYS, _VALUES, max_size=5))
def test_every_value_of_a_document_has_a_place(document: dict[str, Any]) -> None:
    text = "".join(f"{key} = {written(value)}\n" for key, value in document.items())
    assert tomllib.loads(text) == document
    assert set(places(Source("t", text))) == paths(document)
