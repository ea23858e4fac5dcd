"""Destination and report against each other, by a client that is not ours."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import Counter
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from cosbatch.cli.demo.contents import CONTROL, SOURCE, TARGET

HEADS = 25
"""Objects of which metadata and class are looked at as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    rows: int
    succeeded: int
    failed_by_code: dict[str, int]
    in_destination: int
    disagreements: list[str]
    """What the report says and the bucket does not show, or the other way round."""


def compare(client: Any, *, report_key: str, target_prefix: str, source_prefix: str) -> Comparison:
    """Every row of the report against a listing of both buckets, and some objects in full."""
    rows = _report_rows(client, report_key)
    source, target = _sizes(client, SOURCE), _sizes(client, TARGET)
    expected: dict[str, int] = {}
    disagreements = []
    for row in rows:
        key = unquote_plus(row[1])
        target_key = target_prefix + key.removeprefix(source_prefix)
        if row[3] == "succeeded":
            expected[target_key] = source.get(key, -1)
        elif target_key in target:
            disagreements.append(f"{key}: reported failed, but there")
    disagreements += [
        f"{key}: reported succeeded, but {target.get(key, 'not there')} instead of {size} bytes"
        for key, size in expected.items()
        if target.get(key) != size
    ]
    disagreements += [f"{key}: there, but not in the report" for key in target.keys() - expected.keys()]
    disagreements += _check_some(client, sorted(expected), target_prefix=target_prefix, source_prefix=source_prefix)
    return Comparison(
        rows=len(rows),
        succeeded=len(expected),
        failed_by_code=dict(Counter(row[4] for row in rows if row[3] == "failed")),
        in_destination=len(target),
        disagreements=disagreements,
    )


def _report_rows(client: Any, report_key: str) -> list[list[str]]:
    manifest = json.loads(client.get_object(Bucket=CONTROL, Key=report_key)["Body"].read())
    rows: list[list[str]] = []
    for result in manifest["Results"]:
        content = client.get_object(Bucket=result["Bucket"], Key=result["Key"])["Body"].read()
        digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
        if digest != result["MD5Checksum"]:
            raise ValueError(f"{result['Key']} has another MD5 than manifest.json says")
        rows += csv.reader(io.StringIO(content.decode(), newline=""))
    return rows


def _sizes(client: Any, bucket: str) -> dict[str, int]:
    return {
        entry["Key"]: entry["Size"]
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        for entry in page.get("Contents", ())
    }


def _check_some(client: Any, keys: list[str], *, target_prefix: str, source_prefix: str) -> list[str]:
    """Metadata must have come along, the storage class must be the one asked for."""
    found = []
    for key in keys[:: max(1, len(keys) // HEADS)]:
        here = client.head_object(Bucket=TARGET, Key=key)
        there = client.head_object(Bucket=SOURCE, Key=source_prefix + key.removeprefix(target_prefix))
        if here.get("StorageClass") != "STANDARD_IA":
            found.append(f"{key}: storage class {here.get('StorageClass')}")
        if here["Metadata"] != {**there["Metadata"], "archived-by": "cosbatch"}:
            found.append(f"{key}: metadata {here['Metadata']}")
        if here["ContentType"] != there["ContentType"]:
            found.append(f"{key}: content type {here['ContentType']}")
    return found
