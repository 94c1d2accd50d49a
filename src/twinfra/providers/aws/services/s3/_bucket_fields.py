"""The fields of `aws_s3_bucket` that are settings with a resource of their own now, each deprecated for
it.
"""

from __future__ import annotations

from typing import Any

from twinfra.providers.aws.checks import arn
from twinfra.providers.aws.fields import (
    Field,
    block,
    block_set,
    boolean,
    json_text,
    number,
    one_block,
    policy_text,
    string,
    string_list,
    string_map,
    string_set,
)
from twinfra.providers.aws.services.s3._acl import CANNED
from twinfra.providers.aws.services.s3._lifecycle import OLD_RULE


def _instead(name: str) -> str:
    return f"Use the resource {name} instead."


def _flag(api: str, on: str, off: str, **options: Any) -> Field:
    """A boolean that the API spells with two words."""
    return boolean(
        api,
        read=lambda found, _: found.get(api) == on,
        write=lambda value: {api: on if value else off},
        **options,
    )


_DESTINATION: dict[str, Field] = {
    "account_id": string("Account", about="Account that owns the destination."),
    "bucket": string("Bucket", required=True, about="ARN of the destination."),
    "replica_kms_key_id": string(
        "EncryptionConfiguration.ReplicaKmsKeyID", about="Key that encrypts the copies."
    ),
    "storage_class": string("StorageClass", about="Storage class of the copies."),
    "access_control_translation": one_block(
        {"owner": string("Owner", required=True, allowed=("Destination",))}, "AccessControlTranslation"
    ),
    "metrics": one_block(
        {"minutes": number("EventThreshold.Minutes"), "status": string("Status")}, "Metrics"
    ),
    "replication_time": one_block(
        {"minutes": number("Time.Minutes"), "status": string("Status")}, "ReplicationTime"
    ),
}

_REPLICATION_RULE: dict[str, Field] = {
    "id": string("ID", computed=True, about="Its name."),
    "prefix": string("Prefix", about="Only keys that start so."),
    "priority": number("Priority", about="Which rule wins where several apply."),
    "status": string("Status", required=True, allowed=("Enabled", "Disabled")),
    "delete_marker_replication_status": string("DeleteMarkerReplication.Status", allowed=("Enabled",)),
    "destination": one_block(_DESTINATION, "Destination", required=True),
    "filter": one_block({"prefix": string("Prefix"), "tags": string_map("Tags")}, "Filter"),
    "source_selection_criteria": one_block(
        {
            "sse_kms_encrypted_objects": one_block(
                {"enabled": _flag("Status", "Enabled", "Disabled", required=True)}, "SseKmsEncryptedObjects"
            )
        },
        "SourceSelectionCriteria",
    ),
}

_ENCRYPTION: dict[str, Field] = {
    "kms_master_key_id": string("KMSMasterKeyID", about="Key to encrypt with, for aws:kms."),
    "sse_algorithm": string("SSEAlgorithm", required=True, allowed=("AES256", "aws:kms", "aws:kms:dsse")),
}

_RETENTION: dict[str, Field] = {
    "days": number("Days"),
    "mode": string("Mode", required=True, allowed=("GOVERNANCE", "COMPLIANCE")),
    "years": number("Years"),
}

