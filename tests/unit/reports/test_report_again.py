"""What a part keeps for a retry, and which rows come of it."""

from __future__ import annotations

import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosbatch.model.errors import SpoolDamaged
from cosbatch.model.identifiers import ObjectKey, VersionId
from cosbatch.model.tasks import Result, Skip, Task, TaskStatus
from cosbatch.reports.again import TaskAgain, TaskKept, decode_again, encode_again, rows_again
from cosbatch.reports.parts import decode_part, encode_part
from tests.unit.reports.report_builders import BUCKET, Entry, a_failure, a_success, failed, succeeded


def kept(number: int, *, code: str = "", group: int = -1, turn: int = 0, key: str = "k") -> TaskKept:
    return TaskKept(number, ObjectKey(key), VersionId(f"v{number}"), 5, code, group, turn)


def version(number: int, *, group: int, turn: int, skip: Skip | None = None) -> Task:
    return Task(number, ObjectKey("k"), VersionId(f"v{number}"), 5, skip, group, turn)


def test_failed_tasks_are_kept_and_versions_that_stood_among_several() -> None:
    entries: list[Entry] = [
        succeeded(0),
        failed(1, key='a,\r\n"é', code="NoSuchKey"),
        (version(2, group=2, turn=1), a_success(2)),
        (version(3, group=2, turn=0), a_failure(3, code="AccessDenied")),
    ]
    assert decode_again(encode_again(entries)) == [
        TaskKept(1, ObjectKey('a,\r\n"é'), None, 10, "NoSuchKey", -1, 0),
        TaskKept(2, ObjectKey("k"), VersionId("v2"), 5, "", 2, 1),
        TaskKept(3, ObjectKey("k"), VersionId("v3"), 5, "AccessDenied", 2, 0),
    ]


def test_what_was_never_sent_is_not_kept() -> None:
    never = [
        (version(0, group=0, turn=0, skip=Skip.DELETE_MARKER), a_success(0)),
        (version(1, group=-1, turn=0, skip=Skip.NOT_LATEST), a_failure(1, code="NotLatestVersion")),
    ]
    assert encode_again(never) == encode_again([succeeded(3)]) == b""


def test_a_part_has_it_beside_the_rows() -> None:
    entries = [succeeded(0), failed(1)]
    blocks = decode_part(encode_part(entries, bucket=BUCKET, first_task=0, task_count=2).content)
    assert blocks.again == encode_again(entries)


def test_a_part_from_before_there_were_retries_is_still_read() -> None:
    packed = [zlib.compress(b"a\n"), zlib.compress(b"b\n")]
    header = {
        "version": 1, "first_task": 0, "task_count": 2, "settled": "Aw==", "rows": [1, 1], "bytes": [2, 2],
        "packed": [len(one) for one in packed],
    }  # fmt: skip
    rest = b"".join([b" ", json.dumps(header).encode(), b"\n", *packed])
    blocks = decode_part(b"%08x%b" % (zlib.crc32(rest), rest))
    assert (blocks.succeeded, blocks.failed, blocks.again) == (b"a\n", b"b\n", None)


@pytest.mark.parametrize("block", [b"1,k\r\n", b"x,k,,,,0,0\r\n", b'1,"k\r\n', b"1,k,,,,0,\xff\r\n"])
def test_damage_is_told(block: bytes) -> None:
    with pytest.raises(SpoolDamaged):
        decode_again(block)


def test_all_that_failed_or_one_code_in_order_of_the_manifest() -> None:
    chunk = [kept(9, code="A"), kept(3, code="B"), kept(5, code="A")]
    assert [row.version_id for row in rows_again(chunk)] == ["v3", "v5", "v9"]
    assert [row.version_id for row in rows_again(chunk, error_code="A")] == ["v5", "v9"]
    assert rows_again(chunk, error_code="C") == []


def test_a_version_that_is_done_again_brings_along_those_that_are_newer() -> None:
    run = [
        kept(4, group=4, turn=3),
        kept(5, group=4, turn=2, code="B"),
        kept(6, group=4, turn=1, code="A"),
        kept(7, group=4, turn=0),
    ]
    assert rows_again(run, error_code="A") == [
        TaskAgain(ObjectKey("k"), VersionId("v4"), 5, True),
        TaskAgain(ObjectKey("k"), VersionId("v5"), 5, False),
        TaskAgain(ObjectKey("k"), VersionId("v6"), 5, False),
    ]
    assert [row.version_id for row in rows_again(run, error_code="B")] == ["v4", "v5"]


def test_the_newest_alone_is_done_alone() -> None:
    run = [kept(4, group=4, turn=1, code="A"), kept(5, group=4, turn=0)]
    assert rows_again(run) == [TaskAgain(ObjectKey("k"), VersionId("v4"), 5, None)]


@st.composite
def chunks(draw: st.DrawFn) -> list[TaskKept]:
    found: list[TaskKept] = []
    for run in draw(st.lists(st.lists(st.sampled_from(["", "A", "B"]), min_size=1, max_size=5), max_size=5)):
        first = len(found)
        group = first if len(run) > 1 else -1
        turns = draw(st.permutations(range(len(run))))
        found += [
            kept(first + place, code=code, group=group, turn=turns[place], key=f"k{first}")
            for place, code in enumerate(run)
        ]
    return found


@given(chunk=chunks(), code=st.sampled_from(["", "A", "B"]), parts=st.randoms())
def test_whatever_the_parts_were_no_version_is_done_without_those_after_it(
    chunk: list[TaskKept], code: str, parts: object
) -> None:
    shuffled = list(chunk)
    parts.shuffle(shuffled)  # type: ignore[attr-defined]
    rows = rows_again(shuffled, error_code=code)
    assert rows == rows_again(chunk, error_code=code)
    done = [str(row.version_id) for row in rows]
    meant = [task for task in chunk if (task.error_code == code if code else task.error_code)]
    needed = {task.number for task in meant}
    for task in meant:
        needed |= {
            other.number for other in chunk if task.group >= 0 and other.group == task.group and other.turn > task.turn
        }
    assert sorted(done) == sorted(f"v{number}" for number in needed)
    by_key: dict[str, list[int]] = {}
    turn_of = {f"v{task.number}": task.turn for task in chunk}
    for row in rows:
        by_key.setdefault(row.key, []).append(turn_of[str(row.version_id)])
    assert all(turns == sorted(turns, reverse=True) for key, turns in by_key.items())


def test_an_error_code_may_be_anything_a_store_says() -> None:
    odd = Result(0, TaskStatus.FAILED, 'a "b",\udc80', 400)
    task = Task(0, ObjectKey("k"), None, None, None, -1, 0)
    assert [found.error_code for found in decode_again(encode_again([(task, odd)]))] == ['a "b",\\udc80']
