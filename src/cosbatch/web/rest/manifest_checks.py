"""A whole manifest, read before a job is made of it: rows, faulty ones, and objects that are named twice."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Body
from pydantic import Field

from cosbatch.manifests.check import ManifestChecked
from cosbatch.web.rest.browsing import refusals_of_store
from cosbatch.web.rest.calls import Access, Call
from cosbatch.web.rest.desks import AllDesks, WhoCalls
from cosbatch.web.rest.errors import FaultShape
from cosbatch.web.rest.manifests import ASKED_LOOK, REFUSALS, TAG, LookForm, failures_of_manifest, manifest_of, shown
from cosbatch.web.rest.shapes import View

_CHECKED: Final[dict[str, Any]] = {
    "is_usable": True,
    "is_complete": True,
    "rows": 120000,
    "bytes_read": 5242880,
    "size_bytes": 5242880,
    "listed_objects": None,
    "listed_bytes": None,
    "delete_markers": 0,
    "repeats": 1,
    "first_repeats": [{"row": 77, "key": "raw/a b.log", "version_id": None}],
    "faults": [],
    "more_faults": False,
}


def manifest_check_calls() -> list[Call]:
    return [
        Call(
            method="POST",
            path="/manifests:check",
            answer=check_manifest,
            access=Access.OPERATOR,
            tag=TAG,
            summary="Check all rows of a manifest",
            shape=ManifestCheckedView,
            asked=ASKED_LOOK,
            example=_CHECKED,
            refusals=REFUSALS,
        )
    ]


class RepeatView(View):
    row: int = Field(description="Number among the rows of all files, from 1.")
    key: str
    version_id: str | None


class ManifestCheckedView(View):
    is_usable: bool = Field(description="No fault was found in what was read.")
    is_complete: bool = Field(description="It was read to its end; else the numbers are of the rows read.")
    rows: int = Field(description="Read; where there are faults, those before the first one.")
    bytes_read: int
    size_bytes: int | None = Field(description="Of all files with rows; null where the first rows cannot be read.")
    listed_objects: int | None = Field(description="As an inventory says; null where nothing says it.")
    listed_bytes: int | None = Field(description="Of the rows read; null where the manifest lists no sizes.")
    delete_markers: int
    repeats: int = Field(description="Rows that name the object and version that a row before them names.")
    first_repeats: list[RepeatView] = Field(description="Up to 10.")
    faults: list[FaultShape] = Field(description="Up to 100, each with file, line and column: a job would fail.")
    more_faults: bool


async def check_manifest(form: Annotated[LookForm, Body()], desks: AllDesks, caller: WhoCalls) -> ManifestCheckedView:
    """Reads up to 1,000,000 rows for up to 10 s, and says how far it came. Format and fields that are not given are
    guessed as by `inspect_manifest`. Nothing in it keeps a job from being made."""
    manifest = manifest_of(form)
    with refusals_of_store(), failures_of_manifest():
        found = await desks.browsing.check_manifest(
            caller,
            region=form.region,
            manifest=manifest,
            guess_format=form.manifest.spec.format is None,
            role_arn=form.role_arn,
        )
    return _view(found)


def _view(found: ManifestChecked) -> ManifestCheckedView:
    header = found.header
    return ManifestCheckedView(
        is_usable=not found.faults,
        is_complete=found.is_complete,
        rows=found.rows,
        bytes_read=found.bytes_read,
        size_bytes=header.size_bytes if header else None,
        listed_objects=header.listed_objects if header else None,
        listed_bytes=found.listed_bytes,
        delete_markers=found.delete_markers,
        repeats=found.repeats,
        first_repeats=[
            RepeatView(row=each.row, key=shown(each.key), version_id=each.version_id) for each in found.first_repeats
        ],
        faults=[
            FaultShape(path=fault.path, value=fault.value, problem=fault.problem, way_out=fault.way_out)
            for fault in found.faults
        ],
        more_faults=found.more_faults,
    )
