"""``make bench``: measures, prints the table, and with WRITE=1 puts it into ``docs/performance.md``.

ONLY=P1,P3 measures these alone; BASE=<rev> compares another revision in the same rounds; LONG=1 takes what needs an
hour as well. The exit code says nothing about the figures: a benchmark is no test.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

from bench import page
from bench.base import checked_out
from bench.copies import SHOWN, copy_rows, measure_copies
from bench.figures import Bar, Row, per_copy_rows
from bench.ground import Ground, ground
from bench.job_lists import job_list_rows
from bench.large_objects import large_object_rows
from bench.latency import latency_rows
from bench.machine import machine
from bench.memory import memory_rows
from bench.page import Findings
from bench.planning import planning_rows
from bench.start import start_rows

NUMBERS: Final = ("P1", "P2", "P3", "P4", "P5", "P6", "P8", "P9", "P10")
COPIES: Final = frozenset({"P1", "P2", "P3"})
LATER: Final = (
    Row(
        number="P7",
        what="two workers against one when the store is not the limit",
        figure=None,
        bar=Bar(limit=1.8, at_least=True),
        remark="comes later",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What was asked for."""

    wanted: frozenset[str]
    base: str
    has_long: bool
    writes: bool


def read_order() -> Order:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", default="", help="P1,P3: these alone")
    parser.add_argument("--base", default="", help="another revision to compare on P1 and P2")
    parser.add_argument("--long", action="store_true", help="also what takes an hour")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    given = parser.parse_args()
    wanted = frozenset(given.only.split(",")) if given.only else frozenset(NUMBERS)
    unknown = wanted - {*NUMBERS}
    if unknown:
        parser.error(f"{', '.join(sorted(unknown))}: measured are {', '.join(NUMBERS)}")
    if given.write and given.only:
        parser.error("only the whole table goes into the page: leave ONLY away")
    if given.base and not given.only:
        wanted = frozenset({"P1", "P2"})
    return Order(wanted=wanted, base=given.base, has_long=given.long, writes=given.write)


def measure(order: Order) -> Findings:
    measured_on = machine()
    with ground() as here, _base(order, here) as base:
        samples = measure_copies(here, wanted=order.wanted & COPIES, base=base)
        rows = list(copy_rows(samples, wanted=order.wanted, has_base=base is not None))
        rows += _other_rows(here, order)
    if order.wanted == frozenset(NUMBERS):
        rows += LATER
    return Findings(machine=measured_on, rows=rows, per_copy=list(per_copy_rows(samples, names=SHOWN)))


def _base(order: Order, here: Ground) -> AbstractContextManager[Mapping[str, str] | None]:
    return checked_out(order.base, here.folder) if order.base else contextlib.nullcontext()


def _other_rows(here: Ground, order: Order) -> Iterator[Row]:
    if "P4" in order.wanted:
        yield from planning_rows(here, has_long=order.has_long)
    if "P5" in order.wanted:
        yield from memory_rows(here, has_long=order.has_long)
    if "P6" in order.wanted:
        yield from latency_rows(here)
    if "P8" in order.wanted:
        yield from large_object_rows(here)
    if "P9" in order.wanted:
        yield from job_list_rows(here)
    if "P10" in order.wanted:
        yield from start_rows(here)


def main() -> None:
    # So that a stopped benchmark leaves no server behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    order = read_order()
    findings = measure(order)
    print(page.printed(findings))
    if order.writes:
        page.write(findings)


if __name__ == "__main__":
    main()
