env                = "production"
log_retention_days = 90
public_api         = false

cpu_nodes = {
  instance_types = ["m6i.2xlarge"]
  desired        = 4
  max            = 12
}

gpu_nodes = {
  instance_types = ["g5.12xlarge"]
  desired        = 2
  max            = 16
}
