"""The campaign: seeds drawn fresh for each run of the tests, a few fixed ones, and that a seed is a run."""

from __future__ import annotations

import gc
import os

import pytest

from cosbatch.model.states import FINAL
from tests.simulation.campaign import fresh_seeds, main, run_seed, run_seeds

FRESH = int(os.environ.get("SEEDS", "2000"))


@pytest.mark.timeout(1800)
def test_the_invariants_hold_for_fresh_seeds() -> None:
    broken = [ended.story for ended in run_seeds(fresh_seeds(FRESH)) if not ended.end]
    assert not broken, f"{len(broken)} of {FRESH} seeds; make simulate SEED=x runs one again\n\n" + "\n\n".join(
        broken[:5]
    )


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


def test_a_seed_of_the_campaign_is_the_same_alone() -> None:
    """In another process, where addresses and the seeds before it are others."""
    (ended,) = run_seeds([14])
    here = run_seed(14) if os.environ.get("PYTHONHASHSEED") == "0" else None
    again = [one for one in run_seeds([3, 14, 7]) if one.seed == 14]
    assert again == [ended]
    assert here in (None, ended)


def test_the_command_counts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["2"]) == 0
    assert "2 runs hold, 0 broken" in capsys.readouterr().out
