"""Stores and ledgers that are slow, or down: wrappers around another one, for all of its methods alike."""

from __future__ import annotations

import asyncio
import inspect
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from cosbatch.model.errors import StorageError, StorageReason
from cosbatch.storage.port import ObjectStore

Before = Callable[[str], Awaitable[None]]
"""Called with the method's name before each request; it may wait, or raise."""
Port = TypeVar("Port")


class _Guarded:
    def __init__(self, inner: object, before: Before) -> None:
        self._inner = inner
        self._before = before

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if not inspect.iscoroutinefunction(method):
            return method

        async def guarded(*args: Any, **options: Any) -> Any:
            await self._before(name)
            return await method(*args, **options)

        return guarded


def guarded(inner: Port, before: Before) -> Port:
    """``inner``, with ``before`` called before each of its requests."""
    return cast(Port, _Guarded(inner, before))


def slow(inner: Port, *, seconds: float = 0.1) -> Port:
    """Every request takes some time."""

    async def wait(_: str) -> None:
        await asyncio.sleep(seconds)

    return guarded(inner, wait)


class Switch:
    """A store that can be switched off: connections are refused."""

    def __init__(self, *, seconds: float = 0.05) -> None:
        self.is_down = False
        self._seconds = seconds

    def wrap(self, inner: ObjectStore) -> ObjectStore:
        return guarded(inner, self._answer)

    async def _answer(self, _: str) -> None:
        await asyncio.sleep(self._seconds)
        if self.is_down:
            raise StorageError(StorageReason.REFUSED, "connection refused")


class SlowCounter:
    """A slow store that counts its requests by method."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()

    def wrap(self, inner: ObjectStore) -> ObjectStore:
        return guarded(slow(inner), self._count)

    async def _count(self, name: str) -> None:
        self.requests[name] += 1
