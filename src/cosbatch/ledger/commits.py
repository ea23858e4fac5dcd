"""The commit of a part: the one transaction that makes outcomes final, counts them, and ends or keeps a lease."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Row, bindparam, exists, func, insert, select, update

from cosbatch.ledger import tables
from cosbatch.ledger.claims import UNDER_LEASE, under
from cosbatch.ledger.codec import encode
from cosbatch.ledger.job_rows import THE_JOB, counted_columns, load_row, move_row, tally_from
from cosbatch.ledger.rules import clears_mark, failure_of, settled_after, stale
from cosbatch.ledger.scheduling import be_quiet
from cosbatch.ledger.series import add_results, add_samples
from cosbatch.ledger.transaction import Parameters, Transaction
from cosbatch.model.bitmap import Bitmap
from cosbatch.model.reports import FailureSample, Part, Tally
from cosbatch.model.states import Actor, JobStatus
from cosbatch.model.tasks import Claim, Then

_CHUNK: Final = tables.chunk.c
_PART: Final = tables.part.c
_GIVEN_UP: Final[Parameters] = {"owner": None, "lease_until": None}
_NO_MARK: Final[Parameters] = {"started_task": None, "started_fence": None}

_PART_NAMED: Final = select(_PART.place).where(
    _PART.job_id == bindparam("the_job"), _PART.spool_name == bindparam("the_name")
)
_NEXT_PLACE: Final = select(func.coalesce(func.max(_PART.place), -1) + 1).where(
    _PART.job_id == bindparam("the_job"), _PART.seq == bindparam("the_seq")
)
# In one question: a commit is ten statements, and each costs ten times what SQLite does for it.
_HELD_CHUNK: Final = (
    select(
        tables.chunk,
        _NEXT_PLACE.scalar_subquery().label("next_place"),
        exists(_PART_NAMED).label("is_known"),
    )
    .where(UNDER_LEASE)
    .with_for_update()
)
_ADD_PART: Final = insert(tables.part)
_CHANGE_CHUNK: Final = update(tables.chunk).where(UNDER_LEASE)
_COUNT: Final = update(tables.job).where(THE_JOB)


def commit(tx: Transaction, claim: Claim, part: Part | None, *, then: Then, quiet_seconds: float) -> None:
    lease = claim.lease
    named: Parameters = {"the_job": lease.job_id, "the_name": "" if part is None else part.spool_name}
    chunk = tx.one(_HELD_CHUNK, under(lease, claim.owner) | named)
    if chunk is None:
        if part is not None and tx.one(_PART_NAMED, named):
            return  # it was committed, the reply was lost, and the lease has ended since
        raise stale(lease, claim.owner)
    new = None if chunk.is_known or part is None else part.committed_at(tx.now())
    before = Bitmap.from_bytes(chunk.settled, size=chunk.task_count)
    settled = settled_after(before, new, seq=lease.seq, then=then)
    if new is not None:
        _add_part(tx, claim, new, place=chunk.next_place)
    if new is not None or then is not Then.KEEP:
        tx.change(_CHANGE_CHUNK, under(lease, claim.owner) | _changes(chunk, settled, then=then))
    if then is Then.FORFEIT:
        be_quiet(tx, lease.job_id, seconds=quiet_seconds)
    if new is not None or then is Then.CLOSE:
        samples = part.samples if part and new else ()
        _count(tx, claim, new.tally if new else Tally(), samples, closed=int(then is Then.CLOSE))


def _add_part(tx: Transaction, claim: Claim, part: Part, *, place: int) -> None:
    tx.change(
        _ADD_PART,
        {
            "job_id": claim.lease.job_id,
            "seq": claim.lease.seq,
            "place": place,
            "spool_name": part.spool_name,
            "settled": part.settled.to_bytes(),
            "task_count": part.settled.size,
            "tally": encode(part.tally),
        },
    )


def _changes(chunk: Row[Any], settled: Bitmap, *, then: Then) -> Parameters:
    changes: Parameters = {"settled": settled.to_bytes()}
    if then is not Then.KEEP:
        changes |= {"state": "closed" if then is Then.CLOSE else "open"} | _GIVEN_UP
    if then is Then.FORFEIT:
        changes |= {"losses": chunk.losses + 1, "lost": 1}
    if clears_mark(then, fence=chunk.fence, started_fence=chunk.started_fence):
        changes |= _NO_MARK
    return changes


def _count(tx: Transaction, claim: Claim, tally: Tally, samples: tuple[FailureSample, ...], *, closed: int) -> None:
    row = load_row(tx, claim.lease.job_id)
    before = tally_from(row)
    counted = before.plus(tally)
    changes = counted_columns(counted, total=row.total, threshold=row.failure_threshold)
    changes |= {"chunks_closed": row.chunks_closed + closed} | add_results(tx, row, tally)
    tx.change(_COUNT, {"the_job": row.id} | changes)
    add_samples(tx, row.id, samples, before=before, after=counted)
    failure = failure_of(JobStatus(row.status), counted, total=row.total, threshold=row.failure_threshold)
    if failure is not None:
        code, reason = failure
        move_row(tx, row, to=JobStatus.FAILING, actor=Actor.ENGINE, reason=reason, failure=code)
