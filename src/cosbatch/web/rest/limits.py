"""How many calls one credential may make in a minute, and how many logins one address."""

from __future__ import annotations

import ipaddress
import math
import time
from dataclasses import dataclass
from typing import Final

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from cosbatch.model.errors import TooManyAttempts

_NETWORK_BITS: Final = 64
"""Whoever has one address of IPv6 has this many bits of them."""


class TooManyCalls(TooManyAttempts):
    """More calls than the credential may make in a minute."""

    code = "TooManyCalls"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRates:
    """In any 60 seconds."""

    calls_per_minute: int = 3000
    """By one credential: a session, an API token."""
    logins_per_minute: int = 60
    """From one address, right or wrong. Wrong ones are counted more strictly by :mod:`cosbatch.service.sign_in`."""


class CallCounts:
    """Of this process; a restart forgets them."""

    def __init__(self, rates: CallRates) -> None:
        self._calls = RateLimitItemPerMinute(rates.calls_per_minute)
        self._logins = RateLimitItemPerMinute(rates.logins_per_minute)
        self._windows = MovingWindowRateLimiter(MemoryStorage())

    def count_call(self, credential: str) -> None:
        """Raises TooManyCalls."""
        self._count(self._calls, "call", credential, error=TooManyCalls, what="calls")

    def count_login(self, address: str) -> None:
        """Raises TooManyAttempts."""
        self._count(self._logins, "login", _network(address), error=TooManyAttempts, what="logins")

    def _count(
        self, limit: RateLimitItemPerMinute, kind: str, who: str, *, error: type[TooManyAttempts], what: str
    ) -> None:
        if self._windows.hit(limit, kind, who):
            return
        wait = max(self._windows.get_window_stats(limit, kind, who).reset_time - time.time(), 1.0)
        message = f"too many {what}: {limit.amount} a minute are let in; try again in {math.ceil(wait)} s"
        raise error(message, retry_after_seconds=wait)


def _network(address: str) -> str:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if found.version == 4:
        return address
    return str(ipaddress.ip_network((found, _NETWORK_BITS), strict=False))
