"""Deletions and tags through the installed program on any store, with the bucket held against the report."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, unquote_plus

from tests.e2e.program import Ground, Report

ODD = ("a b", "plus+", "100%", 'comma,"quote"', "中文/日志", "q?m#h")
PLAIN = tuple(f"logs/{number:03d}.log" for number in range(60))
WITH_VERSION = {"format": "COSBatchOperations_CSV_V1", "fields": ["Bucket", "Key", "VersionId"]}
DELETE: Mapping[str, Any] = {"cos_delete_object": {}}


def tagging(directive: str, **tags: str) -> dict[str, Any]:
    tag_set = [{"key": key, **({"value": value} if value else {})} for key, value in tags.items()]
    return {"cos_put_object_tagging": {"tagging_directive": directive, "tag_set": tag_set}}


def versions_csv(ground: Ground, rows: Iterable[tuple[str, str]], *, name: str) -> str:
    """Of keys and version ids; its ARN."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows((ground.source, quote(key, safe="/"), version) for key, version in rows)
    ground.client.put_object(Bucket=ground.control, Key=name, Body=text.getvalue().encode())
    return f"arn:aws:s3:::{ground.control}/{name}"


def carry_out(
    ground: Ground, arn: str, operation: Mapping[str, Any], *, expect: int = 0, has_versions: bool = False, name: str
) -> Report:
    document = ground.document(arn, operation=dict(operation), verify="all")
    if has_versions:
        document["manifest"]["spec"] = WITH_VERSION
    count = ["--confirm-count", "1000"] if operation == DELETE else []
    job = ground.call_json("run", ground.write_job(document, name=f"{name}.yaml"), "--yes", *count, expect=expect)
    return ground.report(job["job_id"])


def outcomes(report: Report) -> dict[tuple[str, str], tuple[str, str, str, str]]:
    """Key and version id -> status, code, HTTP status, message."""
    found = {(unquote_plus(row[1]), row[2]): (row[3], row[4], row[5], row[6]) for row in report.rows}
    assert len(found) == len(report.rows)
    return found


def versions_in(ground: Ground) -> dict[str, list[tuple[str, bool]]]:
    """Key -> version ids, the newest first, and whether each is a delete marker."""
    pages = ground.client.get_paginator("list_object_versions").paginate(Bucket=ground.source)
    listed = [
        (entry["Key"], entry["LastModified"], entry["IsLatest"], entry["VersionId"], kind == "DeleteMarkers")
        for page in pages
        for kind in ("Versions", "DeleteMarkers")
        for entry in page.get(kind, ())
    ]
    found: dict[str, list[tuple[str, bool]]] = {}
    for key, _, _, version, is_marker in sorted(listed, key=lambda entry: (entry[2], entry[1]), reverse=True):
        found.setdefault(key, []).append((version, is_marker))
    return found


def tags_in(ground: Ground, key: str, version: str = "") -> dict[str, str]:
    named = {"VersionId": version} if version else {}
    answer = ground.client.get_object_tagging(Bucket=ground.source, Key=key, **named)
    return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}


# --- what is tried, on any store


def delete_without_versioning(ground: Ground) -> None:
    ground.put([*PLAIN, *ODD])
    listed = [*PLAIN[:40], *ODD[:4], "never/there"]
    report = carry_out(ground, ground.csv(listed), DELETE, name="delete")
    assert outcomes(report) == {(key, ""): ("succeeded", "", "204", "Successful") for key in listed}
    assert ground.keys_in(ground.source) == {*PLAIN[40:], *ODD[4:]}


