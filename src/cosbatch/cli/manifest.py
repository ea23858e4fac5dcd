"""``cosbatch manifest inspect``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cosbatch.cli.invocation import EXIT_BAD_INPUT, EXIT_SUCCEEDED, WITHOUT_JOBS, Invocation, run_async, verb
from cosbatch.model.arns import parse_resource_arn
from cosbatch.model.identifiers import Bucket, ObjectKey, RegionName, VersionId
from cosbatch.model.manifests import (
    KeyEncoding,
    Manifest,
    ManifestField,
    ManifestFormat,
    ManifestLocation,
    ManifestSpec,
)

if TYPE_CHECKING:  # --help imports no reader of manifests
    from cosbatch.manifests.inspect import Inspection


@click.group("manifest")
def manifest() -> None:
    """Look at manifests."""


@verb("inspect", shared=WITHOUT_JOBS)
@click.argument("region")
@click.argument("location", metavar="BUCKET/KEY|ARN")
@click.option(
    "--format",
    "written_as",
    type=click.Choice([word.value for word in ManifestFormat]),
    help="Default: what its content looks like.",
)
@click.option(
    "--fields", default="", metavar="FIELD,...", help="What the columns of a CSV hold: Bucket,Key,VersionId,Ignore."
)
@click.option(
    "--key-encoding", type=click.Choice([word.value for word in KeyEncoding]), default="url", show_default=True
)
@click.option("--version-id", default="", help="A version of the manifest object.")
def inspect(
    invocation: Invocation,
    *,
    region: str,
    location: str,
    written_as: str | None,
    fields: str,
    key_encoding: str,
    version_id: str,
) -> int:
    """Show a manifest's ETag, format, columns and first rows, raw and decoded, without reading the whole of it."""
    place = _location(location, version_id=version_id)
    spec = ManifestSpec(
        format=ManifestFormat(written_as) if written_as else ManifestFormat.COS_CSV,
        fields=_fields(fields),
        key_encoding=KeyEncoding(key_encoding),
    )
    _check_encoding(spec.key_encoding, written_as=spec.format)
    manifest = Manifest(location=place, spec=spec)
    return run_async(_inspect(invocation, region=RegionName(region), manifest=manifest, guesses=not written_as))


def _check_encoding(encoding: KeyEncoding, *, written_as: ManifestFormat) -> None:
    if encoding is KeyEncoding.RAW and written_as is not ManifestFormat.COS_CSV:
        raise click.BadParameter("the keys of an inventory are always URL-encoded", param_hint="--key-encoding")


async def _inspect(invocation: Invocation, *, region: RegionName, manifest: Manifest, guesses: bool) -> int:
    from cosbatch.cli.output import print_json
    from cosbatch.settings import known_region

    settings = invocation.settings()
    known_region(settings, region)
    found = await invocation.wiring.inspect(settings, region, manifest, guess_format=guesses)
    _check_encoding(manifest.spec.key_encoding, written_as=found.format)
    if invocation.as_json:
        print_json(_document(found) | {"format_is_guessed": guesses})
    else:
        click.echo(_page(found, guesses=guesses))
    return EXIT_BAD_INPUT if found.faults else EXIT_SUCCEEDED


manifest.add_command(inspect)


def _location(text: str, *, version_id: str) -> ManifestLocation:
    arn = parse_resource_arn(text)
    bucket, _, key = (arn.bucket, "", arn.key or "") if arn else text.partition("/")
    if not bucket or not key:
        raise click.BadParameter(f"{text!r} names no object; write BUCKET/KEY or an ARN", param_hint="location")
    version = VersionId(version_id) if version_id else None
    return ManifestLocation(bucket=Bucket(bucket), key=ObjectKey(key), version_id=version)


def _fields(text: str) -> tuple[ManifestField, ...]:
    try:
        return tuple(ManifestField(name.strip()) for name in text.split(",") if name.strip())
    except ValueError as error:
        known = ", ".join(ManifestField)
        raise click.BadParameter(f"{error}; known are {known}", param_hint="--fields") from None


def _page(found: Inspection, *, guesses: bool) -> str:
    from cosbatch.cli.output import counted, one_line, pairs, size, table
    from cosbatch.service.job_document import iso_time

    versions = found.versions
    guessed = ", ".join(found.guessed_fields)
    sections = [
        pairs(
            [
                ("ETag", found.etag),
                ("Size", size(found.size_bytes)),
                ("Modified", iso_time(found.last_modified) or ""),
                ("Version", found.version_id or ""),
                ("Format may be" if guesses else "Format", found.format + (", gzip" if found.is_gzip else "")),
                ("Columns", ", ".join(found.columns)),
                ("Columns may be", guessed if guessed != ", ".join(found.columns) else ""),
                ("Source bucket", found.source_bucket or ""),
                ("Looked at", counted(found.rows_looked_at, "row")),
                ("Versions", f"{versions.named} named, {versions.null} null, {versions.empty} empty"),
            ]
        )
    ]
    if found.first_rows:
        rows = [(str(row.line), row.row.key if row.row else "?", ",".join(row.cells)) for row in found.first_rows]
        sections.append(table(("LINE", "KEY", "AS IT STANDS"), rows))
    sections += [f"Warning: {one_line(warning.message)}" for warning in found.warnings]
    sections += [f"Fault: {one_line(str(fault))}" for fault in found.faults]
    return "\n\n".join(sections) + ("\n\n... and more faults" if found.more_faults else "")


def _document(found: Inspection) -> dict[str, Any]:
    from cosbatch.service.job_document import iso_time

    return {
        "etag": found.etag,
        "size_bytes": found.size_bytes,
        "last_modified": iso_time(found.last_modified),
        "version_id": found.version_id,
        "format": found.format.value,
        "is_gzip": found.is_gzip,
        "columns": list(found.columns),
        "guessed_fields": [field.value for field in found.guessed_fields],
        "source_bucket": found.source_bucket,
        "first_rows": [
            {"line": row.line, "cells": list(row.cells), "row": row.row and row.row._asdict()}
            for row in found.first_rows
        ],
        "rows_looked_at": found.rows_looked_at,
        "versions": found.versions._asdict(),
        "warnings": [{"kind": warning.oddity.value, "message": warning.message} for warning in found.warnings],
        "faults": [
            {"path": fault.path, "value": fault.value, "problem": fault.problem, "way_out": fault.way_out}
            for fault in found.faults
        ],
        "more_faults": found.more_faults,
        "checksum_ok": found.checksum_ok,
    }
