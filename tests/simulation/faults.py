"""Weather from a seed: how calls are delayed, refused, lost, and what becomes of those whose sender has died.

A lost reply comes in two kinds that look the same to the caller: the request was applied, or it was not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Final, NamedTuple

from cosbatch.model.clock import Clock
from cosbatch.model.errors import LedgerUnavailable, SpoolError, StorageError, StorageReason, Unanswered
from tests.simulation.wire import AT_ONCE, READS, Call, Fate, Port
from tests.unit.storage.virtual_process import VirtualProcess

REQUEST_TIMEOUT_SECONDS: Final = 20.0
"""No request of a run is applied later than this after it was sent."""
_TIMES_OUT: Final = 0.1
"""Share of lost requests that are given up only after the timeout."""


@dataclass(slots=True)
class Odds:
    """How often what goes wrong; shares of calls."""

    refused: float = 0.0
    slow_down: float = 0.0
    server_error: float = 0.0
    lost_after: float = 0.0
    """Applied, and the reply is lost."""
    lost_before: float = 0.0
    """Not applied, and no reply comes."""
    spike: float = 0.0
    """Takes nearly the request timeout."""
    ledger_lost: float = 0.0
    spool_refuses: float = 0.0
    latency_seconds: float = 0.05
    ledger_seconds: float = 0.0

    @classmethod
    def drawn(cls, rng: Random) -> Odds:
        def share(most: float) -> float:
            return rng.choice([0.0, rng.uniform(0, most)])

        return cls(
            refused=share(0.05),
            slow_down=share(0.1),
            server_error=share(0.05),
            lost_after=share(0.08),
            lost_before=share(0.08),
            spike=share(0.01),
            ledger_lost=share(0.03),
            spool_refuses=share(0.02),
            latency_seconds=rng.choice([0.05, 1.0, 4.0]),
            ledger_seconds=rng.choice([0.0, 0.0, 0.02, 0.5]),
        )


class Spell(NamedTuple):
    """A time in which the whole store answers every request in one way."""

    begins: float
    ends: float
    reason: StorageReason

    def error(self, target: str) -> StorageError:
        return _SPELLS[self.reason](target)


_SPELLS: Final = {
    StorageReason.REFUSED: lambda target: StorageError(StorageReason.REFUSED, "connection refused", target=target),
    StorageReason.SLOW_DOWN: lambda target: StorageError(
        StorageReason.SLOW_DOWN, "please reduce your request rate", http_status=503, target=target
    ),
    StorageReason.SERVER_ERROR: lambda target: StorageError(
        StorageReason.SERVER_ERROR, "we encountered an internal error", http_status=500, target=target
    ),
    StorageReason.CREDENTIALS_EXPIRED: lambda target: StorageError(
        StorageReason.CREDENTIALS_EXPIRED, "the token has expired", code="ExpiredToken", http_status=403, target=target
    ),
}
SPELLS: Final = tuple(_SPELLS)


@dataclass(slots=True)
class SeededWeather:
    """Draws for every call, in the order in which they are sent: the same seed gives the same run."""

    rng: Random
    clock: Clock
    odds: Odds
    spells: list[Spell] = field(default_factory=list)
    stubborn: set[VirtualProcess] = field(default_factory=set)
    """What they have sent to a store arrives at the last moment, should they die."""
    may_be_late: bool = True
    """Whether what the dead have sent may be applied long after their death."""

    def fate(self, call: Call) -> Fate:
        match call.port:
            case Port.STORE:
                return self._of_request(call)
            case Port.LEDGER:
                return self._of_ledger_call()
            case Port.SPOOL:
                refuses = call.name != "free_share" and self._happens(self.odds.spool_refuses)
                return Fate(refusal=SpoolError("the work area refused") if refuses else None)

    def _happens(self, share: float) -> bool:
        return share > 0 and self.rng.random() < share

    def _of_request(self, call: Call) -> Fate:
        odds, happens = self.odds, self._happens
        way = odds.latency_seconds * self.rng.random()
        back = odds.latency_seconds * self.rng.random()
        if happens(odds.refused):
            return Fate(way, refusal=_SPELLS[StorageReason.REFUSED](call.name))
        if happens(odds.slow_down):
            return Fate(way, refusal=_SPELLS[StorageReason.SLOW_DOWN](call.name))
        if happens(odds.lost_before):
            gives_up = REQUEST_TIMEOUT_SECONDS if happens(_TIMES_OUT) else way
            return Fate(gives_up, refusal=_no_answer(call))
        if happens(odds.server_error):
            error = _SPELLS[StorageReason.SERVER_ERROR](call.name)
            return Fate(way, refusal=error) if happens(0.5) else Fate(way, loss=error, answered_in=back)
        if happens(odds.spike):
            back = self.rng.uniform(0.5, 0.95) * (REQUEST_TIMEOUT_SECONDS - way)
        return Fate(way, loss=_no_answer(call) if happens(odds.lost_after) else None, answered_in=back)

    def _of_ledger_call(self) -> Fate:
        seconds = self.odds.ledger_seconds
        if not seconds and not self.odds.ledger_lost:
            return AT_ONCE
        way, back = (self.rng.random() * seconds, self.rng.random() * seconds) if seconds else (0.0, 0.0)
        if self._happens(self.odds.ledger_lost):
            if self._happens(0.5):
                return Fate(way, refusal=LedgerUnavailable("the ledger did not answer"))
            return Fate(way, loss=LedgerUnavailable("the ledger's answer was lost"), answered_in=back)
        return Fate(way, answered_in=back)

    def at_the_door(self, call: Call) -> Exception | None:
        if call.port is not Port.STORE or not self.spells:
            return None
        now = self.clock.boottime()
        spell = next((spell for spell in self.spells if spell.begins <= now < spell.ends), None)
        return None if spell is None else spell.error(call.name)

    def delay_of_orphan(self, call: Call) -> float | None:
        """A ledger on this machine, and a work area, have no network that could keep a call back."""
        most = call.sent_at + REQUEST_TIMEOUT_SECONDS - self.clock.boottime()
        if call.port is Port.STORE and call.process in self.stubborn:
            return max(0.0, most)
        if self.rng.random() < 0.5:
            return None
        if call.port is not Port.STORE or not self.may_be_late:
            return 0.0
        return max(0.0, self.rng.choice([0.0, self.rng.random(), 1.0]) * most)


def _no_answer(call: Call) -> StorageError:
    if call.name in READS:
        return StorageError(StorageReason.UNANSWERED, "the connection was lost", target=call.name)
    return Unanswered("the connection was lost", target=call.name)
