resource "aws_s3_bucket" "training_data" {
  bucket = "ml-training-data-bucket"
  acl    = "private"
}
