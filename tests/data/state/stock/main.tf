variable "secret" {
  default   = "s3cret<&>é"
  sensitive = true
}
variable "n" {
  default = 0.1
  validation {
    condition     = var.n < 10
    error_message = "Too large."
  }
}
resource "terraform_data" "counted" {
  count = 12
  input = "value-${count.index}"
}
resource "terraform_data" "secret" {
  input = { password = var.secret, list = [1, 2.5, true, null], nested = { a = var.secret } }
  lifecycle {
    create_before_destroy = true
    postcondition {
      condition     = self.input != null
      error_message = "Nothing."
    }
  }
}
resource "terraform_data" "each" {
  for_each         = { "a" = 1, "k\"$${x\n" = 2, "é" = 3 }
  input            = each.value
  triggers_replace = [terraform_data.secret.id, terraform_data.counted[0].id]
}
resource "terraform_data" "fails" {
  input = 1
  provisioner "local-exec" {
    command = "exit 1"
  }
}
module "m" {
  source   = "./m"
  for_each = { "k\"$${x" = "é", plain = "p" }
  text     = each.value
  deps     = terraform_data.counted
}
check "sane" {
  assert {
    condition     = var.n > 5
    error_message = "n is small."
  }
}
data "terraform_remote_state" "other" {
  backend = "local"
  config  = { path = "other.json" }
  defaults = { x = "y" }
}
output "all" { value = [for one in terraform_data.counted : one.output] }
output "number" { value = 12345678901234567890.125 }
output "text" { value = "<é>&\u2028" }
output "secret" {
  value     = terraform_data.secret.output
  sensitive = true
}
output "nothing" { value = null }
output "map" { value = tomap({ a = tolist([1, 2]) }) }
