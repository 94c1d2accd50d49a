"""The ML platform on the sandbox, from nothing to nothing, seen by boto3."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.platform.conftest import Example, differences

STAGING = "-var-file=staging.tfvars"
pytestmark = [pytest.mark.emulator, pytest.mark.slow]


def test_from_nothing_to_nothing(example: Callable[[str], Example], tmp_path: Path) -> None:
    """Applied, planned to no changes (also after a restart), drifted, repaired, destroyed."""
    platform = example("ml-platform")
    nothing = platform.picture()
    assert "Apply complete!" in platform("apply", "-auto-approve", STAGING)
    made = platform.picture()
    _check_what_is_there(platform.clients)
    assert "No changes" in platform("plan", "-detailed-exitcode", STAGING)
    assert differences(made, platform.picture()) == {}

    platform("sandbox", "stop")
    platform("plan", "-detailed-exitcode", STAGING)
    assert differences(made, platform.picture()) == {}

    assert "No drift: 54 objects" in platform("drift", STAGING)
    _check_kubeconfig(platform, tmp_path / "kubeconfig")
    _check_drift(platform)
    assert differences(made, platform.picture()) == {}

    platform("destroy", "-auto-approve", STAGING)
    assert differences(nothing, platform.picture()) == {}
    assert platform.instances() == 0


def test_code_and_inputs_determine_it(example: Callable[[str], Example]) -> None:
    """Built twice, under different circumstances: the same, and nothing changes by itself."""
    document = json.loads(example("ml-platform")("prove", "-json", "-refreshes=1", STAGING))
    assert document["proven"]
    assert document["states"][0] == document["states"][1]
    assert [one["resources"] for one in document["builds"]] == [54, 54]
    assert [one["what"] for one in document["findings"]] == ["data.aws_availability_zones.available"]


def _check_what_is_there(client: Callable[..., Any]) -> None:
    """Exactly what is declared, counted without our help."""
    ec2, eks, elb = client("ec2"), client("eks"), client("elbv2")
    [vpc] = ec2.describe_vpcs(Filters=[{"Name": "tag:Project", "Values": ["ml-platform"]}])["Vpcs"]
    within = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    assert len(ec2.describe_subnets(Filters=within)["Subnets"]) == 4
    assert len(ec2.describe_nat_gateways(Filters=within)["NatGateways"]) == 1
    groups = ec2.describe_security_groups(Filters=within)["SecurityGroups"]
    assert sum(group["GroupName"] != "default" for group in groups) >= 2
    assert eks.list_clusters()["clusters"] == ["ml-platform-staging"]
    assert sorted(eks.list_nodegroups(clusterName="ml-platform-staging")["nodegroups"]) == ["cpu", "gpu"]
    gpu = eks.describe_nodegroup(clusterName="ml-platform-staging", nodegroupName="gpu")["nodegroup"]
    assert gpu["scalingConfig"] == {"minSize": 0, "maxSize": 2, "desiredSize": 1}
    assert gpu["taints"] == [{"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}]
    addons = eks.list_addons(clusterName="ml-platform-staging")["addons"]
    assert sorted(addons) == ["coredns", "kube-proxy", "vpc-cni"]
    [balancer] = elb.describe_load_balancers()["LoadBalancers"]
    assert len(elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]) == 1
    buckets = client("s3").list_buckets()["Buckets"]
    assert all(one["Name"].startswith("ml-platform-staging-") for one in buckets)
    assert len(buckets) == 2
    assert len(client("ecr").describe_repositories()["repositories"]) == 1
    assert client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert len(client("cloudwatch").list_dashboards()["DashboardEntries"]) == 1
    assert client("logs").describe_log_groups()["logGroups"]


def _check_kubeconfig(platform: Example, file: Path) -> None:
    """The Kubernetes client's own loader takes the output, and what we merge it into."""
    from kubernetes.config import kube_config

    text = platform("output", "-raw", "kubeconfig")
    loader = kube_config.KubeConfigLoader(yaml.safe_load(text))
    assert loader.current_context["name"] == "ml-platform-staging"
    file.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: mine\n"
        "clusters: [{name: mine, cluster: {server: https://mine.example}}]\n"
        "contexts: [{name: mine, context: {cluster: mine, user: me}}]\nusers: [{name: me, user: {}}]\n"
    )
    platform("kubeconfig", "-file", str(file))
    contexts, active = kube_config.list_kube_config_contexts(str(file))
    assert {one["name"] for one in contexts} == {"mine", "ml-platform-staging"}
    assert active["name"] == "ml-platform-staging"


def _check_drift(platform: Example) -> None:
    """Each thing changed by hand is shown with its old and new value, and repaired."""
    client = platform.clients
    ec2, eks, s3 = client("ec2"), client("eks"), client("s3")
    [vpc] = ec2.describe_vpcs(Filters=[{"Name": "tag:Project", "Values": ["ml-platform"]}])["Vpcs"]
    ec2.create_tags(Resources=[vpc["VpcId"]], Tags=[{"Key": "Environment", "Value": "by-hand"}])
    bucket = s3.list_buckets()["Buckets"][0]["Name"]
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    [group] = ec2.describe_security_groups(
        Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}, {"Name": "group-name", "Values": ["*nodes*"]}]
    )["SecurityGroups"]
    ec2.authorize_security_group_ingress(
        GroupId=group["GroupId"],
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "203.0.113.0/24"}]}
        ],
    )
    eks.update_nodegroup_config(
        clusterName="ml-platform-staging",
        nodegroupName="cpu",
        scalingConfig={"minSize": 1, "maxSize": 4, "desiredSize": 4},
    )
    client("cloudwatch").delete_dashboards(
        DashboardNames=[
            one["DashboardName"] for one in client("cloudwatch").list_dashboards()["DashboardEntries"]
        ]
    )

    shown = platform("plan", "-detailed-exitcode", "-no-color", STAGING, code=2)
    for expected in (
        '"by-hand" -> "staging"',
        '"Suspended" -> "Enabled"',
        "203.0.113.0/24",
        "4 -> 2",
        "aws_cloudwatch_dashboard.main will be created",
        "Changed outside of Twinfra since the last apply",
    ):
        assert expected in shown, shown
    platform("apply", "-auto-approve", STAGING)
    platform("plan", "-detailed-exitcode", STAGING)


def test_first_steps(example: Callable[[str], Example]) -> None:
    """The three tiny configurations."""
    bucket = example("first-steps/bucket")
    warned = bucket("apply", "-auto-approve")
    assert "deprecated" in warned.lower()
    assert [one["Name"] for one in bucket.clients("s3").list_buckets()["Buckets"]] == [
        "ml-training-data-bucket"
    ]
    bucket("plan", "-detailed-exitcode")

    cluster = example("first-steps/cluster")
    cluster("apply", "-auto-approve")
    role = cluster.clients("iam").get_role(RoleName="eks-service")["Role"]["Arn"]
    assert cluster.clients("eks").describe_cluster(name="ml-cluster")["cluster"]["roleArn"] == role
    cluster("plan", "-detailed-exitcode")

    environments = example("first-steps/environments")
    for env in ("staging", "production"):
        shown = environments("plan", "-no-color", f"-var-file={env}.tfvars")
        assert f'"ml-bucket-{env}"' in shown


def test_production_differs_by_its_parameters(example: Callable[[str], Example]) -> None:
    platform = example("ml-platform")
    shown = platform("plan", "-no-color", "-var-file=production.tfvars")
    assert '"ml-platform-production"' in shown
    assert "staging" not in shown
