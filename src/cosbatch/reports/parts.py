"""Report parts: the results of some tasks of one chunk, as one immutable file of the work area.

A part is two blocks of report rows, succeeded and failed, and one of what a retry needs to know
(:mod:`cosbatch.reports.again`), behind a header that says which tasks they settle::

    <CRC-32 of all that follows, 8 hex digits> <header, one line of JSON>\\n
    <zlib stream of the succeeded rows><zlib stream of the failed rows><zlib stream of what a retry needs>

Equal results give equal bytes, so a commit that is repeated writes the same file under the same name.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from cosbatch.model.bitmap import Bitmap
from cosbatch.model.errors import SpoolError
from cosbatch.model.identifiers import Bucket, JobId, ObjectKey
from cosbatch.model.reports import (
    CODES_KEPT,
    FAILURES_KEPT,
    OTHER_CODES,
    SAMPLES_PER_CODE,
    CodeTally,
    FailureSample,
    Tally,
)
from cosbatch.model.tasks import Result, Task, TaskStatus
from cosbatch.reports.again import encode_again
from cosbatch.reports.rows import MESSAGE_CHARACTERS, encode_rows

PART_VERSION: Final = 2
_WITHOUT_AGAIN: Final = 1
"""The version that had the first two blocks only."""
PARTS_PER_FOLDER: Final = 1000
KEY_CHARACTERS: Final = 2048
"""Of a sample: no store has longer keys, but a task that failed for it may."""
Entry = tuple[Task, Result]
_NO_OPTIONS: Final[Mapping[str, int]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedPart:
    """A part, ready for the work area and the commit."""

    content: bytes
    settled: Bitmap
    tally: Tally
    samples: tuple[FailureSample, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartBlocks:
    """A part, read back. The blocks are report rows as they go to the report."""

    first_task: int
    settled: Bitmap
    succeeded: bytes
    failed: bytes
    again: bytes | None
    """What a retry needs; None in a part that was written before there were any."""
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
    failed = [] if len(succeeded) == len(entries) else [entry for entry in entries if entry[1].status is not good]
    settled = Bitmap.of([task.number - first_task for task, _ in entries], size=task_count)
    if len(settled) != len(entries):
        raise ValueError("a task has two results in one part")
    blocks = [
        encode_rows(succeeded, bucket=bucket, status=TaskStatus.SUCCEEDED, dry_run=dry_run),
        encode_rows(failed, bucket=bucket, status=TaskStatus.FAILED, dry_run=dry_run),
        encode_again(entries),
    ]
    header = {
        "version": PART_VERSION,
        "first_task": first_task,
        "task_count": task_count,
        "settled": base64.b64encode(settled.to_bytes()).decode(),
        "rows": [len(succeeded), len(failed)],
        "bytes": [len(block) for block in blocks],
    }
    by_code = _by_code(failed)
    return EncodedPart(
        content=_pack(header, blocks),
        settled=settled,
        tally=_tally_of(entries, failed, by_code, dict(ignored_options)),
        samples=tuple(_sample(code, entry) for code, same in by_code.items() for entry in same[:FAILURES_KEPT]),
    )


def decode_part(content: bytes) -> PartBlocks:
    """SpoolError where the part is damaged, or was written by a later version."""
    header, packed = _unpack(content)
    (succeeded, failed, *again), rows = _inflate(header, packed), header["rows"]
    return PartBlocks(
        first_task=header["first_task"],
        settled=Bitmap.from_bytes(base64.b64decode(header["settled"]), size=header["task_count"]),
        succeeded=succeeded,
        failed=failed,
        again=again[0] if again else None,
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
    entries: Sequence[Entry],
    failed: Sequence[Entry],
    by_code: Mapping[str, Sequence[Entry]],
    ignored_options: dict[str, int],
) -> Tally:
    results = [result for _, result in entries]
    outside_rate = len(results) - [result.in_failure_rate for result in results].count(True)
    failed_outside_rate = len([result for _, result in failed if not result.in_failure_rate])
    return Tally(
        succeeded=len(entries) - len(failed),
        failed=len(failed),
        skipped=outside_rate - failed_outside_rate,
        outside_rate=outside_rate,
        failed_outside_rate=failed_outside_rate,
        bytes_done=sum([result.size_bytes for result in results]),
        requests=sum([result.requests for result in results]),
        codes={code: _code_tally(same) for code, same in by_code.items()},
        ignored_options=ignored_options,
    )


def _by_code(failed: Sequence[Entry]) -> dict[str, list[Entry]]:
    """Every failure under its code; beyond 100 distinct codes the rest under one name."""
    found: dict[str, list[Entry]] = {}
    for entry in failed:
        task, result = entry
        if not result.error_code:
            raise ValueError(f"task {task.number} failed without an error code")
        code = result.error_code if result.error_code in found or len(found) < CODES_KEPT else OTHER_CODES
        found.setdefault(code, []).append(entry)
    return found


def _code_tally(same: Sequence[Entry]) -> CodeTally:
    statuses = Counter([result.http_status for _, result in same])
    return CodeTally(
        count=len(same),
        samples=tuple([task.key for task, _ in same[:SAMPLES_PER_CODE]]),
        http_statuses=tuple(sorted(statuses.items())),
    )


def _sample(code: str, entry: Entry) -> FailureSample:
    """Under the code that it is counted under: a ledger tells by the count which samples it has."""
    task, result = entry
    return FailureSample(
        error_code=code,
        key=ObjectKey(task.key[:KEY_CHARACTERS]),
        version_id=task.version_id,
        message=result.message[:MESSAGE_CHARACTERS],
        http_status=result.http_status,
        requests=result.requests,
        request_id=result.request_id,
    )


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
    if version not in (PART_VERSION, _WITHOUT_AGAIN):
        raise SpoolError(f"a report part has format {version}, this cosbatch reads {PART_VERSION}: use a newer one")
    return header, packed


def _inflate(header: Mapping[str, Any], packed: bytes) -> list[bytes]:
    blocks, at = [], 0
    try:
        for length, size in zip(header["packed"], header["bytes"], strict=True):
            blocks.append(zlib.decompress(packed[at : at + length], bufsize=size) if size else b"")
            at += length
    except (zlib.error, binascii.Error) as problem:
        raise SpoolError(f"a report part is damaged: {problem}") from problem
    return blocks
