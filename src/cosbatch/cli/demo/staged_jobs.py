"""The jobs of ``demo-console``: in every state that a job can be in for a while, made as users make them."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final

from cosbatch.cli.demo.contents import CONTROL, MANIFEST_KEY, TARGET
from cosbatch.cli.demo.place import REGION, ROLE_ARN, DemoFailed
from cosbatch.cli.demo.staged_store import EXPIRED, TEMPORARY, list_arn
from cosbatch.client import Client
from cosbatch.model.jobs import Job, PausedBy
from cosbatch.model.states import JobStatus, is_final

CAPPED: Final = "demo-capped"
STAGING_CAP, CAP = 80.0, 2.0
"""Requests per second to each bucket of that region, while jobs are made and afterwards."""
AWAY: Final = "branch-office"
"""A region that nobody answers for."""
_LOOK_SECONDS: Final = 0.2
_WAIT_SECONDS: Final = 300.0
_ARCHIVE: Final = f"arn:aws:s3:::{TARGET}"
_ADD_TAGS: Final = {"tagging_directive": "Add", "tag_set": [{"key": "project", "value": "archive-2026"}]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """Who makes the jobs."""

    admin: Client
    operator: Client


def stage_jobs(
    hands: Hands,
    *,
    readable: Callable[[], AbstractContextManager[None]],
    logs_are_there: Callable[[], None],
    say: Callable[[str], None],
) -> int:
    """How many jobs there are then. ``readable`` lets the jobs' role read private photos for a while;
    ``logs_are_there`` waits for the objects of the long jobs."""
    say("Making jobs that end")
    ended = _quick(hands)
    _wait_for(hands.admin, ended, lambda job: is_final(job.status) or job.status is JobStatus.SUSPENDED)
    ended += _after_others(hands, ended, readable=readable)
    say("Making jobs that wait and run")
    logs_are_there()
    count = len(ended) + len(_long(hands))
    hands.admin.call("PATCH", f"/regions/{CAPPED}", body={"requests_per_second": CAP})
    return count


def _quick(hands: Hands) -> list[str]:
    """Jobs that end, or wait for a confirmation, by themselves; oldest first."""
    admin, operator = hands.admin, hands.operator
    made = [
        operator.create_job(_copy("Copy the public albums to the archive", "photos-public", "albums/")),
        admin.create_job(_copy("把 2025 年的照片归档到低频存储", "photos", "2025/", storage_class="STANDARD_IA")),
        operator.create_job(_copy("Move the studio's photos, keep their folders", "photos-mixed", "studio-2026/")),
        admin.create_job(_deletion("删除过期的分片上传文件", "expired-uploads", count=len(EXPIRED))),
        operator.create_job(_copy("Dry run: copy the photos of 2019", "photos-mixed", "2019/", dry_run=True)),
        operator.create_job(_copy("Copy the photos of 2019", "photos-2019", "2019/", failure_threshold=0.2)),
        operator.create_job(_copy("Copy last year's photos (folder renamed since)", "photos-wrong-folder", "2019/")),
        admin.create_job(_copy("复制含特殊字符的文件名", "photos-odd-names", "odd/", report={"enabled": False})),
        operator.create_job(_copy("Copy photos and documents", "two-buckets", "both/")),
        operator.create_job(_inventory("Copy everything of the daily inventory", "daily/", confirmation_required=True)),
        admin.create_job(
            _deletion("清理临时文件(请先确认数量)", "temporary-files", count=len(TEMPORARY), confirmation_required=True)
        ),
        operator.create_job(_copy("Copy the albums once more", "photos-public", "again/", confirmation_required=True)),
    ]
    return [str(job.id) for job in made]


def _after_others(hands: Hands, ended: list[str], *, readable: Callable[[], AbstractContextManager[None]]) -> list[str]:
    """What takes a job that is there."""
    hands.operator.cancel_job(ended[-1], reason="made by mistake: the albums are there already")
    with readable():
        again = hands.operator.retry_failed(
            ended[2], error_code="AccessDenied", changes={"description": "Retry: the bucket policy is corrected"}
        )
        _wait_for(hands.admin, [str(again.job.id)], lambda job: is_final(job.status))
    # Once nobody copies them: a copy whose source gets other tags meanwhile looks like one that has lost them.
    tagged = _made(hands.operator, _tagging("Tag the albums for the archive project", "photos-public"))
    _wait_for(hands.admin, [tagged], lambda job: is_final(job.status))
    return [str(again.job.id), tagged]


def _long(hands: Hands) -> list[str]:
    """Jobs of the region that is capped, where one runs at a time."""
    admin, operator = hands.admin, hands.operator
    paused = _made(operator, _log_copy("Copy the logs to the cold bucket", "cold/", priority=5))
    _wait_until_it_works(admin, paused)
    operator.pause_job(paused, reason="the network team works on the link")
    _wait_for(admin, [paused], lambda job: job.status is JobStatus.PAUSED)
    cancelled = _made(operator, _log_copy("Copy the logs of the old cluster", "old-cluster/", priority=5))
    _wait_until_it_works(admin, cancelled)
    operator.cancel_job(cancelled, reason="wrong destination prefix")
    _wait_for(admin, [cancelled], lambda job: is_final(job.status))
    outdone = _made(operator, _log_copy("每晚备份访问日志", "nightly/", priority=10))
    _wait_until_it_works(admin, outdone)
    running = _made(admin, _log_copy("Copy the access logs for the audit", "audit/", priority=50))
    _wait_for(admin, [outdone], lambda job: job.paused_by is PausedBy.PRIORITY and job.status is JobStatus.PAUSED)
    _wait_until_it_works(admin, running)
    waiting = _made(operator, _log_copy("Copy the logs for the search index", "search/", priority=8))
    windowed = _made(operator, _log_copy("夜间窗口:复制日志到备份桶", "window/", priority=6, windows=[_shut_window()]))
    tagging = _tagging("Tag the logs as internal", "logs-first-quarter", region=CAPPED, priority=2)
    tagged = _made(operator, tagging)
    _wait_for(admin, [waiting, windowed, tagged], lambda job: job.status is JobStatus.READY)
    return [paused, cancelled, outdone, running, waiting, windowed, tagged]


def _shut_window() -> str:
    """An hour of the day that is some hours away."""
    hour = (time.gmtime().tm_hour + 10) % 24
    return f"{hour:02d}:00-{(hour + 1) % 24:02d}:00 UTC"


# --- documents


def _copy(description: str, name: str, prefix: str, **changes: Any) -> dict[str, Any]:
    copy: dict[str, Any] = {
        "target_resource": _ARCHIVE,
        "prefix_replace": True,
        "resources_prefix": "photos/",
        "target_key_prefix": prefix,
    }
    if "storage_class" in changes:
        copy["storage_class"] = changes.pop("storage_class")
    return _job(description, name, {"cos_put_object_copy": copy}, **changes)


def _log_copy(description: str, prefix: str, **changes: Any) -> dict[str, Any]:
    copy = {
        "target_resource": _ARCHIVE,
        "prefix_replace": True,
        "resources_prefix": "logs/",
        "target_key_prefix": prefix,
        "storage_class": "STANDARD_IA",
    }
    # All of the logs, also where few are copied before the job is stopped: it must not be done before that.
    return _job(description, "logs", {"cos_put_object_copy": copy}, region=CAPPED, **changes)


def _tagging(description: str, name: str, **changes: Any) -> dict[str, Any]:
    return _job(description, name, {"cos_put_object_tagging": _ADD_TAGS}, **changes)


def _deletion(description: str, name: str, *, count: int, **changes: Any) -> dict[str, Any]:
    return _job(description, name, {"cos_delete_object": {}}, confirm_delete_count=count, **changes)


def _inventory(description: str, prefix: str, **changes: Any) -> dict[str, Any]:
    manifest = {
        "location": {"object_arn": f"arn:aws:s3:::{CONTROL}/{MANIFEST_KEY}"},
        "spec": {"format": "COSInventoryReport_CSV_V1"},
    }
    return {**_copy(description, "", prefix, **changes), "manifest": manifest}


def _job(description: str, name: str, operation: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "description": description,
        "region": REGION,
        "priority": 10,
        "role_arn": ROLE_ARN,
        "manifest": {
            "location": {"object_arn": list_arn(name)},
            "spec": {"format": "COSBatchOperations_CSV_V1", "fields": ["Bucket", "Key"]},
        },
        "operation": dict(operation),
        "report": {
            "enabled": True,
            "bucket": f"arn:aws:s3:::{CONTROL}",
            "prefix": "reports",
            "format": "Report_CSV_V1",
            "report_scope": "AllTasks",
        },
        **changes,
    }


# --- waiting


def _made(client: Client, document: Mapping[str, Any]) -> str:
    return str(client.create_job(document).id)


def _wait_until_it_works(client: Client, job_id: str) -> None:
    """Until something has come of it: a job in the middle is worth a look."""
    _wait_for(client, [job_id], lambda job: job.status is JobStatus.ACTIVE and job.tally.succeeded > 0)


def _wait_for(client: Client, job_ids: Collection[str], holds: Callable[[Job], bool]) -> None:
    ends = time.monotonic() + _WAIT_SECONDS
    for job_id in job_ids:
        while not holds(job := client.describe_job(job_id)):
            if time.monotonic() > ends:
                raise DemoFailed(f"job {job_id} ({job.request.description}) is still {job.status}: {job.status_reason}")
            time.sleep(_LOOK_SECONDS)
