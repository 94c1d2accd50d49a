resource "terraform_data" "counted" {
  count = 3
  input = count.index
}

resource "terraform_data" "keyed" {
  for_each = { x = 1, "y.z" = 2 }
  input    = "${each.key}-${each.value}"
}

resource "terraform_data" "reader" {
  count = 3
  input = terraform_data.counted[count.index].output
}

resource "terraform_data" "single" {
  input = terraform_data.keyed["x"].output
}

output "all" {
  value = terraform_data.counted[*].output
}

output "keys" {
  value = { for key, one in terraform_data.keyed : key => one.output }
}
