resource "aws_ecr_repository" "models" {
  name                 = "ml/models"
  image_tag_mutability = "IMMUTABLE"
  tags                 = { a = "1" }

  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_ecr_repository" "plain" {
  name = "plain"
}

resource "aws_ecr_repository" "encrypted" {
  name = "encrypted"

  encryption_configuration {
    encryption_type = "KMS"
  }
}
