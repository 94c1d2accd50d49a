variable "zones" {
  type = map(object({
    cidr = string
    size = optional(number, 2)
  }))

  default = {
    c = { cidr = "10.0.2.0/24", size = 3 }
    b = { cidr = "10.0.1.0/24", size = 1 }
  }
}

module "zone" {
  source   = "./zone"
  for_each = var.zones
  cidr     = each.value.cidr
  size     = each.value.size
}

module "after" {
  source     = "./zone"
  cidr       = "10.1.0.0/24"
  size       = 1
  depends_on = [module.zone]
}

output "addresses" {
  value = { for key, zone in module.zone : key => zone.addresses }
}

