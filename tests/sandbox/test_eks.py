import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.emulator

ROLE = "arn:aws:iam::123456789012:role/service"
ADMIN = "arn:aws:iam::123456789012:role/path/admin"
VIEW = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"


@dataclass(frozen=True)
class Place:
    """A client, and a network to make clusters in."""

    eks: Any
    ec2: Any
    vpc: str
    subnets: list[str]

    def cluster(self, name: str = "main", **settings: Any) -> Any:
        """Make one and return it as it then is."""
        network = settings.pop("network", {})
        self.eks.create_cluster(
            name=name,
            roleArn=ROLE,
            resourcesVpcConfig={"subnetIds": self.subnets} | network,
            **settings,
        )
        return self.eks.describe_cluster(name=name)["cluster"]

    def nodes(self, name: str = "nodes", **settings: Any) -> Any:
        """Make a node group of the cluster `main`."""
        self.eks.create_nodegroup(
            clusterName="main", nodegroupName=name, nodeRole=ROLE, subnets=self.subnets, **settings
        )
        return self.shown_nodes(name)

    def shown_nodes(self, name: str = "nodes") -> Any:
        """A node group of the cluster `main`."""
        return self.eks.describe_nodegroup(clusterName="main", nodegroupName=name)["nodegroup"]


@pytest.fixture
def place(client: Callable[..., Any]) -> Place:
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24")["Subnet"]["SubnetId"]
        for number in range(2)
    ]
    return Place(client("eks"), ec2, vpc, subnets)


