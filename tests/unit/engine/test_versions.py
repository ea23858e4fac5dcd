"""Which versions of a key are sent, and in which order."""

from __future__ import annotations

import pytest

from cosbatch.engine.chunk_files import ChunkRow
from cosbatch.engine.versions import EachVersion, VersionRuns
from cosbatch.model.errors import ManifestFaulty
from cosbatch.model.identifiers import ObjectKey, VersionId
from cosbatch.model.manifests import ManifestRow


def row(
    key: str, version: str, *, latest: bool | None = False, marker: bool = False, modified: str = ""
) -> ManifestRow:
    return ManifestRow(ObjectKey(key), VersionId(version), 1, latest, marker, modified, "")


def runs_of(batches: list[list[ManifestRow]], *, keeps_versions: bool, longest: int = 100) -> list[list[ChunkRow]]:
    runs = VersionRuns(keeps_versions=keeps_versions, first_number=0, longest_run=longest)
    return [run for batch in batches for run in runs.feed(batch)] + list(runs.finish())


def test_an_unversioned_destination_gets_the_latest_only() -> None:
    (run,) = runs_of([[row("a", "3", latest=True), row("a", "2"), row("a", "1")]], keeps_versions=False)
    assert [entry[3:4] for entry in run] == [(), ("N",), ("N",)]


def test_a_run_may_span_batches() -> None:
    runs = runs_of([[row("a", "2", latest=True)], [row("a", "1")], [row("b", "1", latest=True)]], keeps_versions=False)
    assert [len(run) for run in runs] == [2, 1]


def test_without_is_latest_nobody_knows_which_to_send() -> None:
    with pytest.raises(ManifestFaulty, match="IsLatest"):
        runs_of(
            [[row("x", "9", latest=True), row("a", "2", latest=None), row("a", "1", latest=None)]], keeps_versions=False
        )


def test_a_versioned_destination_gets_all_oldest_first() -> None:
    batch = [row("z", "1"), *(row("a", str(day), modified=f"2026-01-0{day}", latest=day == 3) for day in (3, 1, 2))]
    _, run = runs_of([batch], keeps_versions=True)
    assert [(entry[1], *entry[4:]) for entry in run] == [("3", 1, 2), ("1", 1, 0), ("2", 1, 1)]


def test_without_dates_the_rows_are_reversed_and_the_latest_is_last() -> None:
    (run,) = runs_of([[row("a", "2"), row("a", "3", latest=True), row("a", "1")]], keeps_versions=True)
    assert [entry[5] for entry in run if len(entry) > 5] == [1, 2, 0]


def test_delete_markers_are_skipped_and_make_no_run() -> None:
    (run,) = runs_of([[row("a", "2", latest=True, marker=True), row("a", "1")]], keeps_versions=True)
    assert run == [("a", "2", 1, "M", -1, 0), ("a", "1", 1)]


def test_a_deleted_object_does_not_come_back_on_an_unversioned_destination() -> None:
    (run,) = runs_of([[row("a", "2", latest=True, marker=True), row("a", "1")]], keeps_versions=False)
    assert [entry[3] for entry in run if len(entry) > 3] == ["M", "N"]


def test_one_old_version_alone_is_sent() -> None:
    (run,) = runs_of([[row("a", "1")]], keeps_versions=False)
    assert run == [("a", "1", 1)]


def test_too_many_versions_of_one_key_are_refused_by_name() -> None:
    with pytest.raises(ManifestFaulty, match="more than 3 versions") as refused:
        runs_of([[row("deep", str(n)) for n in range(5)]], keeps_versions=True, longest=3)
    assert refused.value.faults[0].value == "deep"


def test_an_empty_batch_changes_nothing() -> None:
    assert runs_of([[], [row("a", "1")], []], keeps_versions=True) == [[("a", "1", 1)]]


def each_of(rows: list[ManifestRow], *, removes_markers: bool) -> list[ChunkRow]:
    runs = EachVersion(removes_markers=removes_markers)
    return [entry for run in [*runs.feed(rows), *runs.finish()] for entry in run]


def test_what_is_done_in_place_is_done_to_each_version() -> None:
    rows = [row("a", "3", latest=True), row("a", "2"), row("b", "1", latest=None)]
    assert each_of(rows, removes_markers=False) == [("a", "3", 1), ("a", "2", 1), ("b", "1", 1)]


@pytest.mark.parametrize("removes_markers", [False, True])
def test_a_delete_marker_that_is_named_can_be_removed_and_nothing_else(removes_markers: bool) -> None:
    skipped = ("a", "2", 1, "M", -1, 0)
    (entry,) = each_of([row("a", "2", latest=True, marker=True)], removes_markers=removes_markers)
    assert entry == (("a", "2", 1) if removes_markers else skipped)


def test_a_delete_marker_without_a_version_id_is_skipped_by_a_deletion_too() -> None:
    unnamed = row("a", "", latest=True, marker=True)._replace(version_id=None)
    assert each_of([unnamed], removes_markers=True) == [("a", None, 1, "M", -1, 0)]
