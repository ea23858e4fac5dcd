"""Memory does not grow with the manifest."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.planning import plan_rows
from tests.stores import seaweedfs

pytestmark = pytest.mark.timeout(300)
TOLERANCE = 1.1


def grows(folder: Path, lengths: list[int]) -> float:
    with seaweedfs(folder / "store") as store:
        first, last = (plan_rows(folder / "planning", store, rows=rows)[1] for rows in lengths)
    return last / first


def test_planning_ten_times_the_rows_takes_the_same_memory(tmp_path: Path) -> None:
    assert grows(tmp_path, [100_000, 1_000_000]) < TOLERANCE


@pytest.mark.nightly
def test_planning_five_million_rows_takes_the_memory_of_a_hundred_thousand(tmp_path: Path) -> None:
    assert grows(tmp_path, [100_000, 5_000_000]) < TOLERANCE
