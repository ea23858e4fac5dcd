"""One run from a seed: which shape the job has, which fault strikes, and whether everything is true in the end."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Final

from tests.e2e.faults.acts import Fault
from tests.e2e.faults.running import FaultRun, Shape
from tests.e2e.faults.small_disk import small_disk
from tests.e2e.faults.stock import Stock
from tests.e2e.faults.truth import check_truth
from tests.e2e.program import Ground

_DISK_BYTES: Final = 48 * 2**20
SHAPES: Final = (
    Shape(name="plain"),
    Shape(name="plain versioned", is_versioned=True),
    Shape(name="cold", copy={"storage_class": "STANDARD_IA"}, storage_class="STANDARD_IA", is_versioned=True),
    Shape(
        name="added",
        copy={
            "metadata_directive": "Add",
            "new_object_metadata": {"user_metadata": [{"key": "batch", "value": "7"}]},
        },
        added={"batch": "7"},
    ),
)


class Untrue(AssertionError):
    """Something does not hold after a run; the message tells its story."""


def carry_out(stock: Stock, faults: Sequence[Fault], *, seed: int, folder: Path, heads: int) -> str:
    """The story of a run that all of ``faults`` struck, one after another, and in which everything holds."""
    named = "+".join(map(str, faults))
    rng = Random(f"{seed} {named}")
    with _prepared(stock, faults, rng=rng, folder=folder) as run:
        try:
            run.start()
            for fault in faults:
                run.note(f"-- {fault}")
                fault.strike(run)
            check_truth(run, run.end(), heads=heads)
        except Exception as error:
            raise Untrue(f"seed {seed}, {named}: {error!r}\n{run}") from error
        return f"seed {seed}, {named}, {run.shape.name}\n" + "\n".join(run.story)


@contextlib.contextmanager
def _prepared(stock: Stock, faults: Sequence[Fault], *, rng: Random, folder: Path) -> Iterator[FaultRun]:
    folder.mkdir()
    settings = {name: value for fault in faults for name, value in fault.settings.items()}
    with contextlib.ExitStack() as stack:
        disk = None
        if any(fault.is_on_small_disk for fault in faults):
            disk = stack.enter_context(small_disk(folder / "state", size_bytes=_DISK_BYTES))
        ground = Ground(stock.ground.store, folder, f"{stock.ground.name}-{folder.name}")
        stack.callback(ground.kill_all)
        yield FaultRun(ground=ground, stock=stock, shape=rng.choice(SHAPES), rng=rng, settings=settings, disk=disk)
