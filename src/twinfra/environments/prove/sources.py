"""What breaks determinism by what the code says: found without building anything."""

from __future__ import annotations

import re
from collections.abc import Iterator

from twinfra.addresses import DATA, ConfigResource
from twinfra.config.model import Configuration, Module, ModuleCall, Provisioner, ResourceConfig
from twinfra.diagnostics import Source, SourceRange
from twinfra.environments.fingerprint import Code
from twinfra.environments.fingerprint.code import Used
from twinfra.environments.fingerprint.files import constant_text
from twinfra.environments.prove.findings import Finding, Kind
from twinfra.lang.functions.declaration import FunctionError
from twinfra.lang.functions.paths import read_text
from twinfra.lang.nodes import BodyShape, Call, Literal
from twinfra.lang.parser import parse_template
from twinfra.lang.references import References

FUNCTIONS = {
    "timestamp": (
        "It gives the time of each apply.",
        "Take the time from a variable: then it is an input.",
    ),
    "plantimestamp": (
        "It gives the time of each plan.",
        "Take the time from a variable: then it is an input.",
    ),
    "uuid": (
        "It gives a new random value at each apply.",
        "Make one from names, which stays the same: uuidv5(namespace, name).",
    ),
    "bcrypt": (
        "It hashes with a new random salt at each apply.",
        "Hash once, and give the hash as a sensitive variable.",
    ),
}
"""Functions whose result follows from nothing that the code or the inputs say: why, and the mend."""

_SURROUNDINGS = {
    "abspath": "It gives a path of this machine.",
    "pathexpand": "It gives the home directory of whoever runs this.",
}
_STEADY_DATA = frozenset(
    ("aws_caller_identity", "aws_iam_policy_document", "aws_partition", "aws_region", "aws_eks_cluster_auth")
)
"""Data sources that give what the code or the cloud's identity says already, or what never reaches the state."""

_RANDOM = re.compile(r"random_\w+")
_TIMED = re.compile(r"time_(static|rotating|offset)|tls_private_key")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_EXACT = re.compile(r"=?\s*v?\d+\.\d+\.\d+[\w.+-]*")


def code_findings(configuration: Configuration, code: Code) -> list[Finding]:
    """All of them, in the order of modules and of their texts."""
    found = [one for used in code.calls for one in _call(configuration, used)]
    found += [_uncovered(function, place) for function, place in code.uncovered]
    if "path.cwd" in code.names:
        found.append(
            Finding(
                Kind.SURROUNDINGS,
                "path.cwd",
                "It gives the directory on this machine.",
                "Use path.root or path.module.",
                breaks=False,
            )
        )
    seen: set[SourceRange] = set()
    for module in configuration.modules.values():
        for one in _module(module):
            # A module that is called many times is one text.
            if one.place is None or one.place not in seen:
                found.append(one)
            if one.place is not None:
                seen.add(one.place)
    return found


# -- functions


def _call(configuration: Configuration, used: Used) -> Iterator[Finding]:
    function, place = used.function, used.call.range
    if function in FUNCTIONS:
        why, mend = FUNCTIONS[function]
        yield Finding(Kind.FUNCTION, f"{function}()", why, mend, place)
    elif function in _SURROUNDINGS:
        why = _SURROUNDINGS[function]
        mend = "Use a path relative to path.module, or a variable."
        yield Finding(Kind.SURROUNDINGS, f"{function}()", why, mend, place, breaks=False)
    elif function == "templatefile":
        yield from _template(configuration, configuration.modules[used.module], used.call)


def _template(configuration: Configuration, module: Module, call: Call) -> Iterator[Finding]:
    """What the template that a call reads calls itself."""
    path = constant_text(call.arguments[0], module, configuration.root_directory) if call.arguments else None
    if path is None:
        return
    try:
        text = read_text(configuration.root_directory, path, None)
    except FunctionError:
        return  # the build tells of it
    expression, problems = parse_template(Source(path, text.removeprefix("\ufeff")))
    if problems:
        return
    for inner in References(expression).calls:
        name = inner.name.removeprefix("core::")
        if name in FUNCTIONS:
            why, mend = FUNCTIONS[name]
            yield Finding(Kind.FUNCTION, f"{name}()", why, mend, inner.range)