def refused(call: Callable[..., Any], code: str, **arguments: Any) -> str:
    """The message with which a call is refused, after a look at the code."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    assert caught.value.response["Error"]["Code"] == code
    return str(caught.value.response["Error"]["Message"])


def test_a_new_cluster_is_on_its_way_and_then_active(place: Place) -> None:
    answer = place.eks.create_cluster(
        name="main", roleArn=ROLE, resourcesVpcConfig={"subnetIds": place.subnets}
    )
    assert answer["cluster"]["status"] == "CREATING"
    assert place.eks.describe_cluster(name="main")["cluster"]["status"] == "ACTIVE"


def test_a_cluster_keeps_its_network_settings(place: Place) -> None:
    network = place.cluster(
        network={
            "endpointPrivateAccess": True,
            "endpointPublicAccess": False,
            "publicAccessCidrs": ["10.0.0.0/8"],
        }
    )["resourcesVpcConfig"]
    assert network["endpointPrivateAccess"]
    assert not network["endpointPublicAccess"]
    assert network["publicAccessCidrs"] == ["10.0.0.0/8"]
    assert network["vpcId"] == place.vpc
    assert network["subnetIds"] == place.subnets


def test_a_cluster_has_a_security_group_of_its_own_until_it_is_deleted(place: Place) -> None:
    group = place.cluster()["resourcesVpcConfig"]["clusterSecurityGroupId"]
    found = place.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert found[0]["VpcId"] == place.vpc
    place.eks.delete_cluster(name="main")
    refused(place.ec2.describe_security_groups, "InvalidGroup.NotFound", GroupIds=[group])


def test_a_cluster_keeps_its_access_mode_and_defaults_to_the_config_map(place: Place) -> None:
    assert place.cluster()["accessConfig"]["authenticationMode"] == "CONFIG_MAP"
    other = place.cluster("other", accessConfig={"authenticationMode": "API"})
    assert other["accessConfig"]["authenticationMode"] == "API"


def test_a_cluster_shows_all_kinds_of_logs(place: Place) -> None:
    groups = place.cluster(logging={"clusterLogging": [{"types": ["audit", "api"], "enabled": True}]})
    assert groups["logging"]["clusterLogging"] == [
        {"types": ["api", "audit"], "enabled": True},
        {"types": ["authenticator", "controllerManager", "scheduler"], "enabled": False},
    ]


def test_the_certificate_authority_is_a_certificate(place: Place) -> None:
    from cryptography.x509 import load_pem_x509_certificate

    pem = base64.b64decode(place.cluster()["certificateAuthority"]["data"])
    load_pem_x509_certificate(pem).verify_directly_issued_by(load_pem_x509_certificate(pem))


def test_two_clusters_have_different_issuers(place: Place) -> None:
    issuers = {place.cluster(name)["identity"]["oidc"]["issuer"] for name in ("one", "two")}
    assert len(issuers) == 2


def test_a_cluster_in_a_subnet_that_does_not_exist_is_refused_and_leaves_nothing(place: Place) -> None:
    message = refused(
        place.eks.create_cluster,
        "InvalidParameterException",
        name="main",
        roleArn=ROLE,
        resourcesVpcConfig={"subnetIds": ["subnet-00000000"]},
    )
    assert "subnet-00000000" in message
    assert place.eks.list_clusters()["clusters"] == []


def test_a_cluster_of_an_unknown_version_is_refused(place: Place) -> None:
    refused(
        place.eks.create_cluster,
        "InvalidParameterException",
        name="main",
        version="1.2",
        roleArn=ROLE,
        resourcesVpcConfig={"subnetIds": place.subnets},
    )


def test_the_same_request_twice_makes_one_cluster(place: Place) -> None:
    first, second = (
        place.eks.create_cluster(
            name="main",
            roleArn=ROLE,
            resourcesVpcConfig={"subnetIds": place.subnets},
            clientRequestToken="token",
        )["cluster"]
        for _ in range(2)
    )
    assert first["arn"] == second["arn"]
    refused(
        place.eks.create_cluster,
        "ResourceInUseException",
        name="main",
        roleArn=ROLE,
        resourcesVpcConfig={"subnetIds": place.subnets},
    )


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"resourcesVpcConfig": {"endpointPublicAccess": False}}, "EndpointAccessUpdate"),
        ({"logging": {"clusterLogging": [{"types": ["api"], "enabled": True}]}}, "LoggingUpdate"),
        ({"accessConfig": {"authenticationMode": "API_AND_CONFIG_MAP"}}, "AccessConfigUpdate"),
        ({"upgradePolicy": {"supportType": "STANDARD"}}, "UpgradePolicyUpdate"),
        ({"deletionProtection": True}, "DeletionProtectionUpdate"),
    ],
)
def test_a_setting_changes_by_an_update_that_can_be_followed(
    place: Place, change: dict[str, Any], kind: str
) -> None:
    place.cluster()
    update = place.eks.update_cluster_config(name="main", **change)["update"]
    assert (update["type"], update["status"]) == (kind, "InProgress")
    followed = place.eks.describe_update(name="main", updateId=update["id"])["update"]
    assert followed["status"] == "Successful"
    assert place.eks.list_updates(name="main")["updateIds"] == [update["id"]]


def test_only_one_kind_of_setting_changes_at_a_time(place: Place) -> None:
    place.cluster()
    refused(
        place.eks.update_cluster_config,
        "InvalidParameterException",
        name="main",
        upgradePolicy={"supportType": "STANDARD"},
        logging={"clusterLogging": [{"types": ["api"], "enabled": True}]},
    )


def test_an_update_that_changes_nothing_is_refused(place: Place) -> None:
    place.cluster()
    refused(
        place.eks.update_cluster_config,
        "InvalidParameterException",
        name="main",
        resourcesVpcConfig={"endpointPublicAccess": True},
    )


def test_a_protected_cluster_cannot_be_deleted(place: Place) -> None:
    place.cluster(deletionProtection=True)
    refused(place.eks.delete_cluster, "InvalidRequestException", name="main")


def test_the_version_goes_up_by_one_and_the_nodes_follow(place: Place) -> None:
    place.cluster(version="1.31")
    place.nodes()
    refused(place.eks.update_cluster_version, "InvalidParameterException", name="main", version="1.33")
    place.eks.update_cluster_version(name="main", version="1.32")
    assert place.eks.describe_cluster(name="main")["cluster"]["version"] == "1.32"
    assert place.shown_nodes()["version"] == "1.31"
    place.eks.update_nodegroup_version(clusterName="main", nodegroupName="nodes")
    assert place.shown_nodes()["version"] == "1.32"
    assert place.shown_nodes()["releaseVersion"].startswith("1.32.")


def test_a_node_group_has_only_the_defaults_of_the_service(place: Place) -> None:
    place.cluster(version="1.31")
    nodes = place.nodes()
    assert nodes["scalingConfig"] == {"minSize": 1, "maxSize": 2, "desiredSize": 2}
    assert nodes["updateConfig"] == {"maxUnavailable": 1}
    assert (nodes["diskSize"], nodes["instanceTypes"]) == (20, ["t3.medium"])
    assert nodes["version"] == "1.31"
    assert "remoteAccess" not in nodes
    assert "launchTemplate" not in nodes


def test_resizing_one_node_group_leaves_the_next_one_alone(place: Place) -> None:
    place.cluster()
    place.nodes("one")
    place.eks.update_nodegroup_config(
        clusterName="main", nodegroupName="one", scalingConfig={"desiredSize": 1, "maxSize": 9}
    )
    assert place.shown_nodes("one")["scalingConfig"] == {"minSize": 1, "maxSize": 9, "desiredSize": 1}
    assert place.nodes("two")["scalingConfig"]["maxSize"] == 2


def test_a_size_outside_its_limits_is_refused(place: Place) -> None:
    place.cluster()
    place.nodes()
    refused(
        place.eks.update_nodegroup_config,
        "InvalidParameterException",
        clusterName="main",
        nodegroupName="nodes",
        scalingConfig={"desiredSize": 5},
    )


def test_nodes_of_a_launch_template_leave_the_disk_to_it(place: Place) -> None:
    template = place.ec2.create_launch_template(
        LaunchTemplateName="gpu", LaunchTemplateData={"InstanceType": "g5.xlarge"}
    )["LaunchTemplate"]
    place.cluster()
    nodes = place.nodes(launchTemplate={"id": template["LaunchTemplateId"], "version": "1"})
    assert nodes["launchTemplate"] == {
        "id": template["LaunchTemplateId"],
        "name": "gpu",
        "version": "1",
    }
    assert "diskSize" not in nodes
    assert "instanceTypes" not in nodes


def test_an_addon_is_made_changed_and_removed(place: Place) -> None:
    place.cluster(version="1.31")
    made = place.eks.create_addon(clusterName="main", addonName="kube-proxy", tags={"team": "ml"})["addon"]
    assert made["status"] == "CREATING"
    versions = place.eks.describe_addon_versions(addonName="kube-proxy", kubernetesVersion="1.31")
    newest = versions["addons"][0]["addonVersions"][-1]["addonVersion"]
    place.eks.update_addon(clusterName="main", addonName="kube-proxy", addonVersion=newest)
    addon = place.eks.describe_addon(clusterName="main", addonName="kube-proxy")["addon"]
    assert (addon["status"], addon["addonVersion"], addon["tags"]) == ("ACTIVE", newest, {"team": "ml"})
    assert place.eks.list_addons(clusterName="main")["addons"] == ["kube-proxy"]
    place.eks.delete_addon(clusterName="main", addonName="kube-proxy")
    refused(place.eks.describe_addon, "ResourceNotFoundException", clusterName="main", addonName="kube-proxy")


@pytest.mark.parametrize(
    "settings",
    [
        {"addonName": "no-such-addon"},
        {"addonName": "coredns", "addonVersion": "v0.0.1"},
        {"addonName": "coredns", "configurationValues": "{not: [closed"},
    ],
)
def test_an_addon_that_the_service_would_refuse_is_refused(place: Place, settings: dict[str, str]) -> None:
    place.cluster()
    refused(place.eks.create_addon, "InvalidParameterException", clusterName="main", **settings)


def test_the_pod_identities_of_an_addon_come_and_go_with_it(place: Place) -> None:
    place.cluster()
    place.eks.create_addon(
        clusterName="main",
        addonName="aws-ebs-csi-driver",
        podIdentityAssociations=[{"serviceAccount": "ebs-csi-controller-sa", "roleArn": ROLE}],
    )
    [association] = place.eks.list_pod_identity_associations(clusterName="main")["associations"]
    assert association["ownerArn"].startswith("arn:aws:eks:us-east-1:123456789012:addon/main/")
    place.eks.delete_addon(clusterName="main", addonName="aws-ebs-csi-driver")
    assert place.eks.list_pod_identity_associations(clusterName="main")["associations"] == []


def test_an_access_entry_carries_policies(place: Place) -> None:
    place.cluster(accessConfig={"authenticationMode": "API"})
    entry = place.eks.create_access_entry(clusterName="main", principalArn=ADMIN)["accessEntry"]
    assert entry["username"] == "arn:aws:sts::123456789012:assumed-role/admin/{{SessionName}}"
    place.eks.associate_access_policy(
        clusterName="main", principalArn=ADMIN, policyArn=VIEW, accessScope={"type": "cluster"}
    )
    found = place.eks.list_associated_access_policies(clusterName="main", principalArn=ADMIN)
    assert [policy["policyArn"] for policy in found["associatedAccessPolicies"]] == [VIEW]
    place.eks.disassociate_access_policy(clusterName="main", principalArn=ADMIN, policyArn=VIEW)
    place.eks.delete_access_entry(clusterName="main", principalArn=ADMIN)
    assert place.eks.list_access_entries(clusterName="main")["accessEntries"] == []


def test_access_entries_need_a_cluster_that_has_them_switched_on(place: Place) -> None:
    place.cluster()
    refused(place.eks.create_access_entry, "InvalidRequestException", clusterName="main", principalArn=ADMIN)


def test_a_service_account_has_one_pod_identity(place: Place) -> None:
    place.cluster()
    wanted = {"clusterName": "main", "namespace": "ml", "serviceAccount": "train", "roleArn": ROLE}
    made = place.eks.create_pod_identity_association(**wanted)["association"]
    refused(place.eks.create_pod_identity_association, "ResourceInUseException", **wanted)
    place.eks.update_pod_identity_association(
        clusterName="main", associationId=made["associationId"], roleArn=ADMIN
    )
    found = place.eks.describe_pod_identity_association(
        clusterName="main", associationId=made["associationId"]
    )
    assert found["association"]["roleArn"] == ADMIN


def test_everything_can_be_tagged(place: Place) -> None:
    arns = [place.cluster(accessConfig={"authenticationMode": "API"})["arn"], place.nodes()["nodegroupArn"]]
    arns.append(place.eks.create_addon(clusterName="main", addonName="coredns")["addon"]["addonArn"])
    entry = place.eks.create_access_entry(clusterName="main", principalArn=ADMIN)["accessEntry"]
    arns.append(entry["accessEntryArn"])
    for arn in arns:
        place.eks.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2", "c": "3"})
        place.eks.untag_resource(resourceArn=arn, tagKeys=["a", "b"])
        assert place.eks.list_tags_for_resource(resourceArn=arn)["tags"] == {"c": "3"}


@pytest.mark.parametrize(
    "operation", ["list_nodegroups", "list_addons", "list_fargate_profiles", "list_pod_identity_associations"]
)
def test_a_list_of_a_cluster_that_does_not_exist_is_an_error_of_the_service(
    client: Callable[..., Any], operation: str
) -> None:
    refused(getattr(client("eks"), operation), "ResourceNotFoundException", clusterName="missing")
