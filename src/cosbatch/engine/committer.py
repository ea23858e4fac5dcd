"""Results into the ledger: a part file in the spool, then one transaction that names it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from random import Random

import structlog

from cosbatch.engine.chunk_run import ChunkRun
from cosbatch.ledger.port import JobLedger
from cosbatch.model.errors import LedgerUnavailable, SpoolError, StaleFence
from cosbatch.model.reports import Part
from cosbatch.model.tasks import Then
from cosbatch.reports.parts import encode_part, part_name
from cosbatch.storage.disposition import backoff_seconds
from cosbatch.storage.spool import Spool

log = structlog.get_logger(__name__)


@dataclass(slots=True, kw_only=True)
class Committer:
    """Commits what runs have brought. Repeating is safe: a part has the same name every time."""

    ledger: JobLedger
    spool: Spool
    random: Random
    quiet_seconds: float

    async def commit(self, run: ChunkRun, *, then: Then) -> None:
        """Until it is in the ledger, or the lease is known to be lost (``run.deadline.lost``).

        A spool or ledger that does not answer is asked again: the results are nowhere else.
        """
        async with run.committing:
            taken = run.take_results()
            if not taken.entries and then is Then.KEEP:
                return
            encoded = encode_part(
                taken.entries,
                bucket=run.kit.bucket,
                first_task=run.claim.first_task,
                task_count=run.claim.task_count,
                ignored_options=taken.ignored_options,
                dry_run=run.kit.is_dry_run,
            )
            lease = run.claim.lease
            name = part_name(lease.job_id, seq=lease.seq, fence=lease.fence, content=encoded.content)
            made = Part(spool_name=name, settled=encoded.settled, tally=encoded.tally, samples=encoded.samples)
            part = made if taken.entries else None
            await self._until_committed(run, part, content=encoded.content, then=then)

    async def forfeit(self, run: ChunkRun) -> None:
        """Gives the chunk back as a loss, without the results that are not committed."""
        async with run.committing:
            run.take_results()
            await self._until_committed(run, None, content=b"", then=Then.FORFEIT)

    async def _until_committed(self, run: ChunkRun, part: Part | None, *, content: bytes, then: Then) -> None:
        attempt = 0
        while not run.deadline.lost:
            try:
                if part is not None:
                    await self.spool.put(part.spool_name, content)
                await self.ledger.commit(run.claim, part, then=then, quiet_seconds=self.quiet_seconds)
            except StaleFence:
                run.deadline.lost = True
                log.warning("commit-refused", job_id=run.claim.lease.job_id, seq=run.claim.lease.seq)
            except (SpoolError, LedgerUnavailable) as error:
                attempt += 1
                log.warning("commit-repeated", job_id=run.claim.lease.job_id, attempt=attempt, error=str(error))
                await asyncio.sleep(backoff_seconds(attempt, self.random.random))
            else:
                if then is Then.CLOSE:
                    await self._forget_chunk_file(run)
                return

    async def _forget_chunk_file(self, run: ChunkRun) -> None:
        """The file has served. What cannot be deleted now goes when the job is sealed."""
        try:
            await self.spool.delete(run.claim.spool_name)
        except SpoolError as error:
            log.info("chunk-file-left", name=run.claim.spool_name, error=str(error))
