resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_subnet" "main" {
  count             = 2
  vpc_id            = aws_vpc.main.id
  cidr_block        = cidrsubnet(aws_vpc.main.cidr_block, 8, count.index)
  availability_zone = ["us-east-1a", "us-east-1b"][count.index]
}

resource "aws_security_group" "main" {
  name        = "lb"
  description = "What may reach it"
  vpc_id      = aws_vpc.main.id
}

resource "aws_lb" "application" {
  name                       = "application"
  load_balancer_type         = "application"
  security_groups            = [aws_security_group.main.id]
  subnets                    = aws_subnet.main[*].id
  idle_timeout               = 120
  drop_invalid_header_fields = true
  tags                       = { a = "1" }
}

resource "aws_lb" "network" {
  name                             = "network"
  internal                         = true
  load_balancer_type               = "network"
  subnets                          = aws_subnet.main[*].id
  enable_cross_zone_load_balancing = true
}

resource "aws_lb_target_group" "http" {
  name                          = "http"
  port                          = 8080
  protocol                      = "HTTP"
  target_type                   = "ip"
  vpc_id                        = aws_vpc.main.id
  deregistration_delay          = 30
  load_balancing_algorithm_type = "least_outstanding_requests"
  tags                          = { a = "1" }

  health_check {
    path     = "/healthz"
    matcher  = "200"
    interval = 15
  }

  stickiness {
    type            = "lb_cookie"
    cookie_duration = 3600
  }
}

resource "aws_lb_target_group" "plain" {
  name     = "plain"
  port     = 80
  protocol = "HTTP"
  vpc_id   = aws_vpc.main.id
}

resource "aws_lb_target_group" "tcp" {
  name     = "tcp"
  port     = 443
  protocol = "TCP"
  vpc_id   = aws_vpc.main.id

  health_check {
    protocol            = "TCP"
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

resource "aws_lb_listener" "forward" {
  load_balancer_arn = aws_lb.application.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.http.arn
  }
}

resource "aws_lb_listener" "weighted" {
  load_balancer_arn = aws_lb.application.arn
  port              = 81
  protocol          = "HTTP"

  default_action {
    type = "forward"

    forward {
      target_group {
        arn    = aws_lb_target_group.http.arn
        weight = 90
      }

      target_group {
        arn    = aws_lb_target_group.plain.arn
        weight = 10
      }

      stickiness {
        enabled  = true
        duration = 600
      }
    }
  }
}

resource "aws_lb_listener" "redirect" {
  load_balancer_arn = aws_lb.application.arn
  port              = 82
  protocol          = "HTTP"

  default_action {
    type = "redirect"

    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}

resource "aws_lb_listener" "fixed" {
  load_balancer_arn = aws_lb.application.arn
  port              = 83
  protocol          = "HTTP"

  default_action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      message_body = "no"
      status_code  = "404"
    }
  }
}

resource "aws_lb_listener" "tcp" {
  load_balancer_arn = aws_lb.network.arn
  port              = 443
  protocol          = "TCP"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.tcp.arn
  }
}
