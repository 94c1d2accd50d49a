"""A picture of what is in an emulated cloud, taken with boto3, in which made-up ids and times are alike.

Two clouds in which the same things were made give equal pictures.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

Clients = Callable[[str], Any]

LISTS: tuple[tuple[str, str, str], ...] = (
    ("ec2", "describe_vpcs", "Vpcs"),
    ("ec2", "describe_subnets", "Subnets"),
    ("ec2", "describe_internet_gateways", "InternetGateways"),
    ("ec2", "describe_addresses", "Addresses"),
    ("ec2", "describe_nat_gateways", "NatGateways"),
    ("ec2", "describe_route_tables", "RouteTables"),
    ("ec2", "describe_security_groups", "SecurityGroups"),
    ("ec2", "describe_launch_templates", "LaunchTemplates"),
    ("ec2", "describe_instances", "Reservations[].Instances"),
    ("ec2", "describe_volumes", "Volumes"),
    ("elbv2", "describe_load_balancers", "LoadBalancers"),
    ("elbv2", "describe_target_groups", "TargetGroups"),
    ("logs", "describe_log_groups", "logGroups"),
    ("cloudwatch", "describe_alarms", "MetricAlarms"),
    ("ecr", "describe_repositories", "repositories"),
    ("iam", "list_instance_profiles", "InstanceProfiles"),
)
"""(service, list operation, path to the items): what a picture shows as it is listed."""


def picture(clients: Clients, services: frozenset[str]) -> dict[str, Any]:
    """What there is in the services named, sorted and without what differs from run to run."""
    clients = cache(clients)
    found: dict[str, Any] = {}
    for service, operation, path in LISTS:
        if service in services:
            outer, _, inner = path.partition("[].")
            items = clients(service)
            pages = (
                items.get_paginator(operation).paginate()
                if items.can_paginate(operation)
                else [getattr(items, operation)()]
            )
            listed = [one for page in pages for one in page[outer]]
            found[operation] = [
                one
                for one in ([deep for one in listed for deep in one[inner]] if inner else listed)
                if not _is_gone(one)
            ]
    for service, more in (
        ("s3", _s3),
        ("iam", _iam),
        ("eks", _eks),
        ("cloudwatch", _dashboards),
        ("elbv2", _listeners),
    ):
        if service in services:
            found |= dict(more(clients(service)))
    return {name: sorted(map(alike, items), key=_text) for name, items in found.items()}


def _is_gone(item: dict[str, Any]) -> bool:
    """Whether EC2 only remembers it: what is deleted stays listed for an hour."""
    state = item.get("State", "")
    return (state.get("Name", state.get("Code", "")) if isinstance(state, dict) else state) in (
        "deleted",
        "terminated",
    )


def _s3(client: Any) -> Iterator[tuple[str, list[Any]]]:
    buckets = [one["Name"] for one in client.list_buckets()["Buckets"]]
    yield "buckets", buckets
    for operation in (
        "get_bucket_tagging", "get_bucket_versioning", "get_bucket_encryption", "get_bucket_policy", "get_bucket_acl",
        "get_bucket_lifecycle_configuration", "get_public_access_block", "get_bucket_ownership_controls", "get_bucket_cors",
        "get_bucket_website", "get_bucket_logging",
    ):  # fmt: skip
        yield operation, [(bucket, _asked(client, operation, Bucket=bucket)) for bucket in buckets]
    objects = [
        (bucket, one["Key"])
        for bucket in buckets
        for one in client.list_objects_v2(Bucket=bucket).get("Contents", ())
    ]
    yield "objects", [(bucket, key, client.head_object(Bucket=bucket, Key=key)) for bucket, key in objects]


def _iam(client: Any) -> Iterator[tuple[str, list[Any]]]:
    roles = [
        one["RoleName"] for page in client.get_paginator("list_roles").paginate() for one in page["Roles"]
    ]
    yield "roles", [client.get_role(RoleName=name)["Role"] for name in roles]
    yield (
        "inline policies",
        [
            client.get_role_policy(RoleName=role, PolicyName=name)
            for role in roles
            for name in client.list_role_policies(RoleName=role)["PolicyNames"]
        ],
    )
    yield (
        "attached",
        [(role, client.list_attached_role_policies(RoleName=role)["AttachedPolicies"]) for role in roles],
    )
    policies = client.list_policies(Scope="Local")["Policies"]
    yield "policies", [client.get_policy(PolicyArn=one["Arn"])["Policy"] for one in policies]
    yield (
        "documents",
        [
            (
                one["PolicyName"],
                client.get_policy_version(PolicyArn=one["Arn"], VersionId=one["DefaultVersionId"])[
                    "PolicyVersion"
                ],
            )
            for one in policies
        ],
    )
    identities = client.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    yield (
        "identity providers",
        [client.get_open_id_connect_provider(OpenIDConnectProviderArn=one["Arn"]) for one in identities],
    )


def _eks(client: Any) -> Iterator[tuple[str, list[Any]]]:
    clusters = client.list_clusters()["clusters"]
    yield "clusters", [client.describe_cluster(name=name)["cluster"] for name in clusters]
    yield (
        "node groups",
        [
            client.describe_nodegroup(clusterName=cluster, nodegroupName=name)["nodegroup"]
            for cluster in clusters
            for name in client.list_nodegroups(clusterName=cluster)["nodegroups"]
        ],
    )
    yield (
        "add-ons",
        [
            client.describe_addon(clusterName=cluster, addonName=name)["addon"]
            for cluster in clusters
            for name in client.list_addons(clusterName=cluster)["addons"]
        ],
    )


def _dashboards(client: Any) -> Iterator[tuple[str, list[Any]]]:
    names = [one["DashboardName"] for one in client.list_dashboards()["DashboardEntries"]]
    yield "dashboards", [client.get_dashboard(DashboardName=name) for name in names]


def _listeners(client: Any) -> Iterator[tuple[str, list[Any]]]:
    balancers = client.describe_load_balancers()["LoadBalancers"]
    yield (
        "listeners",
        [client.describe_listeners(LoadBalancerArn=one["LoadBalancerArn"])["Listeners"] for one in balancers],
    )
    yield (
        "balancer attributes",
        [
            client.describe_load_balancer_attributes(LoadBalancerArn=one["LoadBalancerArn"])["Attributes"]
            for one in balancers
        ],
    )


def _asked(client: Any, operation: str, **request: Any) -> Any:
    from botocore.exceptions import ClientError

    try:
        return getattr(client, operation)(**request)
    except ClientError as problem:
        return problem.response["Error"]["Code"]


_ID = re.compile(r"\b([a-z]{1,8}(?:-assoc|-attach)?)-(?:[0-9a-f]{17}|[0-9a-f]{8})\b")
_UNIQUE = re.compile(r"\b(AROA|AIPA|ANPA|AIDA|A)[A-Z0-9]{17,20}\b")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?")
_HEX = re.compile(r"\b[0-9a-f]{16,64}\b|\b[0-9A-F]{32}\b")
_UUID = re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|(?<=eks-cluster-sg-ml)-\d+")
_ADDRESS = re.compile(r"\b\d{1,3}(?:[.-]\d{1,3}){3}\b(?!/)")
_SKIPPED = frozenset(
    {
        "ResponseMetadata", "RoleLastUsed", "Date", "Last-Modified", "LastModified", "InstanceProfileId",
        "certificateAuthority", "clientRequestToken", "creationTime", "ClientToken", "MacAddress",
    }
)  # fmt: skip


def alike(value: Any) -> Any:
    """A value with made-up ids, times and addresses replaced by what kind they are."""
    if isinstance(value, dict):
        # Version 3 of the public provider writes an empty Sid into a policy, later ones leave it out: it says nothing.
        return {
            key: alike(one)
            for key, one in sorted(value.items())
            if key not in _SKIPPED and (key, one) != ("Sid", "")
        }
    if isinstance(value, list | tuple):
        listed = [alike(one) for one in value]
        return sorted(listed, key=_text) if isinstance(value, list) else listed
    if isinstance(value, datetime.datetime):
        return "<time>"
    if isinstance(value, str) and value.startswith("{") and '"Statement"' in value:
        return alike(json.loads(value))
    if isinstance(value, str):
        text = _UUID.sub("<uuid>", _TIME.sub("<time>", value))
        text = _ID.sub(r"<\1>", text)
        text = _UNIQUE.sub(r"<\1>", text)
        text = _HEX.sub("<hex>", text)
        return _ADDRESS.sub("<address>", text)
    return value


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
