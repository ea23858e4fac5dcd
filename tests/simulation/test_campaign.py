"""The campaign in small: some fixed seeds, and that a seed is a run. `make simulate` draws fresh ones."""

from __future__ import annotations

import gc

import pytest

from cosbatch.model.states import FINAL
from tests.simulation.campaign import run_seed


@pytest.mark.parametrize("seed", range(20))
def test_the_invariants_hold(seed: int) -> None:
    ended = run_seed(seed)
    assert ended.end in FINAL, ended.story


@pytest.mark.parametrize("seed", [5, 14])
def test_a_seed_is_a_run(seed: int) -> None:
    once = run_seed(seed, tells_all=True)
    gc.collect()
    assert run_seed(seed, tells_all=True) == once
    assert once.checksum
