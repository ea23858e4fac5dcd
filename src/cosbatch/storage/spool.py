"""The service's own work area: immutable files under names that are never used twice."""

from __future__ import annotations

from typing import Protocol


class Spool(Protocol):
    """Names are relative paths of safe characters (letters, digits, ``-_./``), no empty or dotted step.

    ``put`` returns only when the bytes survive a power cut. The same name with the same bytes may be put again; other
    bytes under a known name are an error, nothing is ever overwritten.
    """

    async def put(self, name: str, content: bytes) -> None: ...

    async def get(self, name: str) -> bytes:
        """Raises SpoolMissing where nothing has that name."""
        ...

    async def list(self, prefix: str) -> list[str]:
        """Names below a folder, sorted; ``prefix`` ends in ``/``."""
        ...

    async def delete(self, name: str) -> None:
        """No error where nothing has that name."""
        ...

    async def free_share(self) -> float | None:
        """Free space as a share of the whole, 0 to 1; None where the adapter cannot tell."""
        ...
