"""A disk that can be filled: a tmpfs of some MiB, in a mount namespace that any user may make.

The namespace belongs to a process that only waits, so that the disk outlives the programs that use it. Programs enter
it by :attr:`SmallDisk.wrapper`; from outside the disk is seen at :attr:`SmallDisk.view`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_BLOCK: Final = b"\0" * 4096
_SCRIPT: Final = 'mount -t tmpfs -o "size=$2" none "$1" && echo mounted && exec cat'


@dataclass(slots=True, kw_only=True)
class SmallDisk:
    folder: Path
    """Where programs inside see it."""
    holder: int
    was_full: bool = False

    @property
    def wrapper(self) -> tuple[str, ...]:
        return ("nsenter", f"--target={self.holder}", "--user", "--preserve-credentials", "--mount")

    @property
    def view(self) -> Path:
        return Path(f"/proc/{self.holder}/root") / self.folder.relative_to("/")

    def fill(self) -> int:
        """To the last byte; how much it took."""
        written, self.was_full = 0, True
        with (self.view / "filler").open("wb", buffering=0) as filler:
            try:
                while True:
                    written += filler.write(_BLOCK)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
        return written

    def free(self) -> None:
        (self.view / "filler").unlink()


@contextlib.contextmanager
def small_disk(folder: Path, *, size_bytes: int) -> Iterator[SmallDisk]:
    """Over ``folder``, which is made; RuntimeError where this system lets nobody make a namespace."""
    folder.mkdir()
    command = [
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        _SCRIPT,
        "sh",
        str(folder),
        str(size_bytes),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        try:
            if holder.stdout.readline() != b"mounted\n":
                _, words = holder.communicate()
                raise RuntimeError(
                    f"no disk can be mounted in a namespace here: {os.fsdecode(words).strip()};"
                    " the kernel has to allow user namespaces (kernel.unprivileged_userns_clone,"
                    " kernel.apparmor_restrict_unprivileged_userns)"
                )
            yield SmallDisk(folder=folder, holder=holder.pid)
        finally:
            holder.stdin.close()  # cat ends, and with it the namespace, once no program is left in it
