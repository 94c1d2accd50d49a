variable "token" {
  default   = "t"
  ephemeral = true
}

locals {
  derived = "${var.token}-x"
}

resource "terraform_data" "a" {
  input = ephemeralasnull(local.derived) == null ? "none" : "some"
}

output "workspace" {
  value = terraform.workspace
}
