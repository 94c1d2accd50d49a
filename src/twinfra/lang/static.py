"""Reading expressions that are never evaluated: keywords, addresses and calls, in both syntaxes.

In JSON syntax these are strings with native syntax inside, such as `"depends_on": ["aws_vpc.main"]`.
"""

from __future__ import annotations

from twinfra.diagnostics import Diagnostic
from twinfra.lang.nodes import Call, Expression, GetAttr, Index, Literal, TemplateWrap, Variable
from twinfra.values.value import Value

_WORDS: dict[Value, str] = {True: "true", False: "false", None: "null"}


def is_json(expression: Expression) -> bool:
    """Whether the expression was written in JSON syntax."""
    return expression.range.filename.endswith(".json")


def native(expression: Expression) -> Expression:
    """What a string in JSON syntax holds in native syntax; any other expression as it is."""
    if not is_json(expression):
        return expression
    if isinstance(expression, TemplateWrap):
        return expression.inner
    if isinstance(expression, Literal) and isinstance(expression.value, str):
        from twinfra.lang.parser import expression_in

        found, problems = expression_in(expression.range.source, expression.value, expression.range.start + 1)
        return expression if problems else found
    return expression


def native_problems(expression: Expression) -> tuple[Expression, list[Diagnostic]]:
    """What `native` gives, and what is wrong with a string in JSON syntax that holds no expression."""
    if not is_json(expression) or not (isinstance(expression, Literal) and isinstance(expression.value, str)):
        return native(expression), []
    from twinfra.lang.parser import expression_in

    # Stock Terraform counts places in such a string from its quote.
    found, problems = expression_in(expression.range.source, expression.value, expression.range.start)
    return (expression, problems) if problems else (found, [])


def as_keyword(expression: Expression) -> str:
    """The single word that an expression is, such as `all` or `string`; empty for any other expression."""
    if isinstance(expression, Literal) and is_json(expression) and not isinstance(expression.value, str):
        return ""
    found = native(expression)
    if isinstance(found, Variable):
        return found.name
    if isinstance(found, Literal) and (found.value is None or isinstance(found.value, bool)):
        return _WORDS[found.value]
    return ""


def as_traversal(expression: Expression) -> Expression | None:
    """The address that an expression is: a name and steps with literal keys; None for any other expression.

    Of a quoted address in native syntax, as old configurations have them, it is what stands inside the
    quotes: `is_quoted` tells those, about which one should warn.
    """
    found = native(expression)
    if is_quoted(found):
        found = _unquoted(found)
    node = found
    while isinstance(node, GetAttr) or (isinstance(node, Index) and isinstance(node.key, Literal)):
        node = node.source
    return found if isinstance(node, Variable) else None


def is_quoted(expression: Expression) -> bool:
    """Whether it is a string in native syntax, where an address would be written without quotes."""
    if is_json(expression):
        return False
    return isinstance(expression, Literal) and isinstance(expression.value, str)


def _unquoted(expression: Expression) -> Expression:
    from twinfra.lang.parser import expression_in

    assert isinstance(expression, Literal)
    found, problems = expression_in(expression.range.source, expression.value, expression.range.start + 1)
    return expression if problems else found


def as_call(expression: Expression) -> Call | None:
    """The function call that an expression is; None for any other expression."""
    found = native(expression)
    return found if isinstance(found, Call) else None
