"""Every option of a copy on a real store: each job's report row by row, and every copy as boto3 sees it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from cosbatch.storage.profiles import PROFILES
from tests.e2e.option_cases import CASES, STREAMED, refusals
from tests.e2e.option_jobs import CaseRun, Outcomes, carry_out, check, runs_of
from tests.e2e.program import Ground
from tests.stores import RealStore, seaweedfs

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def here(seaweedfs_store: RealStore, tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    ground = Ground(seaweedfs_store, tmp_path_factory.mktemp("here"), f"opt{uuid.uuid4().hex[:8]}")
    return carry_out(ground, CASES)


@pytest.fixture(scope="module")
def there(seaweedfs_store: RealStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcomes]:
    ground = Ground(seaweedfs_store, tmp_path_factory.mktemp("there"), f"far{uuid.uuid4().hex[:8]}")
    with seaweedfs(tmp_path_factory.mktemp("weed2")) as second:
        yield carry_out(ground, STREAMED, target=second)


@pytest.mark.parametrize("run", runs_of(CASES), ids=CaseRun.__str__)
def test_option(here: Outcomes, run: CaseRun) -> None:
    check(here, run)


@pytest.mark.parametrize("run", runs_of(STREAMED), ids=CaseRun.__str__)
def test_option_in_another_region(there: Outcomes, run: CaseRun) -> None:
    check(there, run)


def test_nothing_else_was_written(here: Outcomes) -> None:
    expected = {
        key
        for run in runs_of(CASES)
        if not run.case.in_place and not refusals(run.case, PROFILES[here.target.profile])
        for key in run.expected_looks()
    }
    assert here.ground.keys_in(here.target_bucket) == expected
