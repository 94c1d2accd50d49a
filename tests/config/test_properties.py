"""Whatever the files say, loading them ends in a configuration and diagnostics, never in an exception."""

from __future__ import annotations

import json
import re
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from twinfra.config.installer import load_texts
from twinfra.config.provider_resolution import resolve_providers

_DATA = Path(__file__).parents[1] / "data" / "config"
_LINES = [
    line
    for name in ("diagnostics.jsonl", "configurations.jsonl")
    for line in (_DATA / name).read_text(encoding="utf-8").splitlines()
]
_FILES: list[dict[str, str]] = [
    files
    for files in (json.loads(line)["files"] for line in _LINES)
    if any(name.endswith((".tf", ".tf.json")) for name in files)
]
_TOKEN = re.compile(r'\w+|"[^"\n]*"|\s+|[^\w\s]')
_WORDS = sorted({word for files in _FILES for text in files.values() for word in _TOKEN.findall(text)})

_EDITS = st.lists(
    st.tuples(st.integers(0, 10_000), st.sampled_from(("drop", "put", "add")), st.sampled_from(_WORDS)),
    min_size=1,
    max_size=5,
)


@settings(max_examples=300, deadline=None)
@given(files=st.sampled_from(_FILES), edits=_EDITS)
def test_no_text_breaks_loading(files: dict[str, str], edits: list[tuple[int, str, str]]) -> None:
    names = sorted(name for name in files if name.endswith((".tf", ".tf.json")))
    texts = {name: files[name] for name in names}
    for number, kind, word in edits:
        name = names[number % len(names)]
        tokens = _TOKEN.findall(texts[name]) or [""]
        at = number % len(tokens)
        tokens[at : at + (kind != "add")] = [] if kind == "drop" else [word]
        texts[name] = "".join(tokens)

    configuration, found = load_texts(Path(), texts)

    if not found.has_errors:
        resolve_providers(configuration)
    for one in found:
        if one.subject is not None:
            assert 0 <= one.subject.start <= one.subject.end <= len(one.subject.source.text)
            assert one.subject.first.line >= 1
