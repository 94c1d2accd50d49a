"""Log groups, alarms and dashboards, against the emulator."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.providers.aws.rig import Rig

from twinfra.providers.protocol import ProviderError, new_token

GROUP: dict[str, Any] = {"name": "/ml/inference", "retention_in_days": 30, "tags": {"a": "1"}}

ALARM: dict[str, Any] = {
    "alarm_name": "slow",
    "alarm_description": "Answers take long",
    "namespace": "AWS/ApplicationELB",
    "metric_name": "TargetResponseTime",
    "statistic": "Average",
    "comparison_operator": "GreaterThanThreshold",
    "threshold": 0.5,
    "period": 60,
    "evaluation_periods": 3,
    "datapoints_to_alarm": 2,
    "treat_missing_data": "notBreaching",
    "dimensions": {"LoadBalancer": "app/x/1", "AvailabilityZone": "us-east-1a"},
    "alarm_actions": ["arn:aws:sns:us-east-1:123456789012:b", "arn:aws:sns:us-east-1:123456789012:a"],
    "tags": {"a": "1"},
}

QUERIES: dict[str, Any] = {
    "alarm_name": "rate",
    "comparison_operator": "GreaterThanOrEqualToThreshold",
    "evaluation_periods": 2,
    "threshold": 10,
    "metric_query": [
        {"id": "e1", "expression": "m2/m1*100", "label": "Error rate", "return_data": True},
        {
            "id": "m1",
            "metric": {
                "metric_name": "RequestCount", "namespace": "AWS/ApplicationELB", "period": 120, "stat": "Sum",
                "unit": "Count", "dimensions": {"LoadBalancer": "app/x/1"},
            },
        },
        {
            "id": "m2",
            "metric": {"metric_name": "Errors", "namespace": "AWS/ApplicationELB", "period": 120, "stat": "Sum"},
        },
    ],
}  # fmt: skip

BODY = {"widgets": [{"type": "text", "width": 3, "height": 3, "properties": {"markdown": "# Hi"}}]}


# Log groups


def test_a_log_group_is_made_as_declared_and_imported_back(rig: Rig) -> None:
    stored = rig.check("aws_cloudwatch_log_group", GROUP)
    (found,) = rig.client("logs").describe_log_groups()["logGroups"]
    assert (found["logGroupName"], found["retentionInDays"]) == ("/ml/inference", 30)
    assert found["arn"] == stored.attributes["arn"] + ":*"
    assert stored.attributes["log_group_class"] == "STANDARD"
    assert stored.attributes["name_prefix"] == ""
    tags = rig.client("logs").list_tags_for_resource(resourceArn=stored.attributes["arn"])
    assert tags["tags"] == {"a": "1"}


def test_a_log_group_changes_in_place(rig: Rig) -> None:
    stored = rig.apply("aws_cloudwatch_log_group", GROUP)
    key = "arn:aws:kms:us-east-1:123456789012:key/1"
    given = {
        "name": GROUP["name"], "kms_key_id": key, "deletion_protection_enabled": True, "tags": {"b": "2"},
    }  # fmt: skip
    assert rig.plan("aws_cloudwatch_log_group", given, stored).replace == ()
    stored = rig.apply("aws_cloudwatch_log_group", given, stored)
    assert rig.differences("aws_cloudwatch_log_group", given, stored) == {}
    (found,) = rig.client("logs").describe_log_groups()["logGroups"]
    assert "retentionInDays" not in found
    assert found["kmsKeyId"] == key
    with pytest.raises(ProviderError, match="protected"):
        rig.destroy("aws_cloudwatch_log_group", stored)
    given = {**GROUP, "deletion_protection_enabled": False}
    stored = rig.apply("aws_cloudwatch_log_group", given, stored)
    assert rig.differences("aws_cloudwatch_log_group", given, stored) == {}
    assert "kmsKeyId" not in rig.client("logs").describe_log_groups()["logGroups"][0]
    rig.destroy("aws_cloudwatch_log_group", stored)
    assert rig.read("aws_cloudwatch_log_group", stored) is None


def test_a_retention_changed_by_hand_is_drift_and_repaired(rig: Rig) -> None:
    stored = rig.apply("aws_cloudwatch_log_group", GROUP)
    rig.client("logs").put_retention_policy(logGroupName=GROUP["name"], retentionInDays=7)
    assert rig.drift("aws_cloudwatch_log_group", stored) == {"retention_in_days": (30, 7)}
    fresh = rig.read("aws_cloudwatch_log_group", stored)
    stored = rig.apply("aws_cloudwatch_log_group", GROUP, fresh)
    assert rig.client("logs").describe_log_groups()["logGroups"][0]["retentionInDays"] == 30
    rig.client("logs").delete_log_group(logGroupName=GROUP["name"])
    assert rig.read("aws_cloudwatch_log_group", stored) is None


def test_another_class_of_a_log_group_replaces_it(rig: Rig) -> None:
    stored = rig.apply("aws_cloudwatch_log_group", GROUP)
    given = {**GROUP, "log_group_class": "INFREQUENT_ACCESS"}
    assert rig.plan("aws_cloudwatch_log_group", given, stored).replace != ()
    stored = rig.apply("aws_cloudwatch_log_group", given, stored)
    assert rig.client("logs").describe_log_groups()["logGroups"][0]["logGroupClass"] == "INFREQUENT_ACCESS"


def test_a_log_group_for_delivery_keeps_events_for_two_days(rig: Rig) -> None:
    given = {"name": "d", "log_group_class": "DELIVERY"}
    assert rig.check("aws_cloudwatch_log_group", given).attributes["retention_in_days"] == 2
    with pytest.raises(ProviderError, match="2 days"):
        rig.plan("aws_cloudwatch_log_group", {**given, "retention_in_days": 30})


def test_a_log_group_with_a_prefix_gets_a_unique_name(rig: Rig) -> None:
    stored = rig.check(
        "aws_cloudwatch_log_group",
        {"name_prefix": "ml-", "skip_destroy": True},
        kept=("skip_destroy",),
    )
    assert stored.attributes["name"].startswith("ml-")
    rig.destroy("aws_cloudwatch_log_group", stored)
    assert rig.read("aws_cloudwatch_log_group", stored) is not None


def test_many_log_groups_are_read_together(rig: Rig) -> None:
    stored = [rig.apply("aws_cloudwatch_log_group", {"name": f"g{number}"}) for number in range(3)]
    rig.client("logs").delete_log_group(logGroupName="g1")
    found = rig.provider.read_many("aws_cloudwatch_log_group", stored)
    assert [one is None for one in found] == [False, True, False]


def test_an_interrupted_log_group_is_found_again(rig: Rig) -> None:
    token = new_token()
    assert rig.recover("aws_cloudwatch_log_group", GROUP, token) is None
    rig.apply("aws_cloudwatch_log_group", GROUP)
    found = rig.recover("aws_cloudwatch_log_group", GROUP, token)
    assert found is not None
    assert found.attributes["id"] == GROUP["name"]


def test_a_retention_that_there_is_not_is_refused(rig: Rig) -> None:
    (problem,) = rig.problems("aws_cloudwatch_log_group", {"name": "x", "retention_in_days": 31})
    assert "30 is nearest" in problem


# Alarms


def test_an_alarm_is_made_as_declared_and_imported_back(rig: Rig) -> None:
    stored = rig.check("aws_cloudwatch_metric_alarm", ALARM)
    (found,) = rig.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert found["AlarmArn"] == stored.attributes["arn"]
    assert (found["Threshold"], found["Period"], found["EvaluationPeriods"]) == (0.5, 60, 3)
    assert {one["Name"]: one["Value"] for one in found["Dimensions"]} == ALARM["dimensions"]
    assert found["ActionsEnabled"] is True
    assert sorted(found["AlarmActions"]) == sorted(ALARM["alarm_actions"])


def test_an_alarm_changes_in_place(rig: Rig) -> None:
    stored = rig.apply("aws_cloudwatch_metric_alarm", ALARM)
    given = {
        **ALARM, "statistic": None, "extended_statistic": "p99.9", "threshold": 0, "actions_enabled": False,
        "alarm_description": None, "datapoints_to_alarm": None, "alarm_actions": None,
        "evaluate_low_sample_count_percentiles": "ignore", "tags": {"b": "2"},
    }  # fmt: skip
    assert rig.plan("aws_cloudwatch_metric_alarm", given, stored).replace == ()
    stored = rig.apply("aws_cloudwatch_metric_alarm", given, stored)
    assert rig.differences("aws_cloudwatch_metric_alarm", given, stored) == {}
    (found,) = rig.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert (found["ExtendedStatistic"], found["Threshold"], found["AlarmActions"]) == ("p99.9", 0, [])
    tags = rig.client("cloudwatch").list_tags_for_resource(ResourceARN=found["AlarmArn"])["Tags"]
    assert tags == [{"Key": "b", "Value": "2"}]


def test_an_alarm_on_queries_compares_them_in_no_order(rig: Rig) -> None:
    stored = rig.check("aws_cloudwatch_metric_alarm", QUERIES)
    turned = {**QUERIES, "metric_query": QUERIES["metric_query"][::-1]}
    assert rig.differences("aws_cloudwatch_metric_alarm", turned, stored) == {}
    (found,) = rig.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert sorted(one["Id"] for one in found["Metrics"]) == ["e1", "m1", "m2"]
    (m1,) = (one for one in found["Metrics"] if one["Id"] == "m1")
    assert m1["MetricStat"]["Metric"]["Dimensions"] == [{"Name": "LoadBalancer", "Value": "app/x/1"}]
    assert m1["ReturnData"] is False


def test_an_alarm_changed_by_hand_is_drift_and_repaired(rig: Rig) -> None:
    stored = rig.apply("aws_cloudwatch_metric_alarm", ALARM)
    client = rig.client("cloudwatch")
    client.disable_alarm_actions(AlarmNames=["slow"])
    assert rig.drift("aws_cloudwatch_metric_alarm", stored) == {"actions_enabled": (True, False)}
    fresh = rig.read("aws_cloudwatch_metric_alarm", stored)
    stored = rig.apply("aws_cloudwatch_metric_alarm", ALARM, fresh)
    assert client.describe_alarms()["MetricAlarms"][0]["ActionsEnabled"] is True
    rig.destroy("aws_cloudwatch_metric_alarm", stored)
    assert client.describe_alarms()["MetricAlarms"] == []
    assert rig.read("aws_cloudwatch_metric_alarm", stored) is None


def test_an_alarm_that_is_there_already_is_not_overwritten(rig: Rig) -> None:
    rig.apply("aws_cloudwatch_metric_alarm", ALARM)
    with pytest.raises(ProviderError, match="AlarmAlreadyExists"):
        rig.apply("aws_cloudwatch_metric_alarm", ALARM)


def test_what_alarms_need_is_checked_before_any_call(rig: Rig) -> None:
    base = {"alarm_name": "x", "comparison_operator": "GreaterThanThreshold", "evaluation_periods": 1}
    assert any(
        "metric_name, metric_query" in one for one in rig.problems("aws_cloudwatch_metric_alarm", base)
    )
    given = {**base, "metric_name": "m", "statistic": "Average", "extended_statistic": "p9"}
    assert any("cannot both" in one for one in rig.problems("aws_cloudwatch_metric_alarm", given))
    given = {**base, "metric_name": "m", "statistic": "Averag", "period": 61}
    problems = rig.problems("aws_cloudwatch_metric_alarm", given)
    assert any("Average" in one for one in problems)
    assert any("multiple of 60" in one for one in problems)


# Dashboards


def test_a_dashboard_compares_by_content(rig: Rig) -> None:
    given = {"dashboard_name": "ml", "dashboard_body": json.dumps(BODY)}
    stored = rig.check("aws_cloudwatch_dashboard", given)
    spaced = {**given, "dashboard_body": json.dumps(BODY, indent=4, sort_keys=True)}
    assert rig.differences("aws_cloudwatch_dashboard", spaced, stored) == {}
    assert stored.attributes["dashboard_arn"].endswith(":dashboard/ml")
    with pytest.raises(ProviderError, match="DashboardAlreadyExists"):
        rig.apply("aws_cloudwatch_dashboard", given)


def test_a_dashboard_changes_drifts_and_goes(rig: Rig) -> None:
    given = {"dashboard_name": "ml", "dashboard_body": json.dumps(BODY)}
    stored = rig.apply("aws_cloudwatch_dashboard", given)
    more = {**given, "dashboard_body": json.dumps({"widgets": BODY["widgets"] * 2})}
    stored = rig.apply("aws_cloudwatch_dashboard", more, stored)
    client = rig.client("cloudwatch")
    assert len(json.loads(client.get_dashboard(DashboardName="ml")["DashboardBody"])["widgets"]) == 2
    client.put_dashboard(DashboardName="ml", DashboardBody='{"widgets": []}')
    assert rig.drift("aws_cloudwatch_dashboard", stored).keys() == {"dashboard_body"}
    assert rig.recover("aws_cloudwatch_dashboard", given, new_token()) is not None
    rig.destroy("aws_cloudwatch_dashboard", stored)
    assert rig.read("aws_cloudwatch_dashboard", stored) is None
    rig.destroy("aws_cloudwatch_dashboard", stored)
