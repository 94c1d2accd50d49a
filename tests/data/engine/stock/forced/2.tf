resource "terraform_data" "network" {
  triggers_replace = "two"
}

resource "terraform_data" "subnet" {
  count            = 2
  triggers_replace = terraform_data.network.id
}

locals {
  ids = terraform_data.subnet[*].id
}

resource "terraform_data" "group" {
  triggers_replace = local.ids

  lifecycle {
    create_before_destroy = true
  }
}

resource "terraform_data" "user" {
  input = terraform_data.group.id
}
