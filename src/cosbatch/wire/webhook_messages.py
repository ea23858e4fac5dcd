"""What a webhook gets: a CloudEvents 1.0 message in structured JSON mode, signed by the Standard Webhooks scheme.

Sources: CloudEvents 1.0.2 (spec, JSON format, HTTP binding); Standard Webhooks 1.0.0, whose library signs.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from cosbatch.model.identifiers import MessageId
from cosbatch.model.webhooks import StatusChange

CONTENT_TYPE: Final = "application/cloudevents+json; charset=utf-8"
STATUS_CHANGED: Final = "cosbatch.job.status-changed"
TEST: Final = "cosbatch.webhook.test"
SECRET_PREFIX: Final = "whsec_"  # noqa: S105  # the scheme's mark, no secret
SECRET_BYTES: Final = 32
_LEAST_SECRET_BYTES: Final = 24
_MOST_SECRET_BYTES: Final = 64


class Post(Protocol):
    """Sends a message."""

    async def __call__(self, url: str, *, headers: Mapping[str, str], body: bytes) -> int:
        """The status of the answer, within some seconds. PostFailed where there is none."""
        ...


def new_secret() -> str:
    """``whsec_`` and 32 random bytes in base64."""
    return SECRET_PREFIX + base64.b64encode(os.urandom(SECRET_BYTES)).decode()


def is_secret(text: str) -> bool:
    """Whether it is one as the scheme has it: ``whsec_`` and 24 to 64 bytes in base64."""
    if not text.startswith(SECRET_PREFIX):
        return False
    try:
        size = len(base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True))
    except ValueError:
        return False
    return _LEAST_SECRET_BYTES <= size <= _MOST_SECRET_BYTES


def status_message(change: StatusChange, *, source: str) -> bytes:
    """The message of a change of status. The same bytes each time: receivers may compare them."""
    told = {
        "job_id": change.job_id,
        "description": change.description,
        "operation": change.operation,
        "region": change.region,
        "dry_run": change.dry_run,
        "priority": change.priority,
        "status": change.status,
        "previous_status": change.previous_status,
        "reason": change.reason,
        "failure_code": change.failure_code or None,
        "paused_by": change.paused_by or None,
        "progress": {
            "total": change.total,
            "succeeded": change.succeeded,
            "failed": change.failed,
            "skipped": change.skipped,
            "bytes_done": change.bytes_done,
        },
        "report": {"state": change.report_state, "location": change.report_location or None},
    }
    return _message(
        STATUS_CHANGED, message_id=change.message_id, source=source, subject=change.job_id, at=change.at, told=told
    )


def trial_message(name: str, *, message_id: MessageId, source: str, at: float) -> bytes:
    """Tells nothing but that messages arrive."""
    told = {"message": "A test of this webhook. No job has changed."}
    return _message(TEST, message_id=message_id, source=source, subject=name, at=at, told=told)


def _message(kind: str, *, message_id: str, source: str, subject: str, at: float, told: dict[str, Any]) -> bytes:
    message = {
        "specversion": "1.0",
        "id": message_id,
        "source": source,
        "type": kind,
        "subject": subject,
        "time": _time(at),
        "datacontenttype": "application/json",
        "data": told,
    }
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _time(unix_seconds: float) -> str:
    """RFC 3339 with milliseconds."""
    at = datetime.fromtimestamp(unix_seconds, tz=UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def signed_headers(body: bytes, *, message_id: str, now: float, secrets: Sequence[str]) -> dict[str, str]:
    """The headers of one attempt at the Unix second ``now``: one signature for each secret, the current one's first."""
    from standardwebhooks import Webhook

    at = datetime.fromtimestamp(int(now), tz=UTC)
    text = body.decode()
    return {
        "content-type": CONTENT_TYPE,
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now)),
        "webhook-signature": " ".join(Webhook(secret).sign(message_id, at, text) for secret in secrets),
    }


def told_of_status(status: int) -> str:
    """What people hear of an answer that is no success."""
    hint = ": redirects are not followed" if 300 <= status < 400 else ""
    return f"it answered HTTP {status}{hint}"
