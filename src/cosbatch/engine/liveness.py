"""Who is dead: on one host a free lock file proves it at once; else only silence does, measured on our own clock.

A lease is over when it is past on the ledger's clock *and* has not changed for one lease length on the watcher's own
clock: either clock alone may jump. And what the dead have sent is over when its longest time has passed on that clock,
as is whatever else has a limit.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import IO, Final, NamedTuple, Protocol

from cosbatch.ledger.port import HeldLease, JobLease, QueuedJob
from cosbatch.model.clock import Clock
from cosbatch.model.identifiers import JobId, WorkerId
from cosbatch.model.tasks import Lease


class Liveness(Protocol):
    """Whether the holder of a lease is known to be dead, without waiting."""

    def is_dead(self, owner: WorkerId) -> bool: ...


class LockFiles:
    """One locked file for each living process below a folder of this host; the kernel lets the lock go with it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def hold(self, owner: WorkerId) -> IO[bytes]:
        """Locks this process's file for as long as the file that it returns is open; children do not inherit it."""
        file = (self._folder / f"{owner}.lock").open("ab")
        fcntl.flock(file, fcntl.LOCK_EX)
        return file

    def is_dead(self, owner: WorkerId) -> bool:
        """True only where the file is there and free. A file that is missing says nothing: another host's process."""
        try:
            descriptor = os.open(self._folder / f"{owner}.lock", os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        else:
            return True
        finally:
            os.close(descriptor)

    def living(self) -> list[WorkerId]:
        """The processes of this host that hold a file now."""
        found = {WorkerId(path.stem): path for path in sorted(self._folder.glob("*.lock"))}
        return [owner for owner, path in found.items() if not self.is_dead(owner) and path.exists()]

    def sweep(self, *, still_named: Iterable[WorkerId]) -> None:
        """Removes the files of the dead whom no lease names any more."""
        named = set(still_named)
        for path in self._folder.glob("*.lock"):
            owner = WorkerId(path.stem)
            if owner not in named and self.is_dead(owner):
                path.unlink(missing_ok=True)


class LeaseWatch:
    """Decides which leases are over."""

    def __init__(self, *, clock: Clock, lease_seconds: float, liveness: Liveness | None) -> None:
        self._clock = clock
        self._lease_seconds = lease_seconds
        self._liveness = liveness
        self._seen: dict[tuple[Lease | JobLease, float], float] = {}

    def over(self, held: Collection[HeldLease]) -> list[HeldLease]:
        """Of the leases held at present, those to expire now. Call it with all of them each time."""
        now = self._clock.boottime()
        seen: dict[tuple[Lease | JobLease, float], float] = {}
        ended = []
        dead = {owner for owner in {lease.owner for lease in held} if self._is_dead(owner)}
        for lease in held:
            place = (lease.lease, lease.lease_until)
            seen[place] = self._seen.get(place, now)
            silent = lease.is_past and now - seen[place] >= self._lease_seconds
            if silent or lease.owner in dead:
                ended.append(lease)
        self._seen = seen
        return ended

    def _is_dead(self, owner: WorkerId) -> bool:
        return self._liveness is not None and self._liveness.is_dead(owner)


WRONG_BY_SECONDS: Final = 3600.0
"""By how much wall clocks may be wrong: an hour, as by a wrong time zone."""


class LimitWatch:
    """Decides whether something has lasted too long that has the date of its beginning.

    How long is left is asked of the wall clock once, at the first sight, and never believed where it is less than what
    that clock may be wrong by; from then on only our own clock counts, which nobody sets.
    """

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._ends: dict[tuple[JobId, float], float] = {}

    def is_over(
        self, job_id: JobId, *, since: float, limit_seconds: float, passed_seconds: float | None = None
    ) -> bool:
        """``since`` in Unix seconds: another one is another beginning. ``passed_seconds``: how long ago that was, where
        the clock that has dated it tells so; else our wall clock is asked."""
        now, key = self._clock.boottime(), (job_id, since)
        if key not in self._ends:
            passed = self._clock.now() - since if passed_seconds is None else passed_seconds
            left = limit_seconds - passed
            self._ends[key] = now + min(max(left, WRONG_BY_SECONDS), limit_seconds)
        return now >= self._ends[key]

    def keep_only(self, job_ids: Collection[JobId]) -> None:
        """Forgets all other jobs."""
        self._ends = {key: ends for key, ends in self._ends.items() if key[0] in job_ids}


class Dated(NamedTuple):
    """Something that has begun, by a wall clock that somebody may have set."""

    what: str
    since: float


class OrderWatch:
    """Decides which of two things of a job began later.

    What came into sight first began first. Only of two that came into sight together the dates are compared: a clock
    that was set in between has made them wrong.
    """

    def __init__(self) -> None:
        self._looks = 0
        self._seen: dict[JobId, dict[Dated, int]] = {}
        """At which look it came into sight."""

    def look(self, there: Mapping[JobId, Collection[Dated]]) -> None:
        """What there is now; call it each time with all jobs."""
        self._looks += 1
        before, self._seen = self._seen, {}
        for job_id, things in there.items():
            known = before.get(job_id, {})
            self._seen[job_id] = {thing: known.get(thing, self._looks) for thing in things}

    def is_later(self, job_id: JobId, one: Dated, *, than: Dated) -> bool:
        seen = self._seen.get(job_id, {})
        first, second = seen.get(one, 0), seen.get(than, 0)
        return one.since > than.since if first == second else first > second


class QuietWatch:
    """Decides of which jobs no request of a lost lease can be under way any more.

    How long is left is asked of the ledger's clock once, at the first sight, so that a watcher that starts after a long
    rest does not wait anew; from then on only our own clock counts, which nobody sets.
    """

    def __init__(self, *, clock: Clock, request_timeout_seconds: float) -> None:
        self._clock = clock
        self._longest = request_timeout_seconds
        self._ends: dict[tuple[JobId, float], float] = {}

    def over(self, queued: Iterable[QueuedJob]) -> list[QueuedJob]:
        """Of the unfinished jobs, those that have become quiet now. Call it with all of them each time."""
        now = self._clock.boottime()
        ends: dict[tuple[JobId, float], float] = {}
        ended = []
        for job in queued:
            if job.is_quiet:
                continue
            loss = (job.job.id, job.quiet_at)
            ends[loss] = self._ends.get(loss, now + min(max(job.quiet_in_seconds, 0.0), self._longest))
            if now >= ends[loss]:
                ended.append(job)
        self._ends = ends
        return ended
