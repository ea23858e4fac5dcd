"""Credentials and addresses are counted apart, and whoever has a network counts once."""

from __future__ import annotations

import pytest

from cosbatch.model.errors import TooManyAttempts
from cosbatch.web.rest.limits import CallCounts, CallRates, TooManyCalls


def test_each_credential_has_its_own_count() -> None:
    counts = CallCounts(CallRates(calls_per_minute=2, logins_per_minute=1))
    for credential in ("a", "b", "a", "b"):
        counts.count_call(credential)
    with pytest.raises(TooManyCalls, match="2 a minute") as refused:
        counts.count_call("a")
    assert 0 < refused.value.retry_after_seconds <= 60
    counts.count_login("192.0.2.1")


@pytest.mark.parametrize(
    ("first", "second", "are_one"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("", "", True),
        ("unix", "192.0.2.1", False),
    ],
)
def test_addresses_of_one_network_count_together(first: str, second: str, are_one: bool) -> None:
    counts = CallCounts(CallRates(logins_per_minute=1))
    counts.count_login(first)
    if not are_one:
        counts.count_login(second)
        return
    with pytest.raises(TooManyAttempts, match="1 a minute"):
        counts.count_login(second)
