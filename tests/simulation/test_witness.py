"""The witness lets a planner ask whether it may write, and do nothing else; and nobody commit what is not theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cosbatch.ledger.port import Duty, HeldLease, JobLease
from cosbatch.model.bitmap import Bitmap
from cosbatch.model.identifiers import ObjectKey, ObjectRef, WorkerId
from cosbatch.model.reports import Part, Tally
from cosbatch.model.tasks import Claim, ClaimMode, Lease, Then
from tests.simulation.drawn import Row
from tests.simulation.rig import CONTROL, HERE, SOURCE, TARGET, Rig
from tests.simulation.test_crash_points import JOB
from tests.simulation.wire import Call, Port
from tests.simulation.witness import Case, Witness
from tests.unit.storage.virtual_process import VirtualProcess
from tests.unit.storage.virtual_time import VirtualClock, run_virtually

FIRST, SECOND = ObjectRef(TARGET, ObjectKey("a/01")), ObjectRef(TARGET, ObjectKey("a/02"))


class Seen:
    """A witness of one job: a delete marker, and two objects."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.witness = Witness()

    async def begin(self) -> None:
        rig = Rig(self.clock)
        rows = [Row(key=ObjectKey(f"a/{number:02d}"), is_marker=number == 0) for number in range(3)]
        job = await rig.submit(rig.request(rig.csv_manifest([row.key for row in rows])))
        self.job_id = job.id
        self.witness.expect(Case(JOB, rows, job))

    @property
    def report(self) -> ObjectRef:
        return ObjectRef(CONTROL, ObjectKey(f"reports/job-{self.job_id}/manifest.json"))

    def lease(self, owner: str = "planner-1") -> JobLease:
        return JobLease(job_id=self.job_id, owner=WorkerId(owner), fence=1, duty=Duty.PLAN)

    def tell(self, name: str, *args: Any, answer: Any = None, port: Port = Port.STORE, **options: Any) -> Call:
        return self.tell_of("planner-1", name, *args, answer=answer, port=port, **options)

    def tell_of(
        self, who: str, name: str, *args: Any, answer: Any = None, port: Port = Port.STORE, **options: Any
    ) -> Call:
        call = Call(VirtualProcess(who), port, HERE, name, args, options, self.clock.boottime())
        self.witness.sent(call)
        call.is_applied = True
        self.witness.applied(call, answer)
        return call

    def plan(self, owner: str = "planner-1") -> None:
        self.tell_of(owner, "claim_job", answer=self.lease(owner), port=Port.LEDGER)


def violations(steps: str) -> list[str]:
    """Of a sequence of what a planner does, by name."""

    async def scenario(clock: VirtualClock) -> list[str]:
        seen = Seen(clock)
        await seen.begin()
        acts: dict[str, Callable[[], object]] = {
            "plan": seen.plan,
            "another-plans": lambda: seen.plan("planner-2"),
            "begin": lambda: seen.tell("create_upload", FIRST, answer="u1"),
            "begin-report": lambda: seen.tell("create_upload", seen.report, answer="u2"),
            "begin-second": lambda: seen.tell("create_upload", SECOND, answer="u3"),
            "begin-source": lambda: seen.tell("create_upload", ObjectRef(SOURCE, FIRST.key), answer="u4"),
            "put-report": lambda: seen.tell("put", seen.report, b""),
            "abort": lambda: seen.tell("abort_upload", FIRST, upload_id="u1"),
            "abort-report": lambda: seen.tell("abort_upload", seen.report, upload_id="u2"),
            "abort-other": lambda: seen.tell("abort_upload", FIRST, upload_id="u9"),
            "planned": lambda: seen.tell("finish_plan", seen.lease(), port=Port.LEDGER),
            "release": lambda: seen.tell("release_job", seen.lease(), port=Port.LEDGER),
            "finisher-aborts": lambda: seen.tell_of("finisher-1", "abort_upload", FIRST, upload_id="u1"),
        }
        for step in steps.split():
            acts[step]()
        assert not any(seen.witness.writes.values()) or seen.witness.violations, "a check is no write of a task"
        return seen.witness.violations

    return run_virtually(scenario)


@pytest.mark.parametrize(
    "steps",
    [
        "plan begin-report abort-report begin abort planned",
        "plan begin abort abort",
        "plan begin release plan abort",
        "plan begin release finisher-aborts",
    ],
)
def test_a_check_is_allowed(steps: str) -> None:
    assert violations(steps) == []


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ("begin", "without planning"),
        ("plan planned begin", "without planning"),
        ("plan release begin", "without planning"),
        ("plan another-plans begin", "without planning"),
        ("plan begin-second", "no planner writes this"),
        ("plan begin-source", "no planner writes this"),
        ("plan put-report", "no planner writes this"),
        ("plan abort-other", "has not begun this upload"),
    ],
)
def test_anything_else_is_not(steps: str, told: str) -> None:
    (violation,) = violations(steps)
    assert told in violation


@pytest.mark.parametrize(("is_lost", "is_repeated"), [(False, False), (True, False), (True, True)])
def test_a_commit_under_a_lost_lease_must_not_be_taken(is_lost: bool, is_repeated: bool) -> None:
    """To repeat one that was taken changes nothing."""

    async def scenario(clock: VirtualClock) -> list[str]:
        seen = Seen(clock)
        await seen.begin()
        claim = Claim(
            lease=Lease(job_id=seen.job_id, seq=0, fence=1), owner=WorkerId("worker-1"), mode=ClaimMode.RUN,
            first_task=0, task_count=3, spool_name="s", settled=Bitmap(size=3), losses=0, first_leased_at=0.0,
            started_task=None,
        )  # fmt: skip
        part = Part(spool_name="p", settled=Bitmap(size=3), tally=Tally())
        seen.tell_of("worker-1", "claim", answer=[claim], port=Port.LEDGER)
        if is_repeated:
            seen.tell_of("worker-1", "commit", claim, part, then=Then.KEEP, port=Port.LEDGER)
        if is_lost:
            held = HeldLease(lease=claim.lease, owner=claim.owner, lease_until=0.0, is_past=True)
            seen.tell_of("scheduler-1", "expire", held, answer=True, port=Port.LEDGER)
        seen.tell_of("worker-1", "commit", claim, part, then=Then.CLOSE, port=Port.LEDGER)
        return seen.witness.violations

    violated = run_virtually(scenario)
    assert bool(violated) is (is_lost and not is_repeated)
    assert all("its commit was taken" in told for told in violated)
