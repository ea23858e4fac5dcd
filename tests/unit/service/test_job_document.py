from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cosbatch.service.job_document import iso_time, request_digest, request_document
from cosbatch.service.job_schema import parse_job
from tests.unit.service.job_builders import AWAY, job_content, job_request, without_places

_words = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=20)


def _optional(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


_metadata = _optional(
    {
        "cache_control": _words,
        "content_type": _words,
        "http_expires_date": _words,
        "sse_algorithm": st.just("AES256"),
        "user_metadata": st.lists(
            st.fixed_dictionaries({"key": st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True), "value": _words}),
            unique_by=lambda pair: str(pair["key"]),
            max_size=3,
        ),
    }
)
_copies = _optional(
    {
        "target_resource": st.sampled_from(["arn:aws:s3:::other", "qcs::cos:ap-shanghai:uid/1:cold-1"]),
        "storage_class": st.sampled_from(["STANDARD", "ARCHIVE"]),
        "modified_since_constraint": st.integers(0, 10**9),
        "un_modified_since_constraint": st.integers(10**9 + 1, 2 * 10**9),
        "new_object_metadata": _metadata,
        "new_object_tagging": st.lists(
            st.fixed_dictionaries({"key": _words, "value": _words}), unique_by=lambda tag: str(tag["key"]), max_size=3
        ),
        "canned_access_control_list": st.sampled_from(["private", "public-read"]),
    }
)
_jobs = st.builds(
    lambda copy, changes: job_content(copy=copy, **changes),
    _copies,
    _optional(
        {
            "description": _words,
            "priority": st.integers(1, 2**31 - 1),
            "failure_threshold": st.just("never") | st.floats(0, 1),
            "verify": st.sampled_from(["sample", "all"]),
            "report": st.just({"enabled": False}),
            "confirmation_required": st.booleans(),
            "dry_run": st.booleans(),
        }
    ),
)


@given(_jobs)
def test_a_request_written_down_and_read_again_is_the_same(content: dict[str, Any]) -> None:
    request = parse_job(without_places(content)).request

    again = parse_job(without_places(json.loads(json.dumps(request_document(request))))).request

    assert again == request
    assert request_digest(again) == request_digest(request)


def test_the_digest_sees_every_change() -> None:
    request = job_request()
    location = replace(request.manifest.location, etag="x")
    others = [
        job_request(priority=11),
        job_request(description="x"),
        job_request(copy={"target_resource": "qcs::cos:ap-shanghai::cold-125"}),
        job_request(copy={"metadata_directive": "Replaced"}),
        job_request(report={"bucket": "arn:aws:s3:::logs-125", "prefix": "other"}),
        job_request(failure_threshold="never"),
        replace(request, manifest=replace(request.manifest, location=location)),
    ]

    assert len({request_digest(other) for other in [request, *others]}) == len(others) + 1


def test_a_dry_run_is_another_request_and_its_absence_is_not_written() -> None:
    """So that the digests of requests from before there were dry runs stay what they are."""
    request = job_request()

    assert "dry_run" not in request_document(request)
    assert request_digest(replace(request, dry_run=True)) != request_digest(request)


def test_the_digest_does_not_see_how_it_is_spelt() -> None:
    one = job_request(copy={"target_resource": "qcs::cos:ap-guangzhou:uid/125:cold-125", "metadata_directive": "Copy"})

    assert request_digest(one) == request_digest(job_request())


def test_a_target_in_another_region_is_kept() -> None:
    request = job_request(copy={"target_resource": "qcs::cos:ap-shanghai::cold-125"})

    assert request_document(request)["operation"]["cos_put_object_copy"]["target_region"] == AWAY


def test_times_are_whole_seconds_in_utc() -> None:
    assert iso_time(1_754_103_600.9) == "2025-08-02T03:00:00Z"
    assert iso_time(None) is None


def test_windows_are_read_back_and_change_the_digest_only_where_there_are_some() -> None:
    plain = job_request()
    assert "windows" not in request_document(plain)
    windowed = job_request(windows=["mon-fri 22:00-06:00 Asia/Shanghai", "00:00-24:00 UTC"])
    assert request_document(windowed)["windows"] == ["mon,tue,wed,thu,fri 22:00-06:00 Asia/Shanghai", "00:00-24:00 UTC"]
    assert parse_job(without_places(request_document(windowed))).request == windowed
    assert request_digest(windowed) != request_digest(plain)
