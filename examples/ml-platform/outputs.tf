output "buckets" {
  description = "The buckets by purpose."
  value       = { for name, bucket in aws_s3_bucket.data : name => bucket.bucket }
}

output "cluster_endpoint" {
  description = "The address of the cluster's API."
  value       = aws_eks_cluster.main.endpoint
}

output "inference_url" {
  description = "Where inference requests go."
  value       = "http://${aws_lb.inference.dns_name}"
}

output "registry" {
  description = "Where model images are pushed."
  value       = aws_ecr_repository.models.repository_url
}

output "kubeconfig" {
  description = "Access to the cluster; merge it with `twinfra kubeconfig`."
  value = yamlencode({
    apiVersion      = "v1"
    kind            = "Config"
    current-context = local.name
    clusters = [{
      name = local.name
      cluster = {
        server                     = aws_eks_cluster.main.endpoint
        certificate-authority-data = aws_eks_cluster.main.certificate_authority[0].data
      }
    }]
    contexts = [{
      name    = local.name
      context = { cluster = local.name, user = local.name }
    }]
    users = [{
      name = local.name
      user = {
        exec = {
          apiVersion      = "client.authentication.k8s.io/v1beta1"
          command         = "aws"
          args            = ["eks", "get-token", "--cluster-name", aws_eks_cluster.main.name, "--region", var.region]
          interactiveMode = "IfAvailable"
        }
      }
    }]
  })
}
