"""Kills, standstills and full disks at random moments, with real processes, over 5,000 objects on real stores.

FAULTS_SEED=x draws other moments for the short series, and is all of the long one; FAULTS_SEEDS=n makes the long one
that long. Each run prints its seed. The same seed draws the same faults; what they meet is up to the machine.
"""

from __future__ import annotations

import os
import random
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest

from tests.e2e.faults.acts import (
    ANY,
    DISK_FULL,
    GROUP_KILLED,
    KILLED_WHILE_COMPLETING,
    PLANNER_KILLED,
    PROGRAM_KILLED,
    PROGRAM_STOPPED,
    WORKER_KILLED,
    WORKER_STOPPED,
    Fault,
)
from tests.e2e.faults.series import Untrue, carry_out
from tests.e2e.faults.stock import Stock, fill_stock
from tests.e2e.program import Ground
from tests.stores import RealStore

ON_SEAWEEDFS: Final = (
    (WORKER_STOPPED,),
    (PROGRAM_STOPPED,),
    (PROGRAM_KILLED, DISK_FULL),
    (PLANNER_KILLED, GROUP_KILLED),
    (WORKER_KILLED, KILLED_WHILE_COMPLETING),
)
"""Runs, and what strikes each of them in turn."""
ON_CEPH: Final = ((WORKER_STOPPED, WORKER_KILLED), (GROUP_KILLED, KILLED_WHILE_COMPLETING))
AT_ONCE: Final = 4
"""Runs mostly wait: for processes to start, for leases, for their rate."""
SOME_HEADS: Final = 50
ALL_HEADS: Final = 5000
SEED: Final = os.environ.get("FAULTS_SEED", "")
USUAL_SEED: Final = 83
"""Draws every shape of a job, and versioned destinations where most requests are broken off."""

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def seaweedfs_stock(seaweedfs_store: RealStore, tmp_path_factory: pytest.TempPathFactory) -> Stock:
    return stock_of(seaweedfs_store, tmp_path_factory)


@pytest.fixture(scope="module")
def ceph_stock(ceph_store: RealStore, tmp_path_factory: pytest.TempPathFactory) -> Stock:
    return stock_of(ceph_store, tmp_path_factory)


def stock_of(store: RealStore, folders: pytest.TempPathFactory) -> Stock:
    return fill_stock(Ground(store, folders.mktemp("stock"), f"flt{uuid.uuid4().hex[:8]}"))


@pytest.fixture(scope="module")
def on_seaweedfs(
    request: pytest.FixtureRequest, seaweedfs_stock: Stock, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Future[str]]]:
    yield from started(request, ON_SEAWEEDFS, seaweedfs_stock, tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def on_ceph(
    request: pytest.FixtureRequest, ceph_stock: Stock, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Future[str]]]:
    yield from started(request, ON_CEPH, ceph_stock, tmp_path_factory.mktemp("runs"))


def started(
    request: pytest.FixtureRequest, runs: Sequence[Sequence[Fault]], stock: Stock, folder: Path
) -> Iterator[Mapping[str, Future[str]]]:
    """By fault: its run, some at a time, beside the tests that wait for them. Only runs that a chosen test asks for."""
    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    chosen = {str(item.callspec.params["fault"]) for item in items if request.fixturename in item.fixturenames}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found: dict[str, Future[str]] = {}
        for faults in runs:
            if chosen.intersection(map(str, faults)):
                place = folder / faults[0].name
                run = pool.submit(
                    carry_out, stock, faults, seed=int(SEED or USUAL_SEED), folder=place, heads=SOME_HEADS
                )
                found |= {fault.name: run for fault in faults}
        yield found


def each(runs: Sequence[Sequence[Fault]]) -> list[Fault]:
    return [fault for faults in runs for fault in faults]


@pytest.mark.parametrize("fault", each(ON_SEAWEEDFS), ids=str)
def test_a_fault_on_seaweedfs(on_seaweedfs: Mapping[str, Future[str]], fault: Fault) -> None:
    print(on_seaweedfs[fault.name].result())


@pytest.mark.system
@pytest.mark.parametrize("fault", each(ON_CEPH), ids=str)
def test_a_fault_on_ceph(on_ceph: Mapping[str, Future[str]], fault: Fault) -> None:
    print(on_ceph[fault.name].result())


@pytest.mark.nightly
@pytest.mark.timeout(6 * 3600)
@pytest.mark.parametrize("store", ["seaweedfs", pytest.param("ceph", marks=pytest.mark.system)])
def test_any_faults(
    request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str], store: str
) -> None:
    stock: Stock = request.getfixturevalue(f"{store}_stock")
    seeds = [int(SEED)] if SEED else [random.SystemRandom().getrandbits(32) for _ in range(count_of_seeds())]
    untrue: list[str] = []
    for seed in seeds:
        try:
            told = carry_out(stock, [ANY], seed=seed, folder=tmp_path / f"{seed:x}", heads=ALL_HEADS)
        except Untrue as error:
            told = str(error)
            untrue.append(told)
        with capsys.disabled():
            print(f"\nFAULTS_SEED={seed} on {store}: {told}", flush=True)
    assert not untrue, "\n\n".join(untrue)


def count_of_seeds() -> int:
    return int(os.environ.get("FAULTS_SEEDS", "20"))
