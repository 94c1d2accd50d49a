"""Updates of EKS that take their time, wait for others, or fail: what people are told."""

from __future__ import annotations

from typing import Any

import pytest

from twinfra.providers.aws.context import Context
from twinfra.providers.aws.failures import ApiError, WaitError
from twinfra.providers.aws.services.eks._updates import GONE, carry_out, issues


class Cloud:
    """Stands for a session: answers calls from a list for each operation, the last one again and again."""

    region = "us-east-1"

    def __init__(self, **answers: list[Any]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def call(
        self, _service: str, _region: str, operation: str, request: dict[str, Any], _once: bool = False
    ) -> Any:
        self.asked.append((operation, request))
        left = self.answers[operation]
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def update(status: str, **more: Any) -> dict[str, Any]:
    """An update as the service shows it."""
    return {"update": {"id": "u-1", "type": "VersionUpdate", "status": status, **more}}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What progress was told; nothing is waited for."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    return []


def working(cloud: Cloud, told: list[str]) -> Context:
    """A context on that cloud."""
    return Context(cloud, "eks", progress=told.append, not_found=GONE)  # type: ignore[arg-type]


def test_an_update_is_followed_to_its_end(told: list[str]) -> None:
    cloud = Cloud(
        update_cluster_version=[update("InProgress")],
        describe_update=[update("InProgress"), update("Successful")],
    )
    carry_out(working(cloud, told), "update_cluster_version", name="ml", version="1.34")
    assert told == ["VersionUpdate InProgress"]
    assert cloud.asked[0] == ("update_cluster_version", {"name": "ml", "version": "1.34"})
    assert cloud.asked[1:] == [("describe_update", {"name": "ml", "updateId": "u-1"})] * 2


def test_an_update_of_nodes_is_asked_for_by_cluster_and_group(told: list[str]) -> None:
    cloud = Cloud(update_nodegroup_config=[update("InProgress")], describe_update=[update("Successful")])
    carry_out(working(cloud, told), "update_nodegroup_config", clusterName="ml", nodegroupName="cpu")
    assert cloud.asked[1][1] == {"name": "ml", "nodegroupName": "cpu", "updateId": "u-1"}


def test_a_failed_update_says_why(told: list[str]) -> None:
    problem = {
        "errorCode": "PodEvictionFailure",
        "errorMessage": "Reached max retries",
        "resourceIds": ["i-1"],
    }
    cloud = Cloud(
        update_nodegroup_version=[update("InProgress")], describe_update=[update("Failed", errors=[problem])]
    )
    with pytest.raises(WaitError, match="Failed: PodEvictionFailure: Reached max retries"):
        carry_out(working(cloud, told), "update_nodegroup_version", clusterName="ml", nodegroupName="cpu")


def test_another_update_that_runs_is_waited_out(told: list[str]) -> None:
    busy = ApiError("eks", "x", "ResourceInUseException", "Cluster ml has an update in progress", 409)
    cloud = Cloud(update_cluster_config=[busy, update("InProgress")], describe_update=[update("Successful")])
    carry_out(working(cloud, told), "update_cluster_config", name="ml")
    assert told == ["waiting out ResourceInUseException"]
    taken = ApiError("eks", "x", "ResourceInUseException", "Cluster has nodegroups attached", 409)
    with pytest.raises(ApiError, match="attached"):
        carry_out(working(Cloud(update_cluster_config=[taken]), told), "update_cluster_config", name="ml")


def test_what_is_wrong_with_nodes_is_told() -> None:
    found = {
        "health": {
            "issues": [
                {
                    "code": "NodeCreationFailure",
                    "message": "Instances failed to join the cluster",
                    "resourceIds": ["i"],
                },
                {"code": "AccessDenied", "message": "no"},
            ]
        }
    }
    assert issues(found) == "NodeCreationFailure: Instances failed to join the cluster; AccessDenied: no"
    assert issues({}) == ""
