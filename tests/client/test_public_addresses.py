"""Which addresses count as public: an IPv6 address may lead to a private IPv4 one."""

import pytest

from cal_bookings.client.connections import is_public


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_a_public_address_is_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "::1",
        "fd00::1",
        "fec0::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::1",
        "2001:0:a00:1::1",
        "::7f00:1",
        "224.0.0.1",
    ],
)
def test_a_private_one_is_not_however_it_is_written(address):
    assert not is_public(address)
