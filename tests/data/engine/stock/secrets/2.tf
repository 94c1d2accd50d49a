variable "users" {
  type = map(object({
    name     = string
    password = optional(string, "none")
  }))
  sensitive = true
  default   = { a = { name = "n", password = "q" }, b = { name = "m" } }
}

variable "plain" {
  type    = list(string)
  default = ["one", "three"]
}

module "m" {
  source = "./m"
  secret = var.users["a"].password
  all    = { for key, user in nonsensitive(var.users) : key => sensitive(user.password) }
}

resource "terraform_data" "users" {
  for_each = nonsensitive(toset(keys(var.users)))
  input    = { name = var.users[each.key].name, upper = upper(each.key) }
}

resource "terraform_data" "list" {
  input            = [for one in var.plain : sensitive(one)]
  triggers_replace = var.users
}

resource "terraform_data" "conditional" {
  input = var.users["a"].password == "p" ? "yes" : "no"
}

output "derived" {
  value     = module.m.derived
  sensitive = true
}

output "made" {
  value     = { all = terraform_data.users, length = length(var.users) }
  sensitive = true
}

output "absent" {
  value = null
}

output "empty" {
  value = { list = [], map = tomap({}), set = toset([]), text = "" }
}
