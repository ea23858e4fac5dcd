from __future__ import annotations

from pathlib import Path

from cosbatch.cli.runs_index import TOKENS_KEPT, RunsIndex


def test_tokens_of_a_file_oldest_first(tmp_path: Path) -> None:
    index = RunsIndex(tmp_path / "state")
    job_file = tmp_path / "job.yaml"
    assert index.tokens(job_file) == []

    for token in ("a", "b", "a", "c"):
        index.remember(job_file, token)

    assert RunsIndex(tmp_path / "state").tokens(job_file) == ["b", "a", "c"]
    assert index.tokens(tmp_path / "other.yaml") == []


def test_a_file_is_known_by_its_whole_path(tmp_path: Path) -> None:
    index = RunsIndex(tmp_path)
    (tmp_path / "sub").mkdir()

    index.remember(tmp_path / "sub" / ".." / "job.yaml", "a")

    assert index.tokens(tmp_path / "job.yaml") == ["a"]


def test_the_oldest_tokens_go(tmp_path: Path) -> None:
    index = RunsIndex(tmp_path)

    for number in range(TOKENS_KEPT + 2):
        index.remember(tmp_path / "job.yaml", str(number))

    assert index.tokens(tmp_path / "job.yaml") == [str(number) for number in range(2, TOKENS_KEPT + 2)]


def test_a_half_written_file_of_a_crash_does_no_harm(tmp_path: Path) -> None:
    index = RunsIndex(tmp_path)
    index.remember(tmp_path / "job.yaml", "a")
    (tmp_path / "runs.new").write_text('{"half')

    index.remember(tmp_path / "job.yaml", "b")

    assert index.tokens(tmp_path / "job.yaml") == ["a", "b"]


def test_others_may_not_read_it(tmp_path: Path) -> None:
    RunsIndex(tmp_path).remember(tmp_path / "job.yaml", "t")
    assert (tmp_path / "runs.json").stat().st_mode & 0o777 == 0o600
