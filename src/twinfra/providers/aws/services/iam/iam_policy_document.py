"""Policy documents, put together from blocks and from other documents."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

from twinfra.diagnostics import error
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import (
    Field,
    block,
    block_set,
    json_text,
    output,
    string,
    string_list,
    string_set,
)
from twinfra.providers.aws.resource import Attributes, DataSource
from twinfra.providers.aws.services.iam._document import (
    Document,
    DocumentError,
    conditions,
    parse,
    principals,
    printed,
    words,
)
from twinfra.providers.protocol import ProviderError
from twinfra.values.types import STRING
from twinfra.values.value import GetAttr, Index

_LATEST = "2012-10-17"


def _read(_: Context, given: Attributes) -> Attributes:
    merged = Document()
    if given["source_json"]:
        merged = _parsed(given["source_json"], (GetAttr("source_json"),))
    seen = set(merged.sids())
    for at, text in enumerate(given["source_policy_documents"] or ()):
        if not text:
            continue
        path = (GetAttr("source_policy_documents"), Index(at))
        source = _parsed(text, path)
        for sid in source.sids():
            if sid in seen:
                raise _refused(
                    f'The Sid "{sid}" is used by two source documents.',
                    path,
                    "Leave one of them out, or make them differ.",
                )
            seen.add(sid)
        merged.merge(source)
    merged.merge(_own(given))
    for at, text in enumerate(given["override_policy_documents"] or ()):
        if text:
            merged.merge(_parsed(text, (GetAttr("override_policy_documents"), Index(at))))
    if given["override_json"]:
        merged.merge(_parsed(given["override_json"], (GetAttr("override_json"),)))
    data = merged.data()
    text = printed(data)
    return {
        "id": str(zlib.crc32(text.encode())),
        "json": text,
        "minified_json": printed(data, minified=True),
        "version": given["version"] or _LATEST,
        "statement": [_with_defaults(one) for one in given["statement"]],
    }


def _with_defaults(statement: dict[str, Any]) -> dict[str, Any]:
    return statement | {"effect": statement["effect"] or "Allow"}


def _own(given: Attributes) -> Document:
    version = given["version"] or _LATEST
    made = Document(version, given["policy_id"] or "")
    for at, one in enumerate(given["statement"]):
        path = (GetAttr("statement"), Index(at))
        statement: dict[str, Any] = {"Sid": one["sid"] or "", "Effect": one["effect"] or "Allow"}
        for name, key in (("actions", "Action"), ("not_actions", "NotAction")):
            if one[name]:
                statement[key] = words(one[name])
        for name, key in (("resources", "Resource"), ("not_resources", "NotResource")):
            if one[name]:
                statement[key] = words(_variables(one[name], version, path))
        for name, key in (("principals", "Principal"), ("not_principals", "NotPrincipal")):
            if one[name]:
                inner = [
                    {"type": who["type"], "identifiers": _variables(who["identifiers"], version, path)}
                    for who in one[name]
                ]
                statement[key] = principals(inner)
        if one["condition"]:
            statement["Condition"] = conditions(
                {**test, "values": _variables(test["values"], version, path)} for test in one["condition"]
            )
        if statement["Sid"] and statement["Sid"] in made.sids():
            raise _refused(
                f'The Sid "{statement["Sid"]}" is used by two statements.',
                path,
                "Make them differ, or leave one out.",
            )
        made.statements.append(statement)
    return made


def _variables(values: Sequence[str], version: str, path: tuple[Any, ...]) -> list[str]:
    """Policy variables, which are written &{...} so that the language leaves them alone."""
    found = []
    for value in values:
        if "&{" in value and version == "2008-10-17":
            raise _refused(
                f'"{value}" has a policy variable, which version {version} does not know.',
                path,
                f'Use version = "{_LATEST}".',
            )
        found.append(value.replace("&{", "${"))
    return found


def _parsed(text: str, path: tuple[Any, ...]) -> Document:
    try:
        return parse(text)
    except DocumentError as problem:
        raise _refused(f"This is no policy document: {problem}.", path, "") from None


def _refused(detail: str, path: tuple[Any, ...], mend: str) -> ProviderError:
    return ProviderError(error("Invalid policy document", detail, path=path, mend=mend))


_PRINCIPAL: dict[str, Field] = {
    "type": string("", required=True, about="AWS, Service, Federated, CanonicalUser, or * for everybody."),
    "identifiers": string_set("", required=True, about="Who, such as ARNs or service names."),
}

_STATEMENT: dict[str, Field] = {
    "sid": string("", about="A name, unique in the document."),
    "effect": string("", allowed=("Allow", "Deny"), computed=True, about="Allow, where not given, or Deny."),
    "actions": string_set("", about="Actions it is about."),
    "not_actions": string_set("", about="It is about all actions but these."),
    "resources": string_set("", about="ARNs it is about."),
    "not_resources": string_set("", about="It is about all resources but these."),
    "principals": block_set(_PRINCIPAL, about="Who it is about."),
    "not_principals": block_set(_PRINCIPAL, about="It is about everybody but these."),
    "condition": block_set(
        {
            "test": string("", required=True, about="The operator, such as StringEquals."),
            "variable": string("", required=True, about="The condition key, such as aws:SourceIp."),
            "values": string_list("", required=True, about="Values of which one must fit."),
        },
        about="When it applies: all of them must hold.",
    ),
}

DATA = DataSource(
    name="aws_iam_policy_document",
    service="iam",
    about="A policy document as JSON, from blocks and other documents. Nothing is read from the cloud.",
    regional=False,
    offline=True,
    fields={
        "policy_id": string("", about="An id of the document."),
        "version": string(
            "", allowed=("2008-10-17", _LATEST), computed=True, about="The version of the policy language."
        ),
        "statement": block(_STATEMENT, about="What is allowed or denied, to whom, and when."),
        "source_json": json_text(
            "", deprecated="Use source_policy_documents instead.", about="A document to start from."
        ),
        "override_json": json_text(
            "",
            deprecated="Use override_policy_documents instead.",
            about="A document whose statements win over those of the same Sid.",
        ),
        "source_policy_documents": string_list(
            "", about="Documents to start from, in order; their Sids must differ."
        ),
        "override_policy_documents": string_list(
            "", about="Documents whose statements win over those of the same Sid, in order."
        ),
        "json": output(STRING, "", about="The document."),
        "minified_json": output(STRING, "", about="The document without spaces."),
    },
    read=_read,
)
