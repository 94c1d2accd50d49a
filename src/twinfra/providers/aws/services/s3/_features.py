"""The settings that older configurations write inside `aws_s3_bucket`: the calls that read, set and remove
each.

Each is read only where the state has it, and all are when a bucket is taken over: what nobody declared costs
no call. Settings that say what a new bucket has anyway are then left out of the state.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from twinfra.dataclass import dataclass
from twinfra.providers.aws.comparison import is_empty
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import Field
from twinfra.providers.aws.mapping import place, request_value
from twinfra.providers.aws.resource import Api, Change, Update
from twinfra.providers.aws.services.s3._acl import acl_read, acl_set, grants_read, grants_set
from twinfra.providers.aws.services.s3._lifecycle import rules_to_send
from twinfra.providers.aws.waiting import dig


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One setting: `get` reads it, from `inside` its answer, to the key `at` of the bucket's object.

    `missing`: codes that say it is not set. `usual`: what a bucket has where nobody set anything. `put` sets
    it, in the dotted `member`; `remove` is the call that removes it, or the value that `put` sends instead.
    `send` and `receive` adapt what is sent and read.
    """

    name: str
    at: str
    get: str
    inside: str = ""
    missing: tuple[str, ...] = ()
    usual: tuple[Any, ...] = ()
    put: str
    member: str
    remove: str | dict[str, Any] | None = None
    send: Callable[[Any], Any] = lambda value: value
    receive: Callable[[Any], Any] = lambda value: value


def _website_sent(value: Api) -> Api:
    made = dict(value)
    target = made.pop("Redirect", None)
    if target:
        protocol, _, host = str(target).rpartition("://")
        made["RedirectAllRequestsTo"] = {"HostName": host} | ({"Protocol": protocol} if protocol else {})
    if made.get("RoutingRules"):
        made["RoutingRules"] = json.loads(made["RoutingRules"])
    return made


def _website_received(answer: Api) -> Api | None:
    found: Api = {key: answer[key] for key in ("ErrorDocument", "IndexDocument") if key in answer}
    target = answer.get("RedirectAllRequestsTo")
    if target:
        protocol = target.get("Protocol")
        found["Redirect"] = f"{protocol}://{target['HostName']}" if protocol else target["HostName"]
    if answer.get("RoutingRules"):
        found["RoutingRules"] = json.dumps(answer["RoutingRules"], separators=(",", ":"), sort_keys=True)
    return found or None


def _replication_sent(value: Api) -> Api:
    made = {"Role": value["Role"], "Rules": []}
    for rule in value["Rules"]:
        one = dict(rule)
        narrowed = one.get("Filter")
        if narrowed and narrowed.get("Tags"):
            tags = [{"Key": key, "Value": text} for key, text in sorted(narrowed["Tags"].items())]
            one["Filter"] = {"And": {"Prefix": narrowed.get("Prefix", ""), "Tags": tags}}
        elif narrowed is None:
            one.setdefault("Prefix", "")
        made["Rules"].append(one)
    return made


def _replication_received(answer: Api) -> Api:
    rules = []
    for rule in answer.get("Rules", ()):
        one = dict(rule)
        narrowed = one.get("Filter") or {}
        both = narrowed.get("And")
        if both:
            one["Filter"] = {"Prefix": both.get("Prefix"), "Tags": both.get("Tags")}
        elif "Tag" in narrowed:
            one["Filter"] = {"Tags": [narrowed["Tag"]]}
        rules.append(one)
    return {"Role": answer.get("Role"), "Rules": rules}


