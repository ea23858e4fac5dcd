"""Counts calls that were not let in, so that nobody can try keys as fast as the service answers."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from cosbatch.model.clock import Clock

WINDOW_SECONDS: Final = 60
PER_KEY_MAX: Final = 20
"""By one address with one key: more than a client with a wrong secret makes by retrying."""
PER_ADDRESS_MAX: Final = 200
"""By one address with any keys: many clients may stand behind it."""
_KEPT_MAX: Final = 10_000
_ANY_KEY: Final = "*"
"""No key's id has it."""


@dataclass(slots=True)
class _Window:
    began: float
    failures: int


class FailedAttempts:
    """Per address, and per address with key: who fails with somebody else's key id does not lock its owner out. Calls
    without a key try none, so they do not count for the address. A key that was let in at an address is not shut out
    for what others try there: all of them may stand behind one proxy."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._windows: OrderedDict[tuple[str, str], _Window] = OrderedDict()
        """The oldest are forgotten first: memory does not grow with the number of ids that somebody makes up."""

    def are_too_many(self, address: str, key_id: str) -> bool:
        is_known = (address, key_id) in self._known
        if key_id and not is_known and self._count(address, _ANY_KEY) >= PER_ADDRESS_MAX:
            return True
        return self._count(address, key_id) >= PER_KEY_MAX

    def let_in(self, address: str, key_id: str) -> None:
        """The key was let in at this address."""
        self._known[address, key_id] = None
        self._known.move_to_end((address, key_id))
        while len(self._known) > _KEPT_MAX:
            self._known.popitem(last=False)

    def add(self, address: str, key_id: str) -> None:
        for name in (key_id, _ANY_KEY) if key_id else ("",):
            self._add(address, name)
        while len(self._windows) > _KEPT_MAX:
            self._windows.popitem(last=False)

    def _add(self, address: str, name: str) -> None:
        if self._count(address, name) == 0:
            self._windows[address, name] = _Window(began=self._clock.boottime(), failures=0)
        self._windows[address, name].failures += 1
        self._windows.move_to_end((address, name))

    def _count(self, address: str, key_id: str) -> int:
        window = self._windows.get((address, key_id))
        if window is None or self._clock.boottime() - window.began >= WINDOW_SECONDS:
            return 0
        return window.failures
