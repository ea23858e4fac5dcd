"""An object's body as it arrives, checked against the CRC-64 that the store names where it names one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from cosbatch.model.errors import StorageError, StorageReason
from cosbatch.storage.body_checks import new_crc64
from cosbatch.storage.http_client import StreamedAnswer
from cosbatch.storage.port import ObjectMeta

if TYPE_CHECKING:
    from cosbatch.storage.crc64 import Crc64


class S3Body:
    """An object's body as it arrives."""

    def __init__(
        self,
        answer: StreamedAnswer,
        *,
        meta: ObjectMeta,
        content_range: tuple[int, int, int] | None,
        crc64: str = "",
        target: str = "",
    ) -> None:
        """``crc64``: what the whole body has to have, as the store names it; empty where it does not."""
        self.meta = meta
        self.content_range = content_range
        self._answer = answer
        self._crc64 = crc64
        self._target = target

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._checked() if self._crc64 else aiter(self._answer)

    async def read_into(self, room: memoryview) -> int:
        filled = await self._answer.read_into(room)
        if self._crc64:
            crc64 = new_crc64()
            crc64.update(room[:filled])
            self._check(crc64)
        return filled

    async def aclose(self) -> None:
        await self._answer.aclose()

    async def _checked(self) -> AsyncIterator[bytes]:
        crc64 = new_crc64()
        async for block in self._answer:
            crc64.update(block)
            yield block
        self._check(crc64)

    def _check(self, crc64: Crc64) -> None:
        if not crc64.ends_as(self._crc64):
            problem = f"the body does not have the CRC-64 that the store names, {self._crc64[:30]}"
            raise StorageError(StorageReason.BODY_DAMAGED, problem, target=self._target)
