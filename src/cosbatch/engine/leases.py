"""A worker's leases: claims and renewals that never overlap, and the deadlines that go with them.

A claim whose reply was lost may have been made. Nothing is claimed after it before a renewal was answered: the renewal
names the leases that this worker knows of, and the ledger gives back the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from cosbatch.engine.renewal import Deadline
from cosbatch.ledger.port import JobLedger
from cosbatch.model.clock import Clock
from cosbatch.model.errors import LedgerUnavailable
from cosbatch.model.identifiers import JobId, WorkerId
from cosbatch.model.tasks import Claim, Lease


class LeaseBook:
    """The only one that claims and renews for a worker."""

    def __init__(self, worker: WorkerId, *, ledger: JobLedger, clock: Clock, lease_seconds: float) -> None:
        self._worker = worker
        self._ledger = ledger
        self._clock = clock
        self._lease_seconds = lease_seconds
        self._deadlines: dict[Lease, Deadline] = {}
        self._one_at_a_time = asyncio.Lock()
        self._claim_unanswered = False

    async def claim(
        self,
        *,
        room: int,
        after_job: JobId | None,
        but_not: Collection[JobId] = (),
        only: Collection[JobId] | None = None,
    ) -> list[tuple[Claim, Deadline]]:
        """New claims with their deadlines; none while an earlier claim's reply is missing."""
        async with self._one_at_a_time:
            if self._claim_unanswered:
                return []
            asked_at = self._clock.boottime()
            try:
                claims = await self._ledger.claim(
                    self._worker,
                    room=room,
                    lease_seconds=self._lease_seconds,
                    after_job=after_job,
                    but_not=but_not,
                    only=only,
                )
            except LedgerUnavailable:
                self._claim_unanswered = True
                raise
            claimed = [(claim, Deadline(clock=self._clock, until=asked_at + self._lease_seconds)) for claim in claims]
            self._deadlines |= {claim.lease: deadline for claim, deadline in claimed}
            return claimed

    async def renew(self, leases: Collection[Lease]) -> None:
        """Moves the deadlines of the leases that the ledger confirms; marks the others lost.

        A lease that was claimed but is not among ``leases`` yet (its chunk is just being opened) is named too.
        """
        async with self._one_at_a_time:
            named = {lease for lease, deadline in self._deadlines.items() if not deadline.lost} | set(leases)
            asked_at = self._clock.boottime()
            renewal = await self._ledger.renew(self._worker, named, lease_seconds=self._lease_seconds)
            self._claim_unanswered = False
            for lease in named & self._deadlines.keys():
                if lease in renewal.confirmed:
                    self._deadlines[lease].until = asked_at + self._lease_seconds
                else:
                    self._deadlines[lease].lost = True

    def forget(self, lease: Lease) -> None:
        self._deadlines.pop(lease, None)
