"""User data in its forms."""

from __future__ import annotations

import base64
import hashlib

from hypothesis import given
from hypothesis import strategies as st

from twinfra.providers.aws.services.ec2._user_data import decoded, encoded, same_user_data, sent


@given(st.text())
def test_text_in_base64_and_by_its_checksum_is_the_same(text: str) -> None:
    inside = sent(text)
    assert same_user_data(text, encoded(text))
    assert same_user_data(hashlib.sha1(inside, usedforsecurity=False).hexdigest(), text)
    assert encoded(encoded(text)) == encoded(text)


@given(st.text(min_size=1), st.text(min_size=1))
def test_other_text_is_another(one: str, other: str) -> None:
    assert same_user_data(one, other) is (sent(one) == sent(other))


def test_what_is_no_text_is_not_decoded() -> None:
    assert decoded(base64.b64encode(b"\xff\xfe").decode()) is None
    assert decoded(base64.b64encode(b"#!/bin/sh").decode()) == "#!/bin/sh"
