resource "terraform_data" "base" {
  triggers_replace = 2
}

resource "terraform_data" "user" {
  input = terraform_data.base.id
}

resource "terraform_data" "first" {
  triggers_replace = 2

  lifecycle {
    create_before_destroy = true
  }
}

resource "terraform_data" "switched" {
  input = terraform_data.first.id
}

resource "terraform_data" "triggered" {
  input = "t"

  lifecycle {
    replace_triggered_by = [terraform_data.base]
  }
}

resource "terraform_data" "attribute" {
  lifecycle {
    replace_triggered_by = [terraform_data.user.output]
  }
}

resource "terraform_data" "ignoring" {
  input            = { a = 2, b = 2 }
  triggers_replace = 2

  lifecycle {
    ignore_changes = [triggers_replace, input.a]
  }
}

resource "terraform_data" "ignoring_all" {
  input = 2

  lifecycle {
    ignore_changes = all
  }
}
