"""Looks on while a run goes on: which requests were sent under which lease, what took effect, what explains what.

What must never happen is noted the moment it happens: a request without a lease, a write outside the manifest, a write
that takes effect after the job's end. The rest is asked afterwards (:mod:`tests.simulation.invariants`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final

from cosbatch.ledger.port import Duty, JobLease
from cosbatch.model.identifiers import Bucket, JobId, RegionName, WorkerId
from cosbatch.model.jobs import Job
from cosbatch.model.reports import Part
from cosbatch.model.states import FINAL, JobStatus
from cosbatch.model.tasks import Claim, ClaimMode, Lease, NewChunk, Then
from tests.simulation.drawn import JobPlan, Row
from tests.simulation.rig import CONTROL, HERE, SOURCE
from tests.simulation.wire import Call, Port

Place = tuple[RegionName, Bucket, str]
ChunkPlace = tuple[JobId, int]
MAKES: Final = frozenset({"copy", "put", "complete_upload"})
"""Requests that make an object."""
_NOWHERE: Final = (RegionName(""), Bucket(""), "")
CHECKS: Final = frozenset({"create_upload", "abort_upload"})
"""Requests by which a planner asks whether the job may write."""


@dataclass(slots=True)
class Case:
    """A job of the run, and what it is about."""

    plan: JobPlan
    rows: list[Row]
    job: Job
    touched_by_owner: set[str] = field(default_factory=set)
    """Target keys that the bucket's owner wrote meanwhile."""

    def target_of(self, row: Row) -> Place:
        return (self.plan.region, self.plan.bucket, self.plan.target_of(row.key))

    @property
    def checked(self) -> set[Place]:
        """Where the planner may begin an upload: the first target that will be written, and the report's manifest."""
        report = (HERE, CONTROL, f"reports/job-{self.job.id}/manifest.json")
        first = next((self.target_of(row) for row in self.rows if not row.is_marker), None)
        return {report} if first is None else {report, first}

    @property
    def places(self) -> set[Place]:
        """Where uploads of this job may be."""
        return {self.target_of(row) for row in self.rows} | self.checked


