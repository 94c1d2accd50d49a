resource "terraform_data" "a" {
  input = "second"
}

data "terraform_remote_state" "other" {
  backend = "local"

  config = {
    path = "${path.module}/other.tfstate"
  }

  defaults = { missing = "default" }
}

data "terraform_remote_state" "later" {
  backend    = "local"
  depends_on = [terraform_data.a]

  config = {
    path = "./other.tfstate"
  }
}

data "terraform_remote_state" "unknown" {
  backend = "local"

  config = {
    path = "other.tfstate${substr(terraform_data.a.id, 0, 0)}"
  }
}

resource "terraform_data" "b" {
  input = [data.terraform_remote_state.other.outputs.x, data.terraform_remote_state.other.outputs.missing]
}

output "later" {
  value = data.terraform_remote_state.later.outputs.x
}

output "unknown" {
  value = data.terraform_remote_state.unknown.outputs["x"]
}

check "data" {
  data "terraform_remote_state" "checked" {
    backend = "local"

    config = {
      path = "other.tfstate"
    }
  }

  assert {
    condition     = data.terraform_remote_state.checked.outputs.x == "nothing"
    error_message = "x is ${data.terraform_remote_state.checked.outputs.x}."
  }
}
