"""P6: how much of what the connections allow is reached when the store is far away."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from typing import Final, NamedTuple

from bench.delay_relay import far_store, middle_rate
from bench.figures import Bar, Row
from bench.ground import Ground
from bench.process_tree import ProgramFailed, run_tree
from bench.whole_job import put_inventory, run_job

ROUNDS: Final = 2
COPIES: Final = 60_000


class Distance(NamedTuple):
    connections: int
    round_trip_seconds: float


DISTANCES: Final = (Distance(200, 0.040), Distance(1000, 0.200))


def latency_rows(ground: Ground) -> Iterator[Row]:
    """Of the job the best of two rounds: a busy machine makes a throughput smaller, never larger."""
    for distance in DISTANCES:
        shown = f"{distance.connections} connections at {distance.round_trip_seconds * 1000:.0f} ms"
        for name, measure in (("the whole job", _of_job), ("the storage client alone", _of_client)):
            shares, broken = [], ""
            for _ in range(ROUNDS if measure is _of_job else 1):
                ground.say(f"{name}, {shown}")
                try:
                    shares.append(measure(ground, distance))
                except (ProgramFailed, OSError, ValueError) as error:
                    broken = str(error).splitlines()[0]
            bar = Bar(limit=0.85, at_least=True) if measure is _of_job else None
            figure = max(shares, default=None)
            yield Row(number="P6", what=f"{name}, {shown}: share of the limit", figure=figure, bar=bar, remark=broken)


def _of_job(ground: Ground, distance: Distance) -> float:
    """One worker process has all connections."""
    folder = ground.folder / "far-job"
    inventory = put_inventory(ground.admin, COPIES)
    with far_store(ground.null.port, ground.folder, delay_seconds=distance.round_trip_seconds) as far:
        try:
            run_job(
                folder,
                endpoint=f"http://127.0.0.1:{far.port}",
                inventory=inventory,
                workers=1,
                connections=distance.connections,
            )
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return _share(middle_rate(far.counts), distance)


def _of_client(ground: Ground, distance: Distance) -> float:
    with far_store(ground.null.port, ground.folder, delay_seconds=distance.round_trip_seconds) as far:
        command = [sys.executable, "-m", "bench.copy_client", f"http://127.0.0.1:{far.port}"]
        run_tree([*command, str(COPIES), str(distance.connections)], limit_seconds=300)
    return _share(middle_rate(far.counts), distance)


def _share(rate: float, distance: Distance) -> float:
    return rate / (distance.connections / distance.round_trip_seconds)
