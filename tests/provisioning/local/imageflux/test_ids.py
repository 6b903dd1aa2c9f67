from __future__ import annotations

import re
import uuid

from hypothesis import given
from hypothesis import strategies as st

from provisioning.local.imageflux.ids import channel_id, connection_id


@given(st.binary(min_size=16, max_size=16))
def test_connection_ids_are_26_crockford_characters(random: bytes) -> None:
    assert re.fullmatch("[0-9A-HJKMNP-TV-Z]{26}", connection_id(random))


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
def test_connection_ids_keep_every_bit(one: bytes, other: bytes) -> None:
    assert (connection_id(one) == connection_id(other)) == (one == other)


def test_channel_ids_are_68_hexadecimal_digits() -> None:
    assert re.fullmatch("[0-9a-f]{68}", channel_id(uuid.uuid4().bytes * 2 + b"ab"))
