"""What only a folder can get wrong: leftovers, permissions, full disks, folders that come and go."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from cosbatch.model.errors import SpoolError
from cosbatch.storage.folder_spool import FolderSpool, spool_error_of, written_beside
from cosbatch.storage.memory_spool import MemorySpool


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "spool"


def files_below(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


async def test_makes_its_folder_for_this_user_alone(root: Path) -> None:
    spool = FolderSpool(root)
    await spool.put("jobs/a/x", b"1")

    assert root.stat().st_mode & 0o777 == 0o700
    assert (root / "jobs/a/x").stat().st_mode & 0o777 == 0o600


async def test_leaves_no_temporary_file_whether_it_wrote_or_was_refused(root: Path) -> None:
    spool = FolderSpool(root)
    await spool.put("a/x", b"1")
    await spool.put("a/x", b"1")
    with pytest.raises(SpoolError):
        await spool.put("a/x", b"2")

    assert files_below(root) == ["a/x"]


async def test_what_a_crashed_write_left_is_not_listed_and_in_nobodys_way(root: Path) -> None:
    spool = FolderSpool(root)
    await spool.put("a/x", b"1")
    (root / "a" / ".4711-00ff").write_bytes(b"half a fi")

    assert await spool.list("a/") == ["a/x"]
    await spool.delete("a/x")
    assert await spool.list("a/") == []


async def test_what_dead_writers_left_goes_with_the_last_file_of_the_folder(root: Path) -> None:
    spool = FolderSpool(root)
    for name in ("a/b/x", "a/b/y"):
        await spool.put(name, b"1")
    (root / "a/b/.4711-00ff").write_bytes(b"half a fi")
    with (root / "a/b/.4712-00ff").open("wb") as alive:
        fcntl.flock(alive, fcntl.LOCK_EX)
        await spool.delete("a/b/x")
        assert files_below(root) == ["a/b/.4711-00ff", "a/b/.4712-00ff", "a/b/y"]
        await spool.delete("a/b/y")
        assert files_below(root) == ["a/b/.4712-00ff"]
    await spool.put("a/b/z", b"1")
    await spool.delete("a/b/z")
    assert not (root / "a").exists()


async def test_what_a_living_writer_has_begun_stays(root: Path) -> None:
    spool = FolderSpool(root)
    await spool.put("a/x", b"1")
    with written_beside(root / "a/y", b"2") as temporary:
        await spool.delete("a/x")
        assert temporary.read_bytes() == b"2"
    assert files_below(root) == []


async def test_folders_that_became_empty_are_removed_but_never_the_root(root: Path) -> None:
    spool = FolderSpool(root)
    await spool.put("jobs/a/chunks/0/1", b"1")
    await spool.put("jobs/b/x", b"1")

    await spool.delete("jobs/a/chunks/0/1")
    assert not (root / "jobs/a").exists()
    assert (root / "jobs/b").exists()

    await spool.delete("jobs/b/x")
    assert list(root.iterdir()) == []


async def test_writers_and_removers_of_one_folder_do_not_trip_each_other(root: Path) -> None:
    one, other = FolderSpool(root), FolderSpool(root)

    async def come_and_go(spool: FolderSpool, name: str) -> None:
        for _ in range(60):
            await spool.put(name, b"x")
            await spool.delete(name)

    await asyncio.gather(come_and_go(one, "a/b/one"), come_and_go(other, "a/b/other"), come_and_go(one, "a/b/third"))

    assert files_below(root) == []


async def test_two_spools_on_one_folder_see_the_same_files(root: Path) -> None:
    await FolderSpool(root).put("a/x", b"1")

    assert await FolderSpool(root).get("a/x") == b"1"


async def test_a_name_under_a_file_is_refused_with_the_name(root: Path) -> None:
    spool = FolderSpool(root)
    await spool.put("a", b"1")

    with pytest.raises(SpoolError, match="cannot write a/b"):
        await spool.put("a/b", b"2")


@pytest.fixture
def small_files_only() -> Iterator[int]:
    """The kernel takes no byte beyond this size from this process: a disk that fills up in the middle of a file."""
    limit = 64 * 1024
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    yield limit
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    signal.signal(signal.SIGXFSZ, before)


async def test_a_write_that_the_disk_breaks_off_leaves_nothing(root: Path, small_files_only: int) -> None:
    spool = FolderSpool(root)

    with pytest.raises(SpoolError, match="cannot write a/x in the work area"):
        await spool.put("a/x", b"1" * (2 * small_files_only))

    assert files_below(root) == []
    await spool.put("a/x", b"1")
    assert await spool.get("a/x") == b"1"


@pytest.mark.parametrize(
    ("number", "way_out"),
    [
        (errno.ENOSPC, "the disk is full: free some space"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.EMFILE, "Too many open files"),
    ],
)
def test_what_the_system_refuses_is_told_with_the_way_out(number: int, way_out: str) -> None:
    problem = OSError(number, os.strerror(number))

    told = str(spool_error_of(problem, verb="write", name="a/x"))

    assert told.startswith("cannot write a/x in the work area: ")
    assert way_out in told


@pytest.fixture
def without_permission(root: Path) -> Iterator[FolderSpool]:
    """A spool with the file a/x, whose folder a this process may not enter; root would be let in, so it steps down."""
    spool = FolderSpool(root)
    asyncio.run(spool.put("a/x", b"1"))
    (root / "a").chmod(0o000)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    yield spool
    os.seteuid(user)
    (root / "a").chmod(0o700)


def test_a_folder_without_permission_says_so_and_names_the_way_out(without_permission: FolderSpool) -> None:
    for refused in (
        without_permission.put("a/y", b"1"),
        without_permission.get("a/x"),
        without_permission.list("a/"),
        without_permission.delete("a/x"),
    ):
        with pytest.raises(SpoolError, match="read and write permission") as caught:
            asyncio.run(refused)
        assert isinstance(caught.value.__cause__, PermissionError)


async def test_a_root_that_is_a_file_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(SpoolError, match="cannot make"):
        FolderSpool(tmp_path / "file" / "spool")


async def test_the_free_share_is_the_disks_own(root: Path) -> None:
    figures = os.statvfs(root.parent.parent)

    share = await FolderSpool(root).free_share()

    assert share == pytest.approx(figures.f_bavail / figures.f_blocks, abs=0.02)


async def test_a_work_area_in_memory_says_what_it_was_told() -> None:
    assert await MemorySpool().free_share() is None
    assert await MemorySpool(free=0.1).free_share() == 0.1
