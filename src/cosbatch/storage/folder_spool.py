"""A work area in a folder of this machine, or of a file system that all workers mount.

A file is written under a temporary name beside its place, flushed to disk, linked to its name (a link never replaces
anything, which a rename would) and the folder is flushed too: after a power cut a name has all of its bytes or is not
there. Names beginning with a dot are the temporary ones; what a crash leaves of them is never listed, and goes with the
folder's last file: a writer holds a lock on its own, which the kernel lets go with its process.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from cosbatch.model.errors import SpoolError, SpoolMissing
from cosbatch.storage.spool import check_spool_folder, check_spool_name, other_bytes

_Arguments = ParamSpec("_Arguments")
_Answer = TypeVar("_Answer")

_MISSING: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EISDIR})
_TRIES: Final = 100
_TEMPORARY: Final = re.compile(r"\.[0-9]+-[0-9a-f]+")
_WAYS_OUT: Final = {
    errno.ENOSPC: "the disk is full: free some space or move the work area to a larger disk",
    errno.EDQUOT: "the disk quota is used up: raise it or move the work area",
    errno.EACCES: "this user may not use it: give it read and write permission",
    errno.EPERM: "the file system does not allow it: the work area needs one with hard links, and write permission",
    errno.EOPNOTSUPP: "the file system has no hard links: move the work area to a local disk",
    errno.EROFS: "the file system is read-only: mount it for writing or move the work area",
    errno.EIO: "the disk does not work: look into the system's log, and move the work area",
}


class FolderSpool:
    """``root`` is made, readable by this user alone, if it is not there. Several processes may use one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        with _explained("make", str(root)):
            _make_folder(root)

    async def put(self, name: str, content: bytes) -> None:
        check_spool_name(name)
        await _in_thread("write", name, self._write, name, content)

    async def get(self, name: str) -> bytes:
        check_spool_name(name)
        return await _in_thread("read", name, (self._root / name).read_bytes)

    async def folders(self, prefix: str) -> list[str]:
        check_spool_folder(prefix)
        return await _in_thread("list", prefix, _folders_below, self._root / prefix)

    async def list(self, prefix: str) -> list[str]:
        check_spool_folder(prefix)
        return await _in_thread("list", prefix, _names_below, self._root, prefix)

    async def delete(self, name: str) -> None:
        check_spool_name(name)
        with suppress(SpoolMissing):
            await _in_thread("delete", name, self._remove, name)

    async def free_share(self) -> float | None:
        return await _in_thread("measure", str(self._root), _free_share_of, self._root)

    def _write(self, name: str, content: bytes) -> None:
        target = self._root / name
        with written_beside(target, content) as temporary:
            try:
                os.link(temporary, target)
            except FileExistsError:
                if target.read_bytes() != content:
                    raise other_bytes(name) from None
        _flush_folder(target.parent)

    def _remove(self, name: str) -> None:
        """The file, and the folders that it leaves empty."""
        place = self._root / name
        place.unlink()
        for folder in place.parents:
            if folder == self._root:
                break
            _remove_what_the_dead_left(folder)
            try:
                folder.rmdir()
            except OSError:  # not empty, or another process was faster: either way it is not ours to remove
                break


async def _in_thread(
    verb: str,
    name: str,
    call: Callable[_Arguments, _Answer],
    *arguments: _Arguments.args,
    **named: _Arguments.kwargs,
) -> _Answer:
    """Disks block: the event loop must not. A cancelled caller leaves the call to its end."""
    with _explained(verb, name):
        return await asyncio.to_thread(call, *arguments, **named)


@contextmanager
def _explained(verb: str, name: str) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise spool_error_of(problem, verb=verb, name=name) from problem


def spool_error_of(problem: OSError, *, verb: str, name: str) -> SpoolError:
    """The system's error in our words, with the way out; ``verb`` and ``name`` say what was tried."""
    if problem.errno in _MISSING and verb in {"read", "delete"}:
        return SpoolMissing(f"{name} is not in the work area")
    way_out = _WAYS_OUT.get(problem.errno or 0, problem.strerror or str(problem))
    return SpoolError(f"cannot {verb} {name} in the work area: {way_out}")


@contextmanager
def written_beside(target: Path, content: bytes) -> Iterator[Path]:
    """A flushed file with ``content`` under a temporary name in the folder of ``target``, which is made if needed. It
    is there, and locked, as long as the context lasts."""
    temporary = target.parent / f".{os.getpid()}-{os.urandom(8).hex()}"
    descriptor = _create(temporary)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
            yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _create(path: Path) -> int:
    """Tries again where the folder is not there, or is removed as empty by others between our two steps."""
    for _ in range(_TRIES):
        with suppress(FileNotFoundError):
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_nlink:
                return descriptor
            os.close(descriptor)  # taken for a dead writer's before it was locked
        with suppress(FileNotFoundError, FileExistsError):  # mkdir says the latter of what was there a moment ago
            _make_folder(path.parent)
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent))


def _remove_what_the_dead_left(folder: Path) -> None:
    """Temporary files that nobody holds, where nothing else is in the folder."""
    left: list[str] = []
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if not _TEMPORARY.fullmatch(entry.name):
                return
            left.append(entry.name)
    for name in left:
        _remove_if_free(folder / name)


def _remove_if_free(path: Path) -> None:
    with suppress(FileNotFoundError, BlockingIOError):
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
        finally:
            os.close(descriptor)


def _make_folder(folder: Path) -> None:
    """Makes it and what is missing above it, each flushed into its parent, so that it survives a power cut."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    _flush_folder(folder.parent)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _names_below(root: Path, prefix: str) -> list[str]:
    names: list[str] = []
    for folder, _, files in os.walk(root / prefix, onerror=_unless_missing):
        inside = Path(folder).relative_to(root).as_posix()
        names += [f"{inside}/{file}" for file in files if not file.startswith(".")]
    return sorted(names)


def _folders_below(folder: Path) -> list[str]:
    """An empty one is somebody's who is about to write into it, or is removed with its last file: it does not count."""
    try:
        with os.scandir(folder) as entries:
            found = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError as problem:
        _unless_missing(problem)
        return []
    return sorted(name for name in found if any(files for _, _, files in os.walk(folder / name)))


def _unless_missing(problem: OSError) -> None:
    """A folder that is not there, or not any more, has no names below it."""
    if problem.errno not in _MISSING:
        raise problem


def _free_share_of(root: Path) -> float | None:
    """What this user may still write, of the whole disk; None on file systems that have no size."""
    figures = os.statvfs(root)
    return figures.f_bavail / figures.f_blocks if figures.f_blocks else None
