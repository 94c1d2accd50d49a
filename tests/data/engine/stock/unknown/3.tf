resource "terraform_data" "a" {
  input = { x = 1, y = timestamp() }
}

resource "terraform_data" "b" {
  input = [terraform_data.a.input.x, terraform_data.a.input.y, terraform_data.a.output.x, "p-${terraform_data.a.id}"]
}

output "known" {
  value = terraform_data.a.input.x
}

output "mixed" {
  value = { a = 1, b = terraform_data.b.output }
}
