"""How long and how much the HTTP client waits for, holds and keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAX_ANSWER_BYTES: Final = 16 * 2**20
"""Largest answer that is held in memory; a longer one is malformed, for no store sends such a thing unasked."""
MAX_HEAD_BYTES: Final = 256 * 2**10
"""Status line and headers, interim answers among them."""
SLICE_BYTES: Final = 256 * 2**10
"""A body is handed to the transport in slices of this size, each after the one before it has drained."""
SMALL_BODY_BYTES: Final = 64 * 2**10
"""A body up to this size is sent with its head in one write."""
READ_AHEAD_BYTES: Final = 2**20
"""What a streamed answer buffers before its connection stops reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """All in seconds. They are kept by a sweep every quarter of a second, so none is exact."""

    connect_seconds: float = 10
    """For resolving the name, connecting and the TLS handshake together."""
    answer_seconds: float = 60
    """Without progress: until the first byte of the answer, between two blocks of it, or for a slice of a body to be
    taken."""
    total_seconds: float = 900
    """From the first byte sent to the last byte of an answer that is held in memory. A streamed answer has no such
    limit: its reader sets the pace."""
    continue_seconds: float = 1
    """How long a body is held back for ``100 Continue``."""
    close_seconds: float = 5
    """How long a client that is closed waits for the answers to what it has sent."""
    idle_seconds: float = 4
    """After this an unused connection is closed: most servers close theirs at 5 seconds or later, and a request that
    crosses such a close is Unanswered."""

    def sweep_seconds(self) -> float:
        """How often to look for what has waited too long."""
        return min(0.25, min(self.answer_seconds, self.total_seconds, self.idle_seconds) / 4)


DEFAULT_TIMEOUTS: Final = Timeouts()
