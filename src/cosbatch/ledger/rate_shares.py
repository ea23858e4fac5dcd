"""Who gets how much of a bucket's rate cap: the rule itself, without a database.

The cap of a bucket, on requests or on bytes, is divided among those who want it. Whoever wants some has a row, also
with nothing in it, so that the others see that there is one more and shrink. Nobody gets less than the smaller of half
the cap and 10 requests, or a megabyte, a second: a cap has so many *seats*. Where more want one than there are, they
take turns: who has sat for a turn gives way to who has waited for a turn with requests at hand, so that a worker with a
million objects to copy does not keep a report from being delivered. Who would only claim work for the bucket waits
until a seat is free, and does other work.

A row's rate is never less than what its owner may be using. An owner hears of a smaller share only with the reply, and
that can get lost. So it says with each request how much it uses, the row goes down no further than that, and others get
the rest when the owner has come again and said that it uses less.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from cosbatch.model.identifiers import WorkerId
from cosbatch.model.regions import RateKind

LEAST_RATES: Final = {RateKind.REQUESTS: 10.0, RateKind.BYTES: 1e6}
LONG_SILENT: Final = 10
"""So many times the length of a share: then a process is forgotten."""
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class RateWish:
    """What one process says about one cap of a bucket."""

    cap: float
    """Requests or bytes a second of all processes together, as its settings say."""
    in_use: float
    """No more than so many of them it may be sending until it hears the reply."""
    is_pressing: bool = True
    """It has requests to send; else it would claim work that needs them."""
    least: float = LEAST_RATES[RateKind.REQUESTS]
    """A smaller share is of no use to anybody, as long as two can have one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateShare:
    """One process's row of one cap. Times are Unix seconds on the ledger's clock."""

    owner: WorkerId
    rate: float
    """What the others must count; 0: it waits."""
    is_pressing: bool
    since: float
    """When it sat down, or began to wait."""
    until: float
    is_spare: bool = False
    """It would claim work, and has found no seat for a turn: the bucket cannot use one process more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The outcome of one request."""

    rate: float
    """What the owner may use from now on."""
    row: RateShare


def least_share(cap: float, *, least: float) -> float:
    return min(least, cap / 2)


def seats_of(cap: float, *, least: float) -> int:
    """How many can have a share at a time; two at least."""
    return int(cap / least_share(cap, least=least) * (1 + _ROUNDING))


def grant(owner: WorkerId, wish: RateWish, *, shares: Sequence[RateShare], now: float, seconds: float) -> Grant:
    """What ``owner`` gets for the next ``seconds``, which is also the length of a turn. ``shares`` are all rows of the
    cap, its own among them, and perhaps some that are past."""
    live = {share.owner: share for share in shares if share.until > now}
    before = live.pop(owner, None)
    others = [*live.values()]
    mine = RateShare(
        owner=owner,
        rate=before.rate if before else 0.0,
        is_pressing=wish.is_pressing,
        since=before.since if before else now,
        until=now + seconds,
    )
    free = wish.cap - sum(share.rate for share in others)
    rate = min(_entitled(mine, others, wish=wish, now=now, turn_seconds=seconds), free)
    if rate < least_share(wish.cap, least=wish.least) * (1 - _ROUNDING):
        rate = 0.0
    counted = max(rate, wish.in_use)
    since = mine.since if (counted > 0) == (mine.rate > 0) else now
    is_crowded = counted == 0 and len(others) >= seats_of(wish.cap, least=wish.least)
    is_spare = is_crowded and not wish.is_pressing and now - since >= seconds
    return Grant(rate=rate, row=replace(mine, rate=counted, since=since, is_spare=is_spare))


def _entitled(
    mine: RateShare, others: Sequence[RateShare], *, wish: RateWish, now: float, turn_seconds: float
) -> float:
    """An equal part for each, or for each of those who have a seat."""
    seats = seats_of(wish.cap, least=wish.least)
    if len(others) < seats:
        return wish.cap / (len(others) + 1)
    seats_left = seats - sum(share.rate > 0 for share in others)
    waiting = [share for share in others if share.rate == 0]
    if mine.rate == 0:
        ahead = [share for share in waiting if _place_in_queue(share) < _place_in_queue(mine)]
    elif now - mine.since >= turn_seconds:
        ahead = [share for share in waiting if share.is_pressing and now - share.since >= turn_seconds]
    else:
        ahead = []
    return wish.cap / seats if len(ahead) < seats_left else 0.0


def _place_in_queue(share: RateShare) -> tuple[bool, float, WorkerId]:
    return (not share.is_pressing, share.since, share.owner)
