variable "size" {
  type    = number
  default = 3

  validation {
    condition     = var.size > 0
    error_message = "The size must be positive, not ${var.size}."
  }
}

resource "terraform_data" "a" {
  input = var.size

  lifecycle {
    precondition {
      condition     = var.size < 10
      error_message = "Too large."
    }

    postcondition {
      condition     = self.output == var.size
      error_message = "Came out wrong."
    }
  }
}

check "small" {
  assert {
    condition     = var.size < 2
    error_message = "The size ${var.size} is not small."
  }

  assert {
    condition     = terraform_data.a.output < 100
    error_message = "Not even less than a hundred."
  }
}

output "size" {
  value = terraform_data.a.output

  precondition {
    condition     = var.size != 7
    error_message = "Seven is no good."
  }
}
