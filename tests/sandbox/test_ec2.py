from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.emulator


@pytest.fixture
def ec2(client: Callable[..., Any]) -> Any:
    return client("ec2")


def code_of(call: Callable[..., Any], **arguments: Any) -> str:
    """The code with which a call is refused."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Code"])


def instances(ec2: Any) -> list[Any]:
    return [
        instance
        for reservation in ec2.describe_instances()["Reservations"]
        for instance in reservation["Instances"]
    ]


def launch(ec2: Any, **settings: Any) -> Any:
    answer = ec2.run_instances(
        **{"ImageId": "ami-12c6146b", "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1} | settings
    )
    return answer["Instances"][0]


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ({"Strategy": "cluster"}, {}),
        ({"Strategy": "partition", "PartitionCount": 3}, {"PartitionCount": 3}),
        ({"Strategy": "spread", "SpreadLevel": "rack"}, {"SpreadLevel": "rack"}),
    ],
)
def test_a_placement_group_is_shown_as_it_was_made(
    ec2: Any, settings: dict[str, Any], shown: dict[str, Any]
) -> None:
    tags = [{"Key": "team", "Value": "ml"}]
    ec2.create_placement_group(
        GroupName="group", TagSpecifications=[{"ResourceType": "placement-group", "Tags": tags}], **settings
    )
    [group] = ec2.describe_placement_groups(GroupNames=["group"])["PlacementGroups"]
    assert group["State"] == "available"
    assert group["Strategy"] == settings["Strategy"]
    assert group["Tags"] == tags
    assert {name: group.get(name) for name in shown} == shown


def test_a_placement_group_is_found_by_its_tags_and_its_id(ec2: Any) -> None:
    group = ec2.create_placement_group(GroupName="group", Strategy="cluster")["PlacementGroup"]
    ec2.create_placement_group(GroupName="other", Strategy="cluster")
    ec2.create_tags(Resources=[group["GroupId"]], Tags=[{"Key": "team", "Value": "ml"}])
    by_tag = ec2.describe_placement_groups(Filters=[{"Name": "tag:team", "Values": ["ml"]}])
    by_id = ec2.describe_placement_groups(GroupIds=[group["GroupId"]])
    assert [found["GroupName"] for found in by_tag["PlacementGroups"]] == ["group"]
    assert [found["GroupName"] for found in by_id["PlacementGroups"]] == ["group"]


def test_a_deleted_placement_group_is_unknown(ec2: Any) -> None:
    ec2.create_placement_group(GroupName="group", Strategy="cluster")
    ec2.delete_placement_group(GroupName="group")
    assert code_of(ec2.describe_placement_groups, GroupNames=["group"]) == "InvalidPlacementGroup.Unknown"
    assert ec2.describe_placement_groups()["PlacementGroups"] == []


def test_a_placement_group_with_instances_in_it_stays(ec2: Any) -> None:
    ec2.create_placement_group(GroupName="group", Strategy="cluster")
    instance = launch(ec2, Placement={"GroupName": "group", "Tenancy": "dedicated"})
    assert instance["Placement"]["GroupName"] == "group"
    assert instances(ec2)[0]["Placement"]["Tenancy"] == "dedicated"
    assert code_of(ec2.delete_placement_group, GroupName="group") == "InvalidPlacementGroup.InUse"
    ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
    ec2.delete_placement_group(GroupName="group")


def test_a_capacity_reservation_is_made_changed_and_cancelled(ec2: Any) -> None:
    made = ec2.create_capacity_reservation(
        InstanceType="p5.48xlarge",
        InstancePlatform="Linux/UNIX",
        AvailabilityZone="us-east-1a",
        InstanceCount=2,
    )["CapacityReservation"]
    number = made["CapacityReservationId"]
    assert (made["State"], made["AvailableInstanceCount"], made["EndDateType"]) == ("active", 2, "unlimited")
    ec2.modify_capacity_reservation(CapacityReservationId=number, InstanceCount=5)
    ec2.cancel_capacity_reservation(CapacityReservationId=number)
    [shown] = ec2.describe_capacity_reservations(CapacityReservationIds=[number])["CapacityReservations"]
    assert (shown["State"], shown["TotalInstanceCount"]) == ("cancelled", 5)


def test_a_gateway_endpoint_made_without_naming_its_type_can_be_deleted(ec2: Any) -> None:
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    made = ec2.create_vpc_endpoint(VpcId=vpc, ServiceName="com.amazonaws.us-east-1.s3")["VpcEndpoint"]
    assert made["VpcEndpointType"] == "Gateway"
    answer = ec2.delete_vpc_endpoints(VpcEndpointIds=[made["VpcEndpointId"]])
    assert answer["Unsuccessful"] == []


def test_the_network_interface_of_an_instance_goes_with_it(ec2: Any) -> None:
    instance = launch(ec2)["InstanceId"]
    (interface,) = instances(ec2)[0]["NetworkInterfaces"]
    assert interface["Attachment"]["DeleteOnTermination"] is True
    ec2.terminate_instances(InstanceIds=[instance])
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    ec2.terminate_instances(InstanceIds=[instance])


def test_a_volume_can_be_detached_without_naming_the_instance(ec2: Any) -> None:
    instance = launch(ec2)["InstanceId"]
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    ec2.attach_volume(InstanceId=instance, VolumeId=volume, Device="/dev/sdz")
    assert ec2.detach_volume(VolumeId=volume)["InstanceId"] == instance


def test_a_client_token_makes_one_instance_of_two_requests(ec2: Any) -> None:
    first, second = (launch(ec2, ClientToken="token") for _ in range(2))
    assert first["InstanceId"] == second["InstanceId"]
    assert len(instances(ec2)) == 1


def test_a_client_token_of_another_request_is_refused(ec2: Any) -> None:
    launch(ec2, ClientToken="token")
    assert (
        code_of(launch, ec2=ec2, ClientToken="token", InstanceType="t3.small")
        == "IdempotentParameterMismatch"
    )


def test_requests_without_a_shared_token_make_one_each(ec2: Any) -> None:
    launch(ec2)
    launch(ec2)
    assert len(instances(ec2)) == 2


def test_an_instance_type_that_does_not_exist_is_refused(ec2: Any) -> None:
    assert code_of(launch, ec2=ec2, InstanceType="p9.colossal").startswith("InvalidInstanceType")


@pytest.mark.parametrize("kind", ["x86_64/standard", "arm64/standard", "x86_64/nvidia"])
def test_the_public_parameter_of_a_node_image_names_an_image(client: Callable[..., Any], kind: str) -> None:
    path = f"/aws/service/eks/optimized-ami/1.31/amazon-linux-2023/{kind}/recommended/image_id"
    image = client("ssm").get_parameter(Name=path)["Parameter"]["Value"]
    [found] = client("ec2").describe_images(ImageIds=[image])["Images"]
    assert found["Architecture"] == kind.partition("/")[0]
    assert "1.31" in found["Name"]


def test_a_gpu_can_serve_a_model(client: Callable[..., Any]) -> None:
    sagemaker = client("sagemaker")
    sagemaker.create_model(
        ModelName="model",
        ExecutionRoleArn="arn:aws:iam::123456789012:role/serving",
        PrimaryContainer={"Image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/serve:1"},
    )
    variant = {"VariantName": "all", "ModelName": "model", "InitialInstanceCount": 1}
    for instance_type in ("ml.g5.2xlarge", "ml.p4d.24xlarge"):
        sagemaker.create_endpoint_config(
            EndpointConfigName=instance_type.replace(".", "-"),
            ProductionVariants=[variant | {"InstanceType": instance_type}],
        )
    code = code_of(
        sagemaker.create_endpoint_config,
        EndpointConfigName="wrong",
        ProductionVariants=[variant | {"InstanceType": "g5.2xlarge"}],
    )
    assert code == "ValidationException"
