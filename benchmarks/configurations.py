"""Configurations of any size, of `terraform_data` unless said."""

from __future__ import annotations


def counted(size: int) -> str:
    """Two counted resources, the second reading the first one instance by instance."""
    return f"""
resource "terraform_data" "first" {{
  count = {size}
  input = "item-${{count.index}}"
}}

resource "terraform_data" "second" {{
  count = {size}
  input = terraform_data.first[count.index].output
}}
"""


def for_each(size: int) -> str:
    """The same with `for_each`, over a map that an expression makes."""
    return f"""
locals {{
  items = {{ for i in range({size}) : "item-${{i}}" => {{ index = i, name = upper("name-${{i}}") }} }}
}}

resource "terraform_data" "first" {{
  for_each = local.items
  input    = each.value
}}

resource "terraform_data" "second" {{
  for_each = local.items
  input    = terraform_data.first[each.key].output
}}
"""


def chained(size: int, step: int = 7) -> str:
    """Distinct resources, each reading the one some steps before."""
    return "\n".join(
        f'resource "terraform_data" "r{number}" {{\n'
        f"  input = {f'terraform_data.r{number - step}.output' if number >= step else f'{number}'}\n}}\n"
        for number in range(size)
    )


def modules(size: int) -> str:
    """Many instances of one module."""
    return f"""
module "part" {{
  source = "./part"
  count  = {size}
  number = count.index
}}

output "parts" {{
  value = module.part[*].result
}}
"""


PART = """
variable "number" {
  type = number
}

resource "terraform_data" "base" {
  input = var.number
}

resource "terraform_data" "pair" {
  count = 2
  input = terraform_data.base.output
}

output "result" {
  value = terraform_data.pair[*].output
}
"""
"""The module that those are instances of."""


def expressions(size: int) -> str:
    """Local values that go through a large list in many ways, and outputs of what they find."""
    return f"""
locals {{
  numbers = flatten([for i in range({size // 100}) : [for j in range(100) : i * 100 + j]])
  rows = [for i in local.numbers : {{
    id   = i
    name = format("row-%06d", i)
    even = i % 2 == 0
    tags = ["a", "b", tostring(i % 10)]
  }}]
  names  = {{ for row in local.rows : row.name => row }}
  groups = {{ for row in local.rows : row.tags[2] => row.name... }}
  texts  = [for row in local.rows : "${{row.name}}: %{{ if row.even }}even%{{ else }}odd%{{ endif }}"]
  hashes = [for text in local.texts : md5(text)]
  json   = jsonencode(local.names)
  sizes  = {{ for key, names in local.groups : key => length(names) }}
}}

output "sizes" {{
  value = local.sizes
}}

output "hash" {{
  value = sha256(join(",", local.hashes))
}}

output "json" {{
  value = length(jsondecode(local.json))
}}
"""


def wide(size: int) -> str:
    """Blocks with many arguments, comments and nested expressions: a large text to parse."""
    return (
        "\n".join(
            f"""
# Number {number} of many.
resource "terraform_data" "wide_{number}" {{
  input = {{
    name    = "wide-${{var.name}}-{number}"
    numbers = [1, 2.5, {number}]
    nested  = {{ on = true, off = !true, text = <<-EOT
      A text of ${{upper(var.name)}}
      in two lines.
    EOT
    }}
    chosen  = var.name == "x" ? "yes" : "no"
  }}

  lifecycle {{
    ignore_changes = [input]
  }}
}}
"""
            for number in range(size)
        )
        + 'variable "name" {\n  default = "x"\n}\n'
    )


def buckets_and_subnets(buckets: int, subnets: int) -> str:
    """Buckets, and one network with subnets (AWS)."""
    return f"""
resource "aws_s3_bucket" "data" {{
  count  = {buckets}
  bucket = "bench-data-${{count.index}}"
}}

resource "aws_vpc" "main" {{
  cidr_block = "10.0.0.0/16"
}}

resource "aws_subnet" "nodes" {{
  count      = {subnets}
  vpc_id     = aws_vpc.main.id
  cidr_block = cidrsubnet(aws_vpc.main.cidr_block, 10, count.index)
}}
"""


BUCKET = """
resource "aws_s3_bucket" "training_data" {
  bucket = "ml-training-data-bucket"
}
"""
