"""What must hold after every run: the promise of docs/reliability.md, as checks over report, bucket and ledger."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from cosbatch.ledger.list_port import JobLists
from cosbatch.model.identifiers import ObjectKey
from cosbatch.model.jobs import Job, JobEvent
from cosbatch.model.operations import Directive
from cosbatch.model.reports import FAILURES_KEPT, ReportState
from cosbatch.model.states import MOVES, JobStatus, is_final
from cosbatch.storage.memory import ALL_USERS, MemoryStore
from cosbatch.storage.memory_objects import StoredObject
from cosbatch.storage.port import AclGrant
from tests.simulation.drawn import Plan, Row
from tests.simulation.rig import CONTROL, SOURCE, Report
from tests.simulation.wire import Call
from tests.simulation.witness import Case, Place, Witness

NOT_KNOWN: Final = frozenset({"OutcomeUnknown", "WorkerLost"})
IGNORED: Final = "StoreIgnoredOption"
OPEN: Final = NOT_KNOWN | {IGNORED}
"""Codes of rows that may have been written."""
WOULD: Final = {"would_succeed": "succeeded", "would_fail": "failed"}
MARKER_MESSAGE: Final = "Skipped: delete marker"


class Broken(AssertionError):
    """An invariant does not hold."""


def require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Broken(otherwise)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a report says of one row."""

    status: str
    code: str
    message: str

    @property
    def is_success(self) -> bool:
        return self.status == "succeeded"

    @property
    def was_sent(self) -> bool:
        return self.code != "NotLatestVersion" and self.message != MARKER_MESSAGE


