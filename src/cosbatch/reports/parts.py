"""Report parts: the results of some tasks of one chunk, as one immutable file of the work area.

A part is two blocks of report rows, succeeded and failed, behind a header that says which tasks they settle::

    <CRC-32 of all that follows, 8 hex digits> <header, one line of JSON>\\n
    <zlib stream of the succeeded rows><zlib stream of the failed rows>

Equal results give equal bytes, so a commit that is repeated writes the same file under the same name.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from cosbatch.model.bitmap import Bitmap
from cosbatch.model.errors import SpoolError
from cosbatch.model.identifiers import Bucket, JobId
from cosbatch.model.reports import CODES_KEPT, OTHER_CODES, SAMPLES_PER_CODE, CodeTally, Tally
from cosbatch.model.tasks import Result, Task, TaskStatus
from cosbatch.reports.rows import encode_rows

PART_VERSION: Final = 1
PARTS_PER_FOLDER: Final = 1000
_NO_OPTIONS: Final[Mapping[str, int]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedPart:
    """A part, ready for the work area and the commit."""

    content: bytes
    settled: Bitmap
    tally: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class PartBlocks:
    """A part, read back. The blocks are report rows as they go to the report."""

    first_task: int
    settled: Bitmap
    succeeded: bytes
    failed: bytes
    succeeded_rows: int
    failed_rows: int


def encode_part(
    entries: Sequence[tuple[Task, Result]],
    *,
    bucket: Bucket,
    first_task: int,
    task_count: int,
    ignored_options: Mapping[str, int] = _NO_OPTIONS,
    dry_run: bool = False,
) -> EncodedPart:
    """``entries`` in order of the task number, all of the chunk that begins at ``first_task``.

    ``ignored_options`` goes to the tally as it is. ValueError where a task is twice in it or of another chunk, or where
    a failed result has no error code: no row is failed without a cause.
    """
    good = TaskStatus.SUCCEEDED  # looking a member up for each row costs as much as writing half of the row
    succeeded = [entry for entry in entries if entry[1].status is good]
    failed = [entry for entry in entries if entry[1].status is not good]
    settled = Bitmap.of([task.number - first_task for task, _ in entries], size=task_count)
    if len(settled) != len(entries):
        raise ValueError("a task has two results in one part")
    blocks = [
        encode_rows(succeeded, bucket=bucket, status=TaskStatus.SUCCEEDED, dry_run=dry_run),
        encode_rows(failed, bucket=bucket, status=TaskStatus.FAILED, dry_run=dry_run),
    ]
    header = {
        "version": PART_VERSION,
        "first_task": first_task,
        "task_count": task_count,
        "settled": base64.b64encode(settled.to_bytes()).decode(),
        "rows": [len(succeeded), len(failed)],
        "bytes": [len(block) for block in blocks],
    }
    return EncodedPart(
        content=_pack(header, blocks), settled=settled, tally=_tally_of(entries, failed, dict(ignored_options))
    )


def decode_part(content: bytes) -> PartBlocks:
    """SpoolError where the part is damaged, or was written by a later version."""
    header, packed = _unpack(content)
    (succeeded, failed), rows = _inflate(header, packed), header["rows"]
    return PartBlocks(
        first_task=header["first_task"],
        settled=Bitmap.from_bytes(base64.b64decode(header["settled"]), size=header["task_count"]),
        succeeded=succeeded,
        failed=failed,
        succeeded_rows=rows[0],
        failed_rows=rows[1],
    )


def part_folder(job_id: JobId, seq: int) -> str:
    """Where the parts of this chunk and of its neighbours lie."""
    return f"jobs/{job_id}/parts/{seq // PARTS_PER_FOLDER}/"


def part_name(job_id: JobId, *, seq: int, fence: int, content: bytes) -> str:
    """The part's place in the work area: chunk, fence and content together are never used twice."""
    digest = hashlib.sha256(content).hexdigest()[:16]
    return f"{part_folder(job_id, seq)}{seq}-{fence}-{digest}"


def _tally_of(
    entries: Sequence[tuple[Task, Result]], failed: Sequence[tuple[Task, Result]], ignored_options: dict[str, int]
) -> Tally:
    results = [result for _, result in entries]
    outside_rate = len([result for result in results if not result.in_failure_rate])
    failed_outside_rate = len([result for _, result in failed if not result.in_failure_rate])
    return Tally(
        succeeded=len(entries) - len(failed),
        failed=len(failed),
        skipped=outside_rate - failed_outside_rate,
        outside_rate=outside_rate,
        failed_outside_rate=failed_outside_rate,
        bytes_done=sum([result.size_bytes for result in results]),
        requests=sum([result.requests for result in results]),
        codes=_count_codes(failed),
        ignored_options=ignored_options,
    )


def _count_codes(failed: Sequence[tuple[Task, Result]]) -> dict[str, CodeTally]:
    """Every failure under its code with the first keys; beyond 100 distinct codes the rest under one name."""
    counts: dict[str, int] = {}
    samples: dict[str, list[str]] = {}
    for task, result in failed:
        if not result.error_code:
            raise ValueError(f"task {task.number} failed without an error code")
        code = result.error_code if result.error_code in counts or len(counts) < CODES_KEPT else OTHER_CODES
        counts[code] = counts.get(code, 0) + 1
        kept = samples.setdefault(code, [])
        if len(kept) < SAMPLES_PER_CODE:
            kept.append(task.key)
    return {code: CodeTally(count=count, samples=tuple(samples[code])) for code, count in counts.items()}


def _pack(header: Mapping[str, object], blocks: Sequence[bytes]) -> bytes:
    packed = [zlib.compress(block, 1) if block else b"" for block in blocks]
    line = json.dumps({**header, "packed": [len(one) for one in packed]}, separators=(",", ":")).encode()
    rest = b"".join([b" ", line, b"\n", *packed])
    return b"%08x%b" % (zlib.crc32(rest), rest)


def _unpack(content: bytes) -> tuple[dict[str, Any], bytes]:
    """Header and packed blocks of an undamaged part."""
    if content[:8] != b"%08x" % zlib.crc32(content[8:]):
        raise SpoolError(f"a report part of {len(content)} bytes is damaged: its checksum does not fit its content")
    line, _, packed = content[9:].partition(b"\n")
    try:
        header = json.loads(line)
        version = header["version"]
    except (ValueError, KeyError, TypeError) as problem:
        raise SpoolError("a report part has no header: it was not written by cosbatch") from problem
    if version != PART_VERSION:
        raise SpoolError(f"a report part has format {version}, this cosbatch reads {PART_VERSION}: use a newer one")
    return header, packed


def _inflate(header: Mapping[str, Any], packed: bytes) -> tuple[bytes, bytes]:
    cut = header["packed"][0]
    try:
        blocks = [
            zlib.decompress(one, bufsize=size) if size else b""
            for one, size in zip((packed[:cut], packed[cut:]), header["bytes"], strict=True)
        ]
    except (zlib.error, binascii.Error) as problem:
        raise SpoolError(f"a report part is damaged: {problem}") from problem
    return blocks[0], blocks[1]
