import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from twinfra.sandbox import faults, server
from twinfra.sandbox.server import Sandbox

pytestmark = pytest.mark.emulator

ROLE = "arn:aws:iam::123456789012:role/cluster"
TRUST = '{"Version":"2012-10-17","Statement":[]}'


def make_some(client: Callable[..., Any]) -> None:
    """A bit of everything that the examples use."""
    s3, ec2, eks = client("s3"), client("ec2"), client("eks")
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="a/ü", Body=b"content", Metadata={"under_score": "kept"})
    upload = s3.create_multipart_upload(Bucket="bucket", Key="large")["UploadId"]
    part = s3.upload_part(Bucket="bucket", Key="large", UploadId=upload, PartNumber=1, Body=b"part")
    s3.complete_multipart_upload(
        Bucket="bucket",
        Key="large",
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    ec2.run_instances(
        MinCount=1, MaxCount=1, InstanceType="t3.micro", SubnetId=subnet, ImageId="ami-12c6146b"
    )
    client("iam").create_role(RoleName="cluster", AssumeRolePolicyDocument=TRUST)
    eks.create_cluster(name="main", roleArn=ROLE, resourcesVpcConfig={"subnetIds": [subnet]})
    eks.create_nodegroup(clusterName="main", nodegroupName="cpu", nodeRole=ROLE, subnets=[subnet])
    eks.create_addon(clusterName="main", addonName="coredns")
    client("elbv2").create_target_group(Name="group", Protocol="HTTP", Port=80, VpcId=vpc)
    client("logs").create_log_group(logGroupName="/log/group")
    client("ecr").create_repository(repositoryName="images")
    client("ssm").put_parameter(Name="/a/b", Value="c", Type="String")
    client("sqs").create_queue(QueueName="queue")


def everything(client: Callable[..., Any]) -> dict[str, Any]:
    """What is there, as a client sees it."""
    s3, ec2, eks = client("s3"), client("ec2"), client("eks")
    seen = {
        "buckets": s3.list_buckets(),
        "object": s3.head_object(Bucket="bucket", Key="a/ü"),
        "large": s3.head_object(Bucket="bucket", Key="large"),
        "vpcs": ec2.describe_vpcs(),
        "subnets": ec2.describe_subnets(),
        "groups": ec2.describe_security_groups(),
        "instances": ec2.describe_instances(),
        "role": client("iam").get_role(RoleName="cluster"),
        "cluster": eks.describe_cluster(name="main"),
        "nodes": eks.describe_nodegroup(clusterName="main", nodegroupName="cpu"),
        "addon": eks.describe_addon(clusterName="main", addonName="coredns"),
        "targets": client("elbv2").describe_target_groups(),
        "logs": client("logs").describe_log_groups(),
        "images": client("ecr").describe_repositories(),
        "parameter": client("ssm").get_parameter(Name="/a/b"),
        "queues": client("sqs").list_queues(),
    }
    for answer in seen.values():
        del answer["ResponseMetadata"]
    return seen


def make_few(client: Callable[..., Any]) -> None:
    """Of the services that load quickly."""
    client("s3").create_bucket(Bucket="bucket")
    client("s3").put_object(Bucket="bucket", Key="large", Body=b"content")
    client("logs").create_log_group(logGroupName="/log/group")


def few_things(client: Callable[..., Any]) -> dict[str, Any]:
    """What is there of them."""
    seen = {
        "buckets": client("s3").list_buckets(),
        "objects": client("s3").list_objects_v2(Bucket="bucket"),
        "logs": client("logs").describe_log_groups(),
    }
    for answer in seen.values():
        del answer["ResponseMetadata"]
    return seen


@pytest.fixture
def few(root: Path, clients_of: Callable[..., Any]) -> Sandbox:
    """A sandbox with little in it."""
    sandbox = server.ensure_running(root)
    make_few(clients_of(sandbox))
    return sandbox


@pytest.fixture
def made(root: Path, clients_of: Callable[..., Any]) -> Sandbox:
    """A sandbox with things in it."""
    sandbox = server.ensure_running(root)
    make_some(clients_of(sandbox))
    return sandbox


def test_a_restarted_sandbox_has_everything_as_it_was(
    root: Path, made: Sandbox, clients_of: Callable[..., Any]
) -> None:
    before = everything(clients_of(made))
    server.stop(root)
    after = server.ensure_running(root)
    assert everything(clients_of(after)) == before


def test_a_restarted_sandbox_answers_at_the_same_place_as_the_same_cloud(root: Path) -> None:
    before = server.ensure_running(root)
    server.stop(root)
    after = server.ensure_running(root)
    assert (after.endpoint, after.identity) == (before.endpoint, before.identity)


def test_a_killed_sandbox_has_everything_that_it_acknowledged(
    root: Path, made: Sandbox, clients_of: Callable[..., Any], kill: Callable[[int], None]
) -> None:
    before = everything(clients_of(made))
    kill(made.pid)
    after = server.ensure_running(root)
    assert everything(clients_of(after)) == before


def test_a_kill_after_a_snapshot_loses_neither_what_came_before_nor_after_it(
    root: Path, few: Sandbox, clients_of: Callable[..., Any], kill: Callable[[int], None]
) -> None:
    faults.save(few)
    s3 = clients_of(few)("s3")
    s3.delete_object(Bucket="bucket", Key="large")
    s3.put_object(Bucket="bucket", Key="large", Body=b"smaller")
    before = few_things(clients_of(few))
    kill(few.pid)
    after = server.ensure_running(root)
    assert few_things(clients_of(after)) == before


def test_what_is_made_after_a_restart_does_not_collide_with_what_was_there(
    root: Path, few: Sandbox, clients_of: Callable[..., Any], kill: Callable[[int], None]
) -> None:
    first = clients_of(few)("iam").create_role(RoleName="first", AssumeRolePolicyDocument=TRUST)
    kill(few.pid)
    iam = clients_of(server.ensure_running(root))("iam")
    second = iam.create_role(RoleName="second", AssumeRolePolicyDocument=TRUST)
    assert first["Role"]["RoleId"] != second["Role"]["RoleId"]
    assert iam.get_role(RoleName="first")["Role"]["RoleId"] == first["Role"]["RoleId"]


def test_two_sandboxes_do_not_draw_the_same_identifiers(
    tmp_path: Path, clients_of: Callable[..., Any]
) -> None:
    found = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        try:
            iam = clients_of(server.ensure_running(tmp_path / name))("iam")
            role = iam.create_role(RoleName="role", AssumeRolePolicyDocument=TRUST)
            found.append(role["Role"]["RoleId"])
        finally:
            server.stop(tmp_path / name)
    assert found[0] != found[1]


def test_a_torn_last_entry_is_cut_off(
    root: Path, few: Sandbox, clients_of: Callable[..., Any], kill: Callable[[int], None]
) -> None:
    before = few_things(clients_of(few))
    kill(few.pid)
    journal = root / ".twinfra" / "sandbox" / "journal"
    whole = journal.stat().st_size
    with journal.open("ab") as file:
        file.write(b"000000ff00000000")
    after = server.ensure_running(root)
    assert few_things(clients_of(after)) == before
    assert journal.stat().st_size == whole


def test_a_snapshot_that_others_may_read_is_not_used(
    root: Path, few: Sandbox, clients_of: Callable[..., Any]
) -> None:
    before = few_things(clients_of(few))
    server.stop(root)
    os.chmod(root / ".twinfra" / "sandbox" / "snapshot", 0o644)
    after = server.ensure_running(root)
    assert few_things(clients_of(after)) == before
    log = (root / ".twinfra" / "sandbox" / "sandbox.log").read_text()
    assert not log.rstrip().endswith("; 0 requests carried out again")


def test_a_snapshot_cannot_run_code(root: Path, few: Sandbox, clients_of: Callable[..., Any]) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(root / "exploded"),)

    before = few_things(clients_of(few))
    server.stop(root)
    snapshot = root / ".twinfra" / "sandbox" / "snapshot"
    heading, _, _ = snapshot.read_bytes().partition(b"\n")
    snapshot.write_bytes(heading + b"\n" + pickle.dumps(Bomb()))
    after = server.ensure_running(root)
    assert few_things(clients_of(after)) == before
    assert not (root / "exploded").exists()


