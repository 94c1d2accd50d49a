"""Alarms on metrics."""

from __future__ import annotations

from typing import Any

from twinfra.providers.aws.checks import at_least, each, length, matches
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.failures import ApiError
from twinfra.providers.aws.fields import (
    TAGS,
    Field,
    block_set,
    boolean,
    number,
    one_block,
    output,
    string,
    string_map,
    string_set,
)
from twinfra.providers.aws.mapping import request_of
from twinfra.providers.aws.recovery import by_name
from twinfra.providers.aws.resource import Api, Attributes, Change, Describe, Resource, Update
from twinfra.providers.aws.tagging import arn_tags, request_tags
from twinfra.values.types import STRING

_OPERATORS = (
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
    "LessThanLowerOrGreaterThanUpperThreshold",
    "LessThanLowerThreshold",
    "GreaterThanUpperThreshold",
)

_STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")

_UNITS = (
    "Seconds", "Microseconds", "Milliseconds", "Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes",
    "Bits", "Kilobits", "Megabits", "Gigabits", "Terabits", "Percent", "Count", "Bytes/Second",
    "Kilobytes/Second", "Megabytes/Second", "Gigabytes/Second", "Terabytes/Second", "Bits/Second",
    "Kilobits/Second", "Megabits/Second", "Gigabits/Second", "Terabits/Second", "Count/Second", "None",
)  # fmt: skip


def _period(value: Any) -> str:
    """Seconds (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html)."""
    if value in (10, 20, 30) or (value > 0 and value % 60 == 0):
        return ""
    return f"it must be 10, 20, 30 or a multiple of 60 seconds, not {value}."


_PERCENTILE = matches(
    r"p(\d{1,2}(\.\d{0,10})?|100)|(tm|wm|tc|ts)(\d{1,2}(\.\d{0,10})?|100)|IQM|"
    r"(PR|TM|WM|TC|TS)\(.*\)",
    "be a percentile such as p99.9, a trimmed statistic such as tm90 or TM(10%:90%), or IQM",
)


def _dimensions(value: Any) -> dict[str, Any]:
    return {"Dimensions": [{"Name": name, "Value": one} for name, one in sorted(value.items())]}


# Calls


def _find(context: Context, attributes: Attributes) -> Api | None:
    answer = context.call(
        "describe_alarms", AlarmNames=[attributes["alarm_name"]], AlarmTypes=["MetricAlarm"]
    )
    listed: list[Api] = answer.get("MetricAlarms", [])
    return listed[0] if listed else None


def _create(context: Context, attributes: Attributes) -> Api:
    """Putting one replaces what has the name already, without a word: look before."""
    name = attributes["alarm_name"]
    if _find(context, attributes) is not None:
        raise ApiError(
            "cloudwatch", "put_metric_alarm", "AlarmAlreadyExists", f"there is an alarm {name} already"
        )
    _put(context, attributes, request_tags(_TAGS, attributes))
    return {"AlarmName": name}


def _put(context: Context, attributes: Attributes, tags: dict[str, Any]) -> None:
    context.call("put_metric_alarm", **request_of(_FIELDS, attributes), **tags)


def _update(context: Context, change: Change) -> None:
    _put(context, change.planned, {})


def _delete(context: Context, attributes: Attributes) -> None:
    context.call("delete_alarms", AlarmNames=[attributes["id"]])


def _with_tags(context: Context, _: Attributes, found: Api) -> Api:
    answer = context.call("list_tags_for_resource", ResourceARN=found["AlarmArn"])
    return found | {"Tags": answer.get("Tags", [])}


_METRIC: dict[str, Field] = {
    # First: its function makes the structure that the next ones are placed in.
    "dimensions": string_map(
        "",
        read="Metric.Dimensions",
        write=lambda value: {"Metric": _dimensions(value)},
        about="Its dimensions.",
    ),
    "metric_name": string("Metric.MetricName", required=True, checks=(length(1, 255),), about="Its name."),
    "namespace": string("Metric.Namespace", checks=(length(1, 255),), about="Its namespace."),
    "period": number("Period", required=True, checks=(_period,), about="Seconds that a value stands for."),
    "stat": string("Stat", required=True, about="Statistic of the values in a period."),
    "unit": string("Unit", allowed=_UNITS, about="Unit of the values."),
}

_QUERY: dict[str, Field] = {
    "id": string(
        "Id",
        required=True,
        checks=(
            length(1, 255),
            matches(r"[a-z]\w*", "start with a lowercase letter, and have letters, digits and _"),
        ),
        about="Name by which expressions call it.",
    ),
    "account_id": string("AccountId", checks=(length(1, 255),), about="Account that has the metric."),
    "expression": string("Expression", checks=(length(1, 1024),), about="An expression on other queries."),
    "label": string("Label", about="What graphs call it."),
    "metric": one_block(_METRIC, "MetricStat", about="A metric; instead of an expression."),
    "period": number("Period", checks=(_period,), about="Seconds that a value of the expression stands for."),
    "return_data": boolean(
        "ReturnData", default=False, about="Whether the alarm is on this one; true for exactly one query."
    ),
}

