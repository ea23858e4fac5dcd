"""Credentials that end: renewed in time, once, and kept where nothing better is to be had."""

from __future__ import annotations

import asyncio

import pytest

from cosbatch.identity.credentials import PAUSE_SECONDS, RENEWED_AHEAD_SECONDS, Credentials, RenewingCredentials
from cosbatch.model.errors import CosbatchError

START = 1_700_000_000.0


class Clock:
    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> float:
        return START + self.passed

    def boottime(self) -> float:
        return self.passed


class Issuer:
    """Gives out numbered credentials that live for ``life`` seconds."""

    def __init__(self, clock: Clock, *, life: float | None) -> None:
        self.clock = clock
        self.life = life
        self.issued = 0
        self.is_down = False
        self.is_stubborn = False

    def issue(self) -> Credentials:
        expires_at = None if self.life is None else self.clock.now() + self.life
        return Credentials(access_key_id=f"AK{self.issued}", secret_access_key="s", expires_at=expires_at)

    async def fetch(self) -> Credentials:
        await asyncio.sleep(0)
        self.issued += not self.is_stubborn
        if self.is_down:
            raise CosbatchError("the issuer is down")
        return self.issue()

    def source(self) -> RenewingCredentials:
        return RenewingCredentials(self.issue(), fetch=self.fetch, clock=self.clock)


@pytest.mark.parametrize(("life", "ahead"), [(3600.0, RENEWED_AHEAD_SECONDS), (60.0, 15.0)])
async def test_renewed_before_they_end_and_not_sooner(life: float, ahead: float) -> None:
    clock = Clock()
    issuer = Issuer(clock, life=life)
    source = issuer.source()
    first = await source.credentials()
    clock.passed = life - ahead - 1
    assert await source.credentials() is first
    clock.passed = life - ahead
    second = await source.credentials()
    assert second.access_key_id == "AK1"
    assert await source.credentials() is second
    clock.passed += life - ahead
    assert (await source.credentials()).access_key_id == "AK2"


async def test_at_hand_until_they_are_due_and_again_once_renewed() -> None:
    clock = Clock()
    issuer = Issuer(clock, life=3600.0)
    source = issuer.source()
    assert source.at_hand() is await source.credentials()
    clock.passed = 3600.0 - RENEWED_AHEAD_SECONDS
    assert source.at_hand() is None
    assert issuer.issued == 0  # looking renews nothing
    second = await source.credentials()
    assert source.at_hand() is second
    assert second.access_key_id == "AK1"


async def test_those_without_an_end_are_never_asked_for_again() -> None:
    clock = Clock()
    issuer = Issuer(clock, life=None)
    source = issuer.source()
    clock.passed = 1e9
    assert (await source.credentials()).access_key_id == "AK0"
    assert issuer.issued == 0


async def test_many_who_find_out_together_ask_once() -> None:
    issuer = Issuer(Clock(), life=None)
    source = issuer.source()
    stale = await source.credentials()
    found = await asyncio.gather(*[source.renewed(stale) for _ in range(20)])
    assert {credentials.access_key_id for credentials in found} == {"AK1"}
    assert issuer.issued == 1
    assert (await source.renewed(stale)) is found[0]  # who comes late gets what is there
    assert (await source.renewed(found[0])).access_key_id == "AK2"


async def test_an_issuer_that_is_down_costs_nothing_before_the_end_and_is_asked_again() -> None:
    clock = Clock()
    issuer = Issuer(clock, life=3600)
    source = issuer.source()
    issuer.is_down = True
    clock.passed = 3500
    for _ in range(5):
        assert (await source.credentials()).access_key_id == "AK0"
    assert issuer.issued == 1
    issuer.is_down = False
    assert (await source.credentials()).access_key_id == "AK0"
    clock.passed += PAUSE_SECONDS
    assert (await source.credentials()).access_key_id == "AK2"


async def test_the_same_ones_again_are_no_others() -> None:
    clock = Clock()
    issuer = Issuer(clock, life=None)
    source = issuer.source()
    stale = await source.credentials()
    issuer.is_stubborn = True
    assert await source.renewed(stale) is stale
    issuer.is_stubborn = False
    assert await source.renewed(stale) is stale
    clock.passed += PAUSE_SECONDS
    assert (await source.renewed(stale)).access_key_id == "AK1"


async def test_a_fault_of_the_program_is_not_hidden() -> None:
    async def fetch() -> Credentials:
        raise ZeroDivisionError

    first = Credentials(access_key_id="AK", secret_access_key="s")
    source = RenewingCredentials(first, fetch=fetch, clock=Clock())
    with pytest.raises(ZeroDivisionError):
        await source.renewed(first)
