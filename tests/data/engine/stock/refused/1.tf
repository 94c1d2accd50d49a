resource "terraform_data" "negative" {
  count = -1
}
resource "terraform_data" "fraction" {
  count = 1.5
}
resource "terraform_data" "list" {
  for_each = ["a"]
}
resource "terraform_data" "numbers" {
  for_each = toset([1, 2])
}
resource "terraform_data" "null" {
  for_each = null
}
resource "terraform_data" "secret" {
  for_each = toset([sensitive("a")])
}
output "index" {
  value = terraform_data.numbers.id
}
