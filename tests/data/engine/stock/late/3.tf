resource "terraform_data" "a" {
  input = "x"
}

resource "terraform_data" "b" {
  input = terraform_data.a.output

  lifecycle {
    precondition {
      condition     = terraform_data.a.output != "q"
      error_message = "a is ${terraform_data.a.output}."
    }
  }
}

resource "terraform_data" "c" {
  input = "c"

  lifecycle {
    postcondition {
      condition     = self.output != "q"
      error_message = "Came out as ${self.output}."
    }
  }
}

resource "terraform_data" "d" {
  input = terraform_data.c.output
}

resource "terraform_data" "e" {
  input = "e"
}

check "later" {
  assert {
    condition     = terraform_data.e.output != "q"
    error_message = "e is ${terraform_data.e.output}."
  }
}

output "o" {
  value = terraform_data.e.output

  precondition {
    condition     = terraform_data.e.output != "q"
    error_message = "Not f."
  }
}
