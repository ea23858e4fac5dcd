"""Job ids are UUIDv7 in the order of their creation; worker ids are never used twice."""

from __future__ import annotations

import os
import time
import uuid

from cosbatch.model.identifiers import Bucket, JobId, ObjectKey, ObjectRef, made_at, new_job_id, new_worker_id


def test_a_job_id_is_a_uuid_of_version_7_in_lower_case() -> None:
    for _ in range(200):
        job_id = new_job_id()
        parsed = uuid.UUID(job_id)

        assert parsed.version == 7
        assert parsed.variant == uuid.RFC_4122
        assert str(parsed) == job_id == job_id.lower()


def test_a_job_id_begins_with_its_millisecond() -> None:
    before = time.time_ns() // 1_000_000
    stamp = uuid.UUID(new_job_id()).int >> 80
    after = time.time_ns() // 1_000_000

    assert before <= stamp <= after


def test_job_ids_are_in_the_order_of_their_creation_also_within_a_millisecond() -> None:
    made = [new_job_id() for _ in range(5000)]

    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_a_job_id_says_when_it_was_made() -> None:
    before = time.time_ns() // 1_000_000 / 1000
    made = made_at(new_job_id())
    after = time.time()

    assert made is not None
    assert before <= made <= after


def test_what_is_no_job_id_says_nothing() -> None:
    job_id = new_job_id()
    for other in ("", "jobs", job_id.upper(), job_id.replace("-", ""), str(uuid.uuid4())):
        assert made_at(JobId(other)) is None


def test_a_worker_id_names_role_and_process_and_is_fresh() -> None:
    ids = {new_worker_id("planner") for _ in range(100)}

    assert len(ids) == 100
    assert all(one.startswith(f"planner-{os.getpid()}-") for one in ids)


def test_a_reference_without_a_version_means_the_newest() -> None:
    assert ObjectRef(Bucket("b"), ObjectKey("k")).version_id is None