@dataclass(slots=True)
class Witness:
    """An observer of the network, and the memory of what it saw."""

    cases: list[Case] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    checksum: int = 0
    """Of every call and its end: the same run gives the same in every process that hashes text alike."""
    leases: dict[ChunkPlace, tuple[int, WorkerId]] = field(default_factory=dict)
    chunks: dict[ChunkPlace, NewChunk] = field(default_factory=dict)
    marks: dict[ChunkPlace, int] = field(default_factory=dict)
    marks_lost: set[tuple[JobId, int]] = field(default_factory=set)
    """Tasks that a one-at-a-time claim was lost with."""
    lost: set[ChunkPlace] = field(default_factory=set)
    """Chunks that have lost a lease."""
    parts: set[str] = field(default_factory=set)
    """Committed: to repeat such a commit, whoever has the chunk by now, changes nothing."""
    looks_only: set[Lease] = field(default_factory=set)
    """Of jobs that end."""
    plans: dict[JobId, JobLease] = field(default_factory=dict)
    """Who plans what: a planner has this lease from Preparing until its plan is complete, or the job ends."""
    check_uploads: set[tuple[Place, str]] = field(default_factory=set)
    """Begun by planners. No task writes by them."""
    writes: dict[Place, list[Call]] = field(default_factory=lambda: defaultdict(list))
    """All but what belongs to a planner's check."""
    checks: list[Call] = field(default_factory=list)
    reads: dict[Place, list[Call]] = field(default_factory=lambda: defaultdict(list))
    ended: dict[JobId, JobStatus] = field(default_factory=dict)
    _rows_at: dict[Place, list[tuple[Case, int]]] = field(default_factory=lambda: defaultdict(list))
    _targets: set[Place] = field(default_factory=set)

    def expect(self, case: Case) -> None:
        self.cases.append(case)
        for number, row in enumerate(case.rows):
            target = case.target_of(row)
            self._targets.add(target)
            for place in {target, (HERE, SOURCE, row.key)}:
                self._rows_at[place].append((case, number))

    # --- while it goes on

    def sent(self, call: Call) -> None:
        self._sum(call, "sent")
        if call.port is not Port.STORE:
            return
        place = _place_of(call)
        if _role_of(call) == "worker":
            self._check_lease(call, place)
        if call.writes:
            self._check_place(call, place)
            if self._is_of_check(call, place):
                self.checks.append(call)
            else:
                self.writes[place].append(call)
        else:
            self.reads[place].append(call)

    def applied(self, call: Call, answer: Any) -> None:
        self._sum(call, "refused" if call.error else "applied")
        if call.port is Port.LEDGER and call.error is None:
            self._follow(call, answer)
        if call.name == "create_upload" and call.is_applied and _role_of(call) == "planner":
            self.check_uploads.add((_place_of(call), answer))
        if call.writes and call.is_applied:
            self._check_end(call)

    def _sum(self, call: Call, what: str) -> None:
        self.checksum = hash((self.checksum, what, call.process.name, call.name, call.sent_at, _place_of(call)))

    def _check_lease(self, call: Call, place: Place) -> None:
        """A worker that holds none of the chunks that this is about must not send it."""
        rows = self._rows_at.get(place, [])
        chunks = [chunk for case, number in rows for chunk in self._chunk_of(case, number)]
        held = {chunk: self.leases[chunk] for chunk in chunks if chunk in self.leases}
        ours = [
            Lease(job_id=at[0], seq=at[1], fence=fence) for at, (fence, by) in held.items() if by == call.process.name
        ]
        if not ours:
            self._violated(call, place, f"sent without a lease; held are {held}")
        elif call.writes and self.looks_only.issuperset(ours):
            self._violated(call, place, "written by a claim that only looks")

    def _check_place(self, call: Call, place: Place) -> None:
        role = _role_of(call)
        if role == "planner":
            self._check_planner(call, place)
            return
        is_report = role == "finisher" and place[:2] == (HERE, CONTROL) and place[2].startswith("reports/job-")
        is_abort = role == "finisher" and call.name == "abort_upload" and place in self._targets
        is_work = role == "worker" and place in self._targets
        if not (is_report or is_abort or is_work):
            self._violated(call, place, "this is not in the manifest")

    def _check_planner(self, call: Call, place: Place) -> None:
        """It writes nothing; it begins and aborts an upload at two keys, before its plan is complete."""
        case = next((case for case in self.cases if place in case.checked), None)
        if case is None or call.name not in CHECKS:
            self._violated(call, place, "no planner writes this")
            return
        lease = self.plans.get(case.job.id)
        if lease is None or lease.owner != call.process.name:
            self._violated(call, place, f"checked without planning the job; it is planned under {lease}")
        elif call.name == "abort_upload" and not self._is_of_check(call, place):
            self._violated(call, place, "the planner has not begun this upload")

    def _is_of_check(self, call: Call, place: Place) -> bool:
        """Whether it is about an upload that no task writes by."""
        if call.name == "abort_upload":
            return (place, call.options["upload_id"]) in self.check_uploads
        return _role_of(call) == "planner"

    def _check_end(self, call: Call) -> None:
        for case, _ in self._rows_at.get(_place_of(call), []):
            ended = self.ended.get(case.job.id)
            if ended is not None and (ended is not JobStatus.COMPLETE or not call.is_late):
                self._violated(call, _place_of(call), f"takes effect when the job is {ended} already")

    def _violated(self, call: Call, place: Place, what: str) -> None:
        late = " (late)" if call.is_late else ""
        self.violations.append(f"{call.process.name}: {call.name} {place}{late}, sent at {call.sent_at:.1f}: {what}")

    def _chunk_of(self, case: Case, number: int) -> Iterable[ChunkPlace]:
        for place, chunk in self.chunks.items():
            if place[0] == case.job.id and chunk.first_task <= number < chunk.first_task + chunk.task_count:
                yield place

    # --- the ledger

    def _follow(self, call: Call, answer: Any) -> None:
        match call.name:
            case "add_chunks":
                lease, chunks = call.args
                self.chunks |= {(lease.job_id, chunk.seq): chunk for chunk in chunks}
            case "claim":
                self.leases |= {(one.lease.job_id, one.lease.seq): (one.lease.fence, one.owner) for one in answer}
                self.looks_only |= {one.lease for one in answer if one.mode is ClaimMode.SETTLE_ONLY}
            case "renew":
                self._give_back(call.args[0], set(call.args[1]))
            case "commit":
                self._committed(*call.args, then=call.options["then"])
            case "claim_job" if answer is not None and answer.duty is Duty.PLAN:
                self.plans[answer.job_id] = answer
            case "release_job" | "finish_plan":
                self._planned(call.args[0])
            case "expire" if answer and isinstance(call.args[0].lease, JobLease):
                self._planned(call.args[0].lease)
            case "expire" if answer and isinstance(call.args[0].lease, Lease):
                self._expired(call.args[0].lease)
            case "mark_started":
                claim, number = call.args
                self.marks[(claim.lease.job_id, claim.lease.seq)] = number
            case "report_done" if answer.status in FINAL:
                self.ended.setdefault(answer.id, answer.status)

    def _give_back(self, worker: WorkerId, named: set[Lease]) -> None:
        for (job_id, seq), (fence, owner) in list(self.leases.items()):
            if owner == worker and Lease(job_id=job_id, seq=seq, fence=fence) not in named:
                del self.leases[(job_id, seq)]

    def _committed(self, claim: Claim, part: Part | None, *, then: Then) -> None:
        lease = claim.lease
        place = (lease.job_id, lease.seq)
        is_held = self.leases.get(place) == (lease.fence, claim.owner)
        if not is_held and (part is None or part.spool_name not in self.parts):
            self.violations.append(f"{claim.owner}: {lease} was lost, and its commit was taken")
        if part is not None:
            self.parts.add(part.spool_name)
        if then is not Then.KEEP and is_held:
            del self.leases[place]
            if then is Then.FORFEIT:
                self.lost.add(place)

    def _planned(self, lease: JobLease) -> None:
        if self.plans.get(lease.job_id) == lease:
            del self.plans[lease.job_id]

    def _expired(self, lease: Lease) -> None:
        place = (lease.job_id, lease.seq)
        self.leases.pop(place, None)
        self.lost.add(place)
        if place in self.marks:
            self.marks_lost.add((lease.job_id, self.marks[place]))

    # --- afterwards

    def is_lost(self, case: Case, number: int) -> bool:
        """Whether a lease was lost over this task."""
        return any(place in self.lost for place in self._chunk_of(case, number))

    def is_open(self, place: Place) -> bool:
        """Whether a write was sent there of which its sender does not know what came of it."""
        return any(not call.is_answered for call in self.writes[place])

    def made(self, place: Place) -> list[Call]:
        """What made an object there."""
        return [call for call in self.writes[place] if call.is_applied and call.name in MAKES]

    def late(self, name: str) -> list[Call]:
        """Calls of this name that took effect after their sender's death."""
        sent = [*chain.from_iterable(self.writes.values()), *self.checks]
        return [call for call in sent if call.is_late and call.name == name]

    def has_late(self, place: Place) -> bool:
        return any(call.is_late and call.is_applied for call in self.writes[place])


def _role_of(call: Call) -> str:
    return call.process.name.split("-")[0]


def _place_of(call: Call) -> Place:
    if call.port is not Port.STORE:
        return _NOWHERE
    ref = call.ref
    if ref is not None:
        return (call.region, ref.bucket, ref.key)
    return (call.region, Bucket(call.args[0]), str(call.options.get("prefix", "")))