def test_an_emptied_sandbox_stays_empty_after_a_restart(
    root: Path, few: Sandbox, clients_of: Callable[..., Any]
) -> None:
    faults.empty(few)
    server.stop(root)
    after = server.ensure_running(root)
    assert clients_of(after)("s3").list_buckets()["Buckets"] == []


def test_identifiers_do_not_come_back_after_a_reset(
    root: Path, few: Sandbox, clients_of: Callable[..., Any]
) -> None:
    def made_in(sandbox: Sandbox) -> str:
        role = clients_of(sandbox)("iam").create_role(RoleName="role", AssumeRolePolicyDocument=TRUST)
        return str(role["Role"]["RoleId"])

    found = [made_in(few)]
    faults.empty(few)
    found.append(made_in(few))
    after = server.reset(root)
    assert after is not None
    found.append(made_in(after))
    assert len(set(found)) == 3


def test_a_snapshot_of_another_version_is_not_read(
    root: Path, few: Sandbox, clients_of: Callable[..., Any]
) -> None:
    before = few_things(clients_of(few))
    server.stop(root)
    snapshot = root / ".twinfra" / "sandbox" / "snapshot"
    heading, _, rest = snapshot.read_bytes().partition(b"\n")
    assert b"moto 5." in heading
    snapshot.write_bytes(heading.replace(b"moto 5.", b"moto 4.") + b"\n" + rest)
    after = server.ensure_running(root)
    assert few_things(clients_of(after)) == before
