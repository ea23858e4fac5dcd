"""When a call is made again, how long to wait before, and how long to wait for a job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from cosbatch.client.calls import ApiCall
from cosbatch.client.refusals import retry_after
from cosbatch.client.transport import ApiAnswer
from cosbatch.model.errors import CosbatchError, ServiceUnavailable, ServiceUnreachable, TooManyAttempts

TOO_OFTEN: Final = 429
UNAVAILABLE: Final = (502, 503, 504)
_OF_THE_SERVICE: Final = (429, 503)
"""Which say how long to wait; a gateway does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How much trouble a client bears before it tells of it."""

    attempts: int = 3
    """Of one call, in all."""
    first_pause_seconds: float = 0.5
    """Before the second attempt where the service does not say; doubled before each further one."""
    longest_pause_seconds: float = 30.0
    """A service that asks for more than that is told of at once."""
    poll_seconds: float = 2.0
    """Between two looks at a job."""
    silence_seconds: float = 300.0
    """Who waits for a job bears a service that does not answer for so long."""

    def pause_after_answer(self, call: ApiCall[Any], answer: ApiAnswer, *, attempt: int) -> float | None:
        """Seconds to wait before the call is made again; None: its answer counts. A call that came too often was not
        looked at; one that met a service in trouble, or a gateway that did not want to wait for it, may have been half
        done."""
        is_again = answer.status == TOO_OFTEN or (answer.status in UNAVAILABLE and call.may_repeat)
        if not is_again or attempt >= self.attempts:
            return None
        asked = retry_after(answer) if answer.status in _OF_THE_SERVICE else 0.0
        pause = max(asked, self._pause(attempt))
        return pause if pause <= self.longest_pause_seconds else None

    def pause_after_silence(self, call: ApiCall[Any], *, attempt: int) -> float | None:
        return self._pause(attempt) if call.may_repeat and attempt < self.attempts else None

    def _pause(self, attempt: int) -> float:
        return float(self.first_pause_seconds * 2 ** (attempt - 1))


class Waiting:
    """Of somebody who waits for a job: how long a silence has lasted, and when time is up. Times are monotonic."""

    def __init__(self, patience: Patience, *, now: float, timeout_seconds: float | None) -> None:
        self._patience = patience
        self._heard_at = now
        self._ends_at = None if timeout_seconds is None else now + timeout_seconds

    def heard(self, now: float) -> None:
        self._heard_at = now

    def bear(self, error: CosbatchError, now: float) -> None:
        """Raises ``error`` where it will not pass, or the silence has lasted too long."""
        may_pass = isinstance(error, ServiceUnreachable | ServiceUnavailable | TooManyAttempts)
        if not may_pass or now - self._heard_at > self._patience.silence_seconds:
            raise error

    def pause(self, now: float) -> float:
        """Seconds until the next look. TimeoutError where the time is up."""
        if self._ends_at is None:
            return self._patience.poll_seconds
        if now >= self._ends_at:
            raise TimeoutError("the job is not where it was waited for")
        return min(self._patience.poll_seconds, self._ends_at - now)
