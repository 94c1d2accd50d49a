variable "token" {
  default   = "t"
  ephemeral = true
}

resource "terraform_data" "a" {
  input = var.token
}
