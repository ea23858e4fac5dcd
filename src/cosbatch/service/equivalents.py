"""One job in the words of every way in: what Terraform or an SDK would send, the body for REST, and a command line."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cosbatch.model.identifiers import JobId
from cosbatch.model.jobs import JobRequest
from cosbatch.service.job_document import request_digest, request_document
from cosbatch.wire.cos_create import write_create_job_request

_HOW_TO_SIGN_IN: Final = (
    "# The API token comes from COSBATCH_API_TOKEN, or with --profile NAME in place of --server from profiles.yaml"
)
"""A comment for a shell. Some take no comments where one types: so there is nothing in it that a shell would read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalents:
    xml: str
    """The body of COS's CreateJob. What COS has no word for is not in it. Empty for a dry run: without that word it
    would be the real one; and where the service itself keeps the manifest, which COS cannot name."""
    json: str
    """The body of ``POST /api/v1/jobs``, and a job file as well: JSON is YAML. Where the service itself keeps the
    manifest: of the call that makes the job of another one."""
    file: str
    """Lines for a shell that write the file which the commands name; empty where they name none."""
    run_here: str
    """The command that makes the job on a data folder of this host."""
    make_there: str
    """The command that makes the job with a service, but for the service."""

    def cli(self, *, server: str = "") -> str:
        """Lines for a shell. ``server``: the service's address, ``https://host:port``; empty: there is none, and the
        job is made on the data folder."""
        if not server:
            return f"{self.file}{self.run_here}\n"
        return f"{self.file}{_HOW_TO_SIGN_IN}\n{self.make_there} --server {shlex.quote(server)}\n"

    def content(self, *, server: str = "") -> dict[str, str]:
        """``xml``, ``json``, ``cli``, as the API answers them."""
        return {"xml": self.xml, "json": self.json, "cli": self.cli(server=server)}


def equivalents_of(request: JobRequest) -> Equivalents:
    body = json.dumps(request_document(request), indent=2, ensure_ascii=False)
    return Equivalents(
        xml="" if request.dry_run else write_create_job_request(request, token=request_digest(request)[:32]).decode(),
        json=body,
        file=_with_file("job.yaml", body, mark="END_OF_JOB"),
        run_here="cosbatch run job.yaml",
        make_there="cosbatch create-job job.yaml",
    )


def equivalents_of_retry(job_id: JobId, *, error_code: str, changes: Mapping[str, Any]) -> Equivalents:
    """Of the retry of ``job_id``, whose manifest the service writes when it is made."""
    code = {"error_code": error_code} if error_code else {}
    option = f" --code {shlex.quote(error_code)}" if error_code else ""
    return _made_of(f"retry-failed {shlex.quote(job_id)}{option}", code, changes)


def equivalents_of_clone(job_id: JobId, *, changes: Mapping[str, Any]) -> Equivalents:
    """Of the clone of ``job_id``, whose manifest the service keeps."""
    return _made_of(f"clone-job {shlex.quote(job_id)}", {}, changes)


def _made_of(command: str, named: Mapping[str, Any], changes: Mapping[str, Any]) -> Equivalents:
    body = json.dumps({**named, **({"changes": dict(changes)} if changes else {})}, indent=2, ensure_ascii=False)
    line, file = f"cosbatch {command}", ""
    if changes:
        part = json.dumps(dict(changes), indent=2, ensure_ascii=False)
        line, file = f"{line} --changes changes.yaml", _with_file("changes.yaml", part, mark="END_OF_CHANGES")
    return Equivalents(xml="", json=body, file=file, run_here=line, make_there=line)


def _with_file(name: str, content: str, *, mark: str) -> str:
    # Quoted, the shell leaves what follows as it is; a line that is the mark itself cannot stand in JSON.
    return f"cat > {name} <<'{mark}'\n{content}\n{mark}\n"
