"""Another request made of an old one: what is written differently is changed, everything else stays as it is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from typing import Any, Final

from cosbatch.model.errors import Fault, InvalidArgument
from cosbatch.model.jobs import JobRequest
from cosbatch.service.documents import Document
from cosbatch.service.job_document import request_document
from cosbatch.service.job_schema import parse_job

_STAND_IN: Final = {
    "location": {"object_arn": "qcs::cos:::work-area/manifest.json"},
    "spec": {"format": "COSInventoryReport_CSV_V1"},
}
"""In place of a manifest in the work area, which no document can name."""


def changed_request(
    request: JobRequest, changes: Mapping[str, Any], *, fixed: Collection[str] = (), way_out: str = ""
) -> JobRequest:
    """``changes`` is a part of a job document: its fields take the place of the old ones, a null takes one away, and a
    list is replaced as a whole (RFC 7396). The ETag of a manifest is left out, unless the changes name one: it is
    read again. What no change is about stays, also what a document does not say.

    Raises InvalidArgument with all faults, also where a field of ``fixed`` is changed; ``way_out`` says what to do
    about those.
    """
    faults = [
        Fault(path=name, value="", problem="cannot be changed here", way_out=way_out)
        for name in changes
        if name in fixed
    ]
    if faults:
        raise InvalidArgument("the job cannot be made", faults=faults)
    base = _base_of(request)
    before = _parsed(base)
    after = _parsed(_merged(_without_old_place(base, changes), changes))
    changed = {
        field.name: getattr(after, field.name)
        for field in fields(JobRequest)
        if getattr(after, field.name) != getattr(before, field.name)
    }
    return replace(_unpinned(request), as_written="", **changed)


def digest_of(verb: str, *named: str, changes: Mapping[str, Any]) -> str:
    """What a ClientRequestToken is held against where a job is made of another one, whatever comes of it."""
    content = json.dumps([verb, *named, dict(changes)], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()


def _parsed(content: Mapping[str, Any]) -> JobRequest:
    return parse_job(Document(content=content, lines={}), lowest_priority=0).request


def _base_of(request: JobRequest) -> dict[str, Any]:
    document = request_document(_unpinned(request))
    return document | ({"manifest": _STAND_IN} if request.manifest.location.retry_of else {})


def _unpinned(request: JobRequest) -> JobRequest:
    """A manifest in the work area never changes."""
    manifest = request.manifest
    if manifest.location.retry_of is not None:
        return request
    return replace(request, manifest=replace(manifest, location=replace(manifest.location, etag="")))


def _without_old_place(base: Mapping[str, Any], changes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of another object, the old one's version says nothing."""
    named = changes.get("manifest")
    location = named.get("location") if isinstance(named, Mapping) else None
    if not isinstance(location, Mapping) or "object_arn" not in location:
        return base
    return {**base, "manifest": {**base["manifest"], "location": {}}}


def _merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in changes.items():
        known = merged.get(name)
        if isinstance(value, Mapping):
            merged[name] = _merged(known if isinstance(known, Mapping) else {}, value)
        elif value is None:
            merged.pop(name, None)
        else:
            merged[name] = value
    return merged
