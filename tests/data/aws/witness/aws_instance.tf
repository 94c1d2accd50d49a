data "aws_availability_zones" "main" {
  state = "available"
}

data "aws_ami" "main" {
  most_recent = true
  owners      = ["amazon"]

  filter {
    name   = "name"
    values = ["amzn2-ami-hvm-*"]
  }
}

resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_subnet" "main" {
  vpc_id            = aws_vpc.main.id
  cidr_block        = "10.0.0.0/24"
  availability_zone = data.aws_availability_zones.main.names[0]
}

resource "aws_security_group" "main" {
  name   = "main"
  vpc_id = aws_vpc.main.id
}

resource "aws_instance" "plain" {
  ami           = data.aws_ami.main.id
  instance_type = "t3.micro"
  subnet_id     = aws_subnet.main.id
  tags          = { Name = "plain" }
}

resource "aws_instance" "more" {
  ami                    = data.aws_ami.main.id
  instance_type          = "m5.large"
  subnet_id              = aws_subnet.main.id
  vpc_security_group_ids = [aws_security_group.main.id]
  private_ip             = "10.0.0.20"
  monitoring             = true
  source_dest_check      = false
  user_data              = "#!/bin/sh\necho hello\n"
  volume_tags            = { disk = "1" }

  root_block_device {
    volume_size = 20
    volume_type = "gp3"
  }

  ebs_block_device {
    device_name = "/dev/sdf"
    volume_size = 10
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 2
  }
}
