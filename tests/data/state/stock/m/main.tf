variable "text" {}
variable "deps" {}
resource "terraform_data" "i" {
  count = 2
  input = toset([var.text, "z"])
  depends_on = [terraform_data.base]
}
resource "terraform_data" "base" { input = var.deps[1].id }
output "o" { value = terraform_data.i[*].output }
