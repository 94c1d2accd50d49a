moved {
  from = module.left
  to   = module.right
}

moved {
  from = module.right.terraform_data.in
  to   = terraform_data.out
}

module "right" {
  source = "./m"
}

resource "terraform_data" "out" {
  input = "in"
}
