module "one" {
  source = "./m"
  count  = 1
  size   = 3
}

module "several" {
  source   = "./m"
  for_each = toset(["q", "rr"])
  size     = length(each.key)
  label    = module.one[0].label
}

moved {
  from = module.many
  to   = module.several
}

output "one" {
  value = module.one[0].label
}
