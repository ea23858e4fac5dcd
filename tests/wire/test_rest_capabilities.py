"""What the API says that it can do is what the model has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cosbatch.model.operations import CannedAcl, OperationName, RestoreTier, TaggingChange
from cosbatch.model.states import MOVES, Actor, JobStatus, is_final
from cosbatch.service.job_schema import RESTORE_DAYS_MAX, CopyForm, OperationForm
from cosbatch.storage.profiles import PROFILES
from cosbatch.web.rest.app import all_calls
from tests.unit.service.job_builders import AWAY, HOME, job_content
from tests.wire.rest_rig import VIEWER, RestRig, rest_rig, settings


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[RestRig]:
    async with rest_rig(tmp_path) as made:
        yield made


async def capabilities(rig: RestRig) -> dict[str, Any]:
    answer = await rig.call("GET", "/capabilities", by=VIEWER)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def parameters(found: dict[str, Any], field: str) -> dict[str, dict[str, Any]]:
    operation = next(operation for operation in found["operations"] if operation["field"] == field)
    return {parameter["name"]: parameter for parameter in operation["parameters"]}


async def test_operations_and_their_values_are_those_of_a_job(rig: RestRig) -> None:
    found = await capabilities(rig)
    assert [operation["name"] for operation in found["operations"]] == list(OperationName)
    assert [operation["field"] for operation in found["operations"]] == list(OperationForm.model_fields)
    copy = parameters(found, "cos_put_object_copy")
    assert {name for name in copy if "." not in name} == set(CopyForm.model_fields)
    assert copy["canned_access_control_list"]["allowed_values"] == list(CannedAcl)
    assert copy["new_object_metadata.sse_algorithm"]["allowed_values"] == ["AES256"]
    assert copy["new_object_tagging"]["max_items"] == 10
    assert copy["target_resource"]["is_required"]
    restore = parameters(found, "cos_initiate_restore_object")
    days = restore["expiration_in_days"]
    assert (days["minimum"], days["maximum"]) == (1, RESTORE_DAYS_MAX)
    assert restore["job_tier"]["allowed_values"] == list(RestoreTier)
    assert parameters(found, "cos_delete_object") == {}
    assert parameters(found, "cos_put_object_tagging")["tagging_directive"]["allowed_values"] == list(TaggingChange)


@pytest.mark.parametrize("is_allowed", [False, True])
async def test_whether_anything_may_be_deleted(tmp_path: Path, is_allowed: bool) -> None:
    async with rest_rig(tmp_path, with_settings=settings(server={"deletes_allowed": is_allowed})) as rig:
        assert (await capabilities(rig))["deletes_allowed"] is is_allowed
        body = job_content(operation={"cos_delete_object": {}}, confirm_delete_count=1)
        made = await rig.call("POST", "/jobs", json=body)
        assert (made.status_code == 201) is is_allowed


async def test_so_many_windows_and_no_more(rig: RestRig) -> None:
    most = (await capabilities(rig))["limits"]["windows_max"]
    for number, status in ((most, 201), (most + 1, 400)):
        body = job_content(windows=["22:00-06:00 UTC"] * number)
        assert (await rig.call("POST", "/jobs", json=body)).status_code == status


async def test_what_is_beyond_a_bound_that_is_shown_is_refused(rig: RestRig) -> None:
    limits = (await capabilities(rig))["limits"]
    for name, bound in (
        ("description", limits["description_max_bytes"]),
        ("client_request_token", limits["client_request_token_max_bytes"]),
    ):
        for length, status in ((bound, 201), (bound + 1, 400)):
            body = {**job_content(), name: "x" * length}
            assert (await rig.call("POST", "/jobs", json=body)).status_code == status
    for priority, status in ((limits["priority_max"], 201), (limits["priority_max"] + 1, 400)):
        assert (await rig.call("POST", "/jobs", json=job_content(priority=priority))).status_code == status


async def test_the_state_table_is_shown_whole(rig: RestRig) -> None:
    shown = {row["status"]: row for row in (await capabilities(rig))["statuses"]}
    assert list(shown) == list(JobStatus)
    for status, row in shown.items():
        assert row["is_final"] == is_final(JobStatus(status))
        moves = {move["to"]: {Actor(actor) for actor in move["by"]} for move in row["moves"]}
        assert moves == MOVES[JobStatus(status)]


async def test_each_region_offers_what_its_profile_and_its_settings_say(tmp_path: Path) -> None:
    region = {"provider": "s3", "endpoint": "http://127.0.0.1:9", "profile": "cos"}
    changed = {
        **region,
        "profile": "seaweedfs",
        "storage_classes": ["COLD"],
        "profile_overrides": {"grants": "refused"},
    }
    async with rest_rig(tmp_path, with_settings=settings(regions={HOME: region, AWAY: changed})) as rig:
        offers = {offer["name"]: offer for offer in (await capabilities(rig))["regions"]}
    assert offers[HOME]["storage_classes"] == sorted(PROFILES["cos"].storage_classes)
    assert offers[HOME]["options"] == dict(PROFILES["cos"].support)
    assert offers[AWAY]["storage_classes"] == ["COLD"]
    assert offers[AWAY]["options"]["grants"] == "refused"


async def test_every_profile_is_told_so_that_a_region_can_be_made_with_it(rig: RestRig) -> None:
    shown = {profile["name"]: profile for profile in (await capabilities(rig))["profiles"]}
    assert list(shown) == list(PROFILES)
    for name, profile in PROFILES.items():
        assert shown[name]["options"] == dict(profile.support)
        assert shown[name]["storage_classes"] == sorted(profile.storage_classes)


async def test_every_call_is_on_the_list_and_pausing_is_one(rig: RestRig) -> None:
    found = await capabilities(rig)
    assert [call["operation_id"] for call in found["calls"]] == [call.operation_id for call in all_calls()]
    assert found["can_pause"]


async def test_limits_are_those_of_the_settings(tmp_path: Path) -> None:
    async with rest_rig(tmp_path, with_settings=settings(server={"calls_per_minute": 77})) as rig:
        assert (await capabilities(rig))["limits"]["calls_per_minute"] == 77


async def test_a_job_to_begin_with_is_shown_where_there_is_one_and_can_be_made(tmp_path: Path) -> None:
    sample = job_content(description="Sample")
    async with rest_rig(tmp_path, sample=sample) as rig:
        shown = (await capabilities(rig))["sample"]
        assert shown == sample
        made = await rig.call("POST", "/jobs", json=shown)
        assert (made.status_code, made.json()["description"]) == (201, "Sample")


async def test_without_a_demo_store_there_is_none(rig: RestRig) -> None:
    assert (await capabilities(rig))["sample"] is None
