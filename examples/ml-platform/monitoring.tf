resource "aws_cloudwatch_log_group" "inference" {
  name              = "/ml-platform/${var.env}/inference"
  retention_in_days = var.log_retention_days
}

locals {
  alarms = {
    errors = {
      metric    = "HTTPCode_Target_5XX_Count"
      statistic = "Sum"
      threshold = 10
    }
    latency = {
      metric    = "TargetResponseTime"
      statistic = "Average"
      threshold = 0.5
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "inference" {
  for_each = local.alarms

  alarm_name          = "${local.name}-inference-${each.key}"
  alarm_description   = "Inference ${each.key} of ${var.env}"
  namespace           = "AWS/ApplicationELB"
  metric_name         = each.value.metric
  statistic           = each.value.statistic
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = 3
  treat_missing_data  = "notBreaching"

  dimensions = {
    LoadBalancer = aws_lb.inference.arn_suffix
  }
}

resource "aws_cloudwatch_dashboard" "main" {
  dashboard_name = local.name

  dashboard_body = jsonencode({
    widgets = [
      for name, alarm in local.alarms : {
        type   = "metric"
        width  = 12
        height = 6
        properties = {
          title   = "Inference ${name}"
          region  = var.region
          stat    = alarm.statistic
          period  = 60
          metrics = [["AWS/ApplicationELB", alarm.metric, "LoadBalancer", aws_lb.inference.arn_suffix]]
        }
      }
    ]
  })
}
