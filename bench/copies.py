"""P1, P2 and P3: what a signed copy costs, by the storage client alone, by a whole job, by other programs."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from bench import peers
from bench.figures import Bar, Contender, Row, Samples, interleave
from bench.ground import LISTED, Ground
from bench.process_tree import Cost, ProgramFailed
from bench.whole_job import Inventory, put_inventory, run_job

JOB_ROWS: Final = 200_000
JOB_WORKERS: Final = 2
CLIENT_COPIES: Final = 60_000
BOTO3_COPIES: Final = 1_500
WRK_SECONDS: Final = 3
ROUNDS: Final = 3
ROUNDS_OF_SLOW: Final = {"s5cmd run": 2, "rclone": 1}
"""They are far away from every bar: one look more or less changes nothing."""
MICRO: Final = 1e6
SHOWN: Final = {
    "wrk": "wrk: the same bytes, signed beforehand",
    "wrk TLS": "wrk over TLS",
    "client": "cosbatch: the storage client alone",
    "client TLS": "cosbatch: the storage client alone, over TLS",
    "wrk COS": "wrk: the bytes of a copy in COS's words",
    "client COS": "cosbatch: the storage client alone, COS v5 signatures",
    "job": f"cosbatch: the whole job, {JOB_ROWS:,} rows, with everything on",
    "s5cmd cp": "s5cmd cp 's3://b/*'",
    "s5cmd run": "s5cmd run, one command a line",
    "rclone": "rclone copy",
    "boto3": "boto3, 16 threads",
    "client of base": "the other revision: the storage client alone",
    "client TLS of base": "the other revision: the storage client alone, over TLS",
    "job of base": "the other revision: the whole job",
}
"""Contender -> how the page calls it, in its order."""
NEEDED: Final[dict[str, frozenset[str]]] = {
    "P1": frozenset({"wrk", "client", "wrk TLS", "client TLS", "wrk COS", "client COS"}),
    "P2": frozenset({"job", "s5cmd cp", "s5cmd run", "rclone", "boto3"}),
    "P3": frozenset({"client", "job"}),
}


def measure_copies(ground: Ground, *, wanted: frozenset[str], base: Mapping[str, str] | None) -> Samples:
    """Microseconds of CPU for a copy, of everybody whom the ``wanted`` figures are about.

    ``base`` is an environment in which Python finds another revision: it runs as well then, in the same rounds.
    """
    needed = frozenset[str]().union(*(names for number, names in NEEDED.items() if number in wanted))
    contenders = [*_clients(ground, environ=None, suffix=""), *_jobs(ground, needed, base=base), *_others(ground)]
    if base is not None:
        contenders += _clients(ground, environ=base, suffix=" of base")
    contenders.sort(key=_own_name)  # both revisions one after the other
    chosen = [one for one in contenders if _own_name(one) in needed]
    return interleave(chosen, rounds=ROUNDS, errors=(ProgramFailed, OSError, ValueError), say=ground.say)


def _own_name(contender: Contender) -> str:
    return contender.name.removesuffix(" of base")


def copy_rows(samples: Samples, *, wanted: frozenset[str], has_base: bool) -> Iterator[Row]:
    """The lines of the table."""
    if "P1" in wanted:
        yield _against("P1", "the storage client alone against wrk, HTTP", samples, "client", "wrk", 3.0)
        yield _against("P1", "the same, TLS", samples, "client TLS", "wrk TLS", 3.5)
        yield _against("P1", "the same with COS v5 signatures, HTTP", samples, "client COS", "wrk COS", 3.5)
    if "P2" in wanted:
        yield _against("P2", "the whole job against `s5cmd cp 's3://b/*'`", samples, "job", "s5cmd cp", 0.20)
        yield _against("P2", "the whole job against `s5cmd run`", samples, "job", "s5cmd run", 0.06)
        yield _against("P2", "the whole job against rclone", samples, "job", "rclone", None)
        yield _against("P2", "the whole job against boto3", samples, "job", "boto3", None)
    if "P3" in wanted:
        yield _against("P3", "the whole job against the storage client alone", samples, "job", "client", 1.5)
    if has_base:
        for name in ("client", "client TLS", "job"):
            if samples.median(name) is not None:
                what = f"this revision against the other: {SHOWN[name].removeprefix('cosbatch: ')}"
                yield _against("base", what, samples, name, f"{name} of base", None)


def _against(number: str, what: str, samples: Samples, name: str, other: str, limit: float | None) -> Row:
    bar = None if limit is None else Bar(limit=limit)
    return Row(number=number, what=what, figure=samples.ratio(name, other), bar=bar)


# --- the contenders


def _clients(ground: Ground, *, environ: Mapping[str, str] | None, suffix: str) -> Iterator[Contender]:
    for tls in (False, True):
        measure = partial(_client, ground, tls=tls, environ=environ)
        yield Contender(name=("client TLS" if tls else "client") + suffix, measure=measure)


def _jobs(ground: Ground, needed: frozenset[str], *, base: Mapping[str, str] | None) -> Iterator[Contender]:
    if "job" not in needed:
        return
    runs = _JobRuns(ground, put_inventory(ground.admin, JOB_ROWS))
    yield Contender(name="job", measure=partial(runs.measure, None))
    if base is not None:
        yield Contender(name="job of base", measure=partial(runs.measure, base))


def _others(ground: Ground) -> Iterator[Contender]:
    null, folder = ground.null, ground.folder
    for tls in (False, True):
        yield Contender(name="wrk TLS" if tls else "wrk", measure=partial(_wrk, ground, tls=tls))
    yield Contender(name="wrk COS", measure=partial(_wrk, ground, tls=False, cos=True))
    yield Contender(name="client COS", measure=partial(_cos_client, ground))
    listed = {
        "s5cmd cp": partial(peers.cost_of_s5cmd_cp, null, copies=LISTED),
        "s5cmd run": partial(peers.cost_of_s5cmd_run, null, folder, copies=LISTED),
        "rclone": partial(peers.cost_of_rclone, null, copies=LISTED),
    }
    for name, run in listed.items():
        yield Contender(name=name, measure=partial(_other, run, copies=LISTED), rounds=ROUNDS_OF_SLOW.get(name))
    boto3 = partial(peers.cost_of_boto3, null, copies=BOTO3_COPIES)
    yield Contender(name="boto3", measure=partial(_other, boto3, copies=BOTO3_COPIES), rounds=1)


def _other(run: Callable[[], Cost], *, copies: int) -> float:
    return run().cpu_seconds / copies * MICRO


def _wrk(ground: Ground, *, tls: bool, cos: bool = False) -> float:
    return peers.cpu_of_wrk(ground.null, ground.folder, tls=tls, seconds=WRK_SECONDS, cos=cos) * MICRO


def _cos_client(ground: Ground) -> float:
    return peers.cpu_of_cos_client(ground.null, copies=CLIENT_COPIES) * MICRO


def _client(ground: Ground, *, tls: bool, environ: Mapping[str, str] | None) -> float:
    return peers.cpu_of_client(ground.null, tls=tls, copies=CLIENT_COPIES, environ=environ) * MICRO


@dataclass(slots=True)
class _JobRuns:
    """Runs of the whole job, each in a folder of its own that goes afterwards."""

    ground: Ground
    inventory: Inventory
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def measure(self, environ: Mapping[str, str] | None) -> float:
        folder = self.ground.folder / f"job-{next(self.numbers)}"
        try:
            cost = run_job(
                folder,
                endpoint=self.ground.null.endpoint(tls=False),
                inventory=self.inventory,
                workers=JOB_WORKERS,
                connections=peers.CONNECTIONS // JOB_WORKERS,
                environ=environ,
            )
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return cost.cpu_seconds / self.inventory.rows * MICRO