FEATURE_FIELDS: dict[str, Field] = {
    "acceleration_status": string(
        "AccelerationStatus",
        computed=True,
        allowed=("Enabled", "Suspended"),
        deprecated=_instead("aws_s3_bucket_accelerate_configuration"),
        about="Transfer acceleration.",
    ),
    "acl": string(
        "Acl",
        computed=True,
        conflicts=("grant",),
        deprecated=_instead("aws_s3_bucket_acl"),
        allowed=CANNED,
        about="A canned ACL. New buckets have ACLs disabled: only private holds there.",
    ),
    "grant": block_set(
        {
            "id": string("id", about="Canonical user id."),
            "permissions": string_set("permissions", required=True),
            "type": string("type", required=True, allowed=("CanonicalUser", "Group")),
            "uri": string("uri", about="URI of a group."),
        },
        "Grants",
        computed=True,
        conflicts=("acl",),
        deprecated=_instead("aws_s3_bucket_acl"),
        about="Access for others, by ACL.",
    ),
    "cors_rule": block(
        {
            "allowed_headers": string_list("AllowedHeaders"),
            "allowed_methods": string_list("AllowedMethods", required=True),
            "allowed_origins": string_list("AllowedOrigins", required=True),
            "expose_headers": string_list("ExposeHeaders"),
            "max_age_seconds": number("MaxAgeSeconds"),
        },
        "Cors",
        computed=True,
        deprecated=_instead("aws_s3_bucket_cors_configuration"),
        about="Which pages of other sites may read from it.",
    ),
    "lifecycle_rule": block(
        OLD_RULE,
        "Lifecycle",
        computed=True,
        deprecated=_instead("aws_s3_bucket_lifecycle_configuration"),
        about="When objects move to other storage, or expire.",
    ),
    "logging": one_block(
        {"target_bucket": string("TargetBucket", required=True), "target_prefix": string("TargetPrefix")},
        "Logging",
        computed=True,
        deprecated=_instead("aws_s3_bucket_logging"),
        about="Where access is logged.",
    ),
    "object_lock_configuration": one_block(
        {
            "object_lock_enabled": string("ObjectLockEnabled", default="Enabled", allowed=("Enabled",)),
            "rule": one_block(
                {"default_retention": one_block(_RETENTION, "DefaultRetention", required=True)}, "Rule"
            ),
        },
        "ObjectLock",
        computed=True,
        deprecated="Use object_lock_enabled, and aws_s3_bucket_object_lock_configuration, instead.",
        about="Object lock, and how long objects are kept.",
    ),
    "policy": policy_text(
        "Policy",
        computed=True,
        deprecated=_instead("aws_s3_bucket_policy"),
        about="The bucket's policy, as JSON.",
    ),
    "replication_configuration": one_block(
        {
            "role": string("Role", required=True, checks=(arn("iam"),)),
            "rules": block_set(_REPLICATION_RULE, "Rules", min_items=1),
        },
        "Replication",
        computed=True,
        deprecated=_instead("aws_s3_bucket_replication_configuration"),
        about="Where objects are copied to.",
    ),
    "request_payer": string(
        "Payer",
        computed=True,
        allowed=("BucketOwner", "Requester"),
        deprecated=_instead("aws_s3_bucket_request_payment_configuration"),
        about="Who pays for requests.",
    ),
    "server_side_encryption_configuration": one_block(
        {
            "rule": one_block(
                {
                    "bucket_key_enabled": boolean("BucketKeyEnabled"),
                    "apply_server_side_encryption_by_default": one_block(
                        _ENCRYPTION, "ApplyServerSideEncryptionByDefault", required=True
                    ),
                },
                "Rules",
                required=True,
                listed=True,
            )
        },
        "Encryption",
        computed=True,
        deprecated=_instead("aws_s3_bucket_server_side_encryption_configuration"),
        about="How objects are encrypted.",
    ),
    "versioning": one_block(
        {
            "enabled": _flag("Status", "Enabled", "Suspended", default=False),
            "mfa_delete": boolean(
                "MFADelete",
                default=False,
                read=lambda found, _: found.get("MFADelete") == "Enabled",
                write=lambda value: {"MFADelete": "Enabled"} if value else {},
            ),
        },
        "Versioning",
        computed=True,
        deprecated=_instead("aws_s3_bucket_versioning"),
        about="Whether overwritten and deleted objects are kept.",
    ),
    "website": one_block(
        {
            "error_document": string("ErrorDocument.Key"),
            "index_document": string("IndexDocument.Suffix"),
            "redirect_all_requests_to": string("Redirect"),
            "routing_rules": json_text("RoutingRules"),
        },
        "Website",
        computed=True,
        deprecated=_instead("aws_s3_bucket_website_configuration"),
        about="Serving it as a web site.",
    ),
}
"""By name; each is read from the key of the bucket's object that its feature fills (see `_features`)."""
