"""How long a person waits for the first answer of a store: one that is held back for longer is told about."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from cosbatch.model.errors import StorageError, StorageReason

LOOK_SECONDS: Final = 30.0


@asynccontextmanager
async def answered_within(seconds: float, *, store: str, target: str) -> AsyncIterator[None]:
    """Breaks off what is inside with a StorageError that names the ``store``, as people know it, and what was asked."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        text = f"{store} did not answer within {seconds:g} s"
        raise StorageError(StorageReason.CONNECT_TIMEOUT, text, target=target) from error
