"""Repositories of container images."""

from __future__ import annotations

from twinfra.diagnostics import error
from twinfra.providers.aws.checks import arn, length, matches
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.failures import ApiError
from twinfra.providers.aws.fields import TAGS, block, boolean, one_block, output, string
from twinfra.providers.aws.mapping import request_of
from twinfra.providers.aws.recovery import by_name
from twinfra.providers.aws.resource import Api, Attributes, Change, Describe, Resource, Update, Wait, call
from twinfra.providers.aws.tagging import arn_tags
from twinfra.providers.protocol import ProviderError
from twinfra.values.types import STRING
from twinfra.values.value import GetAttr

_NAME = matches(
    r"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-]+[a-z0-9]+)*",
    "have lowercase letters and digits, with single dots, underscores or hyphens between, "
    "and slashes between parts",
)

_MUTABILITY = ("MUTABLE", "IMMUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION")


def _with_tags(context: Context, _: Attributes, found: Api) -> Api:
    answer = context.call("list_tags_for_resource", resourceArn=found["repositoryArn"])
    return found | {"Tags": answer.get("tags", [])}


def _by_name(context: Context, attributes: Attributes) -> Api | None:
    found = context.find("describe_repositories", repositoryNames=[attributes["name"]])
    listed: list[Api] = [] if found is None else found["repositories"]
    return listed[0] if listed else None


def _set_mutability(context: Context, change: Change) -> None:
    names = ("image_tag_mutability", "image_tag_mutability_exclusion_filter")
    context.call(
        "put_image_tag_mutability",
        repositoryName=change.planned["name"],
        **request_of(_FIELDS, change.planned, names),
    )


def _delete(context: Context, attributes: Attributes) -> None:
    try:
        context.call(
            "delete_repository",
            registryId=attributes["registry_id"],
            repositoryName=attributes["id"],
            force=bool(attributes["force_delete"]),
        )
    except ApiError as problem:
        if problem.code != "RepositoryNotEmptyException":
            raise
        raise ProviderError(
            error(
                "The repository is not empty",
                f'"{attributes["id"]}" still holds images, so it cannot be deleted.',
                mend="Delete them; or set force_delete = true, apply, and destroy it with what is in it.",
                path=(GetAttr("force_delete"),),
            )
        ) from problem


_FIELDS = {
    "name": string(
        "repositoryName",
        required=True,
        force_new=True,
        checks=(length(2, 256), _NAME),
        about="Its name, which may have slashes.",
    ),
    "image_tag_mutability": string(
        "imageTagMutability",
        default="MUTABLE",
        allowed=_MUTABILITY,
        about="Whether a tag may be given to another image later.",
    ),
    "image_tag_mutability_exclusion_filter": block(
        {
            "filter": string(
                "filter",
                required=True,
                checks=(length(1, 128), matches(r"[0-9a-zA-Z._*-]+", "be a tag, which may have wildcards *")),
                about="Tags that it is about; `*` stands for anything.",
            ),
            "filter_type": string(
                "filterType", required=True, allowed=("WILDCARD",), about="How the filter is meant."
            ),
        },
        "imageTagMutabilityExclusionFilters",
        max_items=5,
        about="Tags that are exceptions, with the mutabilities that end in WITH_EXCLUSION.",
    ),
    "image_scanning_configuration": one_block(
        {
            "scan_on_push": boolean(
                "scanOnPush", required=True, about="Whether images are scanned on arrival."
            )
        },
        "imageScanningConfiguration",
        computed=True,
        about="How images are scanned for vulnerabilities.",
    ),
    "encryption_configuration": one_block(
        {
            "encryption_type": string(
                "encryptionType",
                default="AES256",
                force_new=True,
                allowed=("AES256", "KMS", "KMS_DSSE"),
                about="How images are encrypted.",
            ),
            "kms_key": string(
                "kmsKey",
                computed=True,
                force_new=True,
                checks=(arn("kms"),),
                about="ARN of the key; that of AWS for this service where not given.",
            ),
        },
        "encryptionConfiguration",
        computed=True,
        about="How images are encrypted; it cannot change later.",
    ),
    "force_delete": boolean("", read="", default=False, about="Whether to delete it with the images in it."),
    "arn": output(STRING, "repositoryArn", about="Its ARN."),
    "registry_id": output(STRING, "registryId", about="The account whose registry it is in."),
    "repository_url": output(STRING, "repositoryUri", about="Where images are pushed."),
    **TAGS,
}

RESOURCE = Resource(
    name="aws_ecr_repository",
    service="ecr",
    about="A repository of container images.",
    fields=_FIELDS,
    id="repositoryName",
    id_about="Its name.",
    create=call("create_repository", "repository"),
    read=Describe(
        operation="describe_repositories",
        items="repositories",
        key="repositoryName",
        ids="repositoryNames",
        chunk=100,
    ),
    extend=_with_tags,
    updates=(
        Update(
            fields=("image_tag_mutability", "image_tag_mutability_exclusion_filter"), call=_set_mutability
        ),
        Update(
            fields=("image_scanning_configuration",),
            call=call("put_image_scanning_configuration", repositoryName="name"),
        ),
    ),
    delete=_delete,
    deleted=Wait(noun="repository"),
    timeouts=("delete",),
    tags=arn_tags(member="resourceArn", source="arn", tags="tags", keys="tagKeys"),
    not_found=("RepositoryNotFoundException",),
    exists=("RepositoryAlreadyExistsException",),
    recover=by_name(_by_name, "createdAt"),
)
