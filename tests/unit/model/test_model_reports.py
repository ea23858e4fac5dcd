"""Tallies of disjoint results add up, in whatever order they are committed."""

from __future__ import annotations

from dataclasses import asdict, fields, replace

from hypothesis import given
from hypothesis import strategies as st

from cosbatch.model.bitmap import Bitmap
from cosbatch.model.identifiers import ObjectKey
from cosbatch.model.reports import CODES_KEPT, OTHER_CODES, SAMPLES_PER_CODE, CodeTally, FailureSample, Part, Tally

COUNTS = st.integers(0, 10**6)
CODES = st.dictionaries(
    st.sampled_from(["NoSuchKey", "AccessDenied", "SlowDown", "NotDone"]),
    st.builds(CodeTally, count=COUNTS, samples=st.lists(st.text(max_size=3), max_size=5).map(tuple)),
)
TALLIES = st.builds(
    Tally,
    succeeded=COUNTS,
    failed=COUNTS,
    skipped=COUNTS,
    outside_rate=COUNTS,
    failed_outside_rate=COUNTS,
    bytes_done=st.integers(0, 10**15),
    requests=COUNTS,
    codes=CODES,
    ignored_options=st.dictionaries(st.sampled_from(["storage-class", "canned-acl"]), st.integers(1, 9)),
)


def counts(tally: Tally) -> dict[str, object]:
    """Everything but the sample keys, which depend on who comes first."""
    return {**asdict(tally), "codes": {code: one.count for code, one in tally.codes.items()}}


@given(one=TALLIES, other=TALLIES)
def test_the_order_does_not_matter_to_the_counts(one: Tally, other: Tally) -> None:
    assert counts(one.plus(other)) == counts(other.plus(one))


@given(one=TALLIES, other=TALLIES, third=TALLIES)
def test_the_grouping_does_not_matter_at_all(one: Tally, other: Tally, third: Tally) -> None:
    assert one.plus(other).plus(third) == one.plus(other.plus(third))


@given(one=TALLIES)
def test_nothing_added_changes_nothing(one: Tally) -> None:
    assert one.plus(Tally()) == one == Tally().plus(one)
    assert Tally().plus(Tally()) == Tally()


@given(one=TALLIES, other=TALLIES)
def test_every_number_is_added(one: Tally, other: Tally) -> None:
    both = one.plus(other)

    for number in fields(Tally):
        if number.name not in {"codes", "ignored_options"}:
            assert getattr(both, number.name) == getattr(one, number.name) + getattr(other, number.name)
    for code in one.codes | other.codes:
        parts = [tally.codes[code].count for tally in (one, other) if code in tally.codes]
        assert both.codes[code].count == sum(parts)


def test_the_first_five_samples_of_a_code_are_kept() -> None:
    one = Tally(codes={"NoSuchKey": CodeTally(count=4, samples=("a", "b", "c", "d"))})
    other = Tally(codes={"NoSuchKey": CodeTally(count=2, samples=("e", "f"))})

    both = one.plus(other).codes["NoSuchKey"]

    assert both == CodeTally(count=6, samples=("a", "b", "c", "d", "e"))
    assert len(both.samples) == SAMPLES_PER_CODE


def test_more_codes_than_are_kept_are_counted_under_one_name() -> None:
    many = Tally(codes={f"Code{number}": CodeTally(count=1) for number in range(CODES_KEPT)})
    more = Tally(codes={f"Other{number}": CodeTally(count=2, samples=(f"key-{number}",)) for number in range(3)})

    both = many.plus(more).plus(more)

    assert len(both.codes) == CODES_KEPT + 1
    assert both.codes[OTHER_CODES].count == 12
    assert sum(one.count for one in both.codes.values()) == CODES_KEPT + 12


def test_what_was_never_sent_is_outside_the_failure_rate() -> None:
    tally = Tally(succeeded=10, failed=6, skipped=2, outside_rate=5, failed_outside_rate=3)

    assert tally.executed_in_rate == 11
    assert tally.failed_in_rate == 3


def test_statuses_and_times_of_a_code_add_up() -> None:
    one = CodeTally(count=3, http_statuses=((403, 2), (404, 1)), first_seen=2.0, last_seen=5.0)
    other = CodeTally(count=4, http_statuses=((0, 1), (404, 3)), first_seen=1.0, last_seen=4.0)

    both = one.plus(other)

    assert both == other.plus(one)
    assert both.http_statuses == ((0, 1), (403, 2), (404, 4))
    assert (both.first_seen, both.last_seen) == (1.0, 5.0)
    assert one.plus(CodeTally(count=0)) == one


def test_a_commit_says_when_failures_were_seen_and_keeps_samples_elsewhere() -> None:
    sample = FailureSample(error_code="NoSuchKey", key=ObjectKey("k"))
    tally = Tally(failed=1, codes={"NoSuchKey": CodeTally(count=1)}, ignored_options={"tagging": 1})
    part = Part(spool_name="p", settled=Bitmap.of([0], size=1), tally=tally, samples=(sample,))

    kept = part.committed_at(7.0)

    assert kept.samples == ()
    assert kept.tally == replace(tally, codes={"NoSuchKey": CodeTally(count=1, first_seen=7.0, last_seen=7.0)})
