resource "aws_s3_bucket" "plain" {
  bucket = "witness-plain"
  tags = {
    team = "ml"
  }
}

resource "aws_s3_bucket" "kept" {
  bucket        = "witness-kept"
  force_destroy = true

  versioning {
    enabled = true
  }

  lifecycle_rule {
    id      = "old"
    enabled = true
    prefix  = "logs/"

    expiration {
      days = 30
    }
    noncurrent_version_expiration {
      days = 7
    }
  }

  cors_rule {
    allowed_methods = ["GET"]
    allowed_origins = ["https://example.com"]
    max_age_seconds = 3000
  }
}
