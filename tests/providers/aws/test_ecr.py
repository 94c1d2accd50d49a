"""Container repositories, against the emulator."""

from __future__ import annotations

from typing import Any

import pytest
from tests.providers.aws.rig import Rig

from twinfra.providers.protocol import ProviderError, new_token

KIND = "aws_ecr_repository"
MODELS: dict[str, Any] = {
    "name": "ml/models",
    "image_tag_mutability": "IMMUTABLE",
    "image_scanning_configuration": [{"scan_on_push": True}],
    "tags": {"a": "1"},
}


def put_image(rig: Rig, repository: str) -> None:
    """An image in it, put by hand."""
    manifest = (
        '{"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",'
        ' "config": {"mediaType": "x", "size": 1, "digest": "sha256:' + "a" * 64 + '"}, "layers": []}'
    )
    rig.client("ecr").put_image(repositoryName=repository, imageManifest=manifest, imageTag="latest")


def test_a_repository_is_made_as_declared_and_imported_back(rig: Rig) -> None:
    stored = rig.check(KIND, MODELS)
    (found,) = rig.client("ecr").describe_repositories()["repositories"]
    assert found["repositoryUri"] == stored.attributes["repository_url"]
    assert found["registryId"] == stored.attributes["registry_id"]
    assert found["imageTagMutability"] == "IMMUTABLE"
    assert found["imageScanningConfiguration"] == {"scanOnPush": True}
    assert stored.attributes["encryption_configuration"][0]["encryption_type"] == "AES256"


def test_a_repository_of_defaults_stays_as_it_is(rig: Rig) -> None:
    stored = rig.check(KIND, {"name": "plain"})
    assert stored.attributes["image_tag_mutability"] == "MUTABLE"
    assert stored.attributes["image_scanning_configuration"][0] == {"scan_on_push": False}


def test_a_repository_changes_in_place(rig: Rig) -> None:
    stored = rig.apply(KIND, MODELS)
    given = {
        **MODELS,
        "image_tag_mutability": "IMMUTABLE_WITH_EXCLUSION",
        "image_tag_mutability_exclusion_filter": [{"filter": "dev-*", "filter_type": "WILDCARD"}],
        "image_scanning_configuration": [{"scan_on_push": False}],
        "tags": {"b": "2"},
    }
    assert rig.plan(KIND, given, stored).replace == ()
    stored = rig.apply(KIND, given, stored)
    assert rig.differences(KIND, given, stored) == {}
    (found,) = rig.client("ecr").describe_repositories()["repositories"]
    assert found["imageTagMutabilityExclusionFilters"] == [{"filterType": "WILDCARD", "filter": "dev-*"}]
    stored = rig.apply(KIND, MODELS, stored)
    assert rig.differences(KIND, MODELS, stored) == {}


def test_a_repository_drifts_and_is_repaired(rig: Rig) -> None:
    stored = rig.apply(KIND, MODELS)
    rig.client("ecr").put_image_tag_mutability(repositoryName="ml/models", imageTagMutability="MUTABLE")
    assert rig.drift(KIND, stored) == {"image_tag_mutability": ("IMMUTABLE", "MUTABLE")}
    stored = rig.apply(KIND, MODELS, rig.read(KIND, stored))
    assert rig.differences(KIND, MODELS, stored) == {}


def test_another_encryption_replaces_a_repository(rig: Rig) -> None:
    stored = rig.apply(KIND, MODELS)
    given = {**MODELS, "encryption_configuration": [{"encryption_type": "KMS"}]}
    assert rig.plan(KIND, given, stored).replace != ()
    stored = rig.apply(KIND, given, stored)
    assert rig.differences(KIND, given, stored) == {}
    assert stored.attributes["encryption_configuration"][0]["kms_key"].startswith("arn:aws:kms:")


def test_a_repository_with_images_is_deleted_only_when_forced(rig: Rig) -> None:
    stored = rig.apply(KIND, MODELS)
    put_image(rig, "ml/models")
    with pytest.raises(ProviderError, match="not empty"):
        rig.destroy(KIND, stored)
    stored = rig.apply(KIND, {**MODELS, "force_delete": True}, stored)
    rig.destroy(KIND, stored)
    assert rig.read(KIND, stored) is None
    assert rig.client("ecr").describe_repositories()["repositories"] == []


def test_an_interrupted_repository_is_found_again(rig: Rig) -> None:
    token = new_token()
    assert rig.recover(KIND, MODELS, token) is None
    rig.apply(KIND, MODELS)
    found = rig.recover(KIND, MODELS, token)
    assert found is not None
    assert found.attributes["id"] == "ml/models"


def test_many_repositories_are_read_together(rig: Rig) -> None:
    stored = [rig.apply(KIND, {"name": f"r{number}"}) for number in range(3)]
    rig.client("ecr").delete_repository(repositoryName="r1")
    found = rig.provider.read_many(KIND, stored)
    assert [one is None for one in found] == [False, True, False]


def test_a_name_that_is_none_is_refused(rig: Rig) -> None:
    assert rig.problems(KIND, {"name": "ML/Models"}) != []
