"""Two ledgers that are asked everything alike: every answer of the one must be the other's."""

from __future__ import annotations

from typing import Any, cast

from cosbatch.ledger.memory import MemoryLedger
from cosbatch.ledger.port import HeldLease, JobLedger
from cosbatch.ledger.sql_ledger import open_memory_ledger
from cosbatch.model.clock import Clock


class Disagreement(AssertionError):
    """The adapters give two answers to one question."""


class _Pair:
    def __init__(self, one: Any, other: Any) -> None:
        self._ledgers = (one, other)

    def __getattr__(self, name: str) -> Any:
        methods = [getattr(ledger, name) for ledger in self._ledgers]
        if not callable(methods[0]):
            return _Pair(*methods)  # a ledger of one more port

        async def both(*args: Any, **options: Any) -> Any:
            one, other = [await _outcome(method, args, options) for method in methods]
            if _comparable(one) != _comparable(other):
                raise Disagreement(f"{name}{args}{options}: {one!r} and {other!r}")
            if isinstance(one, Exception):
                raise one
            return one

        return both


def open_pair(clock: Clock) -> JobLedger:
    """The ledger in memory beside the SQL one. Neither suspends, so nothing comes between a call and its like."""
    return cast(JobLedger, _Pair(MemoryLedger(clock), open_memory_ledger(clock)))


async def _outcome(method: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    try:
        return await method(*args, **options)
    except Exception as error:
        return error


def _comparable(outcome: Any) -> Any:
    if isinstance(outcome, Exception):
        return type(outcome), str(outcome)
    if isinstance(outcome, list) and any(isinstance(each, HeldLease) for each in outcome):
        return frozenset(outcome)  # in any order
    return outcome
