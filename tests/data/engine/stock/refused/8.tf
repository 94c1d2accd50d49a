output "secret" {
  value = sensitive(1)
}
output "o" {
  value     = 1
  ephemeral = true
}
moved {
  from = terraform_data.x
  to   = terraform_data.x
}
