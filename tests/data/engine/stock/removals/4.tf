removed {
  from = module.right.terraform_data.in
}
