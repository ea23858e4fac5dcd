"""What must be true after a run, whatever happened: the report against both buckets, and nothing left behind."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from urllib.parse import unquote_plus

from tests.e2e.faults.running import FaultRun
from tests.e2e.faults.stock import list_objects, user_metadata
from tests.e2e.program import Report

_BROKEN: Final = frozenset(
    {"task-broke", "worker-coroutine-broke", "plan-broke", "seal-broke", "claim-not-begun", "Traceback"}
)
"""Events of the log that are errors of the program itself."""
LOSSES_BEFORE_LOST: Final = 4
"""A task is given up with the fourth lease that was lost while it ran."""
_LINGER_SECONDS: Final = 60.0
"""An orphan may take ten to give its work back."""


def check_truth(run: FaultRun, ended: dict[str, Any], *, heads: int) -> None:
    """All objects are listed; ``heads`` of them are asked for their metadata too, one by one."""
    assert ended["status"] == "Complete", ended
    report = run.ground.report(ended["job_id"])
    lost = check_rows(run, report, ended)
    check_source(run)
    check_target(run, but=lost, heads=heads)
    check_nothing_left(run)


def check_rows(run: FaultRun, report: Report, ended: dict[str, Any]) -> set[str]:
    """Every row once, with its true outcome; and whoever counts, counts the same.

    The keys that were given up because their worker was lost each time.
    """
    times = Counter(unquote_plus(row[1]) for row in report.rows)
    assert {key: count for key, count in times.items() if count > 1} == {}
    assert set(times) == set(run.stock.keys)
    failed = {unquote_plus(row[1]): tuple(row[4:6]) for row in report.rows if row[3] == "failed"}
    lost = {key for key, (code, _) in failed.items() if code == "WorkerLost"}
    assert len(lost) <= run.kills // LOSSES_BEFORE_LOST, lost
    assert {key: why for key, why in failed.items() if key not in lost} == dict.fromkeys(
        set(run.stock.missing) - lost, ("NoSuchKey", "404")
    )
    assert all(row[6] for row in report.rows)
    summary, counted = report.summary, ended["progress_summary"]
    counts = (len(times) - len(failed), len(failed))
    assert (summary["total"], summary["succeeded"], summary["failed"]) == (len(times), *counts)
    assert (counted["number_of_tasks_succeeded"], counted["number_of_tasks_failed"]) == counts
    assert (summary["not_attempted"], summary["unfinished_uploads"]) == (0, [])
    return lost


def check_source(run: FaultRun) -> None:
    assert list_objects(run.stock.ground.client, run.stock.ground.source) == run.stock.listed


def check_target(run: FaultRun, *, but: set[str], heads: int) -> None:
    """Of the keys ``but``, nobody knows whether they are there."""
    source, target = run.stock.listed, list_objects(run.ground.client, run.ground.target)
    assert set(source) - but <= set(target) <= set(source)
    for key, seen in target.items():
        assert seen.size_bytes == source[key].size_bytes, key
        assert seen.storage_class == run.shape.storage_class, key
    whole = [key for key, seen in target.items() if "-" not in seen.etag]
    assert {key: target[key].etag for key in whole} == {key: source[key].etag for key in whole}
    check_contents(run, target.keys() - set(whole))
    check_metadata(run, run.rng.sample(sorted(target), min(heads, len(target))))
    check_versions(run)
    assert "Uploads" not in run.ground.client.list_multipart_uploads(Bucket=run.ground.target)


def check_contents(run: FaultRun, keys: Iterable[str]) -> None:
    """Of objects that were put together from parts: their ETags say nothing."""
    for key in keys:
        pair = ((run.stock.ground.source, key), (run.ground.target, key))
        first, second = (_digest(run, bucket, name) for bucket, name in pair)
        assert first == second, key


def _digest(run: FaultRun, bucket: str, key: str) -> str:
    return hashlib.sha256(run.ground.client.get_object(Bucket=bucket, Key=key)["Body"].read()).hexdigest()


def check_metadata(run: FaultRun, keys: list[str]) -> None:
    client, bucket = run.ground.client, run.ground.target
    with ThreadPoolExecutor(8) as pool:
        seen = pool.map(lambda key: client.head_object(Bucket=bucket, Key=key), keys)
        for key, answer in zip(keys, seen, strict=True):
            assert answer["Metadata"] == {**user_metadata(key), **run.shape.added}, key
            assert answer["ContentType"] == "text/plain", key


def check_versions(run: FaultRun) -> None:
    """One for each key. A second one is what a request makes that the store applies after it was looked for."""
    if not run.shape.is_versioned:
        return
    times: Counter[str] = Counter()
    for page in run.ground.client.get_paginator("list_object_versions").paginate(Bucket=run.ground.target):
        assert "DeleteMarkers" not in page
        times.update(entry["Key"] for entry in page.get("Versions", ()))
    assert {key: count for key, count in times.items() if count > 1} == {}


def check_nothing_left(run: FaultRun) -> None:
    ends = time.monotonic() + _LINGER_SECONDS
    while left := run.processes():
        assert time.monotonic() < ends, f"left running: {left}"
        time.sleep(0.05)
    assert run.held_locks() == []
    assert chunk_files(run) == []
    secret = run.ground.store.secret_key.encode()
    for path in run.state.rglob("*"):
        assert not path.is_file() or secret not in path.read_bytes(), path
    assert [entry for entry in run.events() if entry.get("event") in _BROKEN or "exception" in entry] == []


def chunk_files(run: FaultRun) -> list[str]:
    """Those that a plan names: a killed planner may leave a temporary one, whose name begins with a dot."""
    found = run.state.glob("spool/jobs/*/chunks/**/*")
    return [path.name for path in found if path.is_file() and not path.name.startswith(".")]
