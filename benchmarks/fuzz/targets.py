"""What is fuzzed: each takes text, and lets nothing escape but what is a bug."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from twinfra.diagnostics import DiagnosticError, Source
from twinfra.lang.scope import EvaluationContext, Reference
from twinfra.values.value import Unknown, Value


class Nobody:
    """A scope in which every name is unknown."""

    context = EvaluationContext(Path(), "2026-01-01T00:00:00Z", planning=True)

    def value(self, reference: Reference) -> Value:
        return Unknown()

    def instance(self, reference: Reference, key: Value) -> Value:
        return Unknown()

    def output(self, reference: Reference, name: str) -> Value:
        return Unknown()

    def instance_output(self, reference: Reference, key: Value, name: str) -> Value:
        return Unknown()


def parser(text: str) -> None:
    """A configuration file in native syntax; what parses must also format, and to the same thing twice."""
    from twinfra.lang.formatter import format_source
    from twinfra.lang.parser import parse_config

    _, problems = parse_config(Source("main.tf", text))
    if not problems:
        formatted = format_source(text)
        assert format_source(formatted) == formatted


def json_syntax(text: str) -> None:
    """A configuration file in JSON syntax."""
    from twinfra.lang.json_syntax import parse_json

    parse_json(Source("main.tf.json", text))


def evaluator(text: str) -> None:
    """An expression, compiled and evaluated; files cannot be read, since all paths are below nowhere."""
    from twinfra.lang.compiler import compile_expression
    from twinfra.lang.parser import parse_expression

    if "file" in text or "template" in text:
        return
    expression, problems = parse_expression(Source("input", text))
    if problems:
        return
    try:
        compile_expression(expression).evaluate(Nobody())
    except DiagnosticError:
        return


def state(text: str) -> None:
    """A state file."""
    from twinfra.state.v4 import read_state, write_state

    try:
        found = read_state(text.encode("utf-8", "surrogatepass"), "input")
    except DiagnosticError:
        return
    if found is not None:
        again = read_state(b"".join(write_state(found)), "written")
        assert again is not None


TARGETS: dict[str, Callable[[str], None]] = {
    "parser": parser,
    "json": json_syntax,
    "evaluator": evaluator,
    "state": state,
}
