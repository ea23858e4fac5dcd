"""Whether what the first rows name can be looked at, and is there: a wrong key encoding shows here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import Enum, auto
from typing import Final

from cosbatch.model.errors import FailureCode, Fault, StorageError, StorageReason
from cosbatch.model.identifiers import ObjectRef
from cosbatch.model.jobs import JobRequest
from cosbatch.model.manifests import ManifestRow
from cosbatch.model.operations import DeleteObject, PutObjectCopy
from cosbatch.model.preflight import CheckName
from cosbatch.operations.preflight_sites import DEFINITE, Looks, Site
from cosbatch.storage.disposition import disposition

SAMPLED_ROWS: Final = 5
"""Each costs a request; the first row is among them, the others are spread over those that were read. Where fewer are
named and none is there, objects may simply be gone: their tasks will say so."""

_MISSING: Final = frozenset({StorageReason.NO_SUCH_KEY, StorageReason.NO_SUCH_VERSION, StorageReason.DELETE_MARKER})
_REFUSED: Final = frozenset({StorageReason.ACCESS_DENIED, StorageReason.CREDENTIALS_REFUSED})


class _Seen(Enum):
    THERE = auto()
    MISSING = auto()
    REFUSED = auto()
    UNTOLD = auto()
    """The store says something else of it, a key that only its owner has for one."""


async def check_rows(site: Site, rows: Sequence[ManifestRow], *, request: JobRequest, looks: Looks) -> None:
    """HEAD on a few objects of ``rows``."""
    checks = looks.checks
    sampled = _sampled(site, rows)
    if not sampled:
        checks.unknown(CheckName.SOURCE_READABLE, "none of the first rows names an object to ask with")
        checks.passed(CheckName.FIRST_ROWS, "none of the first rows names an object that has to be there")
        return
    if looks.is_closed(site):
        checks.unknown(CheckName.SOURCE_READABLE, "the bucket could not be asked")
        checks.unknown(CheckName.FIRST_ROWS, "the bucket could not be asked")
        return
    try:
        seen = Counter([await _look(site, ref) for ref in sampled])
    except StorageError as error:
        if looks.waits:
            raise
        looks.close(site)
        for name in (CheckName.SOURCE_READABLE, CheckName.FIRST_ROWS):
            checks.unknown(name, f"the store does not answer: {error}", way_out="ask again when it does")
        return
    _tell_readable(site, sampled[0], seen, request=request, looks=looks)
    _tell_found(site, sampled[0], seen, request=request, looks=looks)


def _sampled(site: Site, rows: Sequence[ManifestRow]) -> list[ObjectRef]:
    """Evenly spread; without rows whose tasks send nothing."""
    profile = site.store.profile
    named = [row for row in rows if not row.is_delete_marker and row.key and profile.takes_key(row.key)]
    step = max(1, len(named) // SAMPLED_ROWS)
    return [ObjectRef(site.bucket, row.key, row.version_id) for row in named[::step][:SAMPLED_ROWS]]


async def _look(site: Site, ref: ObjectRef) -> _Seen:
    """Raises StorageError for what may pass by itself."""
    try:
        await site.store.head(ref)
    except StorageError as error:
        if error.reason in _MISSING:
            return _Seen.MISSING
        if error.reason in _REFUSED:
            return _Seen.REFUSED
        if disposition(error, writes=False).action in DEFINITE:
            return _Seen.UNTOLD
        raise
    return _Seen.THERE


def _tell_readable(site: Site, first: ObjectRef, seen: Counter[_Seen], *, request: JobRequest, looks: Looks) -> None:
    checks, name, count = looks.checks, CheckName.SOURCE_READABLE, seen.total()
    refused = seen[_Seen.REFUSED]
    permission = site.permission("s3:GetObject")
    if seen[_Seen.THERE]:
        told = f"; {refused} of {count} that were asked for are refused" if refused else ""
        checks.passed(name, f"objects of {site.bucket} can be looked at{told}")
    elif refused == count and isinstance(request.operation, PutObjectCopy) and not _is_retry(request):
        problem = f"the store refuses HEAD {first.bucket}/{first.key} and what else was asked for ({count} in all)"
        fault = Fault(
            path=site.path, value=site.bucket, problem=problem, way_out="let the job's credentials read the objects"
        )
        checks.failed(name, FailureCode.ROLE_LACKS_PERMISSION, fault, missing_permission=permission)
    elif refused:
        detail = f"the store refuses HEAD {first.bucket}/{first.key}: it may not be there, or may not be read"
        checks.unknown(
            name, detail, missing_permission=permission, way_out="let the job's credentials read the objects"
        )
    else:
        checks.unknown(name, f"none of the {count} objects that were asked for is there to be looked at")


def _tell_found(site: Site, first: ObjectRef, seen: Counter[_Seen], *, request: JobRequest, looks: Looks) -> None:
    checks, name, count = looks.checks, CheckName.FIRST_ROWS, seen.total()
    if seen[_Seen.THERE]:
        checks.passed(name, f"{seen[_Seen.THERE]} of {count} sampled objects of the first rows are there")
    elif seen[_Seen.MISSING] < count:
        checks.unknown(name, f"the store does not tell whether the {count} sampled objects of the first rows are there")
    elif _is_retry(request):
        detail = f"none of {count} sampled objects of the first rows is there; every other row is tried all the same"
        checks.unknown(name, detail, way_out="bring back the objects that are to be there")
    elif isinstance(request.operation, DeleteObject):
        detail = f"none of {count} sampled objects of the first rows is there; they may be deleted already"
        checks.unknown(name, detail, way_out=_LOOK_AT_KEYS)
    elif count < SAMPLED_ROWS:
        detail = f"the {count} sampled of the first rows are not there: too few to blame the manifest for it"
        checks.unknown(name, detail, way_out=_LOOK_AT_KEYS)
    else:
        problem = f"none of {count} sampled objects of the first rows is there; {first.bucket}/{first.key} is the first"
        fault = Fault(path="Manifest.Spec", value="", problem=problem, way_out=_LOOK_AT_KEYS)
        checks.failed(name, FailureCode.FIRST_ROWS_NOT_FOUND, fault)


def _is_retry(request: JobRequest) -> bool:
    """The service wrote its manifest of what failed before: nothing was read wrongly, and objects that are still gone
    or refused say nothing of the others."""
    return request.manifest.location.retry_of is not None


_LOOK_AT_KEYS: Final = "look at the manifest's columns and key_encoding, or list objects that are there"