@dataclass(slots=True, kw_only=True)
class Audit:
    """The checks of one job after a run."""

    plan: Plan
    case: Case
    job: Job
    witness: Witness
    store: MemoryStore
    """Of the target."""
    report: Report
    is_dry_run: bool = False
    history: Sequence[str] = ()
    """The trouble that there was, with the names of the processes that it befell."""

    def check(self) -> None:
        outcomes, left = self._rows()
        self._check_counts(left)
        for number, outcome in outcomes.items():
            self._check_code(number, outcome)
        for number in left:
            self._check_never_sent(number)
        if self.is_dry_run:
            self._check_nothing_written()
            return
        for place, numbers in self._by_target(outcomes).items():
            self._check_target(place, {number: outcomes[number] for number in numbers})
            self._check_once(place, {number: outcomes[number] for number in numbers})

    # --- 1: every row once

    def _rows(self) -> tuple[dict[int, Outcome], set[int]]:
        """Outcomes by row number (of duplicates: in any order), and the rows that were not attempted."""
        rows = self.case.rows
        left = set(self._not_attempted())
        require(self.job.status is not JobStatus.COMPLETE or not left, f"complete, and not attempted: {left}")
        numbers: dict[tuple[str, str], list[int]] = defaultdict(list)
        for number, row in enumerate(rows):
            if number not in left:
                numbers[row.name].append(number)
        outcomes: dict[int, Outcome] = {}
        for bucket, key, version, status, code, _, message in self.report.rows:
            name = (unquote(key), version)
            require(bucket == SOURCE and bool(numbers[name]), f"reported twice, or never in the manifest: {name}")
            outcomes[numbers[name].pop(0)] = Outcome(self._status(status), code, message)
        lost = [name for name, rest in numbers.items() if rest]
        require(not lost, f"lost rows: {lost}")
        return outcomes, left

    def _status(self, word: str) -> str:
        if not self.is_dry_run:
            return word
        require(word in WOULD, f"{word} in the report of a dry run")
        return WOULD[word]

    def _check_nothing_written(self) -> None:
        written = [
            f"{call.process.name}: {call.name} {place}"
            for place, calls in self.witness.writes.items()
            for call in calls
            if not place[2].startswith("reports/job-")
        ]
        checks = [f"{call.name} {call.ref}" for call in self.witness.checks if call.ref and call.ref.bucket != CONTROL]
        require(not (written or checks), f"written by a dry run: {[*written, *checks][:5]}")

    def _not_attempted(self) -> Iterator[int]:
        ranges = self.report.summary["not_attempted_ranges"]
        assert isinstance(ranges, list)
        for first, end in ranges:
            require(end is not None or self.job.total is None, f"open range {first} of a job with a total")
            yield from range(first, len(self.case.rows) if end is None else end)

    def _check_counts(self, left: set[int]) -> None:
        counts = Counter(self._status(row[3]) for row in self.report.rows)
        told = (self.job.tally.succeeded, self.job.tally.failed)
        require((counts["succeeded"], counts["failed"]) == told, f"counters {told} but rows {counts}")
        summary = self.report.summary
        require((summary["succeeded"], summary["failed"]) == told, f"counters {told} but summary.json has others")
        if self.job.total is not None:
            require(self.job.total == len(self.case.rows), f"total {self.job.total} of {len(self.case.rows)} rows")
            require(summary["not_attempted"] == len(left), f"{summary['not_attempted']} not attempted, not {len(left)}")

    # --- 2: every outcome true, and with its cause

    def _check_code(self, number: int, outcome: Outcome) -> None:
        row = self.case.rows[number]
        if outcome.is_success:
            require(not outcome.code, f"{row.name} succeeded with the code {outcome.code}")
            require(row.is_marker == (outcome.message == MARKER_MESSAGE), f"{row.name}: {outcome.message}")
            is_there = row.source is not None or (self.case.plan.is_in_place and row.key in self.case.touched_by_owner)
            require(row.is_marker or is_there, f"{row.name} never was, and succeeded")
            return
        require(bool(outcome.code and outcome.message), f"{row.name} failed without a code or cause: {outcome}")
        require("error of the service itself" not in outcome.message, f"{row.name}: {outcome.message}")
        place = self.case.target_of(row)
        named = self._numbers_of(row)
        is_lost = any(self.witness.is_lost(self.case, one) for one in named)
        match outcome.code:
            case "OutcomeUnknown":
                require(is_lost or self.witness.is_open(place), f"{row.name} unknown without a reason: {outcome}")
            case "WorkerLost":
                is_marked = any((self.job.id, one) in self.witness.marks_lost for one in named)
                require(is_marked, f"{row.name} is WorkerLost, and no worker was lost with it")
            case "NotDone":
                require(self.job.status is not JobStatus.COMPLETE, f"{row.name} is not done in a complete job")
            case "NotLatestVersion":
                require(not row.is_latest, f"{row.name} is the latest version")
            case "StoreIgnoredOption":
                is_told = self.plan.ignored is not None or bool(self.case.touched_by_owner)
                require(is_told, f"{row.name}: the store ignored nothing: {outcome.message}")

    def _numbers_of(self, row: Row) -> list[int]:
        """Of all rows with this name: a report does not say which of two equal rows a line of it is about."""
        return [number for number, one in enumerate(self.case.rows) if one.name == row.name]

    def _check_never_sent(self, number: int) -> None:
        row = self.case.rows[number]
        place = self.case.target_of(row)
        others = [one for one in self.case.rows if self.case.target_of(one) == place]
        if len(others) > 1:
            return
        # A request that the store refused outright has done nothing; that it was sent is told nowhere.
        sent = [call.name for call in self.witness.writes[place] if not call.is_refused]
        require(not sent, f"{row.name} is not attempted, but was sent {sent}")

    def _by_target(self, outcomes: dict[int, Outcome]) -> dict[Place, list[int]]:
        found: dict[Place, list[int]] = defaultdict(list)
        for number in outcomes:
            found[self.case.target_of(self.case.rows[number])].append(number)
        return found

    def _check_target(self, place: Place, outcomes: dict[int, Outcome]) -> None:
        """The object at one target against all rows that are copied there."""
        if place[2] in self.case.touched_by_owner:
            return
        found = self.store.current_objects(place[1]).get(ObjectKey(place[2]))
        sent = {number: one for number, one in outcomes.items() if one.was_sent}
        rows = self.case.rows
        if not any(one.is_success or one.code in OPEN for one in sent.values()):
            if not any(number not in outcomes for number in self._numbers_at(place)):
                before = rows[min(outcomes)].source if self.case.plan.is_in_place else None
                require(found == before, f"{place} is reported {sent}, but was written: {found}")
            return
        possible = self._last_writers(sent)
        faults = [fault for number in possible if (fault := self._fault(rows[number], found)) is not None]
        must_be_one = any(one.is_success for one in sent.values()) and not self.witness.has_late(place)
        if len(possible) == len(faults) and must_be_one and not self._is_unread_lie(place, faults):
            raise Broken(f"{place} is reported {sent}: {faults}")

    def _numbers_at(self, place: Place) -> list[int]:
        return [number for number, row in enumerate(self.case.rows) if self.case.target_of(row) == place]

    def _last_writers(self, sent: dict[int, Outcome]) -> list[int]:
        """Rows whose copy may be what is there: the last success, and whatever is not known after it. An inventory
        lists the newest version first, and the oldest is sent first."""
        in_order = sorted(sent, reverse=self.case.plan.has_versions)
        last = max((place for place, number in enumerate(in_order) if sent[number].is_success), default=-1)
        after = [number for number in in_order[last + 1 :] if sent[number].code in OPEN]
        return after if last < 0 else [in_order[last], *after]

    def _is_unread_lie(self, place: Place, faults: list[str]) -> bool:
        """A success that nobody could read back from a store that ignores an option."""
        if self.plan.ignored is None:
            return False
        if len(self._numbers_at(place)) > 1:
            return True  # a read does not tell which of the rows it was for
        made = self.witness.made(place)
        if made and self._was_left_unread(place, made[-1]):
            return False
        since = made[-1].sent_at if made else 0.0
        was_read = {
            call.name
            for call in self.witness.reads[place]
            if call.sent_at > since and call.is_answered and not call.is_refused
        }
        shown_by = {"tags": "get_tags", "access": "get_acl"}
        needed = {read for what, read in shown_by.items() if any(what in fault for fault in faults)}
        return not (needed or {"head"}) <= was_read

    def _was_left_unread(self, place: Place, made: Call) -> bool:
        """Whether its maker did not even try to read it back, and nothing kept it from that."""
        maker = made.process
        is_kept = maker.is_dead or any("user:" in line or maker.name in line.split() for line in self.history)
        numbers = self._numbers_at(place)
        is_kept |= any(self.witness.is_lost(self.case, number) for number in numbers)
        if is_kept or not made.is_answered or self.job.status is not JobStatus.COMPLETE:
            return False
        return not any(call.process is maker and call.sent_at > made.sent_at for call in self.witness.reads[place])

    def _fault(self, row: Row, found: StoredObject | None) -> str | None:
        """What the object lacks of a copy of this row."""
        source, copy = row.source, self.case.plan.operation
        if found is None or source is None:
            return "it is not there"
        user = {} if copy.metadata_directive is Directive.REPLACED else {"from": "source"}
        user |= dict(copy.new_object_metadata.user_metadata)
        tags = {} if copy.tagging_directive is Directive.REPLACED else {"old": "1"}
        tags |= {tag.key: tag.value for tag in copy.new_object_tagging}
        shown = {tag.key: tag.value for tag in found.tags}
        is_public = AclGrant("", ALL_USERS, "READ") in found.acl.grants
        wanted_class = copy.storage_class or "STANDARD"
        faults = {
            "content": found.size_bytes == source.size_bytes and _same_bytes(found, source),
            f"metadata {found.metadata.user}": dict(found.metadata.user or {}) == user,
            f"tags {shown}": shown == tags,
            f"class {found.storage_class}": found.storage_class == wanted_class,
            f"access {found.acl.grants}": is_public == (copy.canned_access_control_list is not None),
        }
        wrong = [what for what, is_right in faults.items() if not is_right]
        return f"wrong {', '.join(wrong)}" if wrong else None

    def _check_once(self, place: Place, outcomes: dict[int, Outcome]) -> None:
        """No row is copied twice: a second copy is a second version, or may cover what the owner wrote. What a dead
        process sent, and the store applied late, nobody can look for in time; clocks that jump blind the look."""
        if self.plan.clocks_jump or place[2] in self.case.touched_by_owner or self.plan.ignored is not None:
            return
        if self.case.plan.has_versions and any(self.witness.is_lost(self.case, number) for number in outcomes):
            return  # versions of one key are copied again where their order is not certain
        made = self.witness.made(place)
        late = sum(call.is_late for call in made)
        sent = [number for number in self._numbers_at(place) if number not in outcomes or outcomes[number].was_sent]
        require(
            len(made) - late <= len(sent), f"{place} was written {len(made)} times, {late} late, for {len(sent)} rows"
        )


