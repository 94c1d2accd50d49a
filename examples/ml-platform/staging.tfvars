env                = "staging"
log_retention_days = 7

cpu_nodes = {
  desired = 2
  max     = 4
}

gpu_nodes = {
  desired = 1
  max     = 2
}
