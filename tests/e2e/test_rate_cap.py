"""The cap of a region holds over all programs and processes, counted before the store; and none of it is wasted."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.counting_proxy import CountingProxy
from tests.e2e.program import Ground
from tests.stores import RealStore

pytestmark = pytest.mark.timeout(300)
CAP = 50
BODY_BYTES = 100_000
KEYS = [f"logs/{number:05d}" for number in range(400)]


@pytest.fixture
def ground(seaweedfs_store: RealStore, tmp_path: Path) -> Iterator[Ground]:
    ground = Ground(seaweedfs_store, tmp_path, f"cap{uuid.uuid4().hex[:8]}")
    ground.put(KEYS)
    yield ground
    ground.kill_all()


@pytest.fixture
def proxy(seaweedfs_store: RealStore) -> Iterator[CountingProxy]:
    with CountingProxy(seaweedfs_store.endpoint) as proxy:
        yield proxy


def capped(ground: Ground, proxy: CountingProxy, *, workers: int) -> None:
    ground.write_settings(region={"requests_per_second": CAP, "endpoint": proxy.endpoint}, workers=workers)


def most_above_the_cap(times: list[float], *, cap: float = CAP) -> float:
    """By how many requests any span of time exceeds the cap."""
    return max(
        count - cap * (ended - began)
        for first, began in enumerate(times)
        for count, ended in enumerate(times[first:], start=1)
    )


def most_of_the_cap(times: list[float]) -> float:
    """Over a third of the requests: of all such spans the best one, which nothing else on the machine has disturbed."""
    count = len(times) // 3
    return max(count / (last - first) for first, last in zip(times, times[count:], strict=False)) / CAP


def test_two_programs_on_one_folder_keep_one_cap(ground: Ground, proxy: CountingProxy) -> None:
    capped(ground, proxy, workers=2)
    files = [
        ground.job_file(ground.csv(keys, name=f"{name}.csv"), name=f"{name}.yaml")
        for name, keys in (("even", KEYS[::2]), ("odd", KEYS[1::2]))
    ]
    programs = [ground.start("run", file, "--yes") for file in files]
    assert [program.wait(240) for program in programs] == [0, 0]
    assert ground.keys_in(ground.target) == set(KEYS)
    times = proxy.times_of(ground.target)
    assert len(times) >= len(KEYS)
    assert most_above_the_cap(times) <= CAP, "no more than one second's burst"


def test_a_single_worker_has_the_whole_cap(ground: Ground, proxy: CountingProxy) -> None:
    capped(ground, proxy, workers=1)
    ground.call_json("run", ground.job_file(ground.csv(KEYS)), "--yes")
    times = proxy.times_of(ground.target)
    assert most_above_the_cap(times) <= CAP
    assert most_of_the_cap(times) > 0.8


def test_the_smallest_cap_lets_a_job_be_planned_worked_and_sealed(ground: Ground, proxy: CountingProxy) -> None:
    """Everything is in one bucket: manifest, target and report compete for one request a second."""
    ground.write_settings(region={"requests_per_second": 2, "endpoint": proxy.endpoint}, workers=3)
    arn = ground.csv(KEYS[:10])
    job = ground.document(arn, copy={"target_resource": f"arn:aws:s3:::{ground.control}"})
    done = ground.call_json("run", ground.write_job(job), "--yes", seconds=240)
    assert ground.report(done["job_id"]).keys("succeeded") == KEYS[:10]


def test_bytes_of_two_programs_keep_one_cap(ground: Ground, proxy: CountingProxy, seaweedfs_store: RealStore) -> None:
    """Two addresses are two stores: the bytes go through the workers."""
    ground.put(KEYS[:40], body=lambda key: key.encode() * (BODY_BYTES // len(key)))
    capped_region = {"endpoint": proxy.endpoint, "bytes_per_second": 10 * BODY_BYTES}
    ground.write_settings(others={"there": seaweedfs_store}, region=capped_region, workers=2)
    copy = {"target_region": "here", "target_resource": f"arn:aws:s3:::{ground.target}"}
    files = [
        ground.write_job(
            ground.document(ground.csv(keys, name=f"{name}.csv"), copy=copy, region="there"), name=f"{name}.yaml"
        )
        for name, keys in (("even", KEYS[:40:2]), ("odd", KEYS[1:40:2]))
    ]
    programs = [ground.start("run", file, "--yes") for file in files]
    assert [program.wait(240) for program in programs] == [0, 0]
    assert ground.keys_in(ground.target) == set(KEYS[:40])
    seen = (request for request in proxy.seen if request.bucket == ground.target)
    uploads = [request.at for request in seen if request.method == "PUT"]
    assert len(uploads) >= 40  # one more where a busy machine has let one wait for too long
    assert most_above_the_cap(uploads, cap=10) <= 10, "no more than one second's burst"
