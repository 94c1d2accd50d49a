module "one" {
  source = "./m"
  size   = 2
}

module "many" {
  source   = "./m"
  for_each = toset(["p", "q"])
  size     = length(each.key)
  label    = module.one.label
}

output "labels" {
  value = [for key, one in module.many : one.label]
}

output "one" {
  value = module.one
}
