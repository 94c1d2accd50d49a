resource "aws_iam_role" "eks_service" {
  name = "eks-service"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "eks.amazonaws.com" }
    }]
  })
}

resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_subnet" "main" {
  count = 2

  vpc_id            = aws_vpc.main.id
  cidr_block        = cidrsubnet(aws_vpc.main.cidr_block, 8, count.index)
  availability_zone = "us-east-1${["a", "b"][count.index]}"
}

resource "aws_eks_cluster" "ml" {
  name     = "ml-cluster"
  role_arn = aws_iam_role.eks_service.arn

  vpc_config {
    subnet_ids = aws_subnet.main[*].id
  }
}
