"""A look at a manifest before a job is made of it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Final

from fastapi import Body
from pydantic import Field

from cosbatch.manifests.inspect import Inspection
from cosbatch.manifests.sample import Oddity, SampleRow
from cosbatch.model.arns import parse_resource_arn
from cosbatch.model.errors import FailureCode, Fault, InvalidArgument, JobFailure
from cosbatch.model.identifiers import VersionId
from cosbatch.model.manifests import (
    KeyEncoding,
    Manifest,
    ManifestField,
    ManifestFormat,
    ManifestLocation,
    ManifestSpec,
)
from cosbatch.web.rest.browsing import refusals_of_store
from cosbatch.web.rest.calls import Access, Call
from cosbatch.web.rest.desks import AllDesks, WhoCalls
from cosbatch.web.rest.errors import FaultShape, RestRefusal
from cosbatch.web.rest.shapes import Form, Time, View, time_text

TAG: Final = "manifests"
_ARN_MAX: Final = 2048
_COLUMNS_MAX: Final = 64
_STATUS_OF: Final[Mapping[FailureCode, int]] = {
    FailureCode.MANIFEST_NOT_FOUND: 404,
    FailureCode.ACCESS_DENIED_ON_MANIFEST: 409,
    FailureCode.MANIFEST_ETAG_MISMATCH: 409,
    FailureCode.REGION_MISMATCH: 409,
}
ASKED_LOOK: Final[dict[str, Any]] = {
    "region": "ap-guangzhou",
    "manifest": {"location": {"object_arn": "qcs::cos:ap-guangzhou::logs-1250000000/inv/list.csv"}},
    "role_arn": "qcs::cam::uin/100000000001:roleName/batch",
}
REFUSALS: Final = {
    404: "There is no such object.",
    409: "The store says no, the bucket lies in another region, or the manifest changes meanwhile.",
}
_LINE_AND_COLUMN: Final = re.compile(r":(\d+):(\d+)$")
_LOOK: Final[dict[str, Any]] = {
    "etag": "9c1185a5c5e9fc54612808977ee8f548",
    "size_bytes": 120,
    "last_modified": "2025-08-02T03:00:00.000Z",
    "object_version_id": None,
    "format": "COSBatchOperations_CSV_V1",
    "format_is_guessed": True,
    "is_gzip": False,
    "columns": ["Bucket", "Key"],
    "guessed_fields": ["Bucket", "Key"],
    "source_bucket": "logs-1250000000",
    "first_rows": [
        {
            "line": 1,
            "cells": ["logs-1250000000", "raw/a+b.log"],
            "row": {"key": "raw/a b.log", "version_id": None, "size_bytes": None, "is_delete_marker": False},
            "problems": [],
        }
    ],
    "rows_looked_at": 3,
    "versions": {"named": 0, "null": 0, "empty": 3},
    "warnings": [{"kind": "crlf", "message": "lines end in CR LF"}],
    "faults": [],
    "more_faults": False,
    "inventory": None,
}


def manifest_calls() -> list[Call]:
    return [
        Call(
            method="POST",
            path="/manifests:inspect",
            answer=inspect_manifest,
            access=Access.OPERATOR,
            tag=TAG,
            summary="Look at a manifest",
            shape=ManifestLookView,
            asked=ASKED_LOOK,
            example=_LOOK,
            refusals=REFUSALS,
        )
    ]


# --- shapes


class LocationForm(Form):
    object_arn: str = Field(max_length=_ARN_MAX)
    etag: str = Field(default="", max_length=1024, description="Where it has another one, a warning says so.")
    object_version_id: str = Field(default="", max_length=1024)


class SpecForm(Form):
    format: ManifestFormat | None = Field(default=None, description="Null: what its content looks like.")
    fields: list[ManifestField] = Field(
        default=[], max_length=_COLUMNS_MAX, description="What the columns of a CSV hold; without them: guessed."
    )
    key_encoding: KeyEncoding = KeyEncoding.URL


class ManifestForm(Form):
    location: LocationForm
    spec: SpecForm = SpecForm()


class LookForm(Form):
    region: str = Field(max_length=64)
    manifest: ManifestForm
    role_arn: str = Field(
        default="", max_length=1024, description="A role of the account to look with. Admins may do without."
    )


class RowView(View):
    """A row, decoded."""

    key: str
    version_id: str | None = Field(description="Null: the newest version when the task runs.")
    size_bytes: int | None
    is_delete_marker: bool


class RowProblemView(View):
    column: int = Field(description="From 1.")
    problem: str
    way_out: str


class SampleRowView(View):
    line: int
    cells: list[str] = Field(description="As they stand in the file, the quotes of CSV taken off.")
    row: RowView | None = Field(description="Null where the row is faulty, or nobody knows which column is which.")
    problems: list[RowProblemView] = Field(description="Those of `faults` that are about this row.")


class VersionsView(View):
    """How the rows that were looked at name a version."""

    named: int
    null: int
    empty: int


class WarningView(View):
    kind: Oddity
    message: str


class InventoryView(View):
    """Of a `manifest.json`."""

    source_bucket: str | None
    files: int
    checksum_ok: bool | None = Field(description="Whether manifest.checksum is its MD5; null where there is none.")


class ManifestLookView(View):
    etag: str = Field(description="Without quotes: what a job pins.")
    size_bytes: int
    last_modified: Time
    object_version_id: str | None
    format: ManifestFormat
    format_is_guessed: bool
    is_gzip: bool = Field(description="Of the file with the rows.")
    columns: list[str] = Field(description="The fields given, else those guessed, or the inventory's schema.")
    guessed_fields: list[ManifestField] = Field(description="A proposal for a CSV; empty where nothing can be told.")
    source_bucket: str | None
    first_rows: list[SampleRowView] = Field(description="Up to 10.")
    rows_looked_at: int
    versions: VersionsView
    warnings: list[WarningView]
    faults: list[FaultShape] = Field(description="In what was looked at: with any of them a job would fail.")
    more_faults: bool
    inventory: InventoryView | None


# --- the call


async def inspect_manifest(form: Annotated[LookForm, Body()], desks: AllDesks, caller: WhoCalls) -> ManifestLookView:
    """Its ETag, format, columns and first rows, raw and decoded, from at most 256 KiB of it. What a person has to
    decide is proposed, not decided."""
    manifest = manifest_of(form)
    guesses = form.manifest.spec.format is None
    with refusals_of_store(), failures_of_manifest():
        found = await desks.browsing.inspect(
            caller, region=form.region, manifest=manifest, guess_format=guesses, role_arn=form.role_arn
        )
    return _view(found, guesses=guesses)


def manifest_of(form: LookForm) -> Manifest:
    location, spec = form.manifest.location, form.manifest.spec
    arn = parse_resource_arn(location.object_arn)
    faults = []
    if arn is None or not arn.key:
        faults.append(_fault("location.object_arn", location.object_arn, "names no object", "name bucket and key"))
    elif arn.region not in (None, form.region):
        problem = f"names the region {arn.region}, which is not {form.region}"
        faults.append(_fault("location.object_arn", location.object_arn, problem, "name the region of its bucket"))
    if spec.key_encoding is KeyEncoding.RAW and spec.format not in (None, ManifestFormat.COS_CSV):
        problem = "is for CSV manifests: the keys of an inventory are always URL-encoded"
        faults.append(_fault("spec.key_encoding", spec.key_encoding, problem, "leave it out"))
    if faults or arn is None or not arn.key:
        raise InvalidArgument("the manifest cannot be looked at", faults=faults)
    version = VersionId(location.object_version_id) if location.object_version_id else None
    return Manifest(
        location=ManifestLocation(bucket=arn.bucket, key=arn.key, etag=location.etag.strip('"'), version_id=version),
        spec=ManifestSpec(
            format=spec.format or ManifestFormat.COS_CSV, fields=tuple(spec.fields), key_encoding=spec.key_encoding
        ),
    )


def _fault(path: str, value: str, problem: str, way_out: str) -> Fault:
    return Fault(path=f"manifest.{path}", value=value[:200], problem=problem, way_out=way_out)


@contextmanager
def failures_of_manifest() -> Iterator[None]:
    """What would make a job fail in planning is a refusal here, with the same code."""
    try:
        yield
    except JobFailure as failure:
        status = _STATUS_OF.get(failure.failure_code)
        if status is None:
            raise RestRefusal("StoreRefused", failure.reason, http_status=409) from failure
        raise RestRefusal(failure.failure_code, failure.reason, http_status=status) from failure


def _view(found: Inspection, *, guesses: bool) -> ManifestLookView:
    inventory, problems = found.inventory, _problems_by_line(found.faults)
    return ManifestLookView(
        etag=found.etag,
        size_bytes=found.size_bytes,
        last_modified=time_text(found.last_modified),
        object_version_id=found.version_id,
        format=found.format,
        format_is_guessed=guesses,
        is_gzip=found.is_gzip,
        columns=list(found.columns),
        guessed_fields=list(found.guessed_fields),
        source_bucket=found.source_bucket,
        first_rows=[_row_view(row, problems=problems[row.line]) for row in found.first_rows],
        rows_looked_at=found.rows_looked_at,
        versions=VersionsView(**found.versions._asdict()),
        warnings=[WarningView(kind=remark.oddity, message=remark.message) for remark in found.warnings],
        faults=[
            FaultShape(path=fault.path, value=fault.value, problem=fault.problem, way_out=fault.way_out)
            for fault in found.faults
        ],
        more_faults=found.more_faults,
        inventory=None
        if inventory is None
        else InventoryView(
            source_bucket=inventory.source_bucket, files=len(inventory.files), checksum_ok=found.checksum_ok
        ),
    )


def _problems_by_line(faults: Sequence[Fault]) -> Mapping[int, list[RowProblemView]]:
    """All rows that are looked at stand in one file."""
    found: dict[int, list[RowProblemView]] = defaultdict(list)
    for fault in faults:
        if place := _LINE_AND_COLUMN.search(fault.path):
            problem = RowProblemView(column=int(place[2]), problem=fault.problem, way_out=fault.way_out)
            found[int(place[1])].append(problem)
    return found


def _row_view(sample: SampleRow, *, problems: list[RowProblemView]) -> SampleRowView:
    row = sample.row
    return SampleRowView(
        line=sample.line,
        cells=[shown(cell) for cell in sample.cells],
        row=None
        if row is None
        else RowView(
            key=row.key,
            version_id=row.version_id,
            size_bytes=row.size_bytes,
            is_delete_marker=row.is_delete_marker,
        ),
        problems=problems,
    )


def shown(cell: str) -> str:
    """Bytes that are no UTF-8 have no place in JSON."""
    return cell.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
