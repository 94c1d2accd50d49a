resource "terraform_data" "stamp" {
  input            = timestamp()
  triggers_replace = formatdate("YYYY", plantimestamp())
}

resource "terraform_data" "unique" {
  input = length(uuid())
}

locals {
  fixed = upper("x${formatdate("", plantimestamp())}")
}

resource "terraform_data" "prefix" {
  input = startswith("abc-${uuid()}", "abc") ? "known" : "unknown"
}

output "fixed" {
  value = local.fixed
}

output "directories" {
  value = [path.module, path.root, terraform.workspace, basename(path.cwd) == basename(abspath("."))]
}
