resource "terraform_data" "counted" {
  count = 2
  input = count.index
}

resource "terraform_data" "keyed" {
  for_each = toset(["y.z", "new"])
  input    = "${each.key}-${each.value}"
}

resource "terraform_data" "reader" {
  for_each = toset(["0", "1"])
  input    = terraform_data.counted[each.key].output
}

resource "terraform_data" "single" {
  count = 2
  input = "s"
}

output "all" {
  value = terraform_data.counted[*].output
}
