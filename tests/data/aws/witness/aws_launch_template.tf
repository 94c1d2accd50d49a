resource "aws_launch_template" "main" {
  name          = "main"
  description   = "First"
  image_id      = "ami-12345678"
  instance_type = "t3.micro"
  key_name      = "key"
  ebs_optimized = "true"
  user_data     = "IyEvYmluL3No"
  tags          = { Name = "main" }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_size           = 20
      volume_type           = "gp3"
      delete_on_termination = "true"
      encrypted             = "false"
    }
  }

  credit_specification {
    cpu_credits = "unlimited"
  }

  iam_instance_profile {
    name = "profile"
  }

  metadata_options {
    http_endpoint = "enabled"
    http_tokens   = "required"
  }

  monitoring {
    enabled = true
  }

  network_interfaces {
    associate_public_ip_address = "true"
    security_groups             = ["sg-12345678"]
    delete_on_termination       = "true"
  }

  placement {
    availability_zone = "us-east-1a"
  }

  tag_specifications {
    resource_type = "instance"
    tags          = { Name = "node" }
  }
}
