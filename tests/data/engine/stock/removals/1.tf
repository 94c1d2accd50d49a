module "gone" {
  source = "./m"
  count  = 2
}

module "left" {
  source = "./m"
}

resource "terraform_data" "user" {
  input = module.gone[*].id

  provisioner "local-exec" {
    when    = destroy
    command = "echo ${self.id} > user.txt"
  }
}
