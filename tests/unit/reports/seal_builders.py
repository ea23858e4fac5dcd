"""A bucket to seal into, and a seal with nothing special about it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from cosbatch.model.identifiers import ObjectRef
from cosbatch.model.jobs import Job
from cosbatch.reports.long_json import LongObject
from cosbatch.reports.seal import (
    PartSource,
    SealedReport,
    seal_report,
)
from cosbatch.storage.port import ObjectMeta, ObjectMetadata, PutOptions, PutOutcome, SizedBody
from cosbatch.storage.spool import Spool
from tests.unit.reports.report_builders import (
    JOB_ID,
    REPORT_BUCKET,
    a_job,
    failed,
    succeeded,
)

FOLDER = f"job-{JOB_ID}/"
NO_OPTIONS = PutOptions()


class Shelf:
    """A bucket that remembers what was put, and in which order. Its arguments say how ETags differ from MD5s."""

    def __init__(self, *, sse: str = "", etags_lie: bool = False, multipart_etags: bool = False) -> None:
        self.files: dict[str, bytes] = {}
        self.order: list[str] = []
        self.types: dict[str, str] = {}
        self.sse = sse
        self.etags_lie = etags_lie
        self.multipart_etags = multipart_etags

    async def put(self, ref: ObjectRef, body: bytes | SizedBody, *, options: PutOptions = NO_OPTIONS) -> PutOutcome:
        assert ref.bucket == REPORT_BUCKET
        content = body if isinstance(body, bytes) else b"".join([block async for block in body.blocks()])
        assert isinstance(body, bytes) or len(content) == body.size_bytes
        self.files[ref.key] = content
        self.order.append(ref.key)
        self.types[ref.key] = options.metadata.content_type
        etag = hashlib.md5(content + b"!" * self.etags_lie).hexdigest()
        return PutOutcome(etag=f"{etag}-1" if self.multipart_etags else etag, version_id=None)

    async def head(self, ref: ObjectRef) -> ObjectMeta:
        size = len(self.files[ref.key])
        return ObjectMeta(etag="", size_bytes=size, last_modified=0, metadata=ObjectMetadata(), sse_algorithm=self.sse)


async def ours() -> None:
    """Nobody else has the job."""


async def seal(
    shelf: Shelf,
    parts: PartSource,
    spool: Spool,
    *,
    job: Job | None = None,
    summary: Mapping[str, object] | None = None,
    rows_per_file: int = 1_000_000,
    bytes_per_file: int = 4 * 2**30,
) -> SealedReport:
    return await seal_report(
        job=job or a_job(),
        parts=parts,
        spool=spool,
        store=shelf,
        summary=LongObject(fields=summary or {"schema_version": 1}),
        created_at=1_754_103_660.5,
        still_ours=ours,
        rows_per_file=rows_per_file,
        bytes_per_file=bytes_per_file,
    )


THREE_PARTS = [
    [succeeded(0), failed(1), succeeded(2)],
    [failed(3, message="two\nlines, and a comma"), failed(4, code="AccessDenied")],
    [succeeded(5), succeeded(6)],
]
