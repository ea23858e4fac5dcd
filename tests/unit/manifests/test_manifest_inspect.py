"""Inspection: what a person is shown of a manifest before a job is made of it."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json

import pytest

from cosbatch.manifests.guess import guess_fields
from cosbatch.manifests.inspect import inspect_manifest
from cosbatch.manifests.sample import Oddity
from cosbatch.model.clock import SystemClock
from cosbatch.model.errors import FailureCode, JobFailure, StorageError
from cosbatch.model.identifiers import ObjectRef
from cosbatch.model.manifests import KeyEncoding, ManifestField, ManifestFormat
from cosbatch.storage.memory import MemoryStore
from cosbatch.storage.port import ObjectMeta
from tests.unit.manifests.manifest_builders import (
    AN_INVENTORY,
    BUCKET_AND_KEY,
    CSV_KEY,
    FILE_KEY,
    INDEX_KEY,
    REPORTS,
    WITH_VERSION,
    ChoppyStore,
    a_manifest,
    a_store,
    an_index,
    csv_text,
    inspected,
    inventory_row,
    store_with_csv,
    store_with_inventory,
    with_etag,
)

UNMAPPED = a_manifest(fields=())
B, K, V, I = ManifestField.BUCKET, ManifestField.KEY, ManifestField.VERSION_ID, ManifestField.IGNORE  # noqa: E741
CHECKSUM_KEY = INDEX_KEY.replace("manifest.json", "manifest.checksum")


def oddities(content: bytes, *, fields: tuple[ManifestField, ...] = BUCKET_AND_KEY, raw: bool = False) -> set[Oddity]:
    encoding = KeyEncoding.RAW if raw else KeyEncoding.URL
    found = inspected(store_with_csv(content), a_manifest(fields=fields, encoding=encoding))
    return {remark.oddity for remark in found.warnings}


def test_a_csv_is_shown_as_it_stands_and_as_it_is_read() -> None:
    store = store_with_csv(b'b1,a%20b\nb1,"c,d"\n')
    found = inspected(store, a_manifest())
    assert found.etag == store.put_now(REPORTS, "same", b'b1,a%20b\nb1,"c,d"\n').etag
    assert found.size_bytes == 18
    assert found.format is ManifestFormat.COS_CSV
    assert [(row.line, row.cells) for row in found.first_rows] == [(1, ("b1", "a%20b")), (2, ("b1", "c,d"))]
    assert [row.row.key for row in found.first_rows if row.row] == ["a b", "c,d"]
    assert found.source_bucket == "b1"
    assert (found.faults, found.warnings, found.is_gzip) == ((), (), False)


def test_only_the_first_rows_are_shown_and_only_the_start_is_fetched() -> None:
    content = b"".join(b"b1,key-%07d\n" % number for number in range(100_000))
    for form in (content, gzip.compress(content)):
        store = ChoppyStore(store_with_csv(form), block_bytes=1 << 16)
        found = inspected(store, a_manifest())
        assert len(found.first_rows) == 10
        assert 10_000 < found.rows_looked_at < 30_000
        assert found.faults == ()
        assert store.gets == [(CSV_KEY, 0, 262_143)]
        assert found.is_gzip is (form is not content)


def test_the_last_row_of_a_small_file_needs_no_line_end() -> None:
    found = inspected(store_with_csv(gzip.compress(b"b1,x\nb1,y")), a_manifest())
    assert found.rows_looked_at == 2


def test_without_fields_the_mapping_is_proposed_and_used_for_show() -> None:
    found = inspected(store_with_csv(b"2024,k%201,b-1\n2024,k2,b-1\n2025,k3,b-1\n"), UNMAPPED)
    assert found.guessed_fields == (I, K, B)
    assert found.columns == ("Ignore", "Key", "Bucket")
    assert found.first_rows[0].row is not None
    assert found.first_rows[0].row.key == "k 1"


def test_without_fields_that_can_be_told_rows_are_shown_raw() -> None:
    found = inspected(store_with_csv(b"a1x,k1\nb2x,k2\n"), UNMAPPED)
    assert (found.guessed_fields, found.columns, found.source_bucket) == ((), (), None)
    assert [(row.cells, row.row) for row in found.first_rows] == [(("a1x", "k1"), None), (("b2x", "k2"), None)]


@pytest.mark.parametrize(
    ("rows", "fields"),
    [
        ([("b-1", "k1"), ("b-1", "k2")], (B, K)),
        ([("k1", "b-1"), ("k2", "b-1")], (K, B)),
        ([("b-1", "k1")], (B, K)),
        ([("b-1", "k1", ""), ("b-1", "k2", "0123456789abcdef")], (B, K, V)),
        ([("b-1", "k1", "null"), ("b-1", "k2", "null")], (B, K, V)),
        ([("7", "b-1", "k1"), ("7", "b-1", "k2")], (I, B, K)),
        ([("Bucket", "VersionId", "Object Key", "Size"), ("b-1", "", "k", "3")], (B, V, K, I)),
        ([("b-1", "0123456789abcdef.txt"), ("b-1", "0123456789abcdeg.txt")], (B, K)),
        ([("b-1",)], ()),
        ([], ()),
    ],
)
def test_guessing(rows: list[tuple[str, ...]], fields: tuple[ManifestField, ...]) -> None:
    assert guess_fields(rows) == fields


def test_oddities_of_a_csv_are_named() -> None:
    assert oddities(b"b1,k\n") == set()
    assert oddities(b"\xef\xbb\xbfb1,k\n") == {Oddity.BYTE_ORDER_MARK}
    assert oddities(b"b1,k\r\n") == {Oddity.CRLF}
    assert oddities(b"b1, k\n") == {Oddity.BLANK_BEFORE_KEY}
    assert oddities(b"Bucket,Key\nb1,k\n") == {Oddity.HEADER_ROW}
    assert oddities("b1,中\n".encode()) == {Oddity.KEYS_LOOK_RAW}
    assert oddities("b1,中\n".encode(), raw=True) == set()
    assert oddities(b"b1,a,v1\nb1,b,\n", fields=WITH_VERSION) == {Oddity.MIXED_VERSIONS}


def test_versions_are_counted() -> None:
    found = inspected(store_with_csv(b"b1,a,v1\nb1,b,\nb1,c,null\nb1,d,\n"), a_manifest(fields=WITH_VERSION))
    assert found.versions == (1, 1, 2)


def test_faults_of_the_first_rows_are_listed_with_their_place() -> None:
    found = inspected(store_with_csv(b"b1,a\nb1,%\nb2,c\n"), a_manifest())
    assert [fault.path for fault in found.faults] == [f"{CSV_KEY}:2:2", f"{CSV_KEY}:3:1"]
    assert [row.row is None for row in found.first_rows] == [False, True, True]


def test_a_damaged_gzip_is_shown_as_far_as_it_goes() -> None:
    content = b"".join(b"b1,%d\n" % (number * 7919 % 10_007) for number in range(3000))
    found = inspected(store_with_csv(gzip.compress(content)[:-8]), a_manifest())
    assert found.rows_looked_at > 2000
    assert [fault.problem for fault in found.faults] == ["the gzip stream is cut off"]


def test_an_etag_that_a_job_would_not_find_is_said() -> None:
    found = inspected(store_with_csv(b"b1,k\n"), with_etag(a_manifest(), "0" * 32))
    assert [remark.oddity for remark in found.warnings] == [Oddity.ETAG_DIFFERS]


@pytest.mark.parametrize("content", [b"", b"\n\n", gzip.compress(b"")])
def test_an_empty_manifest_is_a_fault(content: bytes) -> None:
    (fault,) = inspected(store_with_csv(content), a_manifest()).faults
    assert "lists no object" in fault.problem


def test_a_manifest_that_is_not_there_is_a_failure() -> None:
    with pytest.raises(JobFailure) as caught:
        inspected(a_store(), a_manifest())
    assert caught.value.failure_code is FailureCode.MANIFEST_NOT_FOUND


# --- inventories


def test_an_inventory_is_shown_with_its_header_and_first_rows() -> None:
    rows = csv_text([inventory_row("a%2Fb", version="v1"), inventory_row("c")])
    found = inspected(store_with_inventory(b"", rows), AN_INVENTORY)
    assert found.inventory is not None
    assert (found.inventory.listed_objects, len(found.inventory.files)) == (5, 2)
    assert found.source_bucket == "logs-1250000000"
    assert found.first_rows[0].cells[2] == "a%2Fb"
    assert [row.row.key for row in found.first_rows if row.row] == ["a/b", "c"]
    assert found.versions == (1, 0, 1)
    assert (found.is_gzip, found.faults, found.checksum_ok) == (True, (), None)
    assert found.columns[0] == "Appid"


@pytest.mark.parametrize(("is_right", "odd"), [(True, set()), (False, {Oddity.CHECKSUM_DIFFERS})])
def test_the_checksum_beside_manifest_json_is_compared(is_right: bool, odd: set[Oddity]) -> None:
    store = store_with_inventory(csv_text([inventory_row("k")]))
    stored = store.current_objects(REPORTS)[AN_INVENTORY.location.key].content.stored or b""
    digest = hashlib.md5(stored if is_right else b"other").hexdigest()
    store.put_now(REPORTS, CHECKSUM_KEY, f"{digest.upper()}\n".encode())
    found = inspected(store, AN_INVENTORY)
    assert found.checksum_ok is is_right
    assert {remark.oddity for remark in found.warnings} == odd


def test_a_report_that_was_moved_is_said() -> None:
    store = store_with_inventory(csv_text([inventory_row("k")]), destinationBucket="arn:aws:s3:::elsewhere")
    found = inspected(store, AN_INVENTORY)
    assert [remark.oddity for remark in found.warnings] == [Oddity.DESTINATION_ELSEWHERE]


def test_faults_of_an_inventory_are_shown_not_raised() -> None:
    broken = a_store()
    broken.put_now(REPORTS, INDEX_KEY, b"no json")
    gone = a_store()
    gone.put_now(REPORTS, INDEX_KEY, json.dumps(an_index({FILE_KEY: b"12"})).encode())
    changed = store_with_inventory(csv_text([inventory_row("k")]))
    changed.put_now(REPORTS, FILE_KEY, csv_text([inventory_row("k")]))
    paths = [inspected(store, AN_INVENTORY).faults[0].path for store in (broken, gone, changed, store_with_inventory())]
    assert paths == [f"{INDEX_KEY}:1:1", FILE_KEY, FILE_KEY, f"{INDEX_KEY}:files"]


def test_the_format_is_told_from_the_content_when_asked() -> None:
    rows = csv_text([inventory_row("k")])
    cos = store_with_inventory(rows)
    s3 = store_with_inventory(
        rows, sourceAppid=None, sourceBucket="logs-1250000000", destinationBucket="arn:aws:s3:::reports"
    )
    listed = a_store()
    listed.put_now(REPORTS, INDEX_KEY, b"b1,k\n")
    formats = [inspected(store, AN_INVENTORY, guess_format=True).format for store in (cos, s3, listed)]
    assert formats == [
        ManifestFormat.COS_INVENTORY_CSV,
        ManifestFormat.S3_INVENTORY_CSV,
        ManifestFormat.COS_CSV,
    ]


class SilentStore(MemoryStore):
    async def head(self, ref: ObjectRef) -> ObjectMeta:
        await asyncio.Event().wait()
        raise AssertionError


async def test_a_store_that_says_nothing_is_not_waited_for_without_end() -> None:
    with pytest.raises(StorageError, match="did not answer within 0 s"):
        await inspect_manifest(a_manifest(), SilentStore(clock=SystemClock()), look_seconds=0)
