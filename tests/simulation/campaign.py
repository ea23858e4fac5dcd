"""The whole engine under faults drawn from seeds, and the invariants that must hold after every run.

python -m tests.simulation.campaign 100         100 fresh seeds, each printed with its end
python -m tests.simulation.campaign SEED=123    that run once more, exactly
python -m tests.simulation.campaign SEED=1,2    those once more, on all cores
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import structlog

from tests.simulation.run import Run
from tests.unit.storage.virtual_time import VirtualClock, run_virtually

HASH_SEED: Final = "0"
"""The order of sets is part of a run."""
ENGINE_FAULTS: Final = ("-broke", "claim-not-begun")
"""Ends of log events that tell of an error of the engine itself."""


class Ended(NamedTuple):
    """What came of a seed."""

    seed: int
    end: str
    """The first job's final status; empty where an invariant does not hold."""
    checksum: int
    seconds: float
    """Of virtual time."""
    story: str


def run_seed(seed: int, *, tells_all: bool = False) -> Ended:
    """One run with all checks. Never raises: what is broken is told with its history."""
    broke: list[str] = []
    before = structlog.get_config()
    log_into(broke)
    runs: list[Run] = []
    seconds = 0.0

    async def scenario(clock: VirtualClock) -> None:
        nonlocal seconds
        runs.append(Run(seed, clock, broke=broke))
        try:
            await runs[0].go()
        finally:
            seconds = clock.boottime()

    try:
        run_virtually(scenario)
    except Exception as error:
        return Ended(seed, "", 0, seconds, _story(seed, runs, error))
    finally:
        structlog.configure(**before)
    (run,) = runs
    story = _history(run) if tells_all else ""
    return Ended(seed, run.witness.cases[0].job.status, run.witness.checksum, seconds, story)


def log_into(broke: list[str]) -> None:
    """Nothing is logged but what the engine says of its own errors."""

    def keep(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        if str(event["event"]).endswith(ENGINE_FAULTS):
            broke.append(repr(event))
        raise structlog.DropEvent

    structlog.configure(
        processors=[structlog.processors.format_exc_info, keep],
        wrapper_class=structlog.make_filtering_bound_logger("error"),
        cache_logger_on_first_use=False,
    )


def _story(seed: int, runs: list[Run], error: Exception) -> str:
    cause = f" ({error.__cause__!r})" if error.__cause__ else ""
    told = f"seed {seed}: {type(error).__name__}: {error}{cause}"
    return f"{told}\n{_history(runs[0])}" if runs else told


def _history(run: Run) -> str:
    return "\n".join([*run.plan.lines(), str(run.odds), *run.history[-60:]])


def run_seeds(seeds: Iterable[int]) -> Iterator[Ended]:
    """On all cores, as they end."""
    before = os.environ.get("PYTHONHASHSEED")
    os.environ["PYTHONHASHSEED"] = HASH_SEED  # for the children
    try:
        with multiprocessing.get_context("spawn").Pool(maxtasksperchild=100) as pool:
            yield from pool.imap_unordered(run_seed, seeds, chunksize=5)
    finally:
        if before is None:
            del os.environ["PYTHONHASHSEED"]
        else:
            os.environ["PYTHONHASHSEED"] = before


def fresh_seeds(count: int) -> list[int]:
    return [int.from_bytes(os.urandom(6)) for _ in range(count)]


def main(arguments: list[str]) -> int:
    asked = arguments[0] if arguments else "100"
    if asked.startswith("SEED="):
        seeds = [int(seed) for seed in asked.removeprefix("SEED=").split(",")]
        return _replay(*seeds) if len(seeds) == 1 else _run_all(seeds)
    return _run_all(fresh_seeds(int(asked)))


def _run_all(seeds: Iterable[int]) -> int:
    began, ends, broken, seconds = time.monotonic(), Counter[str](), 0, 0.0
    for ended in run_seeds(seeds):
        seconds += ended.seconds
        ends[ended.end] += 1
        broken += not ended.end
        print(f"SEED={ended.seed} {ended.end}" if ended.end else f"BROKEN {ended.story}", flush=True)
    took = time.monotonic() - began
    counts = {end or "broken": count for end, count in ends.items()}
    print(f"{ends.total() - broken} runs hold, {broken} broken; {seconds / 3600:.1f} h in {took:.0f} s: {counts}")
    return 1 if broken else 0


def _replay(seed: int) -> int:
    if os.environ.get("PYTHONHASHSEED") != HASH_SEED:
        os.execve(
            sys.executable,
            [sys.executable, "-m", "tests.simulation.campaign", f"SEED={seed}"],
            {**os.environ, "PYTHONHASHSEED": HASH_SEED},
        )
    ended = run_seed(seed, tells_all=True)
    print(ended.story)
    print(f"{ended.end or 'BROKEN'}, {ended.checksum & 0xFFFFFFFF:08x}")
    return 0 if ended.end else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
