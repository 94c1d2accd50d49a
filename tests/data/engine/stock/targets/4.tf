resource "terraform_data" "a" {
  count = 2
  input = count.index
}

resource "terraform_data" "b" {
  input = "${terraform_data.a[0].output}-${terraform_data.a[1].output}"
}

resource "terraform_data" "c" {
  input = terraform_data.b.output
}

resource "terraform_data" "d" {
  input = "apart"
}

output "c" {
  value = terraform_data.c.output
}

output "d" {
  value = terraform_data.d.output
}
