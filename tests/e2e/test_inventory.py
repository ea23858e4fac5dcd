"""Copies of versions, report scopes, and the installed program over both kinds of manifest."""

from __future__ import annotations

import asyncio
import csv
import io
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_plus

import pytest

from cosbatch.model.jobs import Job
from cosbatch.model.reports import ReportState
from cosbatch.model.states import JobStatus
from tests.e2e.option_cases import CASES, HABITS
from tests.e2e.option_jobs import ARMS, CaseRun, case_document, differences, look_at, put_sources, rows_of, run_jobs
from tests.e2e.program import Ground
from tests.stores import RealStore

WITH_VERSION = {"format": "COSBatchOperations_CSV_V1", "fields": ["Bucket", "Key", "VersionId"]}
SENT = ("succeeded", "", "200")
SKIPPED = ("succeeded", "", "")
NOT_LATEST = ("failed", "NotLatestVersion", "")

pytestmark = pytest.mark.timeout(600)


@dataclass(slots=True)
class Versions:
    """A versioned bucket with objects of all ages, and jobs over it that have ended."""

    ground: Ground
    ids: dict[str, list[str]] = field(default_factory=dict)
    """Key -> version ids of what was put, the oldest first; a delete marker's too."""
    live: dict[str, list[bytes]] = field(default_factory=dict)
    """Key -> contents of its versions, the oldest first."""
    jobs: dict[str, Job] = field(default_factory=dict)

    @property
    def kept(self) -> str:
        return f"{self.ground.name}-kept"

    def put(self, key: str, *, keeps: bool = True) -> None:
        body = f"{key} {len(self.ids.get(key, ()))}".encode()
        answer = self.ground.client.put_object(
            Bucket=self.ground.source, Key=key, Body=body, Metadata={"turn": str(len(self.ids.get(key, ())))}
        )
        self.ids.setdefault(key, []).append(answer["VersionId"] if keeps else "null")
        self.live.setdefault(key, []).append(body)

    def delete(self, key: str) -> None:
        answer = self.ground.client.delete_object(Bucket=self.ground.source, Key=key)
        self.ids[key].append(answer["VersionId"])

    def fill(self) -> None:
        """Versions from before and after versioning was switched on, and delete markers over and under them."""
        client = self.ground.client
        for key in ("v/null-only", "v/three ü"):
            self.put(key, keeps=False)
        for bucket in (self.ground.source, self.kept):
            if bucket == self.kept:
                client.create_bucket(Bucket=bucket)
            client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        for key in ("v/three ü", "v/three ü", "v/deleted", "v/deleted", "v/restored", "w/deleted"):
            self.put(key)
        for key in ("v/deleted", "v/restored", "w/deleted"):
            self.delete(key)
        self.put("v/restored")

    def csv(self, name: str, rows: Iterable[Sequence[str]]) -> str:
        """Of keys and version ids; its ARN."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows((self.ground.source, quote(key, safe="/"), version) for key, version in rows)
        self.ground.client.put_object(Bucket=self.ground.control, Key=f"{name}.csv", Body=text.getvalue().encode())
        return f"arn:aws:s3:::{self.ground.control}/{name}.csv"

    def document(self, name: str, arn: str, *, target: str = "", **job: Any) -> dict[str, Any]:
        """Into a folder of the destination that has the job's name."""
        copy = {"prefix_replace": True, "target_key_prefix": f"{name}/"}
        if target:
            copy["target_resource"] = f"arn:aws:s3:::{target}"
        document = self.ground.document(arn, copy=copy, verify="all", **job)
        if arn.endswith(".csv"):
            document["manifest"]["spec"] = WITH_VERSION
        return document

    def run_all(self) -> None:
        three, deleted = self.ids["v/three ü"], self.ids["v/deleted"]
        chosen = [("v/null-only", "null"), ("v/three ü", three[1]), ("v/restored", ""), ("v/deleted", deleted[0])]
        missing = [("v/gone", ""), ("v/deleted-now", deleted[0]), ("w/deleted", self.ids["w/deleted"][1])]
        newest_first = [("v/three ü", version) for version in reversed(three)]
        plain = self.csv("plain", [("v/restored", ""), ("v/gone", "")])
        without_report: dict[str, Any] = {"report": {"enabled": False}}
        failed_only = {**self.ground.document(plain)["report"], "report_scope": "FailedTasksOnly"}
        everything = self.ground.inventory(name="everything", has_versions=True)
        several = self.ground.inventory(name="several", prefix="v/", has_versions=True)
        two = self.csv("two", newest_first)
        documents = {
            "chosen": self.document("chosen", self.csv("chosen", [*chosen, *missing])),
            "kept": self.document("kept", everything, target=self.kept),
            "latest": self.document("latest", several),
            "ordered": self.document("ordered", two, target=self.kept),
            "unknown": self.document("unknown", two),
            "failed-only": self.document("failed-only", plain, report=failed_only),
            "silent": self.document("silent", plain, **without_report),
        }
        self.jobs = asyncio.run(run_jobs(self.ground, documents))

    def rows(self, name: str) -> dict[tuple[str, str], tuple[str, ...]]:
        """Key and version -> status, error code and HTTP status."""
        rows = self.ground.report(self.jobs[name].id).rows
        found = {(unquote_plus(row[1]), row[2]): tuple(row[3:6]) for row in rows}
        assert len(found) == len(rows)
        return found

    def kept_versions(self, folder: str) -> dict[str, list[bytes]]:
        """Key without the folder -> contents of its versions in the versioned destination, the oldest first."""
        client, found = self.ground.client, dict[str, list[bytes]]()
        for entry in client.list_object_versions(Bucket=self.kept, Prefix=f"{folder}/")["Versions"]:
            body = client.get_object(Bucket=self.kept, Key=entry["Key"], VersionId=entry["VersionId"])["Body"].read()
            found.setdefault(entry["Key"].removeprefix(f"{folder}/"), []).insert(0, body)
        return found

    def copies(self, folder: str) -> dict[str, bytes]:
        """In the destination without versions."""
        keys = [key for key in self.ground.keys_in(self.ground.target) if key.startswith(f"{folder}/")]
        store, bucket = self.ground.store, self.ground.target
        return {key.removeprefix(f"{folder}/"): look_at(store, bucket, key).body for key in keys}


