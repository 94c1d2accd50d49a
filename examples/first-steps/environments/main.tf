variable "env" {}

resource "aws_s3_bucket" "ml" {
  bucket = "ml-bucket-${var.env}"
}
