"""Calls of COS's wire as plain values: the body of CreateJob, the parameters of the others, what a host says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cosbatch.model.arns import parse_resource_arn
from cosbatch.model.errors import Fault, InvalidArgument, MalformedDocument, RequestError
from cosbatch.model.identifiers import RegionName
from cosbatch.model.states import JobStatus
from cosbatch.wire.cos_shapes import CREATE_JOB
from cosbatch.wire.shapes import Kind, Reading, Shape, names_of, read, spell_path
from cosbatch.wire.xml import Element, branch, parse, write

BODY_MAX_BYTES: Final = 512 * 1024
"""A request with all that the rules allow, 100 grants of 2 KiB each before all else, has 300 KiB; a usual one has 2."""
PAGE_MAX: Final = 1000
TOKEN_MAX_BYTES: Final = 64

_HOST: Final = re.compile(r"(?P<uin>[0-9]{1,64})\.cos-control\.(?P<region>[a-z0-9-]{1,64})\..+", re.IGNORECASE)
_JOB_ID: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
_PRIORITY: Final = re.compile(r"[0-9]{1,10}")
_MODEL_NAME: Final = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")
_WORDS: Final[Mapping[str, str]] = {
    **dict(names_of(CREATE_JOB)),
    "requested_job_status": "requestedJobStatus",
    "status_update_reason": "statusUpdateReason",
    "max_results": "maxResults",
    "next_token": "nextToken",
}
_DOCUMENT_PARTS: Final = ("Manifest", "Operation", "Report")
"""A fault in one of them is MalformedXML, one in another parameter is InvalidArgument (COS's table of errors)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlHost:
    """``<uin>.cos-control.<region>.<domain>``."""

    uin: str
    region: RegionName


def control_host(host: str) -> ControlHost | None:
    """None for a host of another form: it says nothing about account and region."""
    found = _HOST.fullmatch(host)
    return ControlHost(uin=found["uin"], region=RegionName(found["region"].lower())) if found else None


# --- CreateJob

_NO_REGION: Final = Fault(
    path="Manifest.Location.ObjectArn",
    value="",
    problem="names no region, and neither does the host",
    way_out="write qcs::cos:<region>::<bucket>/<key>",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateJobCall:
    """The body of a CreateJob: a job in the form that the service reads, but for its region."""

    content: dict[str, Any]
    as_written: str
    """Its manifest, operation and report as the client wrote them, without what is empty."""
    faults: tuple[Fault, ...]
    """Of its shape, in the words of the wire; the service finds those of the values."""
    is_malformed: bool
    """Some element is not where it belongs."""

    @property
    def manifest_region(self) -> RegionName | None:
        """The region of the job where the host names none."""
        arn = self.content.get("manifest", {}).get("location", {}).get("object_arn", "")
        found = parse_resource_arn(arn)
        return found.region if found else None

    def refusal(self, found: Sequence[Fault]) -> RequestError:
        """The error for this call's own faults and those that the service has ``found``, in its words."""
        own = {fault.path for fault in self.faults}
        named = [_NO_REGION if fault.path == "region" else spell_fault(fault) for fault in found]
        # Of an operation that is not the only one, or none, nothing more can be said.
        named = [fault for fault in named if not ("Operation" in own and fault.path.startswith("Operation."))]
        faults = [*self.faults, *(fault for fault in named if fault.path not in own)]
        count = "one fault" if len(faults) == 1 else f"{len(faults)} faults"
        message = f"CreateJobRequest has {count}"
        if self.is_malformed or any(_is_in_document(fault.path) for fault in faults):
            return MalformedDocument(message, faults=faults)
        return InvalidArgument(message, faults=faults)


def _is_in_document(path: str) -> bool:
    return re.split(r"[.\[]", path, maxsplit=1)[0] in _DOCUMENT_PARTS


def read_create_job(body: bytes) -> CreateJobCall:
    """Raises RequestError for an empty body, MalformedDocument for one that is no CreateJobRequest."""
    if not body.strip():
        raise RequestError("the body is empty; send a CreateJobRequest")
    root = parse(body)
    if root.name != CREATE_JOB.name:
        raise MalformedDocument(f"the body is a <{root.name[:100]}>; send a <{CREATE_JOB.name}>")
    reading = read(root, CREATE_JOB)
    _relax_report(reading.content)
    faults = [*reading.faults, *reading.missing, *_operation_faults(reading), *_report_faults(reading)]
    return CreateJobCall(
        content=reading.content,
        as_written=_as_written(root),
        faults=tuple(faults),
        is_malformed=bool(reading.faults),
    )


def _operation_faults(reading: Reading) -> list[Fault]:
    """COS has exactly one operation in a job."""
    named = reading.content.get("operation")
    if named is None or len(named) == 1:
        return []
    problem = "names more than one operation" if named else "names no operation that is known here"
    return [Fault(path="Operation", value="", problem=problem, way_out="write exactly one")]


def _relax_report(content: dict[str, Any]) -> None:
    """Of a report that is not wanted nothing is looked at, though COS calls its other elements required."""
    if content.get("report", {}).get("enabled") is False:
        content["report"] = {"enabled": False}


def _report_faults(reading: Reading) -> list[Fault]:
    report = reading.content.get("report")
    if report is None or report.get("enabled") is False:
        return []
    names = {"Bucket": "bucket", "Format": "format", "ReportScope": "report_scope"}
    return [
        Fault(path=f"Report.{name}", value="", problem="is missing or empty", way_out="add it, or write Enabled: false")
        for name, field in names.items()
        if field not in report
    ]


def _as_written(root: Element) -> str:
    parts = [_pruned(child, CREATE_JOB.child(child.name)) for child in root.children if child.name in _DOCUMENT_PARTS]
    return write(branch(CREATE_JOB.name, *parts)).decode()


def _pruned(element: Element, shape: Shape | None) -> Element | None:
    """Without elements that are empty: clients fall over them in an answer."""
    if shape is None:
        return None
    if shape.kind not in (Kind.BRANCH, Kind.LIST):
        text = element.text if shape.kind is Kind.TEXT else element.text.strip()
        return Element(name=element.name, text=text) if text else None
    children = [pruned for child in element.children if (pruned := _pruned(child, shape.child(child.name)))]
    return Element(name=element.name, children=children) if children or shape.may_be_empty else None


def spell_fault(fault: Fault) -> Fault:
    """A fault of the service's in the words of this wire. One that is in them already stays as it is."""
    return Fault(
        path=_spell(spell_path(fault.path, CREATE_JOB)),
        value=fault.value,
        problem=_spell(fault.problem),
        way_out=_spell(fault.way_out),
    )


def _spell(text: str) -> str:
    return _MODEL_NAME.sub(lambda found: _WORDS.get(found[0], found[0]), text)


# --- parameters of the query


class Query:
    """The parameters of a call. An empty one counts as absent, one that the call does not know as none."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._pairs = [(name, value) for name, value in pairs if value]

    def values(self, name: str) -> list[str]:
        return [value for found, value in self._pairs if found == name]

    def one(self, name: str) -> str:
        """Empty where it is absent. InvalidArgument where it is given twice."""
        values = self.values(name)
        if len(set(values)) > 1:
            raise _refused(name, ", ".join(values), problem="is given more than once", way_out="keep one of them")
        return values[0] if values else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListJobsCall:
    statuses: tuple[JobStatus, ...]
    """None: all."""
    max_results: int
    next_token: str


def read_list_jobs(query: Query) -> ListJobsCall:
    """``jobStatuses`` separated by commas, or repeated. Raises InvalidArgument."""
    words = [word.strip() for value in query.values("jobStatuses") for word in value.split(",")]
    unknown = [word for word in words if word not in set(JobStatus)]
    if unknown:
        way_out = f"known are {', '.join(JobStatus)}"
        raise _refused("jobStatuses", ", ".join(unknown), problem="is no status of a job", way_out=way_out)
    most = query.one("maxResults")
    if most and not (_PRIORITY.fullmatch(most) and 1 <= int(most) <= PAGE_MAX):
        raise _refused("maxResults", most, problem="is out of range", way_out=f"write 1 to {PAGE_MAX}")
    token = query.one("nextToken")
    if token and not _JOB_ID.fullmatch(token):
        way_out = "write the NextToken of the page before"
        raise _refused("nextToken", token, problem="is no token of this list", way_out=way_out)
    return ListJobsCall(
        statuses=tuple(JobStatus(word) for word in words),
        max_results=int(most) if most else PAGE_MAX,
        next_token=token,
    )


def read_priority(query: Query) -> int:
    """Raises RequestError where it is missing, InvalidArgument where it is no number; its range is the service's."""
    written = query.one("priority")
    if not written:
        raise RequestError("priority is missing; add ?priority=<number>")
    if not _PRIORITY.fullmatch(written):
        raise _refused("priority", written, problem="is no number", way_out="write 0 to 2147483647")
    return int(written)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateJobStatusCall:
    requested_job_status: JobStatus
    status_update_reason: str


def read_update_job_status(query: Query) -> UpdateJobStatusCall:
    """Ready and Cancelled are all that clients of COS may ask for. Raises InvalidArgument."""
    asked = query.one("requestedJobStatus")
    if asked not in (JobStatus.READY, JobStatus.CANCELLED):
        way_out = "write Ready to confirm or Cancelled to cancel"
        raise _refused("requestedJobStatus", asked, problem="cannot be asked for", way_out=way_out)
    return UpdateJobStatusCall(
        requested_job_status=JobStatus(asked), status_update_reason=query.one("statusUpdateReason")
    )


def _refused(name: str, value: str, *, problem: str, way_out: str) -> InvalidArgument:
    fault = Fault(path=name, value=value[:200], problem=problem, way_out=way_out)
    return InvalidArgument(f"the parameter {name} is not valid", faults=[fault])