_FIELDS: dict[str, Field] = {
    "alarm_name": string(
        "AlarmName", required=True, force_new=True, checks=(length(1, 255),), about="Its name."
    ),
    "alarm_description": string("AlarmDescription", checks=(length(0, 1024),), about="What it is for."),
    "comparison_operator": string(
        "ComparisonOperator",
        required=True,
        allowed=_OPERATORS,
        about="How values are held against the threshold.",
    ),
    "evaluation_periods": number(
        "EvaluationPeriods", required=True, checks=(at_least(1),), about="How many periods are looked at."
    ),
    "datapoints_to_alarm": number(
        "DatapointsToAlarm", checks=(at_least(1),), about="How many of those must be beyond the threshold."
    ),
    "threshold": number(
        "Threshold", conflicts=("threshold_metric_id",), about="The value that the metric is held against."
    ),
    "threshold_metric_id": string(
        "ThresholdMetricId",
        checks=(length(1, 255),),
        about="For anomaly detection: the query that has the expected band.",
    ),
    "metric_name": string(
        "MetricName",
        exactly_one=("metric_name", "metric_query"),
        checks=(length(1, 255),),
        about="Metric that it is on.",
    ),
    "namespace": string(
        "Namespace",
        conflicts=("metric_query",),
        checks=(length(1, 255), matches(r"[^:].*", "not start with a colon")),
        about="Namespace of the metric.",
    ),
    "dimensions": string_map(
        "",
        read="Dimensions",
        write=_dimensions,
        conflicts=("metric_query",),
        about="Dimensions of the metric.",
    ),
    "period": number("Period", conflicts=("metric_query",), checks=(_period,), about="Seconds in a period."),
    "statistic": string(
        "Statistic",
        allowed=_STATISTICS,
        at_least_one=("statistic", "extended_statistic", "metric_query"),
        conflicts=("extended_statistic", "metric_query"),
        about="Statistic of the values in a period.",
    ),
    "extended_statistic": string(
        "ExtendedStatistic",
        conflicts=("metric_query",),
        checks=(_PERCENTILE,),
        about="A percentile or trimmed statistic instead.",
    ),
    "unit": string("Unit", allowed=_UNITS, about="Unit of the metric."),
    "metric_query": block_set(_QUERY, "Metrics", about="Metrics and expressions instead of one metric."),
    "treat_missing_data": string(
        "TreatMissingData",
        read=lambda found, _: found.get("TreatMissingData") or "missing",
        default="missing",
        allowed=("breaching", "notBreaching", "ignore", "missing"),
        about="What periods without values count as.",
    ),
    "evaluate_low_sample_count_percentiles": string(
        "EvaluateLowSampleCountPercentile",
        computed=True,
        allowed=("evaluate", "ignore"),
        about="What percentiles of few values count as.",
    ),
    "actions_enabled": boolean("ActionsEnabled", default=True, about="Whether it does anything."),
    "alarm_actions": string_set(
        "AlarmActions",
        checks=(length(0, 5), each(length(1, 1024))),
        about="ARNs of what it does when it goes off.",
    ),
    "ok_actions": string_set(
        "OKActions",
        checks=(length(0, 5), each(length(1, 1024))),
        about="ARNs of what it does when all is well again.",
    ),
    "insufficient_data_actions": string_set(
        "InsufficientDataActions",
        checks=(length(0, 5), each(length(1, 1024))),
        about="ARNs of what it does when it cannot tell.",
    ),
    "arn": output(STRING, "AlarmArn", about="Its ARN."),
    **TAGS,
}

_TAGS = arn_tags(member="ResourceARN")

RESOURCE = Resource(
    name="aws_cloudwatch_metric_alarm",
    version=1,
    service="cloudwatch",
    about="An alarm on a metric, or on an expression of metrics.",
    fields=_FIELDS,
    id="AlarmName",
    id_about="Its name.",
    create=_create,
    read=Describe(
        operation="describe_alarms", items="MetricAlarms", key="AlarmName", ids="AlarmNames", chunk=100
    ),
    extend=_with_tags,
    updates=(
        Update(
            fields=tuple(
                name
                for name, field in _FIELDS.items()
                if field.settable and name not in ("alarm_name", "tags", "tags_all")
            ),
            call=_update,
        ),
    ),
    delete=_delete,
    tags=_TAGS,
    not_found=("ResourceNotFound", "ResourceNotFoundException"),
    exists=("AlarmAlreadyExists",),
    recover=by_name(_find, "AlarmConfigurationUpdatedTimestamp"),
    notes=("One that has the name already is not overwritten: import it instead.",),
)
