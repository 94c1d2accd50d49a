"""Kubernetes clusters, against the emulator."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from tests.providers.aws.eks_network import Ground, lay_ground
from tests.providers.aws.rig import Rig

from twinfra.providers.protocol import ProviderError, new_token
from twinfra.sandbox import faults
from twinfra.sandbox.server import Sandbox

KIND = "aws_eks_cluster"


@pytest.fixture
def ground(rig: Rig) -> Ground:
    """A network and roles."""
    return lay_ground(rig)


def cluster(ground: Ground, **more: Any) -> dict[str, Any]:
    """A configuration like that of the example."""
    network = {
        "subnet_ids": ground.subnets[:2], "endpoint_private_access": True, "endpoint_public_access": True,
        **more.pop("vpc_config", {}),
    }  # fmt: skip
    given = {
        "name": "ml", "role_arn": ground.role, "version": "1.33", "enabled_cluster_log_types": ["api", "audit"],
        "vpc_config": [network], "tags": {"a": "1"},
    }  # fmt: skip
    return given | more


def seen(rig: Rig) -> dict[str, Any]:
    """The cluster by boto3."""
    found: dict[str, Any] = rig.client("eks").describe_cluster(name="ml")["cluster"]
    return found


def test_a_cluster_is_made_as_declared_and_imported_back(rig: Rig, ground: Ground) -> None:
    stored = rig.check(KIND, cluster(ground))
    found, told = seen(rig), stored.attributes
    assert found["version"] == "1.33"
    assert found["resourcesVpcConfig"]["endpointPrivateAccess"] is True
    assert sorted(found["resourcesVpcConfig"]["subnetIds"]) == sorted(ground.subnets[:2])
    assert (told["arn"], told["endpoint"], told["status"]) == (found["arn"], found["endpoint"], "ACTIVE")
    assert told["certificate_authority"][0]["data"] == found["certificateAuthority"]["data"]
    assert base64.b64decode(told["certificate_authority"][0]["data"]).startswith(b"-----BEGIN CERTIFICATE")
    assert told["identity"][0]["oidc"][0]["issuer"] == found["identity"]["oidc"]["issuer"]
    assert told["vpc_config"][0]["vpc_id"] == ground.vpc
    assert told["vpc_config"][0]["cluster_security_group_id"].startswith("sg-")
    assert found["tags"] == {"a": "1"}


def test_a_cluster_of_defaults_stays_as_it_is(rig: Rig, ground: Ground) -> None:
    given = {"name": "ml", "role_arn": ground.role, "vpc_config": [{"subnet_ids": ground.subnets}]}
    stored = rig.check(KIND, given)
    assert stored.attributes["version"]
    assert list(stored.attributes["vpc_config"][0]["public_access_cidrs"]) == ["0.0.0.0/0"]
    assert stored.attributes["upgrade_policy"][0]["support_type"] == "EXTENDED"


def test_a_cluster_changes_by_one_update_after_the_other(rig: Rig, ground: Ground) -> None:
    stored = rig.apply(KIND, cluster(ground))
    given = cluster(
        ground,
        version="1.34",
        enabled_cluster_log_types=["audit", "scheduler"],
        access_config=[{"authentication_mode": "API_AND_CONFIG_MAP"}],
        upgrade_policy=[{"support_type": "STANDARD"}],
        zonal_shift_config=[{"enabled": True}],
        deletion_protection=True,
        tags={"b": "2"},
        vpc_config={
            "subnet_ids": ground.subnets,
            "security_group_ids": ground.groups,
            "endpoint_public_access": False,
        },
    )
    change = rig.plan(KIND, given, stored)
    assert change.replace == ()
    stored = rig.apply(KIND, given, stored)
    assert rig.differences(KIND, given, stored) == {}
    found = seen(rig)
    assert found["version"] == "1.34"
    assert found["accessConfig"]["authenticationMode"] == "API_AND_CONFIG_MAP"
    assert found["resourcesVpcConfig"]["endpointPublicAccess"] is False
    assert sorted(found["resourcesVpcConfig"]["securityGroupIds"]) == sorted(ground.groups)
    (enabled,) = (one["types"] for one in found["logging"]["clusterLogging"] if one["enabled"])
    assert sorted(enabled) == ["audit", "scheduler"]
    assert found["tags"] == {"b": "2"}
    updates = rig.client("eks").list_updates(name="ml")["updateIds"]
    assert len(updates) == 8
    with pytest.raises(ProviderError, match="deletion protection"):
        rig.destroy(KIND, stored)
    given = {**given, "deletion_protection": False, "enabled_cluster_log_types": None}
    given["vpc_config"] = [{**given["vpc_config"][0], "security_group_ids": None}]
    stored = rig.apply(KIND, given, stored)
    assert rig.differences(KIND, given, stored) == {}
    assert seen(rig)["resourcesVpcConfig"]["securityGroupIds"] == []
    rig.destroy(KIND, stored)
    assert rig.read(KIND, stored) is None
    assert rig.client("eks").list_clusters()["clusters"] == []


def test_auto_mode_is_switched_on_and_off_as_one(rig: Rig, ground: Ground) -> None:
    def auto(on: bool) -> dict[str, Any]:
        return cluster(
            ground,
            bootstrap_self_managed_addons=False,
            compute_config=[
                {"enabled": on, "node_pools": ["system", "general-purpose"], "node_role_arn": ground.nodes}
                if on else {"enabled": False}
            ],
            storage_config=[{"block_storage": [{"enabled": on}]}],
            kubernetes_network_config=[{"elastic_load_balancing": [{"enabled": on}]}],
        )  # fmt: skip

    stored = rig.check(KIND, auto(True), kept=("bootstrap_self_managed_addons",))
    assert seen(rig)["kubernetesNetworkConfig"]["elasticLoadBalancing"] == {"enabled": True}
    off = {
        **auto(True),
        **{name: auto(False)[name] for name in ("storage_config", "kubernetes_network_config")},
    }
    off["compute_config"] = [{**off["compute_config"][0], "enabled": False}]
    assert rig.plan(KIND, off, stored).replace == ()
    stored = rig.apply(KIND, off, stored)
    assert rig.differences(KIND, off, stored) == {}
    assert seen(rig)["storageConfig"] == {"blockStorage": {"enabled": False}}
    with pytest.raises(ProviderError, match="only in part"):
        rig.plan(KIND, cluster(ground, storage_config=[{"block_storage": [{"enabled": True}]}]))


def test_encryption_is_added_in_place_and_its_removal_replaces(rig: Rig, ground: Ground) -> None:
    key = rig.client("kms").create_key()["KeyMetadata"]["Arn"]
    secret = {"encryption_config": [{"resources": ["secrets"], "provider": [{"key_arn": key}]}]}
    stored = rig.apply(KIND, cluster(ground))
    given = cluster(ground, **secret)
    assert rig.plan(KIND, given, stored).replace == ()
    stored = rig.apply(KIND, given, stored)
    assert rig.differences(KIND, given, stored) == {}
    assert seen(rig)["encryptionConfig"] == [{"resources": ["secrets"], "provider": {"keyArn": key}}]
    assert rig.plan(KIND, cluster(ground), stored).replace != ()


def test_networks_of_hybrid_nodes_come_and_go(rig: Rig, ground: Ground) -> None:
    given = cluster(
        ground,
        remote_network_config=[
            {
                "remote_node_networks": [{"cidrs": ["10.80.0.0/16"]}],
                "remote_pod_networks": [{"cidrs": ["10.81.0.0/16"]}],
            }
        ],
    )
    stored = rig.check(KIND, given)
    stored = rig.apply(KIND, cluster(ground), stored)
    assert rig.differences(KIND, cluster(ground), stored) == {}


def test_a_cluster_drifts_and_is_repaired(rig: Rig, ground: Ground) -> None:
    stored = rig.apply(KIND, cluster(ground))
    client = rig.client("eks")
    client.update_cluster_config(name="ml", resourcesVpcConfig={"endpointPrivateAccess": False})
    client.tag_resource(resourceArn=stored.attributes["arn"], tags={"a": "x"})
    assert rig.drift(KIND, stored).keys() == {"vpc_config", "tags", "tags_all"}
    stored = rig.apply(KIND, cluster(ground), rig.read(KIND, stored))
    assert rig.differences(KIND, cluster(ground), stored) == {}
    assert seen(rig)["resourcesVpcConfig"]["endpointPrivateAccess"] is True
    client.delete_cluster(name="ml")
    assert rig.read(KIND, stored) is None


def test_another_role_replaces_a_cluster(rig: Rig, ground: Ground) -> None:
    stored = rig.apply(KIND, cluster(ground))
    given = cluster(ground, role_arn=ground.nodes)
    assert rig.plan(KIND, given, stored).replace != ()
    stored = rig.apply(KIND, given, stored)
    assert seen(rig)["roleArn"] == ground.nodes


def test_how_an_imported_cluster_was_made_is_believed(rig: Rig, ground: Ground) -> None:
    given = cluster(
        ground,
        access_config=[{"authentication_mode": "API", "bootstrap_cluster_creator_admin_permissions": True}],
    )
    rig.apply(KIND, given)
    taken = rig.imported(KIND, "ml")
    assert taken is not None
    assert rig.plan(KIND, given, taken).replace == ()
    stored = rig.apply(KIND, given, taken)
    assert rig.differences(KIND, given, stored) == {}
    no = cluster(
        ground,
        access_config=[{"authentication_mode": "API", "bootstrap_cluster_creator_admin_permissions": False}],
    )
    assert rig.plan(KIND, no, stored).replace != ()


def test_a_cluster_whose_creation_lost_its_answer_is_not_made_twice(
    rig: Rig, ground: Ground, sandbox: Sandbox
) -> None:
    faults.inject(sandbox, operation="CreateCluster", when="after", drop=True)
    stored = rig.apply(KIND, cluster(ground))
    assert rig.differences(KIND, cluster(ground), stored) == {}
    assert rig.recover(KIND, cluster(ground), new_token()) is not None
    rig.destroy(KIND, stored)
    assert rig.recover(KIND, cluster(ground), new_token()) is None


def test_what_cannot_be_a_cluster_is_refused_before_any_call(rig: Rig, ground: Ground) -> None:
    assert any("name" in one for one in rig.problems(KIND, cluster(ground, name="-x")))
    assert any(
        "audit" in one for one in rig.problems(KIND, cluster(ground, enabled_cluster_log_types=["audi"]))
    )


def test_the_data_source_shows_what_the_resource_shows(rig: Rig, ground: Ground) -> None:
    stored = rig.apply(KIND, cluster(ground))
    found = rig.data(KIND, {"name": "ml"})
    assert found["endpoint"] == stored.attributes["endpoint"]
    assert found["certificate_authority"] == [dict(stored.attributes["certificate_authority"][0])]
    assert sorted(found["vpc_config"][0]["subnet_ids"]) == sorted(ground.subnets[:2])
    assert found["tags"] == {"a": "1"}
    assert found["access_config"][0]["authentication_mode"] == "CONFIG_MAP"
    with pytest.raises(ProviderError, match="No such cluster"):
        rig.data(KIND, {"name": "other"})
