"""The pacers of one process, by bucket: what the rest of the program paces its requests with.

How one bucket is paced is told in :mod:`cosbatch.storage.bucket_pacer`.
"""

from __future__ import annotations

from math import inf

from cosbatch.model.clock import Clock
from cosbatch.model.identifiers import Bucket
from cosbatch.model.jobs import Hold
from cosbatch.model.regions import RateKind
from cosbatch.storage.bucket_pacer import START_LIMIT, BucketPacer
from cosbatch.storage.byte_gate import ByteGate
from cosbatch.storage.stop_signal import StopSignal, Ticket

__all__ = ["BucketPacer", "PacerBoard", "StopSignal", "Ticket"]


class PacerBoard:
    """The pacers of one process for one store, that is for one region and one identity, by bucket.

    Two regions may have buckets of one name, and the expired credentials of one role say nothing about another's.
    """

    __slots__ = (
        "_byte_gates",
        "_byte_rate",
        "_clock",
        "_max_connections",
        "_pacers",
        "_rate",
        "_start_limit",
        "_stop_reason",
        "repeats",
    )

    def __init__(
        self,
        *,
        clock: Clock,
        max_connections: int = 256,
        start_limit: int = START_LIMIT,
        requests_per_second: float | None = None,
        bytes_per_second: float | None = None,
    ) -> None:
        """``max_connections`` and the rates hold for each bucket; the rates are what a bucket begins with, 0 where it
        has to wait for a share of its cap. ``bytes_per_second``: of bodies, both ways together."""
        self._clock = clock
        self._max_connections = max_connections
        self._start_limit = start_limit
        self._rate = requests_per_second
        self._byte_rate = bytes_per_second
        self._byte_gates: dict[Bucket, ByteGate] = {}
        self._stop_reason: str | None = None
        self._pacers: dict[Bucket, BucketPacer] = {}
        self.repeats = 0
        """Requests that were sent again so far, over all buckets."""

    def pacer(self, bucket: Bucket) -> BucketPacer:
        """Always the same one for a bucket."""
        try:
            return self._pacers[bucket]
        except KeyError:
            return self._add(bucket)

    def _add(self, bucket: Bucket) -> BucketPacer:
        pacer = self._pacers[bucket] = BucketPacer(
            bucket,
            clock=self._clock,
            max_connections=self._max_connections,
            start_limit=self._start_limit,
            requests_per_second=self._rate,
        )
        if self._stop_reason is not None:
            pacer.stop(self._stop_reason)
        return pacer

    def byte_gate(self, bucket: Bucket) -> ByteGate | None:
        """Always the same one for a bucket, as long as its bytes have a cap; None: they have none."""
        if self._byte_rate is None:
            return None
        if bucket not in self._byte_gates:
            gate = ByteGate(self._byte_rate, pacer=self.pacer(bucket), clock=self._clock)
            self._byte_gates[bucket] = gate
        return self._byte_gates[bucket]

    def set_byte_rate(self, bytes_per_second: float | None) -> None:
        """For each bucket, from the next body on; None: no cap."""
        self._byte_rate = bytes_per_second
        for gate in self._byte_gates.values():
            gate.set_rate(inf if bytes_per_second is None else bytes_per_second, until=inf)
        if bytes_per_second is None:
            self._byte_gates.clear()

    def holds(self) -> list[Hold]:
        """Buckets that do not answer now, the longest held first."""
        return sorted(
            (pacer.held for pacer in self._pacers.values() if pacer.held is not None), key=lambda hold: hold.since
        )

    def asked(self) -> list[BucketPacer]:
        """Of the buckets with requests that are under way or wait."""
        return [pacer for pacer in self._pacers.values() if pacer.is_asked]

    def wanting_rate(self, kind: RateKind, *, since: float) -> set[Bucket]:
        """Buckets to which somebody waits to send, or has sent at the boottime ``since`` or later."""
        rated = self._pacers if kind is RateKind.REQUESTS else self._byte_gates
        return {bucket for bucket, each in rated.items() if each.wants_rate(since=since)}

    def set_share(self, bucket: Bucket, kind: RateKind, per_second: float, *, until: float) -> None:
        """Of a cap, until a boottime; 0: nothing."""
        rated = self.pacer(bucket) if kind is RateKind.REQUESTS else self.byte_gate(bucket)
        if rated is not None:
            rated.set_rate(per_second, until=until)

    @property
    def answers(self) -> int:
        """Requests that were answered so far, over all buckets."""
        return sum(pacer.answers for pacer in self._pacers.values())

    @property
    def in_flight(self) -> int:
        """Requests under way now, over all buckets."""
        return sum(pacer.in_flight for pacer in self._pacers.values())

    @property
    def limit(self) -> int:
        """Requests that may be under way at a time, over all buckets; a held bucket counts nothing."""
        return sum(pacer.limit for pacer in self._pacers.values() if pacer.held is None)

    def set_rate(self, requests_per_second: float | None) -> None:
        """A new share of the cap, for each bucket; None: no cap."""
        self._rate = requests_per_second
        for pacer in self._pacers.values():
            pacer.set_rate(requests_per_second)

    def set_connections(self, max_connections: int) -> None:
        """As many at a time to each bucket, from now on; what is under way goes on."""
        self._max_connections = max_connections
        for pacer in self._pacers.values():
            pacer.set_connections(max_connections)

    def stop(self, reason: str) -> None:
        """Stops every pacer, also those not made yet."""
        self._stop_reason = reason
        for pacer in self._pacers.values():
            pacer.stop(reason)
