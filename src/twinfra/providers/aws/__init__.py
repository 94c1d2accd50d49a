"""The AWS provider, on botocore: resource types declared as data, plus the few calls that data cannot
express.

How to add a resource type: write one file `services/<service>/<type without aws_>.py` that defines `RESOURCE`
(a `resource.Resource`), `DATA` (a `resource.DataSource`), or both where the names are the same. It registers
itself by being there; files starting with `_` are shared code of their service. `services/iam/iam_policy.py`
and `services/s3/s3_bucket_versioning.py` are small examples, `services/s3/s3_bucket.py` a large one.

Fields (`fields`): every argument and computed attribute of the public provider, by name.

    "cidr_block": string("CidrBlock", required=True, force_new=True, checks=(cidr(4, 16, 28),)),
    "state":      output(STRING, "State"),                    # only the API sets it
    "vpc_config": one_block({"subnet_ids": string_set("subnetIds", required=True)}, "resourcesVpcConfig"),
    "old_thing":  unsupported(string(), "Use new_thing instead."),   # giving it is an error
    **TAGS,                                                   # with `tags=` on the resource

`api` is a dotted member path, used both in the creating request and in the object read. `read=` and `write=`
replace it for one direction: a path, a function, or "" for never. A field with neither keeps what was
applied. `computed=True` on an argument: the API chooses when it is not given. `default=`: we choose. `id` and
`region` are added to every type (`regional=False` for global services).

Operations: `create`, `read`, `delete` and each `Update` take either `call("operation", "Result.path",
Member="attribute", Other=Const(5))` or a function `(context, attributes)`. On create all mapped fields are
sent but those of an `Update(after_create=True)`, which runs right after. Prefer `Describe` for `read`: it
serves a refresh of hundreds with a few calls. Put what needs a call per instance in `extend`. `created`,
`updated` and `deleted` are `Wait`s on the object read. `not_found` lists the codes that mean gone. Leave the
class of botocore's errors alone: calls through `context` raise `failures.ApiError` with `.code` and
`.message`.

`complete_create=True`: the creating answer has all that a read has, so that no read follows (fewer calls).
Updates read again only where the plan has something unknown (`follows=` on computed fields says which).

Interruptions: `Call(token="ClientToken")` sends the operation's token, and a repeated call then makes nothing
twice. `recover(context, attributes, token)` finds what a create made whose answer was lost, and never
something older than `token_time(token)`: by the name where names are unique (compare the creation time), by
the token where it can be asked for, else by a temporary tag written at creation (`recovery.TRACE_TAG`), which
`confirm` removes once the result is recorded. Tags are exactly those declared afterwards.
"""

from twinfra.providers.aws.provider import AwsProvider

__all__ = ["AwsProvider"]
