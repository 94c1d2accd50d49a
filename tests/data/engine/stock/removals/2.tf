removed {
  from = module.gone

  lifecycle {
    destroy = false
  }
}

removed {
  from = terraform_data.user

  lifecycle {
    destroy = true
  }

  provisioner "local-exec" {
    when    = destroy
    command = "echo ${self.output[0]} > removed.txt"
  }
}

module "left" {
  source = "./m"
}
