locals {
  known = { a = "id-1", b = "id-2" }
}

resource "terraform_data" "single" {
  input = "new"
}

resource "terraform_data" "keyed" {
  for_each = local.known
}

import {
  to = terraform_data.single
  id = "id-0"
}

import {
  for_each = local.known
  to       = terraform_data.keyed[each.key]
  id       = each.value
}
