resource "terraform_data" "new" {
  input = 1
}

moved {
  from = terraform_data.old
  to   = terraform_data.new
}

removed {
  from = terraform_data.forgotten

  lifecycle {
    destroy = false
  }
}

removed {
  from = terraform_data.destroyed

  lifecycle {
    destroy = true
  }
}

resource "terraform_data" "counted" {
  count = 2
  input = 4
}

resource "terraform_data" "keyed" {
  for_each = toset(["a", "b"])
  input    = each.key
}

moved {
  from = terraform_data.keyed[0]
  to   = terraform_data.keyed["a"]
}
