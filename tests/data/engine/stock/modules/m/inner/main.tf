variable "ids" {
  type = list(string)
}

resource "terraform_data" "joined" {
  input = join(",", var.ids)
}

output "ids" {
  value = terraform_data.joined.output
}
