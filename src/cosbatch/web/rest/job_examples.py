"""Examples of jobs for the document of the API. The tests hold each against its schema."""

from __future__ import annotations

from typing import Any, Final

ASKED_JOB: Final[dict[str, Any]] = {
    "region": "ap-guangzhou",
    "description": "logs of 2025 to the archive",
    "priority": 10,
    "confirmation_required": True,
    "client_request_token": "logs-2025",
    "role_arn": "qcs::cam::uin/100000000001:roleName/batch",
    "manifest": {
        "location": {"object_arn": "qcs::cos:ap-guangzhou::inventory-1250000000/logs/manifest.json"},
        "spec": {"format": "COSInventoryReport_CSV_V1"},
    },
    "operation": {
        "cos_put_object_copy": {
            "target_resource": "qcs::cos:ap-guangzhou::archive-1250000000",
            "storage_class": "ARCHIVE",
        }
    },
    "report": {"bucket": "qcs::cos:ap-guangzhou::reports-1250000000", "prefix": "batch"},
}
JOB: Final[dict[str, Any]] = {
    "job_id": "019ac01f-7b00-7000-8000-0123456789ab",
    "account": "acc-main",
    "region": "ap-guangzhou",
    "operation_name": "COSPutObjectCopy",
    "description": "logs of 2025 to the archive",
    "creator": "alice",
    "dry_run": False,
    "status": "Suspended",
    "status_update_reason": "",
    "is_final": False,
    "actions": ["clone", "confirm", "cancel", "change_priority"],
    "priority": 10,
    "creation_time": "2026-11-26T08:00:00.000Z",
    "changed_time": "2026-11-26T08:00:12.345Z",
    "started_time": None,
    "termination_date": None,
    "suspended_date": "2026-11-26T08:00:12.345Z",
    "suspended_cause": "AwaitingConfirmation",
    "paused_by": None,
    "waiting_until": None,
    "waits_for_job": None,
    "expires_at": "2026-12-26T08:00:12.345Z",
    "removed_after": None,
    "client_request_token": "logs-2025",
    "progress_summary": {
        "total_number_of_tasks": 120000,
        "number_of_tasks_succeeded": 0,
        "number_of_tasks_failed": 0,
        "number_of_tasks_skipped": 0,
        "number_of_tasks_remaining": 120000,
        "number_of_tasks_retryable": 0,
        "planned_rows": 120000,
        "planned_chunks": 120,
        "closed_chunks": 0,
        "bytes_done": 0,
        "requests": 0,
        "failure_rate": None,
    },
    "failure_reasons": [],
    "failures_by_code": {},
    "ignored_options": {},
    "hold": None,
    "findings": {
        "source_bucket": "logs-1250000000",
        "source_versioning": "never",
        "target_versioning": "never",
        "manifest_etag": "9c1185a5c5e9fc54612808977ee8f548",
        "shared_targets": 0,
        "listed": {"rows": 120000, "not_sent": 0, "size_bytes": 734003200, "large": 0, "parts": 0},
    },
    "report": {"state": "pending", "location": "", "tried_until": None},
    "request": {key: value for key, value in ASKED_JOB.items() if key != "client_request_token"},
}
EVENT: Final[dict[str, Any]] = {
    "at": "2026-11-26T08:00:00.000Z",
    "actor": "user",
    "by": "alice via rest",
    "kind": "created",
    "status": "New",
    "reason": "",
}
