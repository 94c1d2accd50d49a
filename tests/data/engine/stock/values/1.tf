variable "env" {
  default = "staging"
}

locals {
  names = { for name in ["a", "b"] : name => "${name}-${var.env}" }
}

resource "terraform_data" "first" {
  input            = { names = local.names, size = 3, on = true, none = null }
  triggers_replace = [1, "x"]
}

resource "terraform_data" "second" {
  input = "${terraform_data.first.id}-${length(terraform_data.first.output.names)}"
}

resource "terraform_data" "empty" {}

output "names" {
  value = terraform_data.first.output.names
}

output "second" {
  value = terraform_data.second.output
}

output "fixed" {
  value = [for key, value in local.names : upper(value)]
}
