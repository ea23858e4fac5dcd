"""What ``cosbatch admin`` works with: the book of people, and the ledger's file, of a folder on this host."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path

from cosbatch.engine.liveness import LockFiles
from cosbatch.identity.ciphers import Cipher
from cosbatch.identity.passwords import Passwords
from cosbatch.ledger.backup import back_up, restore
from cosbatch.ledger.people_port import PeopleBook
from cosbatch.ledger.sql_people import open_sqlite_people
from cosbatch.model.clock import SystemClock
from cosbatch.model.errors import Fault, InvalidArgument
from cosbatch.model.identifiers import WorkerId, new_worker_id
from cosbatch.model.principals import Caller
from cosbatch.service.founding import FirstRunFile
from cosbatch.service.key_rotation import Rotation, rotate
from cosbatch.service.people import People
from cosbatch.settings import Settings
from cosbatch.wiring.keys import key_ring, key_ring_file
from cosbatch.wiring.service import has_jobs


@asynccontextmanager
async def open_people(settings: Settings, data_dir: Path, *, may_make: bool = False) -> AsyncIterator[People]:
    """The book of a folder. InvalidArgument where it has no ledger and none ``may_make`` one."""
    if not may_make:
        check_ledger(data_dir)
    with seen_at_work(data_dir, role="admin"):
        async with _people_book(data_dir) as book:
            sealed_before = await book.has_sealed()
            yield People(
                book,
                cipher=lambda: Cipher(key_ring(settings, data_dir, may_make=not sealed_before)),
                passwords=Passwords(),
                clock=SystemClock(),
                forget_first_run=FirstRunFile(data_dir).forget,
            )


async def rotate_key(settings: Settings, data_dir: Path, *, caller: Caller) -> Rotation:
    """InvalidArgument where something works on the folder; see :func:`cosbatch.service.key_rotation.rotate`."""
    check_ledger(data_dir)
    _check_unused(data_dir)
    ring = key_ring(settings, data_dir, may_make=False)
    file = key_ring_file(settings, data_dir)
    async with _people_book(data_dir) as book:
        return await rotate(book, ring, file=file, caller=caller, is_unused=lambda: not _working_on(data_dir))


def back_up_ledger(data_dir: Path, to: Path, *, force: bool = False) -> int:
    """See :func:`cosbatch.ledger.backup.back_up`."""
    return back_up(data_dir, to, force=force)


def restore_ledger(data_dir: Path, source: Path, *, force: bool = False) -> Path | None:
    """InvalidArgument where something works on the folder; see :func:`cosbatch.ledger.backup.restore`."""
    return restore(data_dir, source, force=force, check_unused=partial(_check_unused, data_dir))


@asynccontextmanager
async def _people_book(data_dir: Path) -> AsyncIterator[PeopleBook]:
    book = await open_sqlite_people(data_dir)
    try:
        yield book
    finally:
        await book.close()


@contextmanager
def seen_at_work(data_dir: Path, *, role: str) -> Iterator[None]:
    """Nobody restores the ledger or drops a key meanwhile: what is written here would be lost, or could not be read."""
    with LockFiles(data_dir / "processes").hold(new_worker_id(role)) as held:
        try:
            yield
        finally:
            Path(held.name).unlink(missing_ok=True)


def check_ledger(data_dir: Path) -> None:
    """InvalidArgument where the folder has none: looking must not make one, nor a mistyped name."""
    if not has_jobs(data_dir):
        raise _unfit(
            data_dir,
            "there is no ledger in it",
            "name the service's folder, or begin with create-account or create-region",
        )


def _check_unused(data_dir: Path) -> None:
    working = _working_on(data_dir)
    if working:
        problem = f"cosbatch works on it: {', '.join(working)}"
        raise _unfit(data_dir, problem, "stop it, wait until it has ended, and call this again")


def _working_on(data_dir: Path) -> list[WorkerId]:
    return LockFiles(data_dir / "processes").living()


def _unfit(data_dir: Path, problem: str, way_out: str) -> InvalidArgument:
    fault = Fault(path="--data", value=str(data_dir), problem=problem, way_out=way_out)
    return InvalidArgument("this cannot be done with the data folder", faults=[fault])
