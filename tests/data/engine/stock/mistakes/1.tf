resource "terraform_data" "a" {
  inputs = 1
}

resource "terraform_data" "b" {
  input = local.nothing
}

resource "terraform_date" "c" {
}
