variable "secret" {
  type      = string
  sensitive = true
}

variable "all" {
  type = map(string)
}

resource "terraform_data" "kept" {
  input = { secret = var.secret, all = var.all }
}

output "derived" {
  value     = "${var.secret}-${terraform_data.kept.id}"
  sensitive = true
}
