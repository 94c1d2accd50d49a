"""The digests again, written from docs/fingerprint.md alone; it shares nothing with what it checks.

It reads as much of the language as the tests use: no heredocs, no `%{ for }`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import re
from typing import Any

# -- canonical JSON


def text_of(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{text_of(name)}:{text_of(value[name])}" for name in sorted(value)) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(text_of(one) for one in value) + "]"
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return json.dumps(value, ensure_ascii=False)


def digest(value: Any) -> str:
    return "sha256:" + hashlib.sha256(text_of(value).encode()).hexdigest()


def secret(key: bytes, value: Any) -> dict[str, str]:
    return {"hmac-sha256": hmac.new(key, text_of(value).encode(), hashlib.sha256).hexdigest()}


# -- the language

TOKEN = re.compile(
    r"\s*(?:(?:#|//)[^\n]*\s*|/\*.*?\*/\s*)*"
    r'("(?:[^"\\$]|\\.|\$\$\{|\$(?!\{)|\$\{(?:[^{}"]|"[^"]*"|\{[^{}]*\})*\})*"'
    r"|[A-Za-z_][\w-]*|\d+(?:\.\d+)?|\.\.\.|=>|==|!=|<=|>=|&&|\|\||[-+*/%<>!?:=.,()\[\]{}])",
    re.S,
)
LEVELS = [("||",), ("&&",), ("==", "!="), ("<", ">", "<=", ">="), ("+", "-"), ("*", "/", "%")]
ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}


class Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        at = 0
        text = re.sub(r"\s+\Z", "", text)
        while at < len(text):
            found = TOKEN.match(text, at)
            if found is None:
                assert not re.sub(r"(#|//)[^\n]*", "", text[at:]).strip(), text[at : at + 40]
                break
            self.tokens.append(found[1])
            at = found.end()
        self.at = 0

    def peek(self, ahead: int = 0) -> str:
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else ""

    def next(self, wanted: str = "") -> str:
        token = self.peek()
        assert not wanted or token == wanted, (token, wanted, self.tokens[self.at : self.at + 9])
        self.at += 1
        return token

    def body(self) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        blocks: dict[str, list[Any]] = {}
        while self.peek() not in ("", "}"):
            name = self.next()
            if self.peek() == "=":
                self.next()
                arguments[name] = self.expression()
                continue
            labels = []
            while self.peek() != "{":
                labels.append(self.next().strip('"'))
            self.next("{")
            inner = self.body()
            self.next("}")
            kind = labels[0] if name == "dynamic" else name
            blocks.setdefault(kind, []).append(["block", name, labels, inner])
        return {
            **({"arguments": arguments} if arguments else {}),
            **({"blocks": blocks} if blocks else {}),
        }

    def expression(self) -> Any:
        condition = self.level(0)
        if self.peek() != "?":
            return condition
        self.next()
        then = self.expression()
        self.next(":")
        return ["if", condition, then, self.expression()]

    def level(self, depth: int) -> Any:
        if depth == len(LEVELS):
            return self.unary()
        left = self.level(depth + 1)
        while self.peek() in LEVELS[depth]:
            operator = self.next()
            right = self.level(depth + 1)
            row = left if isinstance(left, list) and left[:1] == ["binary"] else ["binary", left]
            left = [*row, operator, right]
        return left

    def unary(self) -> Any:
        if self.peek() in ("-", "!"):
            return ["unary", self.next(), self.unary()]
        return self.steps(self.primary())

    def steps(self, source: Any) -> Any:
        while self.peek() in (".", "["):
            if self.peek(1) == "*":
                full = self.next() == "["
                self.next("*")
                if full:
                    self.next("]")
                each: Any = ["element"]
                while self.peek() == "." or (full and self.peek() == "["):
                    each = self.step(each if each[0] == "value" else ["value", each])
                source = ["splat" if full else "attribute-splat", source, each]
            else:
                chain = isinstance(source, list) and source[:1] in (["name"], ["value"])
                source = self.step(source if chain else ["value", source])
        return source

    def step(self, chain: list[Any]) -> list[Any]:
        if self.next() == ".":
            return [*chain, self.next()]
        key = self.expression()
        self.next("]")
        return [*chain, ["index", key]]

    def primary(self) -> Any:
        token = self.next()
        if token == "(":
            inner = self.expression()
            self.next(")")
            return inner
        if token == "[":
            return self.tuple()
        if token == "{":
            return self.object()
        if token.startswith('"'):
            return template(token[1:-1])
        if token[0].isdigit():
            return float(token) if "." in token else int(token)
        if token in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[token]
        if self.peek() == "(":
            self.next()
            return self.call(token)
        return ["name", token]

    def call(self, name: str) -> Any:
        arguments: list[Any] = []
        expand = False
        while self.peek() != ")":
            arguments.append(self.expression())
            if self.peek() == "...":
                self.next()
                expand = True
            if self.peek() == ",":
                self.next()
        self.next(")")
        return ["call", name, arguments, "..."] if expand else ["call", name, arguments]

    def tuple(self) -> Any:
        if self.peek() == "for":
            names, collection = self.intro()
            value = self.expression()
            condition = self.condition()
            self.next("]")
            return ["for-tuple", names, collection, value, condition]
        elements = []
        while self.peek() != "]":
            elements.append(self.expression())
            if self.peek() == ",":
                self.next()
        self.next("]")
        return ["tuple", *elements]

    def object(self) -> Any:
        if self.peek() == "for":
            names, collection = self.intro()
            key = self.expression()
            self.next("=>")
            value = self.expression()
            grouping = ["..."] if self.peek() == "..." and self.next() else []
            condition = self.condition()
            self.next("}")
            return ["for-object", names, collection, key, value, condition, *grouping]
        items = []
        while self.peek() != "}":
            bare = re.match(r"[A-Za-z_]", self.peek()) and self.peek(1) in ("=", ":")
            key = self.next() if bare else self.expression()
            assert self.next() in ("=", ":")
            items.append([key, self.expression()])
            if self.peek() == ",":
                self.next()
        self.next("}")
        keys = [key for key, _ in items]
        if all(isinstance(key, str) for key in keys) and len(set(keys)) == len(keys):
            items.sort(key=lambda item: item[0])
        return ["object", *items]

    def intro(self) -> tuple[list[str], Any]:
        self.next("for")
        names = [self.next()]
        if self.peek() == ",":
            self.next()
            names.append(self.next())
        self.next("in")
        collection = self.expression()
        self.next(":")
        return ["", *names] if len(names) == 1 else names, collection

    def condition(self) -> Any:
        return self.expression() if self.peek() == "if" and self.next() else None


PART = re.compile(
    r'\$\{((?:[^{}"]|"[^"]*"|\{[^{}]*\})*)\}|%\{ *(if [^}]*|else|endif) *\}|\$\$(?=\{)|\\(.)|(.)', re.S
)


def template(text: str) -> Any:
    """A template's form: nested `%{ if }` by a stack."""
    stack: list[Any] = [[]]
    for found in PART.finditer(text):
        inner, directive, escape, plain = found.groups()
        if inner is not None:
            stack[-1].append(Parser(inner).expression())
        elif directive is None:
            one = ESCAPES[escape] if escape else plain or "$"
            if stack[-1] and isinstance(stack[-1][-1], str):
                stack[-1][-1] += one
            else:
                stack[-1].append(one)
        elif directive.startswith("if"):
            stack += [Parser(directive[2:]).expression(), []]
        elif directive.strip() == "else":
            stack.append([])
        else:
            otherwise = stack.pop() if isinstance(stack[-2], list) and not _is_form(stack[-2]) else []
            then = stack.pop()
            condition = stack.pop()
            stack[-1].append(["template-if", condition, then, otherwise])
    parts = stack[0]
    if not parts:
        return ""
    if len(parts) == 1 and not (isinstance(parts[0], list) and parts[0][0].startswith("template-")):
        return parts[0]
    return ["template", *parts]


