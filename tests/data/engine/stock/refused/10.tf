module "m" {
  source = "./m"
  wanted = 1
}
output "o" {
  value = module.m.nothing
}
