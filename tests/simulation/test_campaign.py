"""Some fixed seeds of the campaign; `make simulate` draws fresh ones."""

from __future__ import annotations

import pytest

from cosbatch.model.states import FINAL
from tests.simulation.campaign import run_seed


@pytest.mark.parametrize("seed", range(30))
def test_the_invariants_hold(seed: int) -> None:
    assert run_seed(seed).status in FINAL
