resource "terraform_data" "a" {
  count = 2
}
output "outside" {
  value = terraform_data.a[2].id
}
output "attribute" {
  value = terraform_data.a[0].inputs
}
output "function" {
  value = upper(1, 2)
}
output "sum" {
  value = "a" + 1
}
