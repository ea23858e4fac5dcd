"""What the rows of a manifest add up to: objects, bytes, parts. For estimates, and counted along by the plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cosbatch.manifests.plain import RowBatch
from cosbatch.model.jobs import ListedTotals
from cosbatch.model.operations import DeleteObject, PutObjectCopy
from cosbatch.operations.copy_plan import CopyPlan, plan_of
from cosbatch.operations.copy_uploads import part_bytes_for
from cosbatch.operations.cross_store import transfer_part_size
from cosbatch.operations.port import JobFacts


class Listing:
    """Adds up batches of rows."""

    def __init__(self, facts: JobFacts) -> None:
        self._removes_markers = isinstance(facts.request.operation, DeleteObject)
        plan = plan_of(facts) if isinstance(facts.request.operation, PutObjectCopy) else None
        self._whole_above = _whole_above(plan)
        self._part_bytes = _part_bytes(facts)
        self._profile = facts.target_profile
        self._rows = self._not_sent = self._bytes = self._large = self._parts = 0
        self._has_sizes = True

    def add(self, batch: RowBatch) -> None:
        if batch.plain is not None:
            self._rows += len(batch.plain.keys)
            self._add_sizes(batch.plain.sizes)
            return
        rows = list(batch)
        sent = [row for row in rows if not row.is_delete_marker or (self._removes_markers and row.version_id)]
        self._rows += len(rows)
        self._not_sent += len(rows) - len(sent)
        sizes = [row.size_bytes for row in sent if row.size_bytes is not None]
        self._add_sizes(sizes if len(sizes) == len(sent) else None)

    def _add_sizes(self, sizes: Sequence[int] | None) -> None:
        if sizes is None:
            self._has_sizes = False
            return
        self._bytes += sum(sizes)
        if self._whole_above is not None and max(sizes, default=0) > self._whole_above:
            self._add_large(size for size in sizes if size > self._whole_above)

    def _add_large(self, sizes: Iterable[int]) -> None:
        for size in sizes:
            step = part_bytes_for(size, self._part_bytes, profile=self._profile)
            self._large += 1
            self._parts += -(-size // step)

    @property
    def totals(self) -> ListedTotals:
        return ListedTotals(
            rows=self._rows,
            not_sent=self._not_sent,
            size_bytes=self._bytes if self._has_sizes else None,
            large=self._large,
            parts=self._parts,
        )


def _whole_above(plan: CopyPlan | None) -> int | None:
    """Larger objects go in parts; None where nothing does."""
    if plan is None:
        return None
    return plan.single_limit_bytes if plan.facts.same_store else transfer_part_size(plan.facts)


def _part_bytes(facts: JobFacts) -> int:
    """The size of a part that the job asks for."""
    request, profile = facts.request, facts.target_profile
    if facts.same_store:
        return min(request.part_size_bytes, profile.copy_limit_bytes)
    return transfer_part_size(facts)
