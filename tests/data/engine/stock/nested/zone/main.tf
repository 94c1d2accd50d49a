variable "cidr" {
  type = string

  validation {
    condition     = can(cidrhost(var.cidr, 0))
    error_message = "Not a network: ${var.cidr}."
  }
}

variable "size" {
  type = number
}

resource "terraform_data" "host" {
  count = var.size
  input = cidrhost(var.cidr, count.index)

  lifecycle {
    postcondition {
      condition     = self.output != ""
      error_message = "No address."
    }
  }
}

output "addresses" {
  value = [for one in terraform_data.host : one.output]

  precondition {
    condition     = var.size < 5
    error_message = "Too many."
  }
}
