"""Who gets how much of a rate cap: at any interleaving never more than there is, and everybody some of it some time."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosbatch.ledger.rate_shares import LEAST_RATES, RateShare, RateWish, grant, least_share, seats_of
from cosbatch.model.identifiers import WorkerId
from cosbatch.model.regions import RateKind

LEAST = LEAST_RATES[RateKind.REQUESTS]
SECONDS = 10.0
RENEWAL = SECONDS / 4
NAMES = ["anna", "bert", "cleo", "dora", "emil"]


@dataclass(slots=True)
class Owner:
    """Keeps to what it was told: uses a share until one renewal before its end in the ledger."""

    name: WorkerId
    rate: float = 0.0
    until: float = 0.0

    def in_use(self, now: float) -> float:
        return self.rate if now < self.until else 0.0


@dataclass(slots=True)
class Bucket:
    """The rows of one bucket, and the owners with what they believe."""

    cap: float
    now: float = 1000.0
    rows: dict[WorkerId, RateShare] = field(default_factory=dict)
    owners: dict[str, Owner] = field(default_factory=lambda: {name: Owner(WorkerId(name)) for name in NAMES})

    def ask(self, name: str, *, is_heard: bool = True, is_pressing: bool = True) -> float:
        owner = self.owners[name]
        wish = RateWish(cap=self.cap, in_use=owner.in_use(self.now), is_pressing=is_pressing)
        granted = grant(owner.name, wish, shares=[*self.rows.values()], now=self.now, seconds=SECONDS)
        self.rows[owner.name] = granted.row
        if is_heard:
            owner.rate, owner.until = granted.rate, self.now + SECONDS - RENEWAL
        return granted.rate

    def give_back(self, name: str) -> None:
        owner = self.owners[name]
        owner.rate = 0.0
        self.rows.pop(owner.name, None)

    def round(self, names: list[str]) -> dict[str, float]:
        """Everybody renews once, and again where its share became smaller."""
        for name in names:
            before = self.owners[name].in_use(self.now)
            if self.ask(name) < before:
                self.ask(name)
        self.now += RENEWAL
        return {name: self.owners[name].rate for name in names}

    def in_use(self) -> float:
        return sum(owner.in_use(self.now) for owner in self.owners.values())


@pytest.mark.parametrize(
    ("cap", "least", "seats"),
    [(1, 0.5, 2), (0.2, 0.1, 2), (19, 9.5, 2), (20, 10, 2), (29, 10, 2), (30, 10, 3), (500, 10, 50)],
)
def test_a_share_is_never_below_ten_or_half_the_cap(cap: float, least: float, seats: int) -> None:
    assert (least_share(cap, least=LEAST), seats_of(cap, least=LEAST)) == (least, seats)


def test_who_is_alone_has_the_whole_cap() -> None:
    assert Bucket(cap=37).ask("anna") == 37


def test_the_first_one_shrinks_before_the_second_one_gets_anything() -> None:
    bucket = Bucket(cap=100)
    bucket.ask("anna")
    assert bucket.ask("bert") == 0, "all of it may be in use"
    assert bucket.ask("anna") == 50
    assert bucket.ask("bert") == 0, "nobody knows whether anna has heard of it"
    assert bucket.ask("anna") == 50
    assert bucket.ask("bert") == 50


def test_a_share_whose_answer_was_lost_counts_as_before() -> None:
    bucket = Bucket(cap=100)
    bucket.ask("anna")
    bucket.ask("bert")
    bucket.ask("anna", is_heard=False)
    assert bucket.ask("bert") == 0
    bucket.now += SECONDS
    assert bucket.ask("bert") == 100, "anna is over"


def test_a_share_that_would_be_too_small_is_waited_for() -> None:
    bucket = Bucket(cap=30)
    for _ in range(3):
        bucket.round(["anna", "bert"])
    bucket.ask("cleo")
    for _ in range(2):
        assert bucket.ask("anna") == 10
    assert bucket.ask("cleo") == 0, "only 5 are free"
    for _ in range(2):
        assert bucket.ask("bert") == 10
    assert bucket.ask("cleo") == 10


def test_what_is_given_back_is_the_others_at_once() -> None:
    bucket = Bucket(cap=100)
    for _ in range(3):
        bucket.round(["anna", "bert"])
    bucket.give_back("bert")
    assert bucket.ask("anna") == 100


@pytest.mark.parametrize(("cap", "count"), [(1.0, 2), (20.0, 2), (37.5, 3), (1000.0, 5)])
def test_equal_parts_for_those_who_have_seats(cap: float, count: int) -> None:
    bucket = Bucket(cap=cap)
    for _ in range(3):
        rates = bucket.round(NAMES[:count])
    assert rates == pytest.approx(dict.fromkeys(NAMES[:count], cap / count))


@pytest.mark.parametrize("cap", [0.5, 1.0, 19.0, 20.0, 39.0])
def test_where_there_are_too_few_seats_everybody_has_turns(cap: float) -> None:
    bucket = Bucket(cap=cap)
    turns = dict.fromkeys(NAMES, 0)
    used = 0.0
    for _ in range(200):
        for name, rate in bucket.round(NAMES).items():
            assert rate == 0 or rate >= least_share(cap, least=LEAST)
            turns[name] += rate > 0
        used += bucket.in_use()
    assert min(turns.values()) > 0.8 * max(turns.values())
    assert used > 0.8 * 200 * cap, "little of the cap is lost in changes"


def test_a_seat_is_kept_for_a_turn_and_while_nobody_else_waits() -> None:
    bucket = Bucket(cap=1.0)
    for _ in range(40):
        rates = bucket.round(["anna", "bert"])
    assert rates == {"anna": 0.5, "bert": 0.5}
    waited = 0
    while bucket.round(["anna", "bert", "cleo"])["cleo"] == 0:
        waited += 1
    assert SECONDS / RENEWAL <= waited <= 2 * SECONDS / RENEWAL
    assert sum(owner.rate > 0 for owner in bucket.owners.values()) == 2


def test_who_would_only_claim_work_is_spare_until_a_seat_is_free() -> None:
    bucket = Bucket(cap=1.0)
    bucket.round(["anna", "bert"])
    began = bucket.now
    while bucket.now < began + 10 * SECONDS:
        assert bucket.ask("cleo", is_pressing=False) == 0
        assert bucket.rows[WorkerId("cleo")].is_spare is (bucket.now >= began + SECONDS)
        assert bucket.round(["anna", "bert"]) == {"anna": 0.5, "bert": 0.5}
    bucket.give_back("bert")
    assert bucket.ask("dora") == 0.5, "who has requests goes first"
    bucket.give_back("dora")
    assert bucket.ask("cleo", is_pressing=False) == 0.5
    assert not any(row.is_spare for row in bucket.rows.values())


def test_nobody_is_spare_where_a_seat_will_be_free() -> None:
    bucket = Bucket(cap=1.0)
    bucket.ask("anna")
    bucket.now += 0.9 * SECONDS
    bucket.ask("bert", is_pressing=False)
    bucket.now += 0.05 * SECONDS
    assert bucket.ask("bert", is_pressing=False) == 0
    assert not bucket.rows[WorkerId("bert")].is_spare


steps = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.sampled_from(["ask", "ask", "ask", "loses the answer", "gives back", "time"]),
        st.floats(min_value=0, max_value=2 * SECONDS),
    ),
    max_size=60,
)


@given(cap=st.floats(min_value=0.1, max_value=200), steps=steps)
def test_at_no_time_more_is_used_than_there_is(cap: float, steps: list[tuple[str, str, float]]) -> None:
    """Owners ask whenever they like, do not hear the answer, stay away for good: they use what they believe to have."""
    bucket = Bucket(cap=cap)
    for name, what, seconds in steps:
        match what:
            case "ask":
                bucket.ask(name)
            case "loses the answer":
                bucket.ask(name, is_heard=False)
            case "gives back":
                bucket.give_back(name)
            case _:
                bucket.now += seconds
        assert bucket.in_use() <= cap * (1 + 1e-9)
        live = [row for row in bucket.rows.values() if row.until > bucket.now]
        assert sum(row.rate for row in live) <= cap * (1 + 1e-9)


@given(cap=st.floats(min_value=0.1, max_value=200), steps=steps, count=st.integers(min_value=1, max_value=5))
def test_whatever_was_before_nobody_waits_for_ever(cap: float, steps: list[tuple[str, str, float]], count: int) -> None:
    bucket = Bucket(cap=cap)
    for name, what, seconds in steps:
        if what == "time":
            bucket.now += seconds
        else:
            bucket.ask(name, is_heard=what != "loses the answer")
    served: set[str] = set()
    for _ in range(50):
        served |= {name for name, rate in bucket.round(NAMES[:count]).items() if rate > 0}
    assert served == set(NAMES[:count])
