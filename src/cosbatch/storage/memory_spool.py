"""A work area in memory, for tests and simulations: the same rules as the folder, nothing survives the process."""

from __future__ import annotations

from cosbatch.model.errors import SpoolMissing
from cosbatch.storage.spool import check_spool_folder, check_spool_name, other_bytes


class MemorySpool:
    """``free`` is what :meth:`free_share` answers: 0 to 1, or None for "cannot tell"."""

    def __init__(self, *, free: float | None = None) -> None:
        self.free = free
        self._files: dict[str, bytes] = {}

    async def put(self, name: str, content: bytes) -> None:
        check_spool_name(name)
        if self._files.setdefault(name, bytes(content)) != content:
            raise other_bytes(name)

    async def get(self, name: str) -> bytes:
        check_spool_name(name)
        if name not in self._files:
            raise SpoolMissing(f"{name} is not in the work area")
        return self._files[name]

    async def folders(self, prefix: str) -> list[str]:
        check_spool_folder(prefix)
        below = (name.removeprefix(prefix) for name in self._files if name.startswith(prefix))
        return sorted({name.partition("/")[0] for name in below if "/" in name})

    async def list(self, prefix: str) -> list[str]:
        check_spool_folder(prefix)
        return sorted(name for name in self._files if name.startswith(prefix))

    async def delete(self, name: str) -> None:
        check_spool_name(name)
        self._files.pop(name, None)

    async def free_share(self) -> float | None:
        return self.free