FEATURES: tuple[Feature, ...] = (
    Feature(
        name="versioning",
        at="Versioning",
        get="get_bucket_versioning",
        receive=lambda answer: {k: answer[k] for k in ("Status", "MFADelete") if k in answer} or None,
        put="put_bucket_versioning",
        member="VersioningConfiguration",
        remove={"Status": "Suspended"},
    ),
    Feature(
        name="server_side_encryption_configuration",
        at="Encryption",
        get="get_bucket_encryption",
        inside="ServerSideEncryptionConfiguration",
        missing=("ServerSideEncryptionConfigurationNotFoundError",),
        usual=(
            {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]},
            {
                "Rules": [
                    {
                        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
                        "BucketKeyEnabled": False,
                    }
                ]
            },
        ),
        put="put_bucket_encryption",
        member="ServerSideEncryptionConfiguration",
        remove="delete_bucket_encryption",
    ),
    Feature(
        name="acceleration_status",
        at="AccelerationStatus",
        get="get_bucket_accelerate_configuration",
        inside="Status",
        missing=("UnsupportedArgument", "MethodNotAllowed"),
        put="put_bucket_accelerate_configuration",
        member="AccelerateConfiguration.Status",
        remove="",
    ),
    Feature(
        name="request_payer",
        at="Payer",
        get="get_bucket_request_payment",
        inside="Payer",
        usual=("BucketOwner",),
        missing=("UnsupportedArgument", "MethodNotAllowed"),
        put="put_bucket_request_payment",
        member="RequestPaymentConfiguration.Payer",
        remove="",
    ),
    Feature(
        name="policy",
        at="Policy",
        get="get_bucket_policy",
        inside="Policy",
        missing=("NoSuchBucketPolicy",),
        put="put_bucket_policy",
        member="Policy",
        remove="delete_bucket_policy",
    ),
    Feature(
        name="cors_rule",
        at="Cors",
        get="get_bucket_cors",
        inside="CORSRules",
        missing=("NoSuchCORSConfiguration",),
        put="put_bucket_cors",
        member="CORSConfiguration.CORSRules",
        remove="delete_bucket_cors",
    ),
    Feature(
        name="logging",
        at="Logging",
        get="get_bucket_logging",
        inside="LoggingEnabled",
        put="put_bucket_logging",
        member="BucketLoggingStatus.LoggingEnabled",
        remove="",
        send=lambda value: {"TargetPrefix": "", **value},
    ),
    Feature(
        name="lifecycle_rule",
        at="Lifecycle",
        get="get_bucket_lifecycle_configuration",
        inside="Rules",
        missing=("NoSuchLifecycleConfiguration",),
        put="put_bucket_lifecycle_configuration",
        member="LifecycleConfiguration.Rules",
        remove="delete_bucket_lifecycle",
        send=rules_to_send,
    ),
    Feature(
        name="website",
        at="Website",
        get="get_bucket_website",
        missing=("NoSuchWebsiteConfiguration",),
        put="put_bucket_website",
        member="WebsiteConfiguration",
        remove="delete_bucket_website",
        send=_website_sent,
        receive=_website_received,
    ),
    Feature(
        name="object_lock_configuration",
        at="ObjectLock",
        get="get_object_lock_configuration",
        inside="ObjectLockConfiguration",
        missing=(
            "ObjectLockConfigurationNotFoundError",
            "ObjectLockConfigurationNotFound",
            "MethodNotAllowed",
        ),
        usual=({"ObjectLockEnabled": "Enabled"},),
        put="put_object_lock_configuration",
        member="ObjectLockConfiguration",
        remove={"ObjectLockEnabled": "Enabled"},
    ),
    Feature(
        name="replication_configuration",
        at="Replication",
        get="get_bucket_replication",
        inside="ReplicationConfiguration",
        missing=("ReplicationConfigurationNotFoundError",),
        put="put_bucket_replication",
        member="ReplicationConfiguration",
        remove="delete_bucket_replication",
        send=_replication_sent,
        receive=_replication_received,
    ),
)


def read_features(context: Context, bucket: str, held: dict[str, Any], every: bool) -> Api:
    """The bucket's settings: those that `held` has, or `every` one that is not as usual."""
    found: Api = {}
    for feature in FEATURES:
        if not every and is_empty(held.get(feature.name)):
            continue
        answer = context.find(feature.get, missing=feature.missing, Bucket=bucket)
        value = None if answer is None else dig(answer, feature.inside)
        value = None if not value else feature.receive(value)
        if value is None and feature.at == "Payer" and not every:
            # Every bucket has a payer: an answer that names none (of an emulator) tells nothing.
            value = held[feature.name]
        if value is not None and not (every and value in feature.usual):
            found[feature.at] = value
    if not is_empty(held.get("acl")):
        found["Acl"] = acl_read(context, bucket)
    if not is_empty(held.get("grant")):
        found["Grants"] = grants_read(context, bucket)
    return found


def feature_updates(fields: dict[str, Field]) -> tuple[Update, ...]:
    """One update for each setting, made after creation too."""
    found = [
        Update(fields=(feature.name,), call=_setter(feature, fields[feature.name]), after_create=True)
        for feature in FEATURES
    ]
    found.append(Update(fields=("acl",), call=acl_set, after_create=True))
    found.append(Update(fields=("grant",), call=grants_set, after_create=True))
    return tuple(found)


def _setter(feature: Feature, field: Field) -> Callable[[Context, Change], None]:
    def set_(context: Context, change: Change) -> None:
        value = change.planned.get(feature.name)
        bucket = change.planned["bucket"]
        if not is_empty(value):
            sent = feature.send(request_value(field, value))
        elif isinstance(feature.remove, str) and feature.remove:
            context.call(feature.remove, Bucket=bucket)
            return
        elif isinstance(feature.remove, dict):
            sent = feature.remove
        else:
            sent = None
        request: dict[str, Any] = {}
        place(request, feature.member, sent)
        if sent is None:
            # The setting has no value to fall back on by itself: an empty structure turns it off.
            outer, _, inner = feature.member.partition(".")
            request = {outer: {}} if inner == "LoggingEnabled" else {outer: {inner: _OFF[feature.name]}}
        context.call(feature.put, Bucket=bucket, **request)

    return set_


_OFF = {"acceleration_status": "Suspended", "request_payer": "BucketOwner"}
