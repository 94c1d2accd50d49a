"""Bodies against schemas: what is written in a block becomes a value of the schema's type.

`prepare` checks a body once, whatever the values, and makes a `Decoder` of it; that one evaluates the body in
as many scopes as there are instances.
"""

from twinfra.decode.decoder import Decoder
from twinfra.decode.preparing import prepare

__all__ = ["Decoder", "prepare"]
