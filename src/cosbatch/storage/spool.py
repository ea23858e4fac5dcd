"""The service's own work area: immutable files under names that are never used twice."""

from __future__ import annotations

import re
from typing import Protocol

from cosbatch.model.errors import SpoolError


class Spool(Protocol):
    """Names are relative paths of safe characters (letters, digits, ``-_./``), no empty or dotted step.

    ``put`` returns only when the bytes survive a power cut. The same name with the same bytes may be put again; other
    bytes under a known name are an error, nothing is ever overwritten.
    """

    async def put(self, name: str, content: bytes) -> None: ...

    async def get(self, name: str) -> bytes:
        """Raises SpoolMissing where nothing has that name."""
        ...

    async def folders(self, prefix: str) -> list[str]:
        """The names, without a path, of the folders right below a folder that have something in them, sorted;
        ``prefix`` ends in ``/``."""
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


_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}(?:/[A-Za-z0-9_-][A-Za-z0-9._-]{0,199})*")


def check_spool_name(name: str) -> None:
    """SpoolError where ``name`` is not one that every adapter can keep.

    No step begins with a dot, so ``..`` never leaves the work area and an adapter may use such steps for itself; a
    step has at most 200 characters, since file systems take 255 bytes.
    """
    if not _NAME.fullmatch(name):
        raise SpoolError(
            f"{name[:200]!r} is not a name for the work area: letters, digits and -_. in steps parted by /"
        )


def check_spool_folder(prefix: str) -> None:
    """SpoolError where ``prefix`` does not name a folder: a name that ends in ``/``."""
    if not prefix.endswith("/"):
        raise SpoolError(f"{prefix[:200]!r} does not name a folder of the work area: it must end in /")
    check_spool_name(prefix[:-1])


def other_bytes(name: str) -> SpoolError:
    """What ``put`` raises for a known name with other bytes."""
    return SpoolError(f"{name} is in the work area already, with other bytes; nothing there is ever overwritten")
