"""P10: what it costs to ask the program for its help, and what it loads for that."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from bench.figures import Bar, Contender, Row, interleave
from bench.ground import Ground
from bench.process_tree import ProgramFailed, run_tree

ROUNDS: Final = 6
NOT_WANTED: Final = ("sqlalchemy", "pydantic", "pyarrow", "fastapi")
COSBATCH: Final = str(Path(sys.executable).parent / "cosbatch")


def start_rows(ground: Ground) -> Iterator[Row]:
    ground.say(f"cosbatch --help and python -c pass, {ROUNDS} times")
    commands = {"help": [COSBATCH, "--help"], "pass": [sys.executable, "-c", "pass"]}
    contenders = [Contender(name=name, measure=partial(_cpu_seconds, command)) for name, command in commands.items()]
    samples = interleave(contenders, rounds=ROUNDS, errors=(ProgramFailed,), say=lambda _: None)
    yield Row(
        number="P10",
        what="CPU of `cosbatch --help` against `python -c pass`",
        figure=samples.ratio("help", "pass"),
        bar=Bar(limit=8),
    )
    loaded = loaded_by_help()
    yield Row(
        number="P10",
        what=f"of {', '.join(NOT_WANTED)}, `cosbatch --help` imports",
        figure=len(loaded),
        bar=Bar(limit=0, unit=""),
        unit="",
        remark=", ".join(loaded),
    )


def _cpu_seconds(command: list[str]) -> float:
    return run_tree(command, limit_seconds=60).cpu_seconds


def loaded_by_help() -> list[str]:
    """Which of the packages that are not wanted it imports."""
    told = run_tree([sys.executable, "-X", "importtime", "-m", "cosbatch", "--help"], limit_seconds=60).output
    modules = {line.rpartition("|")[2].strip() for line in told.splitlines() if line.startswith("import time:")}
    return [name for name in NOT_WANTED if name in modules]