def _is_form(one: list[Any]) -> bool:
    return bool(one) and one[0] in ("name", "call", "binary", "unary", "value", "if")


# -- C


def code(directory: str, modules: dict[str, str], files: dict[str, dict[str, Any]], version: str) -> str:
    """C of a directory; `modules` are its modules' directories by name, `files` what each reads by functions."""
    document = {
        "format": "twinfra code 1",
        "engine": version,
        "providers": {"terraform.io/builtin/terraform": version},
        "modules": {
            name: module(os.path.join(directory, path), files.get(name, {})) for name, path in modules.items()
        },
    }
    return digest(document)


def module(directory: str, files: dict[str, Any]) -> str:
    items: list[Any] = []
    overrides: list[Any] = []
    for name in sorted(os.listdir(directory)):
        if not name.endswith((".tf", ".tf.json")):
            continue
        with open(os.path.join(directory, name), encoding="utf-8") as file:
            text = file.read()
        stem = name.removesuffix(".json").removesuffix(".tf")
        found = json_items(json.loads(text)) if name.endswith(".json") else native_items(text)
        (overrides if stem == "override" or stem.endswith("_override") else items).extend(found)
    document = {"items": sorted(items, key=text_of)}
    if overrides:
        document["overrides"] = overrides
    return digest({**document, **({"files": files} if files else {})})


def native_items(text: str) -> list[Any]:
    items: list[Any] = []
    for blocks in Parser(text).body().get("blocks", {}).values():
        for block in blocks:
            _, kind, _, body = block
            if kind not in ("locals", "terraform"):
                items.append(block)
                continue
            items += [[kind, name, value] for name, value in body.get("arguments", {}).items()]
            for inner in (one for all in body.get("blocks", {}).values() for one in all):
                if inner[1] == "required_providers":
                    given = inner[3].get("arguments", {})
                    items += [[kind, inner[1], name, value] for name, value in given.items()]
                else:
                    items.append([kind, inner])
    return items


def json_items(document: dict[str, Any]) -> list[Any]:
    return [["json", name, json_form(value)] for name, value in document.items() if name != "//"]


