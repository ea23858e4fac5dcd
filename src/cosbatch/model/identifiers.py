"""Names of things: ids, buckets, keys, versions, regions. Opaque to everything that does not make them."""

from __future__ import annotations

import os
import time
import uuid
from typing import NamedTuple, NewType

JobId = NewType("JobId", str)
"""A UUIDv7 in lower case: creation order is id order."""
AccountId = NewType("AccountId", str)
Bucket = NewType("Bucket", str)
"""A bucket's full name (``logs-1250000000`` in COS)."""
ObjectKey = NewType("ObjectKey", str)
"""A decoded key. Never normalised: ``a//b``, ``..``, a leading ``/`` and a newline are real keys."""
VersionId = NewType("VersionId", str)
"""A version's id; ``null`` names the null version."""
RegionName = NewType("RegionName", str)
"""A name in the operator's region table."""
WorkerId = NewType("WorkerId", str)
"""Fresh for each process, never used again."""
WebhookId = NewType("WebhookId", str)
MessageId = NewType("MessageId", str)
"""Of a message to webhooks: whoever gets it twice knows it by that."""

NULL_VERSION = VersionId("null")
LOCAL_ACCOUNT = AccountId("local")
"""The account of jobs that are run without a service."""


class ObjectRef(NamedTuple):
    """An object, or one version of it."""

    bucket: Bucket
    key: ObjectKey
    version_id: VersionId | None = None


def new_job_id() -> JobId:
    """A UUIDv7 (RFC 9562, section 6.2, method 3): 48 bits of Unix milliseconds, 12 of their fraction, random bits.

    The fraction keeps creation order also among ids that one process makes in the same millisecond.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    fraction = rest * 4096 // 1_000_000
    random = int.from_bytes(os.urandom(8)) >> 2
    return JobId(str(uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0x2 << 62 | random)))


def new_message_id() -> MessageId:
    """A UUIDv7, as a job's id is."""
    return MessageId(new_job_id())


def new_webhook_id() -> WebhookId:
    """A UUIDv7, as a job's id is."""
    return WebhookId(new_job_id())


def new_request_id() -> str:
    """Of one call of the service: 24 hex digits."""
    return os.urandom(12).hex()


def made_at(job_id: JobId) -> float | None:
    """When a job's id was made, in Unix seconds; None where it is not one of ours."""
    try:
        parsed = uuid.UUID(job_id)
    except ValueError:
        return None
    return (parsed.int >> 80) / 1000 if parsed.version == 7 and str(parsed) == job_id else None


def new_worker_id(role: str) -> WorkerId:
    """``role`` (worker, planner, finisher), the process id, and random bits."""
    return WorkerId(f"{role}-{os.getpid()}-{os.urandom(6).hex()}")
