"""One claimed chunk in a worker's hands: what is still to run, what is in flight, what is not committed yet."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cosbatch.engine.job_kit import JobKit
from cosbatch.engine.renewal import Deadline
from cosbatch.engine.shared_targets import NOBODY
from cosbatch.model.identifiers import ObjectKey
from cosbatch.model.tasks import Claim, ClaimMode, OutcomeCode, Result, Skip, Task, TaskStatus, Then
from cosbatch.storage.pacing import StopSignal


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncommitted:
    """Results on their way into the ledger."""

    entries: list[tuple[Task, Result]]
    ignored_options: dict[str, int]


Unit = Sequence[Task]
"""Tasks that run one after another: mostly one, else the versions of one key."""


class ChunkRun:
    """The worker's side of a claim. Not a coroutine: lanes take units from it and bring results back."""

    __slots__ = (
        "abandoned",
        "claim",
        "committing",
        "cut",
        "deadline",
        "finishing",
        "given_up",
        "ignored_options",
        "in_flight",
        "is_ending",
        "is_settle_only",
        "kit",
        "last_settled_at",
        "oldest_result_at",
        "results",
        "same_targets",
        "settled_count",
        "stop",
        "stopped_at",
        "units",
    )

    def __init__(
        self,
        *,
        claim: Claim,
        kit: JobKit,
        deadline: Deadline,
        tasks: Sequence[Task],
        same_targets: Mapping[int, int] = NOBODY,
    ) -> None:
        """``same_targets``: in a dry run, tasks whose target is another row's too, and that row's number."""
        self.claim = claim
        self.same_targets = same_targets
        self.kit = kit
        self.is_settle_only = claim.mode is ClaimMode.SETTLE_ONLY
        self.deadline = deadline
        self.units = deque(units_of(tasks, claim=claim))
        self.in_flight = 0
        self.results: list[tuple[Task, Result]] = [
            (task, skipped(task)) for task in tasks if task.skip is not None and not is_settled(task, claim)
        ]
        self.settled_count = len(claim.settled) + len(self.results)
        self.ignored_options: dict[str, int] = {}
        self.oldest_result_at: float | None = None
        self.last_settled_at = 0.0
        self.stop = StopSignal()
        """Breaks off the waits of tasks that cannot have written anything."""
        self.cut = StopSignal()
        """Breaks off every task before its next send: what became of it has to be looked up later."""
        self.stopped_at = 0.0
        self.given_up = False
        """Settle-only: the time to look is over, what is left is OutcomeUnknown."""
        self.is_ending = False
        """The job is Cancelling or Failing: what is given back now will never be sent."""
        self.abandoned = False
        """Some task may have run and could not be settled: the lease has to be lost."""
        self.finishing = False
        """Its last commit is under way."""
        self.committing = asyncio.Lock()

    @property
    def unstarted(self) -> int:
        return sum(map(len, self.units))

    def ending(self) -> Then:
        """What the last commit does with the chunk."""
        if self.abandoned:
            return Then.FORFEIT
        return Then.CLOSE if self.settled_count == self.claim.task_count else Then.YIELD

    def is_idle(self) -> bool:
        return not self.units and not self.in_flight

    def stop_beginning(self, *, now: float) -> None:
        """No further task is begun; those that wait to send their first request are broken off."""
        if not self.is_stopping():
            self.stopped_at = now
            self.stop.stop("the work on this chunk stops")
        self.units.clear()

    def cut_off(self) -> None:
        """Whatever still waits has waited for long enough."""
        self.cut.stop("the time to settle is over")

    def is_stopping(self) -> bool:
        return self.stop.reason is not None

    def begin(self) -> Unit:
        self.in_flight += 1
        return self.units.popleft()

    def bring(self, task: Task, result: Result, *, now: float) -> None:
        self.results.append((task, result))
        self.settled_count += 1
        self.last_settled_at = now
        if self.oldest_result_at is None:
            self.oldest_result_at = now

    def take_results(self) -> Uncommitted:
        """What is not committed yet; the caller commits it."""
        taken = Uncommitted(entries=self.results, ignored_options=self.ignored_options)
        self.results = []
        self.ignored_options = {}
        self.oldest_result_at = None
        return taken

    def note_ignored(self, key: ObjectKey, options: Sequence[str]) -> None:
        """Each option once for each object: of a key that is listed several times, one upload of its owner may have
        taken the place of all copies, and would look like as many lies of the store."""
        for option in options:
            if (key, option) not in self.kit.ignored:
                self.kit.ignored.add((key, option))
                self.ignored_options[option] = self.ignored_options.get(option, 0) + 1


def units_of(tasks: Sequence[Task], *, claim: Claim) -> list[Unit]:
    """What is to be sent, in order; the versions of one key as one unit."""
    units: list[Unit] = []
    runs: dict[int, list[Task]] = {}
    has_settled = len(claim.settled) > 0  # mostly not: then the set is not asked for each task
    for task in tasks:
        if task.skip is not None or (has_settled and is_settled(task, claim)):
            continue
        if task.group < 0:
            units.append((task,))
        elif task.group in runs:
            runs[task.group].append(task)
        else:
            runs[task.group] = [task]
            units.append(runs[task.group])
    for run in runs.values():
        run.sort(key=lambda task: task.turn)
    return units


def is_settled(task: Task, claim: Claim) -> bool:
    return task.number - claim.first_task in claim.settled


def skipped(task: Task) -> Result:
    """The result of a task that is never sent."""
    if task.skip is Skip.DELETE_MARKER:
        return Result(task.number, TaskStatus.SUCCEEDED, message="Skipped: delete marker", in_failure_rate=False)
    return Result(
        task.number,
        TaskStatus.FAILED,
        error_code=OutcomeCode.NOT_LATEST_VERSION,
        message="not sent: the destination keeps one version of a key, and a newer one is in the manifest",
        in_failure_rate=False,
    )