def delete_with_versioning(ground: Ground) -> None:
    """Markers first; then, of other keys, versions and markers by their ids."""
    enable_versioning(ground)
    ground.put(["x/marked", "x/kept", "y/old and new", "y/marker"])
    ground.put(["y/old and new"], body=lambda key: b"newer")
    ground.client.delete_object(Bucket=ground.source, Key="y/marker")
    before = versions_in(ground)

    marked = outcomes(carry_out(ground, ground.csv(["x/marked", "x/never"]), DELETE, name="markers"))
    after = versions_in(ground)
    for key in ("x/marked", "x/never"):
        (marker, is_marker), *below = after[key]
        assert is_marker
        assert below == before.get(key, [])
        assert marked[key, ""] == ("succeeded", "", "204", f"Successful: delete marker {marker}")
    assert {key: after[key] for key in before if key != "x/marked"} == {
        key: before[key] for key in before if key != "x/marked"
    }

    (_, newer_is_marker), (older, _) = before["y/old and new"]
    (marker, is_marker), _ = before["y/marker"]
    assert (newer_is_marker, is_marker) == (False, True)
    rows = [("y/old and new", older), ("y/marker", marker)]
    arn = versions_csv(ground, rows, name="versions.csv")
    named = outcomes(carry_out(ground, arn, DELETE, has_versions=True, name="versions"))
    assert named == dict.fromkeys(rows, ("succeeded", "", "204", "Successful"))
    assert versions_in(ground)["y/old and new"] == before["y/old and new"][:1]
    assert versions_in(ground)["y/marker"] == before["y/marker"][1:]


def delete_all_versions(ground: Ground) -> None:
    """An inventory of all versions empties the bucket, markers and all."""
    enable_versioning(ground)
    ground.put(["a", "b", "b/c"])
    ground.put(["a", "b"], body=lambda key: b"newer")
    ground.client.delete_object(Bucket=ground.source, Key="b")
    report = carry_out(ground, ground.inventory(has_versions=True), DELETE, name="all")
    assert len(report.rows) == 6
    assert {row[3] for row in report.rows} == {"succeeded"}
    assert versions_in(ground) == {}


def tags(ground: Ground) -> None:
    listed = [*PLAIN[:20], *ODD]
    ground.put([*listed, "not/listed"], Tagging="team=a&tier=hot")
    arn = ground.csv([*listed, "never/there"])
    steps: list[tuple[dict[str, Any], dict[str, str]]] = [
        (tagging("Add", tier="cold", year="2026"), {"team": "a", "tier": "cold", "year": "2026"}),
        (tagging("Delete", tier="", absent=""), {"team": "a", "year": "2026"}),
        (tagging("Replaced", only="größe"), {"only": "größe"}),
        (tagging("Delete"), {}),
    ]
    for number, (operation, wanted) in enumerate(steps):
        report = carry_out(ground, arn, operation, expect=3, name=f"tags{number}")
        found = outcomes(report)
        assert found.pop(("never/there", ""))[:3] == ("failed", "NoSuchKey", "404")
        assert found == {(key, ""): ("succeeded", "", "200", "Successful") for key in listed}
        assert {key: tags_in(ground, key) for key in listed} == dict.fromkeys(listed, wanted)
    assert tags_in(ground, "not/listed") == {"team": "a", "tier": "hot"}


def tags_of_versions(ground: Ground) -> None:
    enable_versioning(ground)
    for body in (b"1", b"2"):
        ground.put(["k", "by key"], body=lambda key, body=body: body, Tagging="team=a")  # type: ignore[misc]
    (newer, _), (older, _) = versions_in(ground)["k"]
    arn = versions_csv(ground, [("k", older)], name="versions.csv")
    carry_out(ground, arn, tagging("Add", old="yes"), has_versions=True, name="older")
    carry_out(ground, ground.csv(["by key"]), tagging("Delete"), name="newest")
    assert (tags_in(ground, "k", older), tags_in(ground, "k", newer)) == ({"team": "a", "old": "yes"}, {"team": "a"})
    (newest, _), (below, _) = versions_in(ground)["by key"]
    assert (tags_in(ground, "by key", newest), tags_in(ground, "by key", below)) == ({}, {"team": "a"})


def too_many_tags(ground: Ground) -> None:
    ground.put(["full"], Tagging="&".join(f"k{number}=v" for number in range(9)))
    report = carry_out(ground, ground.csv(["full"]), tagging("Add", a="1", b="2"), expect=3, name="full")
    (status, code, _, message) = outcomes(report)["full", ""]
    assert (status, code) == ("failed", "InvalidTag")
    assert "make 11" in message
    assert len(tags_in(ground, "full")) == 9


def enable_versioning(ground: Ground) -> None:
    ground.client.put_bucket_versioning(Bucket=ground.source, VersioningConfiguration={"Status": "Enabled"})


CASES = {
    "delete": delete_without_versioning,
    "delete with versioning": delete_with_versioning,
    "delete all versions": delete_all_versions,
    "tags": tags,
    "tags of versions": tags_of_versions,
    "too many tags": too_many_tags,
}
