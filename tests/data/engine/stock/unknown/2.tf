resource "terraform_data" "a" {
  input = { x = 1 }
}

resource "terraform_data" "b" {
  for_each = terraform_data.a.output
}