def _same_bytes(found: StoredObject, source: StoredObject) -> bool:
    return source.content.stored is None or found.content == source.content


def check_events(job: Job, events: list[JobEvent]) -> None:
    """4: a status moves along the table only, and each move says who and why."""
    status = JobStatus.NEW
    for event in events:
        require(event.at > 0 and bool(event.actor), f"an event without time or actor: {event}")
        if event.kind != "moved" and event.status is status:
            continue
        require(event.status in MOVES[status], f"moved from {status} to {event.status}")
        require(event.actor in MOVES[status][event.status], f"{event.actor} moved it to {event.status}")
        require(bool(event.reason), f"moved to {event.status} without a reason")
        status = event.status
    require(status is job.status, f"events end in {status}, the job in {job.status}")


def check_report_told(job: Job, events: list[JobEvent]) -> None:
    """4: what becomes of a report is told beside the job's reason, and a job that waits for nothing says so."""
    is_over = is_final(job.status) and job.report_state is not ReportState.PENDING
    require(not is_over or job.hold is None, f"{job.status}, its report {job.report_state}, and on hold: {job.hold}")
    require("report is not delivered" not in job.status_reason, f"of its report the job says: {job.status_reason}")
    failures = [event for event in events if event.kind == "report" and event.reason.startswith("failed: ")]
    wanted = int(job.report_state is ReportState.FAILED)
    require(len(failures) == wanted, f"the report is {job.report_state}, and failed for good {len(failures)} times")


async def check_shown(job: Job, lists: JobLists) -> None:
    """5: what people are shown of a job's way adds up to what came of it."""
    points = (await lists.series(job.id)).points
    shown = (sum(point.succeeded for point in points), sum(point.failed for point in points))
    told = (job.tally.succeeded, job.tally.failed)
    require(shown == told, f"counters {told} but the series adds up to {shown}")
    require(sum(point.bytes_done for point in points) == job.tally.bytes_done, "the series has other bytes")
    kept = {code: len(samples) for code, samples in (await lists.failure_samples(job.id)).items()}
    wanted = {code: min(tally.count, FAILURES_KEPT) for code, tally in job.tally.codes.items()}
    require(kept == wanted, f"{wanted} failures should be kept whole, and {kept} are")
