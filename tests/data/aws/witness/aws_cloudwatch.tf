resource "aws_cloudwatch_log_group" "kept" {
  name              = "/ml/inference"
  retention_in_days = 30
  tags              = { a = "1" }
}

resource "aws_cloudwatch_log_group" "plain" {
  name = "plain"
}

resource "aws_cloudwatch_metric_alarm" "metric" {
  alarm_name          = "slow"
  alarm_description   = "Answers take long"
  namespace           = "AWS/ApplicationELB"
  metric_name         = "TargetResponseTime"
  statistic           = "Average"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0.5
  period              = 60
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  treat_missing_data  = "notBreaching"
  alarm_actions       = ["arn:aws:sns:us-east-1:123456789012:b", "arn:aws:sns:us-east-1:123456789012:a"]
  dimensions          = { LoadBalancer = "app/x/1" }
  tags                = { a = "1" }
}

resource "aws_cloudwatch_metric_alarm" "plain" {
  alarm_name          = "plain"
  namespace           = "AWS/EC2"
  metric_name         = "CPUUtilization"
  extended_statistic  = "p99"
  comparison_operator = "LessThanThreshold"
  threshold           = 0
  period              = 120
  evaluation_periods  = 1
}

resource "aws_cloudwatch_metric_alarm" "queries" {
  alarm_name          = "rate"
  comparison_operator = "GreaterThanOrEqualToThreshold"
  evaluation_periods  = 2
  threshold           = 10

  metric_query {
    id          = "e1"
    expression  = "m2/m1*100"
    label       = "Error rate"
    return_data = true
  }

  metric_query {
    id = "m1"

    metric {
      metric_name = "RequestCount"
      namespace   = "AWS/ApplicationELB"
      period      = 120
      stat        = "Sum"
      unit        = "Count"
      dimensions  = { LoadBalancer = "app/x/1" }
    }
  }

  metric_query {
    id = "m2"

    metric {
      metric_name = "HTTPCode_ELB_5XX_Count"
      namespace   = "AWS/ApplicationELB"
      period      = 120
      stat        = "Sum"
    }
  }
}

resource "aws_cloudwatch_dashboard" "main" {
  dashboard_name = "ml"
  dashboard_body = jsonencode({
    widgets = [{ type = "text", x = 0, y = 0, width = 3, height = 3, properties = { markdown = "# Hi" } }]
  })
}
