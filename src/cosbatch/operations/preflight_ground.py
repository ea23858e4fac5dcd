"""What pre-flight says of the manifest, of the service's own work area, and of the count of a deletion."""

from __future__ import annotations

from cosbatch.model.errors import FailureCode, Fault, JobFailure, ManifestFaulty
from cosbatch.model.jobs import JobRequest
from cosbatch.model.manifests import ManifestLocation
from cosbatch.model.operations import DeleteObject
from cosbatch.model.preflight import CheckName
from cosbatch.operations.checks import Checks


def manifest_read(checks: Checks, location: ManifestLocation, *, etag: str) -> None:
    failed = location.retry_of
    if failed is None:
        detail = f"{location.bucket}/{location.key} can be read and has the ETag {etag}"
    else:
        how = f" with {failed.error_code}" if failed.error_code else ""
        detail = f"the list of what failed in job {failed.job_id}{how} can be read: the service has kept it"
    checks.passed(CheckName.MANIFEST, detail)


def manifest_unreadable(
    checks: Checks, location: ManifestLocation, error: JobFailure | ManifestFaulty, *, missing_permission: str = ""
) -> None:
    """Each of its faults."""
    code, faults = error.failure_code, error.faults
    if not faults:
        reason = error.reason if isinstance(error, JobFailure) else str(error)
        faults = (Fault(path="Manifest.Location", value=f"{location.bucket}/{location.key}", problem=reason),)
    for fault in faults:
        checks.failed(CheckName.MANIFEST, code, fault, missing_permission=missing_permission)


def check_spool(checks: Checks, *, free: float | None, least: float, waits: bool) -> None:
    """``waits``: a job whose work area is short is not failed, for room may be made; it is planned when there is."""
    name = CheckName.SPOOL_SPACE
    if free is None:
        checks.unknown(name, "the work area does not tell how much of it is free")
    elif free >= least:
        checks.passed(name, f"{free:.0%} of the work area is free")
    elif waits:
        checks.unknown(name, f"{free:.0%} of the work area is free, and planning needs {least:.0%}")
    else:
        problem = f"{free:.0%} of the work area is free, and planning needs {least:.0%}: the job would wait"
        fault = Fault(path="", value="", problem=problem, way_out="make room in the service's data folder")
        checks.failed(name, FailureCode.SPOOL_FULL, fault)


def check_count(request: JobRequest, rows: int, *, checks: Checks, is_all: bool) -> None:
    """Nothing where the job is no deletion, or says nothing of a count, or more may come."""
    limit = request.confirm_delete_count
    if not isinstance(request.operation, DeleteObject) or limit is None:
        return
    if rows > limit:
        counted = f"{rows}" if is_all else f"at least {rows}"
        problem = f"the manifest names {counted} objects to delete, and the job allows {limit} at most"
        way_out = "look at the manifest, and write the number of its rows"
        fault = Fault(path="ConfirmDeleteCount", value=str(limit), problem=problem, way_out=way_out)
        checks.failed(CheckName.DELETES, FailureCode.DELETE_COUNT_EXCEEDED, fault)
    elif is_all:
        checks.passed(CheckName.DELETES, f"{rows} objects are to be deleted, and the job allows {limit}")
