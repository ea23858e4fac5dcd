"""Who gets how much of a bucket's rate cap: the rule itself, without a database.

The cap of a bucket is divided among those who want it. Whoever wants some has a row, also with nothing in it, so that
the others see that there is one more and shrink. Nobody gets less than the smaller of 10 requests a second and half the
cap: a cap has so many *seats*. Where more want one than there are, they take turns: who has sat for a turn gives way to
who has waited for a turn, so that a worker with a million objects to copy does not keep a report from being delivered.

A row's rate is never less than what its owner may be using. An owner hears of a smaller share only with the reply, and
that can get lost. So it says with each request how much it uses, the row goes down no further than that, and others get
the rest when the owner has come again and said that it uses less.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from cosbatch.model.identifiers import WorkerId

LEAST_RATE: Final = 10.0
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class RateWish:
    """What one process says about one bucket."""

    cap: float
    """Requests a second of all processes together, as its settings say."""
    in_use: float
    """No more than so many of them it may be sending until it hears the reply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateShare:
    """One process's row of one bucket. Times are Unix seconds on the ledger's clock."""

    owner: WorkerId
    cap: float
    rate: float
    """What the others must count; 0: it waits."""
    since: float
    """When it sat down, or began to wait."""
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The outcome of one request."""

    rate: float
    """What the owner may use from now on."""
    row: RateShare


def least_share(cap: float) -> float:
    return min(LEAST_RATE, cap / 2)


def seats_of(cap: float) -> int:
    """How many can have a share at a time; two at least."""
    return int(cap / least_share(cap) * (1 + _ROUNDING))


def is_overfull(shares: Collection[RateShare]) -> bool:
    """Whether more want the bucket than its cap has seats for. ``shares``: the rows that are not past."""
    return bool(shares) and len(shares) > seats_of(min(share.cap for share in shares))


def grant(owner: WorkerId, wish: RateWish, *, shares: Sequence[RateShare], now: float, seconds: float) -> Grant:
    """What ``owner`` gets for the next ``seconds``, which is also the length of a turn. ``shares`` are all rows of the
    bucket, its own among them, and perhaps some that are past."""
    live = [share for share in shares if share.until > now]
    mine = next((share for share in live if share.owner == owner), None) or RateShare(
        owner=owner, cap=wish.cap, rate=0.0, since=now, until=now
    )
    others = [share for share in live if share.owner != owner]
    free = wish.cap - sum(share.rate for share in others)
    rate = min(_entitled(mine, others, cap=wish.cap, now=now, turn_seconds=seconds), free)
    if rate < least_share(wish.cap) * (1 - _ROUNDING):
        rate = 0.0
    counted = max(rate, wish.in_use)
    stays = (counted > 0) == (mine.rate > 0)
    row = RateShare(owner=owner, cap=wish.cap, rate=counted, since=mine.since if stays else now, until=now + seconds)
    return Grant(rate=rate, row=row)


def _entitled(mine: RateShare, others: Sequence[RateShare], *, cap: float, now: float, turn_seconds: float) -> float:
    """An equal part for each, or for each of those who have a seat."""
    seats = seats_of(cap)
    if len(others) < seats:
        return cap / (len(others) + 1)
    seats_left = seats - sum(share.rate > 0 for share in others)
    waiting = [share for share in others if share.rate == 0]
    if mine.rate == 0:
        ahead = [share for share in waiting if (share.since, share.owner) < (mine.since, mine.owner)]
    elif now - mine.since >= turn_seconds:
        ahead = [share for share in waiting if now - share.since >= turn_seconds]
    else:
        ahead = []
    return cap / seats if len(ahead) < seats_left else 0.0
