"""Every option of a copy on Ceph, and from SeaweedFS to Ceph; deletions and tags on Ceph."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from tests.e2e.in_place_jobs import CASES as IN_PLACE
from tests.e2e.option_cases import CASES, STREAMED
from tests.e2e.option_jobs import CaseRun, Outcomes, carry_out, check, runs_of
from tests.e2e.program import Ground
from tests.stores import RealStore

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def here(ceph_store: RealStore, tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    ground = Ground(ceph_store, tmp_path_factory.mktemp("here"), f"opt{uuid.uuid4().hex[:8]}")
    return carry_out(ground, CASES)


@pytest.fixture(scope="module")
def there(seaweedfs_store: RealStore, ceph_store: RealStore, tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    ground = Ground(seaweedfs_store, tmp_path_factory.mktemp("there"), f"far{uuid.uuid4().hex[:8]}")
    return carry_out(ground, STREAMED, target=ceph_store)


@pytest.mark.parametrize("run", runs_of(CASES), ids=CaseRun.__str__)
def test_option_on_ceph(here: Outcomes, run: CaseRun) -> None:
    check(here, run)


@pytest.mark.parametrize("run", runs_of(STREAMED), ids=CaseRun.__str__)
def test_option_from_seaweedfs_to_ceph(there: Outcomes, run: CaseRun) -> None:
    check(there, run)


def test_the_program_says_what_the_store_does_not_offer(ceph_store: RealStore, tmp_path: Path) -> None:
    ground = Ground(ceph_store, tmp_path, f"prg{uuid.uuid4().hex[:8]}")
    ground.put(["a", "b"])
    encrypted = {"new_object_metadata": {"sse_algorithm": "AES256"}}
    job_file = ground.job_file(ground.csv(["a", "b"]), copy=encrypted)
    ended = ground.call_json("run", job_file, "--yes", expect=4)
    (why,) = ended["failure_reasons"]
    assert (ended["status"], why["failure_code"]) == ("Failed", "UnsupportedOption")
    assert "sse-aes256 is not offered by a ceph store" in why["failure_reason"]
    assert ground.keys_in(ground.target) == set()


@pytest.mark.parametrize("case", IN_PLACE)
def test_in_place_on_ceph(ceph_store: RealStore, tmp_path: Path, case: str) -> None:
    IN_PLACE[case](Ground(ceph_store, tmp_path, f"ops{uuid.uuid4().hex[:8]}"))
