resource "terraform_data" "in" {
  input = "in"
}

resource "terraform_data" "other" {
  input = terraform_data.in.id
}

output "id" {
  value = terraform_data.other.id
}