def _uncovered(function: str, place: SourceRange) -> Finding:
    return Finding(
        Kind.FILE,
        f"{function}()",
        "Which file it reads is known only when it is evaluated: the digest of the code does not cover it.",
        "Build the path from literals, path.module, path.root and local values of such.",
        place,
        breaks=False,
    )


# -- blocks


def _module(module: Module) -> Iterator[Finding]:
    for call in module.calls.values():
        yield from _source(call)
    for resource in module.resources.values():
        yield from _resource(module, resource)
    for one in module.imports:
        yield Finding(
            Kind.IMPORT,
            "import",
            "It takes what exists already; a build from nothing makes it instead, and this proof leaves the block out.",
            "Remove the block once everything is imported.",
            one.range,
            breaks=False,
        )


def _resource(module: Module, resource: ResourceConfig) -> Iterator[Finding]:
    address = resource.address
    name = str(ConfigResource(module.path, address))
    if address.mode == DATA:
        yield from _data(resource, name)
    elif _RANDOM.fullmatch(address.type):
        yield from _random(resource, name)
    elif _TIMED.fullmatch(address.type):
        why = "It is made anew, with another value, in each build."
        yield Finding(Kind.RANDOM, name, why, "Take the value from a variable.", resource.range)
    for provisioner in resource.provisioners:
        yield _provisioner(provisioner, name)


def _random(resource: ResourceConfig, name: str) -> Iterator[Finding]:
    content, _, _ = resource.body.partial(BodyShape({"keepers": False}))
    why = "It draws a value in each build."
    if "keepers" in content.attributes:
        why += " Its keepers say when it is drawn again; from nothing it is always another one."
        mend = "Take the value from a variable where it must be the same in a twin."
        yield Finding(Kind.RANDOM, name, why, mend, resource.range, breaks=False)
    else:
        why += " Without keepers, nothing in the code says when it changes."
        mend = "Give it keepers; or take the value from a variable."
        yield Finding(Kind.RANDOM, name, why, mend, resource.range)


def _data(resource: ResourceConfig, name: str) -> Iterator[Finding]:
    kind = resource.address.type
    if kind in _STEADY_DATA:
        return
    why = "Its answer comes from outside: it may be another one tomorrow, with the same code and inputs."
    mend = "Where it must not change, give what it finds as a variable."
    if kind == "aws_ami":
        content, _, _ = resource.body.partial(BodyShape({"most_recent": False}))
        recent = content.attributes.get("most_recent")
        if recent is not None and not (
            isinstance(recent.expression, Literal) and recent.expression.value is False
        ):
            why = "most_recent finds another image as soon as one is published."
            mend = "Name one image: take its id from a variable, which a pull request updates."
    yield Finding(Kind.DATA, name, why, mend, resource.range, breaks=False)


def _provisioner(provisioner: Provisioner, name: str) -> Finding:
    return Finding(
        Kind.PROVISIONER,
        f"{name}: {provisioner.type}",
        "Nobody sees what it does: neither plan, nor state, nor this proof, which leaves it out.",
        "Declare what it makes as a resource, or do it in the image or in user_data.",
        provisioner.range,
    )


def _source(call: ModuleCall) -> Iterator[Finding]:
    """A module whose text may change though the call does not."""
    source = call.source
    name = f"module.{call.name}"
    if source.startswith((".", "/")) or not source:
        return
    if "::" in source or "://" in source or source.startswith(("git@", "github.com/", "bitbucket.org/")):
        reference = re.search(r"[?&]ref=([^&]+)", source)
        if reference is not None and _COMMIT.fullmatch(reference[1]):
            return
        why = "Its source names no commit, so that its text may change though nothing here does."
        mend = "Add ?ref= with the 40 digits of a commit."
        if reference is not None:
            why = f"Its source names {reference[1]}, which may come to mean another commit."
    elif _EXACT.fullmatch(call.version.strip()):
        return
    else:
        why = "No exact version is asked for, so that another one may come though nothing here changes."
        mend = 'Write one version: version = "1.2.3".'
    yield Finding(Kind.MODULE, name, why, mend, call.source_range)
