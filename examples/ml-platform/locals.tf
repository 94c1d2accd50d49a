data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_availability_zones" "available" {
  state = "available"
}

locals {
  name  = "${var.project}-${var.env}"
  zones = slice(data.aws_availability_zones.available.names, 0, 2)

  subnets = {
    for number, zone in local.zones : zone => {
      public  = cidrsubnet(var.vpc_cidr, 8, number)
      private = cidrsubnet(var.vpc_cidr, 4, number + 1)
    }
  }
}
