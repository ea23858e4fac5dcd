"""A bitmap is a set of small integers: everything it says, a set says too."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosbatch.model.bitmap import Bitmap

SIZE = 70
MEMBERS = st.sets(st.integers(0, SIZE - 1))


@given(members=MEMBERS)
def test_it_holds_the_members_it_was_made_of(members: set[int]) -> None:
    bitmap = Bitmap.of(members, size=SIZE)

    assert list(bitmap) == sorted(members)
    assert len(bitmap) == len(members)
    assert {number for number in range(-3, SIZE + 9) if number in bitmap} == members


@given(one=MEMBERS, other=MEMBERS)
def test_its_algebra_is_that_of_sets(one: set[int], other: set[int]) -> None:
    left, right = Bitmap.of(one, size=SIZE), Bitmap.of(other, size=SIZE)

    assert set(left | right) == one | other
    assert set(left - right) == one - other
    assert left.is_disjoint(right) == one.isdisjoint(other)
    assert (left == right) == (one == other)
    assert (left | right).is_full() == (one | other == set(range(SIZE)))


@given(size=st.integers(0, 3000).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, max(0, n - 1))))))
def test_its_bytes_bring_it_back(size: tuple[int, set[int]]) -> None:
    tasks, members = size[0], {number for number in size[1] if number < size[0]}
    bitmap = Bitmap.of(members, size=tasks)

    stored = bitmap.to_bytes()

    assert Bitmap.from_bytes(stored, size=tasks) == bitmap
    assert len(stored) == (tasks + 7) // 8


@given(size=st.integers(0, 100), stored=st.binary(max_size=15))
def test_any_bytes_are_one_set_or_refused(size: int, stored: bytes) -> None:
    """Cut off, too long, or with a bit beyond the tasks: never another set in silence."""
    spelled = {8 * place + bit for place, byte in enumerate(stored) for bit in range(8) if byte >> bit & 1}
    if len(stored) in (0, (size + 7) // 8) and all(member < size for member in spelled):
        bitmap = Bitmap.from_bytes(stored, size=size)
        assert set(bitmap) == spelled
        assert not stored or bitmap.to_bytes() == stored
    else:
        with pytest.raises(ValueError, match=r"beyond|no bitmap"):
            Bitmap.from_bytes(stored, size=size)


@given(steps=st.lists(st.tuples(st.sampled_from("|-"), MEMBERS), max_size=9))
def test_any_history_of_changes_is_that_of_a_set(steps: list[tuple[str, set[int]]]) -> None:
    bitmap, members = Bitmap(size=SIZE), set[int]()
    for step, others in steps:
        change = Bitmap.of(others, size=SIZE)
        bitmap = bitmap | change if step == "|" else bitmap - change
        members = members | others if step == "|" else members - others
        assert Bitmap.from_bytes(bitmap.to_bytes(), size=SIZE) == bitmap == Bitmap.of(members, size=SIZE)
        assert (set(bitmap), len(bitmap)) == (members, len(members))
        assert (Bitmap.full(SIZE) - bitmap).is_disjoint(bitmap)
        assert (bitmap | (Bitmap.full(SIZE) - bitmap)).is_full()


def test_bit_i_is_bit_i_of_the_bytes() -> None:
    assert Bitmap.of([0, 9], size=16).to_bytes() == b"\x01\x02"


@given(members=MEMBERS, offset=st.integers(0, 10**9))
def test_its_ranges_are_its_members_without_gaps_or_neighbours(members: set[int], offset: int) -> None:
    ranges = Bitmap.of(members, size=SIZE).ranges(offset=offset)

    assert {number - offset for first, end in ranges for number in range(first, end)} == members
    assert all(first < end for first, end in ranges)
    assert all(before[1] < after[0] for before, after in pairwise(ranges))


@given(members=MEMBERS)
def test_equal_sets_have_equal_bytes_and_hashes(members: set[int]) -> None:
    one, other = Bitmap.of(members, size=SIZE), Bitmap.of(sorted(members, reverse=True), size=SIZE)

    assert one == other
    assert hash(one) == hash(other)
    assert one.to_bytes() == other.to_bytes()


def test_sets_of_chunks_of_other_sizes_are_not_equal() -> None:
    assert Bitmap.of([1], size=8) != Bitmap.of([1], size=9)
    assert Bitmap.of([1], size=8) != {1}


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 1000, 10_000])
def test_full_is_every_task(size: int) -> None:
    full = Bitmap.full(size)

    assert full.is_full()
    assert list(full) == list(range(size))
    assert Bitmap.of(range(size), size=size) == full
    assert (full - full) == Bitmap(size=size)


@pytest.mark.parametrize("member", [-1, 8, 100])
def test_a_task_of_another_chunk_is_refused(member: int) -> None:
    with pytest.raises(ValueError, match=f"{member} is not one of the 8 tasks"):
        Bitmap.of([3, member], size=8)


@pytest.mark.parametrize("bits", [-1, 1 << 8])
def test_a_bit_beyond_the_tasks_is_refused(bits: int) -> None:
    with pytest.raises(ValueError, match="beyond the 8 tasks"):
        Bitmap(size=8, bits=bits)


def test_stored_bytes_of_a_larger_chunk_are_refused() -> None:
    with pytest.raises(ValueError, match="beyond"):
        Bitmap.from_bytes(b"\xff\xff", size=9)
    with pytest.raises(ValueError, match="3 bytes are no bitmap of 9 tasks"):
        Bitmap.from_bytes(b"\x01\x00\x00", size=9)


def test_it_shows_its_size_and_ranges() -> None:
    assert repr(Bitmap.of([0, 1, 5], size=9)) == "Bitmap(size=9, members=[(0, 2), (5, 6)])"
