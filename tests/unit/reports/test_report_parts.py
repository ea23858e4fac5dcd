"""Parts: what goes in comes out, equal results are equal bytes, damage is seen."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosbatch.model.bitmap import Bitmap
from cosbatch.model.errors import SpoolError
from cosbatch.model.identifiers import JobId, ObjectKey, VersionId
from cosbatch.model.reports import CODES_KEPT, FAILURES_KEPT, OTHER_CODES, CodeTally, FailureSample, Tally
from cosbatch.model.tasks import Result, TaskStatus
from cosbatch.reports.parts import KEY_CHARACTERS, decode_part, encode_part, part_name
from cosbatch.reports.rows import MESSAGE_CHARACTERS, encode_rows
from cosbatch.storage.spool import check_spool_name
from tests.unit.reports.report_builders import (
    BUCKET,
    JOB_ID,
    Entry,
    a_failure,
    a_success,
    a_task,
    failed,
    read_csv,
    succeeded,
)

MIXED = [succeeded(100), failed(101), succeeded(104), failed(107, code="AccessDenied"), failed(109)]


def test_a_part_has_both_blocks_and_says_which_tasks_they_settle() -> None:
    encoded = encode_part(MIXED, bucket=BUCKET, first_task=100, task_count=10)

    blocks = decode_part(encoded.content)

    assert blocks.settled == encoded.settled == Bitmap.of([0, 1, 4, 7, 9], size=10)
    assert blocks.first_task == 100
    assert (blocks.succeeded_rows, blocks.failed_rows) == (2, 3)
    assert [row[1] for row in read_csv(blocks.succeeded)] == ["key-100", "key-104"]
    assert [row[1] for row in read_csv(blocks.failed)] == ["key-101", "key-107", "key-109"]


def test_the_blocks_are_report_rows_already() -> None:
    blocks = decode_part(encode_part(MIXED, bucket=BUCKET, first_task=100, task_count=10).content)

    good = [entry for entry in MIXED if entry[1].status is TaskStatus.SUCCEEDED]
    assert blocks.succeeded == encode_rows(good, bucket=BUCKET, status=TaskStatus.SUCCEEDED)


def test_equal_results_are_equal_bytes() -> None:
    once, again = (encode_part(list(MIXED), bucket=BUCKET, first_task=100, task_count=10) for _ in range(2))

    assert once.content == again.content
    assert once == again


def test_a_part_without_results_is_a_part() -> None:
    encoded = encode_part([], bucket=BUCKET, first_task=0, task_count=3)

    blocks = decode_part(encoded.content)

    assert (blocks.succeeded, blocks.failed, len(blocks.settled)) == (b"", b"", 0)
    assert encoded.tally == Tally()


def test_a_part_counts_what_its_results_add_up_to() -> None:
    skipped = a_success(3, message="Skipped: delete marker", size_bytes=0, in_failure_rate=False)
    older = Result(4, TaskStatus.FAILED, "NotLatestVersion", 0, "a newer one is in the list", 0, 0, False)
    results = [a_success(0, size_bytes=7), a_success(1, size_bytes=5), a_failure(2, requests=3), skipped, older]
    entries = [(a_task(number), result) for number, result in enumerate(results)]

    tally = encode_part(entries, bucket=BUCKET, first_task=0, task_count=5, ignored_options={"storage-class": 1}).tally

    assert tally == Tally(
        succeeded=3,
        failed=2,
        skipped=1,
        outside_rate=2,
        failed_outside_rate=1,
        bytes_done=12,
        requests=6,
        codes={
            "NoSuchKey": CodeTally(count=1, samples=("key-2",), http_statuses=((404, 1),)),
            "NotLatestVersion": CodeTally(count=1, samples=("key-4",), http_statuses=((0, 1),)),
        },
        ignored_options={"storage-class": 1},
    )
    assert (tally.executed_in_rate, tally.failed_in_rate) == (3, 1)


def test_the_first_five_keys_stand_for_a_code() -> None:
    entries = [failed(number) for number in range(8)]

    codes = encode_part(entries, bucket=BUCKET, first_task=0, task_count=8).tally.codes

    keys = ("key-0", "key-1", "key-2", "key-3", "key-4")
    assert codes == {"NoSuchKey": CodeTally(count=8, samples=keys, http_statuses=((404, 8),))}


def test_the_first_failures_of_each_code_are_kept_whole() -> None:
    entries = [failed(number, code="A" if number % 2 else "B") for number in range(50)]
    task, result = entries[0]
    entries[0] = (
        task._replace(key=ObjectKey("k" * 3000), version_id=VersionId("v")),
        result._replace(message="m" * 2000, requests=3, request_id="r1"),
    )

    samples = encode_part(entries, bucket=BUCKET, first_task=0, task_count=50).samples

    assert [sample.error_code for sample in samples] == ["B"] * 20 + ["A"] * 20
    assert [sample.key for sample in samples[20:22]] == ["key-1", "key-3"]
    assert samples[0] == FailureSample(
        error_code="B",
        key=ObjectKey("k" * KEY_CHARACTERS),
        version_id=VersionId("v"),
        message="m" * MESSAGE_CHARACTERS,
        http_status=404,
        requests=3,
        request_id="r1",
    )


def test_samples_bear_the_code_that_they_are_counted_under() -> None:
    entries = [failed(number, code=f"Code{number}") for number in range(CODES_KEPT + 30)]

    encoded = encode_part(entries, bucket=BUCKET, first_task=0, task_count=len(entries))

    assert Counter(sample.error_code for sample in encoded.samples) == {
        code: min(tally.count, FAILURES_KEPT) for code, tally in encoded.tally.codes.items()
    }


def test_more_codes_than_are_kept_are_counted_together() -> None:
    entries = [failed(number, code=f"Code{number}") for number in range(CODES_KEPT + 7)]

    codes = encode_part(entries, bucket=BUCKET, first_task=0, task_count=len(entries)).tally.codes

    assert len(codes) == CODES_KEPT + 1
    assert codes[OTHER_CODES].count == 7
    assert sum(one.count for one in codes.values()) == len(entries)


@pytest.mark.parametrize(
    ("entries", "complaint"),
    [
        ([succeeded(0), failed(0)], "two results"),
        ([succeeded(5)], "not one of the 3 tasks"),
        ([failed(0, code="")], "without an error code"),
    ],
)
def test_results_that_cannot_be_true_are_refused(entries: list[Entry], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        encode_part(entries, bucket=BUCKET, first_task=0, task_count=3)


@given(
    chosen=st.sets(st.integers(0, 299), max_size=60),
    bad=st.sets(st.integers(0, 299)),
    message=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)
def test_every_part_is_read_back_as_it_was_made(chosen: set[int], bad: set[int], message: str) -> None:
    entries = [
        failed(number, message=message) if number in bad else succeeded(number, key=f"ключ/{number}")
        for number in sorted(chosen)
    ]
    encoded = encode_part(entries, bucket=BUCKET, first_task=0, task_count=300)

    blocks = decode_part(encoded.content)

    assert set(blocks.settled) == chosen
    assert len(read_csv(blocks.failed)) == blocks.failed_rows == encoded.tally.failed == len(chosen & bad)
    assert len(read_csv(blocks.succeeded)) == blocks.succeeded_rows == encoded.tally.succeeded == len(chosen - bad)


def test_any_flipped_byte_is_damage() -> None:
    content = encode_part(MIXED, bucket=BUCKET, first_task=100, task_count=10).content

    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 0x20
        with pytest.raises(SpoolError, match="damaged"):
            decode_part(bytes(damaged))


@pytest.mark.parametrize("kept", [0, 7, 8, 40, -1])
def test_a_part_that_was_cut_off_is_damage(kept: int) -> None:
    content = encode_part(MIXED, bucket=BUCKET, first_task=100, task_count=10).content

    with pytest.raises(SpoolError, match="damaged"):
        decode_part(content[:kept])


def signed(rest: bytes) -> bytes:
    return b"%08x%b" % (zlib.crc32(rest), rest)


@pytest.mark.parametrize("rest", [b"", b" ", b" not json\n", b" []\n", b" {}\n", b" 7\n"])
def test_what_never_was_a_part_is_not_read_as_one(rest: bytes) -> None:
    with pytest.raises(SpoolError, match="no header"):
        decode_part(signed(rest))


def test_a_part_of_a_later_version_says_so() -> None:
    with pytest.raises(SpoolError, match="format 3"):
        decode_part(signed(b" " + json.dumps({"version": 3}).encode() + b"\n"))


def test_a_parts_name_is_its_place_and_its_content() -> None:
    name = part_name(JobId(JOB_ID), seq=12_345, fence=7, content=b"abc")

    assert name == f"jobs/{JOB_ID}/parts/12/12345-7-{hashlib.sha256(b'abc').hexdigest()[:16]}"
    check_spool_name(name)
