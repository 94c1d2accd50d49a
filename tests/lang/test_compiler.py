"""Compiled expressions: what they refer to, what they ask of a scope, and code that does as the interpreter does."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.lang.scopes import TableScope, evaluate

from twinfra.diagnostics import Diagnostic, DiagnosticError, Source
from twinfra.lang import compiler
from twinfra.lang.codegen import NotCompilableError, generate
from twinfra.lang.compiler import compile_expression, constant
from twinfra.lang.interpreter import Interpreter
from twinfra.lang.nodes import Expression
from twinfra.lang.parser import parse_expression
from twinfra.lang.references import References
from twinfra.values.types import STRING
from twinfra.values.value import SENSITIVE, UNKNOWN, List, Map, Marked, Unknown


def compiled(text: str) -> compiler.Compiled:
    expression, problems = parse_expression(Source("x", text))
    assert not problems
    return compile_expression(expression)


@pytest.mark.parametrize(
    ("text", "references"),
    [
        ("var.a + local.b", ["var.a", "local.b"]),
        ("aws_vpc.main.id", ["aws_vpc.main"]),
        ("resource.aws_vpc.main.id", ["aws_vpc.main"]),
        ("data.aws_ami.a[0].id", ["data.aws_ami.a"]),
        ("module.m[each.key].out", ["module.m", "each.key"]),
        ("[for x in var.l : x.a + var.b if x.c]", ["var.l", "var.b"]),
        ("{for k, v in var.m : k => each.value}", ["var.m", "each.value"]),
        ('"${path.module}/%{ for f in local.files }${f}%{ endfor }"', ["path.module", "local.files"]),
        ("var.a[var.b].c[*].d", ["var.a", "var.b"]),
        ("self.id", ["self"]),
        ("f(terraform.workspace, count.index...)", ["terraform.workspace", "count.index"]),
        ("{ a = var.x, (var.k) = 1, var = 2 }", ["var.x", "var.k"]),
    ],
)
def test_references_are_found_without_evaluating(text: str, references: list[str]):
    assert list(map(str, compiled(text).references)) == references


def test_a_reference_tells_the_attribute_read_and_its_whole_text():
    (reference,) = compiled('module.m["a"].out.x').references
    assert (reference.attribute, reference.range.text) == ("out", 'module.m["a"].out.x')
    (reference,) = compiled("aws_vpc.main[*].id").references
    assert (reference.attribute, reference.range.text) == ("", "aws_vpc.main")


@pytest.mark.parametrize("text", ["foo", "var", 'var["a"]', "data.x", "module", "template.x", "resource.a"])
def test_a_name_that_is_no_full_reference_is_an_error_even_inside_try(text: str):
    assert compiled(f"try({text}, 1)").problems
    with pytest.raises(DiagnosticError):
        evaluate(f"try({text}, 1)")


def test_an_instance_is_read_without_reading_all():
    scope = TableScope({}, Map({"a": {"id": 1}}))
    assert evaluate('aws_x.y["a"].id', scope) == 1
    assert scope.asked == ["instance aws_x.y a"]


def test_an_output_is_read_alone():
    scope = TableScope({"k": "b"})
    assert evaluate('[module.m.out, module.m["a"].out, module.m[var.k].out]', scope) == (
        "module.m.out",
        "module.m[a].out",
        "module.m[b].out",
    )
    assert "value module.m" not in scope.asked


def test_a_missing_instance_can_be_tried():
    scope = TableScope({}, Map({"a": {"id": 1}}))
    assert evaluate('try(aws_x.y["b"].id, "none")', scope) == "none"


def test_what_is_not_declared_cannot_be_tried():
    with pytest.raises(DiagnosticError):
        evaluate("try(var.nope, 1)")


def test_errors_are_collected_with_their_places():
    with pytest.raises(DiagnosticError) as failed:
        evaluate('[1 + "a", upper([]), var.x.y]', TableScope({"x": {}}))
    subjects = [one.subject.text for one in failed.value.diagnostics if one.subject]
    assert subjects == ['"a"', "[", ".y"]


def test_a_branch_that_is_not_taken_may_fail():
    scope = TableScope({"l": (), "n": None})
    assert evaluate('length(var.l) > 0 ? var.l[0] : "none"', scope) == "none"
    assert evaluate("var.n == null ? 1 : var.n.x", scope) == 1


def test_constants_may_not_refer_or_call():
    assert constant(parse_expression(Source("x", "[1, 2 + 3]"))[0]) == (1, 5)
    for text in ("var.a", 'upper("a")', "foo"):
        with pytest.raises(DiagnosticError):
            constant(parse_expression(Source("x", text))[0])


def test_code_is_made_of_what_is_evaluated_often():
    expression = compiled("var.a * 2 + 1")
    results = {expression.evaluate(TableScope({"a": 3})) for _ in range(compiler._WARM + 3)}
    assert results == {7}
    assert expression._code is not None


def test_code_is_made_of_what_goes_through_large_collections():
    expression = compiled("[for x in var.l : x * 2]")
    assert expression.evaluate(TableScope({"l": tuple(range(1000))})) == tuple(range(0, 2000, 2))
    assert expression._code is not None


def test_code_that_fails_is_given_up_and_errors_stay_the_same():
    expression = compiled("var.a + 1")
    for _ in range(compiler._WARM):
        expression.evaluate(TableScope({"a": 1}))
    for _ in range(compiler._MOST_MISSES + 1):
        with pytest.raises(DiagnosticError) as failed:
            expression.evaluate(TableScope({"a": "x"}))
        assert [one.subject.text for one in failed.value.diagnostics if one.subject] == ["var.a"]
    assert expression._code is None


def test_deep_and_long_expressions_are_evaluated_or_refused_in_words():
    assert evaluate("+".join(["1"] * 5000)) == 5000
    with pytest.raises(DiagnosticError):
        evaluate("(" * 500 + "1" + ")" * 500)


NAMES = st.sampled_from(
    ["var.i", "var.s", "var.t", "var.n", "var.l", "var.o", "var.tu", "var.u", "var.m", "var.us", "x", "k"]
)
LITERALS = st.sampled_from(
    ["1", "0", "2.5", '"a"', '""', '"5"', "true", "null", "[]", "{}", "[1, 2]", '{ a = 1, b = "x" }']
)
OPERATORS = st.sampled_from(["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||"])


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, OPERATORS, inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
        inner.map(lambda a: f"-{a}"),
        inner.map(lambda a: f"!{a}"),
        st.tuples(inner, inner, inner).map(lambda p: f"({p[0]} ? {p[1]} : {p[2]})"),
        st.tuples(inner, st.sampled_from([".a", "[0]", '["b"]', "[*]", ".*.a", "[*].a[0]", "[var.i]"])).map(
            "".join
        ),
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.lists(st.tuples(st.sampled_from(["a", "b", '"c d"', "(var.s)"]), inner), max_size=3).map(
            lambda items: "{ " + ", ".join(f"{key} = {value}" for key, value in items) + " }"
        ),
        st.lists(inner, min_size=1, max_size=3).map(
            lambda items: '"t' + "".join(f"${{{one}}}" for one in items) + '"'
        ),
        st.tuples(inner, inner).map(lambda p: f'"%{{ if {p[0]} }}y${{{p[1]}}}%{{ else }}n%{{ endif }}"'),
        st.tuples(inner, inner).map(lambda p: f'"%{{ for k, x in {p[0]} }}${{{p[1]}}}%{{ endfor }}"'),
        st.tuples(inner, inner).map(lambda p: f"[for k, x in {p[0]} : {p[1]}]"),
        st.tuples(inner, inner, inner).map(lambda p: f"[for k, x in {p[0]} : {p[1]} if {p[2]}]"),
        st.tuples(inner, inner, inner).map(lambda p: f"{{for k, x in {p[0]} : {p[1]} => {p[2]}...}}"),
        st.tuples(inner, inner).map(lambda p: f"{{for k, x in {p[0]} : {p[1]} => x}}"),
        st.tuples(inner, inner).map(lambda p: f"try({p[0]}, {p[1]})"),
        inner.map(lambda a: f"can({a})"),
        inner.map(lambda a: f"max({a}...)"),
        inner.map(lambda a: f"upper({a})"),
    )


EXPRESSIONS = st.recursive(NAMES | LITERALS, larger, max_leaves=8)
SCOPE = TableScope(
    {
        "i": 1,
        "s": "b",
        "t": True,
        "n": None,
        "l": List(("p", "q"), STRING),
        "o": {"a": {"a": 2}, "b": "z"},
        "tu": (1, "x", (2,)),
        "u": UNKNOWN,
        "us": Unknown(STRING),
        "m": Marked({"a": "secret"}, frozenset({SENSITIVE})),
    }
)


def interpreted(expression: Expression, analysis: References) -> str:
    """The value as text; empty after errors, which have places and words."""
    problems: tuple[Diagnostic, ...] = ()
    try:
        return repr(Interpreter(analysis.resolved, SCOPE).run(expression))
    except DiagnosticError as failed:
        problems = failed.diagnostics
    assert all(one.subject is not None and one.detail for one in problems)
    return ""


@settings(max_examples=400, deadline=None)
@given(EXPRESSIONS)
def test_code_gives_what_the_interpreter_gives_or_leaves_it_to_that(text: str):
    expression, problems = parse_expression(Source("x", text))
    assert not problems
    analysis = References(expression)
    if analysis.problems:
        return
    expected = interpreted(expression, analysis)
    try:
        code = generate(expression, analysis.resolved)
    except NotCompilableError:
        return
    try:
        given = repr(code(SCOPE))
    except Exception:
        return
    assert given == expected
