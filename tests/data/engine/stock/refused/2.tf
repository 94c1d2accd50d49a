variable "needed" {
  type = number
}
resource "terraform_data" "a" {
  input = var.needed
}
