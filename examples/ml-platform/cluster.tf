resource "aws_cloudwatch_log_group" "cluster" {
  name              = "/aws/eks/${local.name}/cluster"
  retention_in_days = var.log_retention_days
}

resource "aws_eks_cluster" "main" {
  name                      = local.name
  role_arn                  = aws_iam_role.cluster.arn
  version                   = var.kubernetes_version
  enabled_cluster_log_types = ["api", "audit"]

  vpc_config {
    subnet_ids              = [for zone in local.zones : aws_subnet.private[zone].id]
    endpoint_private_access = true
    endpoint_public_access  = var.public_api
  }

  depends_on = [
    aws_cloudwatch_log_group.cluster,
    aws_iam_role_policy_attachment.cluster,
  ]
}

resource "aws_launch_template" "gpu" {
  name = "${local.name}-gpu"

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_size           = 200
      volume_type           = "gp3"
      delete_on_termination = "true"
    }
  }

  metadata_options {
    http_endpoint = "enabled"
    http_tokens   = "required"
  }
}

resource "aws_eks_node_group" "cpu" {
  cluster_name    = aws_eks_cluster.main.name
  node_group_name = "cpu"
  node_role_arn   = aws_iam_role.nodes.arn
  subnet_ids      = [for zone in local.zones : aws_subnet.private[zone].id]
  instance_types  = var.cpu_nodes.instance_types

  scaling_config {
    desired_size = var.cpu_nodes.desired
    min_size     = 1
    max_size     = var.cpu_nodes.max
  }

  labels = { "ml-platform/pool" = "cpu" }

  depends_on = [aws_iam_role_policy_attachment.nodes]
}

resource "aws_eks_node_group" "gpu" {
  cluster_name    = aws_eks_cluster.main.name
  node_group_name = "gpu"
  node_role_arn   = aws_iam_role.nodes.arn
  subnet_ids      = [for zone in local.zones : aws_subnet.private[zone].id]
  instance_types  = var.gpu_nodes.instance_types
  ami_type        = "AL2023_x86_64_NVIDIA"

  launch_template {
    id      = aws_launch_template.gpu.id
    version = aws_launch_template.gpu.latest_version
  }

  scaling_config {
    desired_size = var.gpu_nodes.desired
    min_size     = 0
    max_size     = var.gpu_nodes.max
  }

  labels = { "ml-platform/pool" = "gpu" }

  taint {
    key    = "nvidia.com/gpu"
    value  = "present"
    effect = "NO_SCHEDULE"
  }

  depends_on = [aws_iam_role_policy_attachment.nodes]
}

resource "aws_eks_addon" "main" {
  for_each = toset(["vpc-cni", "coredns", "kube-proxy"])

  cluster_name = aws_eks_cluster.main.name
  addon_name   = each.key

  depends_on = [aws_eks_node_group.cpu]
}
