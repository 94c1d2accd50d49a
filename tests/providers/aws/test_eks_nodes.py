"""Node groups and add-ons, against the emulator."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.providers.aws.eks_network import Ground, lay_ground
from tests.providers.aws.rig import Rig

from twinfra.providers.protocol import ProviderError, new_token

GROUP, ADDON = "aws_eks_node_group", "aws_eks_addon"


@pytest.fixture
def ground(rig: Rig) -> Ground:
    """A network, roles, and a cluster."""
    found = lay_ground(rig)
    rig.client("eks").create_cluster(
        name="ml", roleArn=found.role, version="1.32", resourcesVpcConfig={"subnetIds": found.subnets}
    )
    return found


def group(ground: Ground, **more: Any) -> dict[str, Any]:
    """A node group like those of the example."""
    return {
        "cluster_name": "ml",
        "node_group_name": "cpu",
        "node_role_arn": ground.nodes,
        "subnet_ids": ground.subnets[:2],
        "instance_types": ["m6i.large", "m5.large"],
        "scaling_config": [{"desired_size": 2, "min_size": 1, "max_size": 4}],
        "labels": {"pool": "cpu", "team": "ml"},
        "taint": [
            {"key": "gpu", "value": "present", "effect": "NO_SCHEDULE"},
            {"key": "only", "effect": "NO_EXECUTE"},
        ],
        "tags": {"a": "1"},
        **more,
    }


def seen(rig: Rig) -> dict[str, Any]:
    """The node group by boto3."""
    found: dict[str, Any] = rig.client("eks").describe_nodegroup(clusterName="ml", nodegroupName="cpu")[
        "nodegroup"
    ]
    return found


def template(rig: Rig, name: str = "template", versions: int = 1) -> str:
    """The id of a launch template made with boto3."""
    client = rig.client("ec2")
    data = {"MetadataOptions": {"HttpTokens": "required"}}
    made = client.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)["LaunchTemplate"]
    for _ in range(1, versions):
        client.create_launch_template_version(LaunchTemplateName=name, LaunchTemplateData=data)
    return str(made["LaunchTemplateId"])


def test_a_node_group_is_made_as_declared_and_imported_back(rig: Rig, ground: Ground) -> None:
    stored = rig.check(GROUP, group(ground))
    found, told = seen(rig), stored.attributes
    assert told["id"] == "ml:cpu"
    assert told["arn"] == found["nodegroupArn"]
    assert found["scalingConfig"] == {"desiredSize": 2, "minSize": 1, "maxSize": 4}
    assert found["instanceTypes"] == ["m6i.large", "m5.large"]
    assert found["labels"] == {"pool": "cpu", "team": "ml"}
    assert sorted(one["key"] for one in found["taints"]) == ["gpu", "only"]
    assert told["version"] == "1.32"
    assert told["release_version"].startswith("1.32.")
    assert told["resources"][0]["autoscaling_groups"][0]["name"].startswith("eks-cpu-")
    assert told["update_config"][0]["max_unavailable"] == 1


def test_a_node_group_of_few_words_stays_as_it_is(rig: Rig, ground: Ground) -> None:
    given = {
        "cluster_name": "ml", "node_group_name_prefix": "gpu-", "node_role_arn": ground.nodes,
        "subnet_ids": ground.subnets, "scaling_config": [{"desired_size": 0, "min_size": 0, "max_size": 1}],
    }  # fmt: skip
    stored = rig.check(GROUP, given)
    assert stored.attributes["node_group_name"].startswith("gpu-")
    assert stored.attributes["ami_type"] == "AL2023_x86_64_STANDARD"


def test_size_labels_and_taints_change_in_place(rig: Rig, ground: Ground) -> None:
    stored = rig.apply(GROUP, group(ground))
    given = group(
        ground,
        scaling_config=[{"desired_size": 3, "min_size": 2, "max_size": 6}],
        labels={"pool": "other"},
        taint=[{"key": "gpu", "value": "yes", "effect": "NO_SCHEDULE"}],
        update_config=[{"max_unavailable_percentage": 33}],
        node_repair_config=[{"enabled": True}],
        tags={"b": "2"},
    )
    assert rig.plan(GROUP, given, stored).replace == ()
    stored = rig.apply(GROUP, given, stored)
    assert rig.differences(GROUP, given, stored) == {}
    found = seen(rig)
    assert found["scalingConfig"] == {"desiredSize": 3, "minSize": 2, "maxSize": 6}
    assert found["labels"] == {"pool": "other"}
    assert found["taints"] == [{"key": "gpu", "value": "yes", "effect": "NO_SCHEDULE"}]
    assert found["updateConfig"] == {"maxUnavailablePercentage": 33}
    assert found["tags"] == {"b": "2"}
    none = group(ground, labels=None, taint=None)
    stored = rig.apply(GROUP, none, stored)
    assert rig.differences(GROUP, none, stored) == {}
    assert (seen(rig).get("labels"), seen(rig).get("taints")) == ({}, [])


def test_nodes_follow_another_version(rig: Rig, ground: Ground) -> None:
    stored = rig.apply(GROUP, group(ground))
    rig.client("eks").update_cluster_version(name="ml", version="1.33")
    assert rig.differences(GROUP, group(ground), stored) == {}
    given = group(ground, version="1.33")
    change = rig.plan(GROUP, given, stored)
    assert change.replace == ()
    stored = rig.apply(GROUP, given, stored)
    assert stored.attributes["release_version"].startswith("1.33.")
    assert rig.differences(GROUP, given, stored) == {}
    assert seen(rig)["version"] == "1.33"


def test_nodes_follow_their_launch_template(rig: Rig, ground: Ground) -> None:
    number = template(rig, versions=2)
    given = group(ground, launch_template=[{"id": number, "version": "1"}])
    stored = rig.check(GROUP, given)
    assert stored.attributes["launch_template"][0]["name"] == "template"
    given = group(ground, launch_template=[{"id": number, "version": "2"}])
    assert rig.plan(GROUP, given, stored).replace == ()
    stored = rig.apply(GROUP, given, stored)
    assert rig.differences(GROUP, given, stored) == {}
    assert seen(rig)["launchTemplate"]["version"] == "2"
    other = group(ground, launch_template=[{"id": template(rig, "other"), "version": "1"}])
    assert rig.plan(GROUP, other, stored).replace != ()
    assert rig.plan(GROUP, group(ground), stored).replace != ()


def test_the_latest_template_is_no_perpetual_difference(rig: Rig, ground: Ground) -> None:
    template(rig)
    given = group(ground, launch_template=[{"name": "template", "version": "$Latest"}])
    stored = rig.apply(GROUP, given)
    assert rig.differences(GROUP, given, stored) == {}


def test_a_node_group_resized_by_hand_is_drift_and_repaired(rig: Rig, ground: Ground) -> None:
    stored = rig.apply(GROUP, group(ground))
    client = rig.client("eks")
    client.update_nodegroup_config(
        clusterName="ml", nodegroupName="cpu", scalingConfig={"minSize": 0, "maxSize": 9, "desiredSize": 0}
    )
    assert rig.drift(GROUP, stored) == {
        "scaling_config": (
            [{"desired_size": 2, "max_size": 4, "min_size": 1}],
            [{"desired_size": 0, "max_size": 9, "min_size": 0}],
        )
    }
    stored = rig.apply(GROUP, group(ground), rig.read(GROUP, stored))
    assert seen(rig)["scalingConfig"]["desiredSize"] == 2
    rig.destroy(GROUP, stored)
    assert rig.read(GROUP, stored) is None
    assert client.list_nodegroups(clusterName="ml")["nodegroups"] == []


def test_other_instances_replace_a_node_group(rig: Rig, ground: Ground) -> None:
    stored = rig.apply(GROUP, group(ground))
    given = group(ground, instance_types=["m5.large"], capacity_type="SPOT")
    assert rig.plan(GROUP, given, stored).replace != ()
    stored = rig.apply(GROUP, given, stored)
    assert (seen(rig)["instanceTypes"], seen(rig)["capacityType"]) == (["m5.large"], "SPOT")


def test_an_interrupted_node_group_is_found_again(rig: Rig, ground: Ground) -> None:
    token = new_token()
    assert rig.recover(GROUP, group(ground), token) is None
    rig.apply(GROUP, group(ground))
    assert rig.recover(GROUP, group(ground), token) is not None


def test_remote_access_and_a_template_exclude_each_other(rig: Rig, ground: Ground) -> None:
    given = group(
        ground, launch_template=[{"name": "template", "version": "1"}], remote_access=[{"ec2_ssh_key": "k"}]
    )
    assert any("cannot both" in one for one in rig.problems(GROUP, given))
    given = group(ground, launch_template=[{"version": "1"}])
    assert any("id, name" in one for one in rig.problems(GROUP, given))


# Add-ons


def addon(**more: Any) -> dict[str, Any]:
    """An add-on as in the example."""
    return {"cluster_name": "ml", "addon_name": "vpc-cni", **more}


def test_an_addon_is_made_as_declared_and_imported_back(rig: Rig, ground: Ground) -> None:
    stored = rig.check(ADDON, addon(tags={"a": "1"}))
    found = rig.client("eks").describe_addon(clusterName="ml", addonName="vpc-cni")["addon"]
    assert stored.attributes["id"] == "ml:vpc-cni"
    assert (stored.attributes["arn"], stored.attributes["addon_version"]) == (
        found["addonArn"], found["addonVersion"],
    )  # fmt: skip


def test_an_addon_changes_in_place(rig: Rig, ground: Ground) -> None:
    stored = rig.apply(ADDON, addon(resolve_conflicts_on_create="OVERWRITE"))
    given = addon(
        addon_version="v1.20.5-eksbuild.1",
        configuration_values=json.dumps({"env": {"A": "1"}}),
        service_account_role_arn=ground.nodes,
        resolve_conflicts_on_create="OVERWRITE",
        resolve_conflicts_on_update="PRESERVE",
        pod_identity_association=[{"role_arn": ground.nodes, "service_account": "aws-node"}],
        tags={"b": "2"},
    )
    assert rig.plan(ADDON, given, stored).replace == ()
    stored = rig.apply(ADDON, given, stored)
    assert rig.differences(ADDON, given, stored) == {}
    spaced = {**given, "configuration_values": json.dumps({"env": {"A": "1"}}, indent=2)}
    assert rig.differences(ADDON, spaced, stored) == {}
    client = rig.client("eks")
    found = client.describe_addon(clusterName="ml", addonName="vpc-cni")["addon"]
    assert (found["addonVersion"], found["serviceAccountRoleArn"]) == ("v1.20.5-eksbuild.1", ground.nodes)
    assert len(client.list_pod_identity_associations(clusterName="ml")["associations"]) == 1
    fewer = addon(addon_version="v1.20.5-eksbuild.1")
    stored = rig.apply(ADDON, fewer, stored)
    assert rig.differences(ADDON, fewer, stored) == {}
    assert client.list_pod_identity_associations(clusterName="ml")["associations"] == []


def test_an_addon_drifts_is_repaired_and_goes(rig: Rig, ground: Ground) -> None:
    given = addon(addon_version="v1.20.4-eksbuild.2", preserve=True)
    stored = rig.apply(ADDON, given)
    client = rig.client("eks")
    client.update_addon(clusterName="ml", addonName="vpc-cni", addonVersion="v1.20.5-eksbuild.1")
    assert rig.drift(ADDON, stored).keys() >= {"addon_version"}
    stored = rig.apply(ADDON, given, rig.read(ADDON, stored))
    assert rig.differences(ADDON, given, stored) == {}
    rig.destroy(ADDON, stored)
    assert rig.read(ADDON, stored) is None
    assert rig.recover(ADDON, given, new_token()) is None


def test_an_addon_that_there_is_not_is_told(rig: Rig, ground: Ground) -> None:
    with pytest.raises(ProviderError, match="not supported"):
        rig.apply(ADDON, addon(addon_name="vpc-cnx"))
