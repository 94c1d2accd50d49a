resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_subnet" "main" {
  count             = 2
  vpc_id            = aws_vpc.main.id
  cidr_block        = cidrsubnet(aws_vpc.main.cidr_block, 8, count.index)
  availability_zone = ["us-east-1a", "us-east-1b"][count.index]
}

resource "aws_iam_role" "main" {
  name = "eks"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "eks.amazonaws.com" } }]
  })
}

resource "aws_eks_cluster" "main" {
  name                      = "ml"
  role_arn                  = aws_iam_role.main.arn
  version                   = "1.33"
  enabled_cluster_log_types = ["api", "audit"]
  tags                      = { a = "1" }

  vpc_config {
    subnet_ids              = aws_subnet.main[*].id
    endpoint_private_access = true
  }
}

resource "aws_launch_template" "main" {
  name = "nodes"

  metadata_options {
    http_endpoint = "enabled"
    http_tokens   = "required"
  }
}

resource "aws_eks_node_group" "cpu" {
  cluster_name    = aws_eks_cluster.main.name
  node_group_name = "cpu"
  node_role_arn   = aws_iam_role.main.arn
  subnet_ids      = aws_subnet.main[*].id
  instance_types  = ["m5.large"]
  labels          = { pool = "cpu" }
  tags            = { a = "1" }

  scaling_config {
    desired_size = 2
    max_size     = 4
    min_size     = 1
  }
}

resource "aws_eks_node_group" "template" {
  cluster_name    = aws_eks_cluster.main.name
  node_group_name = "template"
  node_role_arn   = aws_iam_role.main.arn
  subnet_ids      = aws_subnet.main[*].id

  launch_template {
    id      = aws_launch_template.main.id
    version = aws_launch_template.main.latest_version
  }

  scaling_config {
    desired_size = 1
    max_size     = 1
    min_size     = 1
  }
}

resource "aws_eks_addon" "network" {
  cluster_name = aws_eks_cluster.main.name
  addon_name   = "vpc-cni"
  tags         = { a = "1" }
}

resource "aws_eks_addon" "names" {
  cluster_name             = aws_eks_cluster.main.name
  addon_name               = "coredns"
  addon_version            = "v1.12.4-eksbuild.1"
  service_account_role_arn = aws_iam_role.main.arn
}

data "aws_eks_cluster" "read" {
  name = aws_eks_cluster.main.name
}

data "aws_eks_cluster_auth" "read" {
  name = aws_eks_cluster.main.name
}
