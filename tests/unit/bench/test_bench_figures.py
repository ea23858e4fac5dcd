"""The benchmark's own arithmetic: who runs when, medians, ratios, bars, tables."""

from __future__ import annotations

import pytest

from bench.delay_relay import middle_rate
from bench.figures import Bar, Contender, Row, Samples, Verdict, aligned, interleave, markdown
from bench.object_list import OBJECT_BYTES, PAGE_KEYS, copy_commands, keys, list_pages
from bench.page import BEGIN, END, Findings, block, with_block
from bench.process_tree import ProgramFailed, run_tree
from bench.whole_job import succeeded


def quiet(_: str) -> None:
    """Says nothing."""


def in_turn(name: str, *values: float, order: list[str] | None = None, rounds: int | None = None) -> Contender:
    left = iter(values)

    def measure() -> float:
        if order is not None:
            order.append(name)
        return next(left)

    return Contender(name=name, measure=measure, rounds=rounds)


def test_everybody_runs_once_a_round_and_every_second_round_goes_backwards() -> None:
    order: list[str] = []
    contenders = [in_turn("a", 1, 2, 3, order=order), in_turn("b", 1, 2, 3, order=order)]
    interleave(contenders, rounds=3, errors=(), say=quiet)
    assert order == ["a", "b", "b", "a", "a", "b"]


def test_a_ratio_is_the_median_of_the_ratios_of_each_round() -> None:
    """A slow minute slows both: the ratio of medians would be 10 / 2."""
    samples = Samples(found={"mine": [10.0, 40.0, 3.0], "theirs": [5.0, 20.0, 1.0]})
    assert samples.ratio("mine", "theirs") == 2
    assert samples.median("mine") == 10


def test_who_breaks_once_is_out_and_has_no_figure() -> None:
    def breaks() -> float:
        raise ProgramFailed("no such file")

    contenders = [Contender(name="broken", measure=breaks), in_turn("whole", 1, 2)]
    samples = interleave(contenders, rounds=2, errors=(ProgramFailed,), say=quiet)
    assert samples.broken == {"broken": "no such file"}
    assert samples.median("broken") is None
    assert samples.ratio("broken", "whole") is None
    assert samples.median("whole") == 1.5


@pytest.mark.parametrize(
    ("bar", "figure", "verdict"),
    [
        (Bar(limit=3), 3.0, Verdict.REACHED),
        (Bar(limit=3), 3.01, Verdict.MISSED),
        (Bar(limit=0.85, at_least=True), 0.85, Verdict.REACHED),
        (Bar(limit=0.85, at_least=True), 0.84, Verdict.MISSED),
        (Bar(limit=3), None, Verdict.UNKNOWN),
    ],
)
def test_a_bar_is_reached_or_not(bar: Bar, figure: float | None, verdict: Verdict) -> None:
    assert bar.verdict(figure) is verdict


def test_a_row_shows_figure_bar_and_verdict() -> None:
    row = Row(number="P1", what="client", figure=2.961, bar=Bar(limit=3), remark="loud")
    assert row.cells() == ("P1", "client", "2.96x (loud)", "<= 3x", "reached")
    assert Row(number="P7", what="two", figure=None).cells() == ("P7", "two", "not measured", "", "")
    assert Row(number="P10", what="imports", figure=0, unit="").cells()[2] == "0"
    assert Row(number="P5", what="memory", figure=1234.5, unit=" MB").cells()[2] == "1,234 MB"


def test_tables_for_a_terminal_and_for_a_page() -> None:
    assert aligned(("a", "b"), [("long", "x")]) == "a     b\n----  -\nlong  x\n"
    assert markdown(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |\n"


def test_rows_stand_by_number_and_the_other_revision_last() -> None:
    rows = [Row(number=number, what="", figure=1.0) for number in ("base", "P10", "P2")]
    findings = Findings(machine="a machine", rows=rows, per_copy=[])
    assert [cells[0] for cells in findings.cells()] == ["P2", "P10", "base"]


def test_the_page_keeps_what_is_around_its_table() -> None:
    findings = Findings(machine="a machine", rows=[Row(number="P1", what="client", figure=1.0)], per_copy=[])
    page = with_block(f"before\n{BEGIN}old\n{END}after\n", block(findings))
    assert page.startswith(f"before\n{BEGIN}\na machine.")
    assert page.endswith(f"{END}after\n")
    assert "old" not in page
    assert with_block(page, block(findings)) == page
    with pytest.raises(ValueError, match="marks"):
        with_block("a page without them", "new")


def test_the_middle_rate_leaves_the_slow_start_and_the_end_out() -> None:
    """100 copies a tenth of a second, but for the first and the last few."""
    counts = [(0, 5), (9, 45), (10, 100), (11, 100), (12, 100), (13, 100), (14, 45), (40, 5)]
    assert middle_rate(counts) == pytest.approx(1000)
    with pytest.raises(ValueError, match="too few"):
        middle_rate([])


def test_the_last_line_of_a_run_tells_how_many_succeeded() -> None:
    assert succeeded("Job X Complete: 50,000 tasks, 50,000 succeeded, 0 failed, 800.0 kB in 0:00:21") == 50_000
    assert succeeded("nothing of the kind") is None


def test_everybody_copies_the_same_keys() -> None:
    every = set(keys(2 * PAGE_KEYS))
    pages = [page.decode() for page in list_pages(2 * PAGE_KEYS)]
    assert len(every) == 2 * PAGE_KEYS
    assert len(pages) == 2
    assert all(f"<Key>{key}</Key>" in pages[0] + pages[1] for key in every)
    assert f"<Size>{OBJECT_BYTES}</Size>" in pages[0]
    assert [page.count("<NextContinuationToken>1</NextContinuationToken>") for page in pages] == [1, 0]
    assert copy_commands(3).count("\n") == 3


def test_a_tree_costs_what_its_orphans_cost_too() -> None:
    """The child of the measured program goes on after its parent's end; its seconds count all the same."""
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    parent = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {burn!r}])"
    assert run_tree(["python3", "-c", parent], limit_seconds=60).cpu_seconds >= 0.3


def test_a_program_that_fails_or_takes_too_long_says_so() -> None:
    with pytest.raises(ProgramFailed, match="ended with 3:\nlast words"):
        run_tree(["python3", "-c", "print('last words'); raise SystemExit(3)"], limit_seconds=60)
    with pytest.raises(ProgramFailed, match=r"longer than 0\.2 s"):
        run_tree(["sleep", "60"], limit_seconds=0.2)