@pytest.fixture(scope="module", params=["seaweedfs", pytest.param("ceph", marks=pytest.mark.system)])
def versions(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Versions:
    store: RealStore = request.getfixturevalue(f"{request.param}_store")
    versions = Versions(Ground(store, tmp_path_factory.mktemp("versions"), f"ver{uuid.uuid4().hex[:8]}"))
    versions.fill()
    versions.run_all()
    return versions


def test_a_list_names_versions(versions: Versions) -> None:
    ids, rows = versions.ids, versions.rows("chosen")
    gone = {key: rows.pop((key, version)) for key, version in list(rows) if rows[key, version] != SENT}
    assert set(rows) == {
        ("v/null-only", "null"),
        ("v/three ü", ids["v/three ü"][1]),
        ("v/restored", ""),
        ("v/deleted", ids["v/deleted"][0]),
    }
    assert {key: row[0] for key, row in gone.items()} == dict.fromkeys(
        ("v/gone", "v/deleted-now", "w/deleted"), "failed"
    )
    assert gone["v/gone"] == ("failed", "NoSuchKey", "404")
    assert versions.copies("chosen") == {
        "v/null-only": b"v/null-only 0",
        "v/three ü": "v/three ü 1".encode(),
        "v/restored": b"v/restored 2",
        "v/deleted": b"v/deleted 0",
    }


def test_a_versioned_destination_gets_all_versions_in_their_order(versions: Versions) -> None:
    assert versions.jobs["kept"].status is JobStatus.COMPLETE, versions.jobs["kept"].failure_reason
    assert versions.kept_versions("kept") == versions.live
    markers = {
        (key, versions.ids[key][place]) for key, place in (("v/deleted", 2), ("v/restored", 1), ("w/deleted", 1))
    }
    all_ids = {(key, version) for key, ids in versions.ids.items() for version in ids}
    assert versions.rows("kept") == {row: SKIPPED if row in markers else SENT for row in all_ids}
    tally = versions.jobs["kept"].tally
    assert (tally.skipped, tally.outside_rate) == (3, 3)
    latest = {key: bodies[-1] for key, bodies in versions.live.items()}
    client = versions.ground.client
    for key, body in latest.items():
        assert client.get_object(Bucket=versions.kept, Key=f"kept/{key}")["Body"].read() == body


def test_a_copied_version_has_its_own_metadata(versions: Versions) -> None:
    client, key = versions.ground.client, "kept/v/three ü"
    found = client.list_object_versions(Bucket=versions.kept, Prefix=key)["Versions"]
    turns = [
        client.head_object(Bucket=versions.kept, Key=key, VersionId=entry["VersionId"])["Metadata"]["turn"]
        for entry in found
    ]
    assert turns == ["2", "1", "0"]


def test_an_unversioned_destination_gets_the_latest(versions: Versions) -> None:
    ids = versions.ids
    expected = {
        ("v/null-only", "null"): SENT,
        **dict.fromkeys(((("v/three ü", version) for version in ids["v/three ü"][:2])), NOT_LATEST),
        ("v/three ü", ids["v/three ü"][2]): SENT,
        **dict.fromkeys(((("v/deleted", version) for version in ids["v/deleted"][:2])), NOT_LATEST),
        ("v/deleted", ids["v/deleted"][2]): SKIPPED,
        ("v/restored", ids["v/restored"][0]): NOT_LATEST,
        ("v/restored", ids["v/restored"][1]): SKIPPED,
        ("v/restored", ids["v/restored"][2]): SENT,
    }
    assert versions.rows("latest") == expected
    assert versions.copies("latest") == {
        key: versions.live[key][-1] for key in ("v/null-only", "v/three ü", "v/restored")
    }
    assert versions.jobs["latest"].tally.requests < 20


def test_skipped_markers_say_so(versions: Versions) -> None:
    report = versions.ground.report(versions.jobs["latest"].id)
    marker = versions.ids["v/deleted"][2]
    assert [row[6] for row in report.rows if row[2] == marker] == ["Skipped: delete marker"]
    assert report.summary["skipped"] == 2


def test_a_list_of_versions_is_copied_from_its_end(versions: Versions) -> None:
    assert versions.jobs["ordered"].status is JobStatus.COMPLETE, versions.jobs["ordered"].failure_reason
    assert versions.kept_versions("ordered") == {"v/three ü": versions.live["v/three ü"]}


def test_versions_without_is_latest_are_refused_where_one_is_kept(versions: Versions) -> None:
    job = versions.jobs["unknown"]
    assert job.status is JobStatus.FAILED
    assert "IsLatest" in job.failure_reason
    assert versions.copies("unknown") == {}


def test_a_report_of_failed_tasks_only(versions: Versions) -> None:
    report = versions.ground.report(versions.jobs["failed-only"].id)
    assert rows_of(report) == [("v/gone", "failed", "NoSuchKey", "404")]
    assert (report.summary["succeeded"], report.summary["failed"]) == (1, 1)


def test_a_job_without_a_report(versions: Versions) -> None:
    job = versions.jobs["silent"]
    assert (job.status, job.report_state) == (JobStatus.COMPLETE, ReportState.NONE)
    assert (job.tally.succeeded, job.tally.failed) == (1, 1)
    assert not [key for key in versions.ground.keys_in(versions.ground.control) if job.id in key]


@pytest.mark.parametrize("arm", ARMS)
def test_the_program_carries_out_a_case(seaweedfs_store: RealStore, tmp_path: Path, arm: str) -> None:
    ground = Ground(seaweedfs_store, tmp_path, f"prg{uuid.uuid4().hex[:8]}")
    (case,) = (case for case in CASES if case.name == "everything")
    run = CaseRun(case=case, arm=arm)
    boundary = put_sources(ground, [run])
    document = case_document(ground, run, boundary=boundary)
    ended = ground.call_json("run", ground.write_job(document), "--yes", expect=3)
    assert rows_of(ground.report(ended["job_id"])) == run.expected_rows()
    expected = run.expected_looks(HABITS["seaweedfs"])
    assert ground.keys_in(ground.target) == set(expected)
    seen = {key: look_at(ground.store, ground.target, key) for key in expected}
    assert differences(seen, expected) == {}
