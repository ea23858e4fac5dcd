"""P9: what a list of jobs and a look at one cost in a service with 10,000 jobs, against one with 10.

Both services run in this process, over ledgers on the disk; calls come in without a socket, one service after the
other, so that the machine's other work falls on both. Pages have ten jobs on both sides.
"""

from __future__ import annotations

import asyncio
import sqlite3
import statistics
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

from bench.figures import Bar, Row
from bench.ground import Ground
from cosbatch.ledger.sqlite import DATABASE_FILE
from tests.unit.service.job_builders import HOME
from tests.wire.rest_rig import OPERATOR, RestRig, rest_rig, settings

FEW, MANY = 10, 10_000
ROUNDS: Final = 40
WARM_UP: Final = 3
LIST_MS_MAX: Final = 100
"""What the console was designed for; on any machine, while ratios are what is compared."""
LISTS: Final = (
    "",
    "&group=in_progress",
    "&group=needs_attention&sort=failed",
    "&status=Complete&sort=finished",
    f"&region={HOME}&operation=COSPutObjectCopy&creator={OPERATOR}",
    "&q=copy%20of%20bucket%207",
    "&q=nothing%20like%20it&sort=total",
    *(
        f"&sort={sort}&direction={way}"
        for sort in ("priority", "progress", "total", "failed")
        for way in ("asc", "desc")
    ),
)
"""What is asked for beside the size of the page."""
_STATUSES: Final = ("New", "Active", "Complete", "Complete", "Complete", "Failed", "Cancelled", "Paused")


def job_list_rows(ground: Ground) -> Iterator[Row]:
    ground.say(f"lists of jobs and single jobs among {FEW} and among {MANY:,}")
    lists, details = asyncio.run(_measure(ground.folder / "lists"))
    yield _row("a list of jobs", lists, f"{len(LISTS)} kinds of list")
    yield Row(
        number="P9",
        what=f"p95 of a list of jobs among {MANY:,} jobs",
        figure=_p95(lists[1]) * 1000,
        unit=" ms",
        bar=Bar(limit=LIST_MS_MAX, unit=" ms"),
    )
    yield _row("a look at one job", details, "")


def _row(what: str, seconds: tuple[list[float], list[float]], remark: str) -> Row:
    few, many = (_p95(each) for each in seconds)
    shown = f"{few * 1000:.1f} and {many * 1000:.1f} ms"
    return Row(
        number="P9",
        what=f"p95 of {what} among {MANY:,} jobs against {FEW}",
        figure=many / few,
        bar=Bar(limit=3),
        remark=f"{remark}, {shown}" if remark else shown,
    )


def _p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1]


async def _measure(folder: Path) -> tuple[tuple[list[float], list[float]], tuple[list[float], list[float]]]:
    async with AsyncExitStack() as stack:
        rigs = []
        for count in (FEW, MANY):
            place = folder / str(count)
            place.mkdir(parents=True)
            unlimited = settings(server={"calls_per_minute": 10**6})
            rig = await stack.enter_async_context(rest_rig(place, with_settings=unlimited))
            rigs.append((rig, await _filled(rig, count=count)))
        lists: tuple[list[float], list[float]] = ([], [])
        details: tuple[list[float], list[float]] = ([], [])
        for number in range(WARM_UP + ROUNDS):
            for which, (rig, job_ids) in enumerate(rigs):
                of_lists = [await _seconds(rig, f"/jobs?limit={FEW}{asked}") for asked in LISTS]
                of_jobs = [await _seconds(rig, f"/jobs/{job_ids[number * 97 % len(job_ids)]}") for _ in range(10)]
                if number >= WARM_UP:
                    lists[which].extend(of_lists)
                    details[which].extend(of_jobs)
    return lists, details


async def _seconds(rig: RestRig, path: str) -> float:
    began = time.perf_counter()
    answer = await rig.call("GET", path)
    seconds = time.perf_counter() - began
    if answer.status_code != 200:
        raise RuntimeError(f"{path}: {answer.text}")
    return seconds


async def _filled(rig: RestRig, *, count: int) -> list[str]:
    """The ids of so many jobs: one is made as users make them."""
    made = await rig.made(description="copy")
    return [made, *add_jobs(rig.folder, count=count - 1)]


def add_jobs(data_dir: Path, *, count: int) -> list[str]:
    """The ids of so many jobs more in the ledger of a folder on which no engine works."""
    database = sqlite3.connect(data_dir / DATABASE_FILE)
    ids = add_rows(database, first=0, last=count)
    database.close()
    return ids


def add_rows(database: sqlite3.Connection, *, first: int, last: int) -> list[str]:
    """Their ids: jobs number ``first`` to ``last`` - 1, each the row of the ledger's oldest job with other values."""
    ids = [f"01900000-0000-7000-9000-{number:012d}" for number in range(first, last)]
    found = database.execute("SELECT * FROM job ORDER BY created_at, id LIMIT 1")
    names = [name for name, *_ in found.description]
    row = dict(zip(names, found.fetchone(), strict=True))
    statement = f"INSERT INTO job ({', '.join(names)}) VALUES ({', '.join(':' + name for name in names)})"
    with database:
        database.executemany(statement, [row | _changed(job_id, place) for place, job_id in enumerate(ids, first)])
    return ids


def _changed(job_id: str, place: int) -> dict[str, object]:
    total = 1000 + place * 7919 % 100_000
    failed = place * 31 % 100 if place % 3 else 0
    return {
        "id": job_id,
        "token": job_id,
        "status": _STATUSES[place % len(_STATUSES)],
        "priority": place * 13 % 50,
        "created_at": 1_700_000_000.0 + place,
        "ended_at": 1_700_000_500.0 + place if place % 2 else None,
        "total": total,
        "succeeded": total // 2,
        "failed": failed,
        "progress": (total // 2 + failed) / total,
        "description_folded": f"nightly copy of bucket {place}",
        "over_threshold": int(place % 50 == 0),
    }
