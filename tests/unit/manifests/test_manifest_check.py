"""A manifest read as far as somebody waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import count

import pytest

from cosbatch.manifests.check import CheckLimits, ManifestChecked, Repeat, check_manifest
from cosbatch.model.errors import FailureCode, JobFailure
from cosbatch.model.manifests import Manifest
from cosbatch.storage.memory import MemoryStore
from tests.unit.manifests.manifest_builders import (
    AN_INVENTORY,
    WITH_VERSION,
    a_manifest,
    a_store,
    csv_text,
    inventory_row,
    store_with_csv,
    store_with_inventory,
)


def checked(
    store: MemoryStore,
    manifest: Manifest | None = None,
    *,
    limits: CheckLimits | None = None,
    ticks: Iterator[float] | None = None,
) -> ManifestChecked:
    """``ticks``: what the clock shows, each time it is looked at."""
    clock = ticks or iter([0.0] * 1_000_000)
    found = check_manifest(
        manifest or a_manifest(), store, limits=limits or CheckLimits(), time=lambda: float(next(clock))
    )
    return asyncio.run(found)


def test_all_rows_are_counted_and_repeats_are_named() -> None:
    found = checked(store_with_csv(b"b1,a\nb1,%61\nb1,b\nb1,b\nb1,b\n"))
    assert (found.is_complete, found.rows, found.repeats, found.faults) == (True, 5, 3, ())
    assert found.first_repeats[0] == Repeat(row=2, key="a", version_id=None), "also where it is written differently"
    assert [repeat.row for repeat in found.first_repeats] == [2, 4, 5]
    assert (found.listed_bytes, found.delete_markers) == (None, 0)
    assert found.header is not None
    assert found.bytes_read == found.header.size_bytes


def test_versions_of_a_key_are_no_repeats() -> None:
    content = b"b1,a,1\nb1,a,2\nb1,a,\nb1,a,2\n"
    found = checked(store_with_csv(content), a_manifest(fields=WITH_VERSION))
    assert [(repeat.row, repeat.version_id) for repeat in found.first_repeats] == [(4, "2")]


def test_the_first_ten_repeats_are_shown() -> None:
    found = checked(store_with_csv(b"b1,a\n" * 50))
    assert (found.repeats, len(found.first_repeats)) == (49, 10)


def test_sizes_and_delete_markers_of_an_inventory() -> None:
    rows = [inventory_row("a", size="3"), inventory_row("b", size="4"), inventory_row("c", marker="True", size="")]
    found = checked(store_with_inventory(csv_text(rows)), AN_INVENTORY)
    assert (found.rows, found.listed_bytes, found.delete_markers) == (3, 7, 1)


def test_what_is_wrong_is_told_with_its_place() -> None:
    found = checked(store_with_csv(b"b1,a\nb1\nb2,c\nb1,%zz\n"))
    assert [fault.path.split(":")[1] for fault in found.faults] == ["2", "3", "4"]
    assert (found.is_complete, found.more_faults) == (True, False)


def test_of_many_faults_the_first_hundred_are_told() -> None:
    found = checked(store_with_csv(b"b1,a\n" + b"b1\n" * 200))
    assert (len(found.faults), found.more_faults, found.is_complete) == (100, True, False)


def test_a_manifest_without_rows_is_a_fault() -> None:
    found = checked(store_with_csv(b""))
    assert (found.rows, found.header, len(found.faults)) == (0, None, 1)


def test_fields_that_make_no_manifest_are_a_fault() -> None:
    found = checked(store_with_csv(b"b1,a\n"), a_manifest(fields=()))
    assert [fault.path for fault in found.faults] == ["Manifest.Spec.Fields"]


MANY = b"".join(b"b1,key-%06d\n" % number for number in range(60_000))


def test_beyond_so_many_rows_nothing_is_read() -> None:
    found = checked(store_with_csv(MANY), limits=CheckLimits(rows=20_000))
    assert not found.is_complete
    assert 20_000 <= found.rows < 60_000
    assert found.faults == ()


def test_after_so_many_seconds_nothing_is_read() -> None:
    found = checked(store_with_csv(MANY), limits=CheckLimits(seconds=3), ticks=iter(float(at) for at in count()))
    assert not found.is_complete
    assert 0 < found.rows < 60_000


def test_a_manifest_that_is_not_there_is_a_failure() -> None:
    with pytest.raises(JobFailure) as caught:
        checked(a_store())
    assert caught.value.failure_code is FailureCode.MANIFEST_NOT_FOUND
