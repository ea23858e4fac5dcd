"""Which addresses the service may be sent to by its users."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosbatch.storage.public_addresses import why_not_public

PUBLIC = [
    "1.1.1.1",
    "93.184.216.34",
    "172.15.255.255",
    "172.32.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "2606:4700:4700::1111",
    "::ffff:1.1.1.1",
    "64:ff9b::101:101",
    "2002:101:101::1",
]
REFUSED = [
    "",
    "localhost",
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",  # carrier-grade NAT, and where some clouds keep their metadata
    "100.100.100.200",  # metadata of Alibaba Cloud
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",  # Azure's own
    "169.254.0.23",  # metadata of Tencent Cloud
    "169.254.169.254",  # metadata of AWS, GCP, Azure
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",  # metadata of Oracle Cloud
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",  # 127.0.0.1, IPv4-compatible
    "::ffff:127.0.0.1",
    "::ffff:10.1.2.3",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001:0:7f00:1::",  # Teredo
    "2001:db8::1",
    "2002:7f00:1::1",  # 6to4 of 127.0.0.1
    "2002:a9fe:a9fe::1",
    "4000::1",
    "fc00::1",
    "fd00:ec2::254",  # metadata of AWS
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_pass(address: str) -> None:
    assert why_not_public(address) is None


@pytest.mark.parametrize("address", REFUSED)
def test_everything_else_is_refused(address: str) -> None:
    assert why_not_public(address) is not None


def test_the_way_that_an_address_hides_is_named() -> None:
    assert why_not_public("::ffff:10.1.2.3") == "is not an address of the public internet (it leads to 10.1.2.3)"


@given(st.ip_addresses(v=4))
def test_an_address_in_an_address_is_as_public_as_it_is_alone(address: ipaddress.IPv4Address) -> None:
    alone = why_not_public(str(address)) is None
    number = int(address)
    for hidden in (
        f"::ffff:{address}",
        str(ipaddress.IPv6Address(int(ipaddress.IPv6Address("64:ff9b::")) | number)),
        str(ipaddress.IPv6Address(0x2002 << 112 | number << 80 | 1)),
    ):
        assert (why_not_public(hidden) is None) == alone
