"""Machine output in the public JSON formats (https://developer.hashicorp.com/terraform/internals/json-format).

Tools written for Terraform's JSON read ours: the keys, their order and the rules for unknown and sensitive
values are those of format version 1.2.
"""
