variable "env" {
  description = "The environment: staging or production."
  type        = string

  validation {
    condition     = contains(["staging", "production"], var.env)
    error_message = "The environment is staging or production."
  }
}

variable "project" {
  description = "The name that everything here begins with."
  type        = string
  default     = "ml-platform"
}

variable "region" {
  description = "Where it all stands."
  type        = string
  default     = "us-east-1"
}

variable "vpc_cidr" {
  description = "The addresses of the network."
  type        = string
  default     = "10.20.0.0/16"
}

variable "kubernetes_version" {
  description = "The version of the cluster and its nodes."
  type        = string
  default     = "1.31"
}

variable "cpu_nodes" {
  description = "Nodes for services and data preparation."
  type = object({
    instance_types = optional(list(string), ["m6i.large"])
    desired        = number
    max            = number
  })
}

variable "gpu_nodes" {
  description = "Nodes for training and inference."
  type = object({
    instance_types = optional(list(string), ["g5.xlarge"])
    desired        = number
    max            = number
  })
}

variable "log_retention_days" {
  description = "How long logs are kept, in days."
  type        = number
}

variable "public_api" {
  description = "Whether the cluster's API is reachable from outside the network."
  type        = bool
  default     = true
}
