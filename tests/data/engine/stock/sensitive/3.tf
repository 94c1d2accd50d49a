variable "password" {
  default   = "s3cret"
  sensitive = false
}

resource "terraform_data" "whole" {
  input = var.password
}

resource "terraform_data" "part" {
  input = { user = "u", password = var.password, list = ["a", var.password] }
}

resource "terraform_data" "derived" {
  input            = "${terraform_data.whole.id}-x"
  triggers_replace = sensitive({ a = 1 })
}

output "hidden" {
  value     = terraform_data.part.output
  sensitive = false
}

output "shown" {
  value = nonsensitive(var.password)
}
