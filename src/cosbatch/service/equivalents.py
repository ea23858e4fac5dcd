"""One job in the words of every way in: what Terraform or an SDK would send, the body for REST, and a command line."""

from __future__ import annotations

import json
from dataclasses import dataclass

from cosbatch.model.jobs import JobRequest
from cosbatch.service.job_document import request_digest, request_document
from cosbatch.wire.cos_create import write_create_job_request


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalents:
    xml: str
    """The body of COS's CreateJob. What COS has no word for is not in it. Empty for a dry run: without that word it
    would be the real one."""
    json: str
    """The body of ``POST /api/v1/jobs``, and a job file as well: JSON is YAML."""
    cli: str
    """Lines for a shell."""


def equivalents_of(request: JobRequest) -> Equivalents:
    body = json.dumps(request_document(request), indent=2, ensure_ascii=False)
    return Equivalents(
        xml="" if request.dry_run else write_create_job_request(request, token=request_digest(request)[:32]).decode(),
        json=body,
        # Quoted, the shell leaves what follows as it is; a line that is the mark itself cannot stand in JSON.
        cli=f"cat > job.yaml <<'END_OF_JOB'\n{body}\nEND_OF_JOB\ncosbatch run job.yaml\n",
    )
