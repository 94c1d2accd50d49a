variable "size" {
  type = number
}

variable "label" {
  type    = string
  default = "none"
}

resource "terraform_data" "this" {
  count = var.size
  input = { label = var.label, index = count.index }
}

module "inner" {
  source = "./inner"
  ids    = terraform_data.this[*].id
}

output "label" {
  value = "${var.label}-${var.size}"
}

output "ids" {
  value = module.inner.ids
}
