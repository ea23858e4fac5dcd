"""Finds out what a role may do by doing it, and changes no object: HEAD and GET, and an upload begun and aborted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from cosbatch.identity.policies import Access, Purpose
from cosbatch.identity.role_tests import AccessTried, Verdict
from cosbatch.manifests.inspect import Inspection, inspect_manifest
from cosbatch.model.errors import FailureCode, JobFailure, StorageError, StorageReason
from cosbatch.model.identifiers import Bucket, ObjectKey, ObjectRef, RegionName
from cosbatch.model.jobs import JobRequest, region_written
from cosbatch.model.operations import PutObjectCopy
from cosbatch.operations.outcome import TaskRefused
from cosbatch.operations.target_key import target_key
from cosbatch.storage.disposition import Action, disposition
from cosbatch.storage.port import ObjectStore, PutOptions

REPORT_TRIAL_NAME: Final = "cosbatch-role-test"


OpenStores = Callable[[Sequence[Access]], Awaitable[tuple[Callable[[RegionName], ObjectStore], bool]]]
"""Assumes the role for what is given: the stores by region, and whether that narrowed it."""


async def try_accesses(
    request: JobRequest,
    *,
    accesses_of: Callable[[JobRequest, Bucket | None], list[Access]],
    open_stores: OpenStores,
) -> tuple[tuple[AccessTried, ...], bool]:
    """All four, in the order in which a job needs them. StorageError where a store does not answer."""
    stores, is_narrowed = await open_stores(accesses_of(request, None))
    manifest, seen = await _manifest(request, stores(request.region))
    source_bucket = seen.source_bucket if seen else None
    if source_bucket is not None:
        stores, is_narrowed = await open_stores(accesses_of(request, source_bucket))
    tested = (
        manifest,
        await _source(seen, stores(request.region)),
        await _target(request, seen, stores(region_written(request))),
        await _report(request, stores),
    )
    return tested, is_narrowed


async def _manifest(request: JobRequest, store: ObjectStore) -> tuple[AccessTried, Inspection | None]:
    purpose, location = Purpose.MANIFEST_READ, request.manifest.location
    asked = f"GET {location.bucket}/{location.key}"
    try:
        seen = await inspect_manifest(request.manifest, store)
    except JobFailure as failure:
        is_refusal = failure.failure_code is FailureCode.ACCESS_DENIED_ON_MANIFEST
        verdict = Verdict.MAY_NOT if is_refusal else Verdict.NOT_TESTED
        return AccessTried(purpose=purpose, verdict=verdict, detail=f"{asked}: {failure.reason}"), None
    except StorageError as error:
        return _judged(purpose, asked, error), None
    return AccessTried(purpose=purpose, verdict=Verdict.MAY, detail=asked), seen


async def _source(seen: Inspection | None, store: ObjectStore) -> AccessTried:
    purpose = Purpose.SOURCE_READ
    key = _first_key(seen)
    if seen is None or seen.source_bucket is None or key is None:
        return _untested(purpose, "the manifest, which names it, could not be read")
    ref = ObjectRef(seen.source_bucket, key)
    asked = f"HEAD {ref.bucket}/{ref.key}"
    try:
        await store.head(ref)
    except StorageError as error:
        if error.reason in (StorageReason.NO_SUCH_KEY, StorageReason.DELETE_MARKER):
            return _untested(purpose, f"{asked}: the first object that the manifest lists is not there")
        return _judged(purpose, asked, error)
    return AccessTried(purpose=purpose, verdict=Verdict.MAY, detail=asked)


async def _target(request: JobRequest, seen: Inspection | None, store: ObjectStore) -> AccessTried:
    purpose, operation = Purpose.TARGET_WRITE, request.operation
    if not isinstance(operation, PutObjectCopy):
        return _untested(purpose, "only a real object could tell; its first task will")
    key = _first_key(seen)
    if key is None:
        return _untested(purpose, "the manifest, which names the keys, could not be read")
    try:
        written = target_key(operation, key, max_key_bytes=store.profile.max_key_bytes)
    except TaskRefused as refusal:
        return _untested(purpose, f"the first object that the manifest lists would not be written: {refusal}")
    return await _write(purpose, ObjectRef(operation.target_bucket, written), store)


async def _report(request: JobRequest, stores: Callable[[RegionName], ObjectStore]) -> AccessTried:
    purpose, report = Purpose.REPORT_WRITE, request.report
    if not report.enabled or report.bucket is None:
        return _untested(purpose, "the job writes no report")
    prefix = f"{report.prefix}/" if report.prefix and not report.prefix.endswith("/") else report.prefix
    target = ObjectRef(report.bucket, ObjectKey(f"{prefix}{REPORT_TRIAL_NAME}"))
    return await _write(purpose, target, stores(report.region or request.region))


async def _write(purpose: Purpose, target: ObjectRef, store: ObjectStore) -> AccessTried:
    """Beginning an upload takes the permission to write, in most stores."""
    if not store.profile.tells_write_by_upload:
        return _untested(purpose, "this store has a permission of its own for uploads, so that one tells nothing")
    asked = f"PUT {target.bucket}/{target.key} (an upload begun and aborted)"
    try:
        upload_id = await store.create_upload(target, options=PutOptions())
    except StorageError as error:
        return _judged(purpose, asked, error)
    try:
        await store.abort_upload(target, upload_id=upload_id)
    except StorageError as error:
        return _judged(purpose, f"aborting the upload {upload_id} of {target.bucket}/{target.key}", error)
    return AccessTried(purpose=purpose, verdict=Verdict.MAY, detail=asked)


def _first_key(seen: Inspection | None) -> ObjectKey | None:
    rows = seen.first_rows if seen else ()
    return next((found.row.key for found in rows if found.row is not None and not found.row.is_delete_marker), None)


def _judged(purpose: Purpose, asked: str, error: StorageError) -> AccessTried:
    """A refusal says that it may not; whatever else a store says tells nothing; no answer is raised."""
    if error.reason in (StorageReason.ACCESS_DENIED, StorageReason.CREDENTIALS_REFUSED):
        return AccessTried(purpose=purpose, verdict=Verdict.MAY_NOT, detail=f"{asked}: {error.code}")
    if disposition(error, writes=False).action in (Action.FAIL_TASK, Action.FAIL_JOB):
        return _untested(purpose, f"{asked}: {error.code}: {error.message}")
    raise error


def _untested(purpose: Purpose, why: str) -> AccessTried:
    return AccessTried(purpose=purpose, verdict=Verdict.NOT_TESTED, detail=why)
