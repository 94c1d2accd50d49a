locals {
  keys = toset(["x", "z"])
}

resource "terraform_data" "source" {
  for_each = local.keys
  input    = "${each.key}2"
}

resource "terraform_data" "counted" {
  count = 2
  input = count.index * 2 + 1
}

resource "terraform_data" "each" {
  for_each = local.keys

  lifecycle {
    replace_triggered_by = [terraform_data.source[each.key]]
  }
}

resource "terraform_data" "count" {
  count = 2

  lifecycle {
    replace_triggered_by  = [terraform_data.counted[count.index].input, terraform_data.source["x"].output]
    create_before_destroy = true
  }
}

resource "terraform_data" "ignoring" {
  for_each = local.keys
  input    = { a = 2, b = { c = 2, d = 2 }, list = [3, 4] }

  lifecycle {
    ignore_changes = [input["a"], input.b.c, input.list[0]]
  }
}
