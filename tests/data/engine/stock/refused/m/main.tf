variable "wanted" {}