def json_form(value: Any) -> Any:
    if isinstance(value, dict):
        return ["object", *sorted([name, json_form(one)] for name, one in value.items() if name != "//")]
    if isinstance(value, list):
        return ["tuple", *map(json_form, value)]
    return template(value) if isinstance(value, str) else value


# -- S


class State:
    """S of a state file's content; `declared` has identifiers, volatile paths and sets by type."""

    def __init__(self, document: dict[str, Any], declared: dict[str, dict[str, Any]], key: bytes) -> None:
        self.document = document
        self.declared = declared
        self.key = key
        self.names: dict[str, str] = {}
        self.instances: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
        for resource in document["resources"]:
            if resource["mode"] != "managed":
                continue
            for one in resource["instances"]:
                index = one.get("index_key")
                address = f"{resource['type']}.{resource['name']}"
                address += "" if index is None else f"[{json.dumps(index)}]"
                self.instances.append((address, resource, one))
        self.instances.sort(key=lambda one: one[0])
        self.collect()

    def conditions(self, kind: str, which: str, instance: dict[str, Any]) -> list[str]:
        """The declared paths of a type that hold for an instance."""
        found = []
        for entry in self.declared.get(kind, {}).get(which, ()):
            path, _, other = entry.partition(" if ")
            if "." in other:
                type, _, attribute = other.partition(".")
                ids = [
                    one["attributes"].get(attribute) for _, of, one in self.instances if of["type"] == type
                ]
                if instance["attributes"]["id"] not in ids:
                    continue
            elif other and not instance["attributes"].get(other):
                continue
            found.append(path)
        return found

    def collect(self) -> None:
        later = []
        for address, resource, instance in self.instances:
            gone = self.conditions(resource["type"], "volatile", instance)
            for path in sorted(self.conditions(resource["type"], "identifiers", instance)):
                if path in gone:
                    continue
                found = list(self.places(instance["attributes"], path.split("."), f"{address}"))
                if path == "id":
                    self.name(found)
                else:
                    later.append(found)
        for found in later:
            self.name(found)

    def places(self, value: Any, path: list[str], place: str) -> Any:
        if isinstance(value, list):
            for at, one in enumerate(value):
                yield from self.places(one, path, f"{place}[{at}]")
        elif path and isinstance(value, dict):
            yield from self.places(value.get(path[0]), path[1:], f"{place}.{path[0]}")
        elif not path and isinstance(value, str):
            yield value, place

    def name(self, found: list[tuple[str, str]]) -> None:
        for value, place in found:
            bare = value.removeprefix("https://")
            if len(bare) >= 6:
                self.names.setdefault(bare, place)

    def text(self, text: str) -> str:
        found = self.replaced(text)
        if found is None and re.fullmatch(r"[A-Za-z0-9+/]{8,}={0,2}", text) and len(text) % 4 == 0:
            try:
                inner = self.replaced(base64.b64decode(text).decode())
            except UnicodeDecodeError:
                inner = None
            if inner is not None:
                return "${base64:" + inner + "}"
        return text.replace("$", "$$") if found is None else found

    def replaced(self, text: str) -> str | None:
        if not self.names:
            return None
        longest_first = sorted(self.names, key=len, reverse=True)
        word = r"(?<![0-9A-Za-z])"
        starts = "|".join(
            (word if value[0].isalnum() else "")
            + re.escape(value)
            + (r"(?![0-9A-Za-z])" if value[-1].isalnum() else "")
            for value in longest_first
        )
        out, at, hit = "", 0, False
        for found in re.finditer(starts, text):
            hit = True
            out += text[at : found.start()].replace("$", "$$") + "${" + self.names[found[0]] + "}"
            at = found.end()
        return out + text[at:].replace("$", "$$") if hit else None

    def form(self, value: Any, path: tuple[str, ...], gone: list[str], sets: tuple[str, ...]) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            found = [self.form(one, path, gone, sets) for one in value]
            return sorted(found, key=text_of) if ".".join(path) in sets else found
        if isinstance(value, dict):
            return {
                name: self.form(one, (*path, name), gone, sets)
                for name, one in value.items()
                if one is not None and ".".join((*path, name)) not in gone
            }
        return value

    def digest(self) -> str:
        resources = []
        for address, resource, instance in self.instances:
            kind = resource["type"]
            gone = self.conditions(kind, "volatile", instance)
            attributes = self.form(
                instance["attributes"], (), gone, self.declared.get(kind, {}).get("sets", ())
            )
            for steps in instance.get("sensitive_attributes", ()):
                name = steps[0]["value"]
                if name in attributes and "hmac-sha256" not in attributes[name]:
                    attributes[name] = secret(self.key, attributes[name])
            resources.append({"address": address, "provider": resource["provider"], "attributes": attributes})
        outputs = {}
        for name, output in self.document["outputs"].items():
            value = self.form(output["value"], (), [], ())
            value = secret(self.key, value) if output.get("sensitive") else value
            outputs[name] = {"type": output["type"], "value": value}
        return digest({"format": "twinfra state 1", "outputs": outputs, "resources": resources})
