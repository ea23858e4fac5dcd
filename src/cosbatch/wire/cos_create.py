"""A CreateJob as a client of COS would send it (COS API, CreateJob, 436/38608)."""

from __future__ import annotations

from cosbatch.model.jobs import JobRequest
from cosbatch.wire.cos_answers import request_parts
from cosbatch.wire.xml import branch, leaf, write


def write_create_job_request(request: JobRequest, *, token: str) -> bytes:
    """What is ours and not COS's, the threshold for failures for one, has no element."""
    manifest, operation, report = request_parts(request)
    return write(
        branch(
            "CreateJobRequest",
            leaf("ClientRequestToken", token),
            leaf("ConfirmationRequired", "true" if request.confirmation_required else "false"),
            leaf("Description", request.description) if request.description else None,
            manifest,
            operation,
            leaf("Priority", str(request.priority)),
            report,
            leaf("RoleArn", request.role_arn) if request.role_arn else None,
        )
    )
