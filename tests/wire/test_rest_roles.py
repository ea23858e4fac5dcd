"""Roles over the JSON API: registered, looked at, deleted; and the policies to paste."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from cosbatch.model.identifiers import new_job_id
from cosbatch.model.states import JobStatus
from cosbatch.web.rest.shapes import time_text
from tests.unit.service.job_builders import HOME, job_content, job_request
from tests.wire.rest_rig import ADMIN, OPERATOR, ROOT, STRANGER, VIEWER, RestRig, faults, refusal, rest_rig

ARN = "arn:aws:iam::123456789012:role/team/batch"
SECRET = "very-secret-indeed"


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[RestRig]:
    async with rest_rig(tmp_path) as made:
        yield made


def form(**changes: Any) -> Mapping[str, Any]:
    return {
        "role_arn": ARN,
        "provider": "stored",
        "access_key_id": "AKIA1",
        "secret_access_key": SECRET,
        "external_id": "cosbatch-7",
        **changes,
    }


def job_in(region: str) -> dict[str, Any]:
    """A job whose buckets are all named without a region."""
    return job_content(
        region=region,
        manifest={
            "location": {"object_arn": "arn:aws:s3:::logs-125/inv/manifest.json"},
            "spec": {"format": "COSInventoryReport_CSV_V1"},
        },
        copy={"target_resource": "arn:aws:s3:::cold-125"},
        report={"enabled": False},
    )


def place(arn: str = ARN) -> str:
    return f"/roles/{quote(arn, safe='')}"


async def registered(rig: RestRig, **changes: Any) -> Any:
    made = await rig.call("POST", "/roles", by=ADMIN, json=form(**changes))
    assert made.status_code == 201, made.text
    return made.json()


async def test_a_role_is_registered_and_nobody_sees_its_secret(rig: RestRig) -> None:
    made = await registered(rig, description="nightly")
    assert (made["is_made"], made["policies"]) == (False, None)
    shown = await rig.call("GET", place(), by=ADMIN)
    assert shown.json() == made["role"]
    assert shown.json()["provider_details"]["external_id"] == "cosbatch-7"
    listed = await rig.call("GET", "/roles", by=ADMIN)
    assert listed.json() == {"items": [made["role"]], "next_cursor": None}
    assert SECRET not in shown.text + listed.text + str(await rig.told()) + str(rig.logs)
    told = (await rig.told())[0]
    assert (told.action, told.actor, told.target, told.detail) == ("create-role", ADMIN, ARN, "registered")


async def test_jobs_that_name_a_role_are_counted(rig: RestRig) -> None:
    made = await registered(rig)
    assert made["role"]["used_by_jobs"] == {"unfinished": 0, "total": 0, "newest_at": None}
    assert made["role"]["last_test"] is None
    account = (await rig.people.describe_user(ROOT, OPERATOR)).account
    request = job_request(role_arn=ARN)
    jobs = [
        await rig.ledger.create(request, job_id=new_job_id(), account=account, token="", digest="d") for _ in range(2)
    ]
    await rig.call("PUT", f"/jobs/{jobs[0].id}/status", json={"requested_job_status": "Cancelled"})
    await rig.moved(jobs[0].id, JobStatus.CANCELLED)
    shown = (await rig.call("GET", place())).json()
    newest_at = time_text(jobs[1].created_at)
    assert shown["used_by_jobs"] == {"unfinished": 1, "total": 2, "newest_at": newest_at}


async def test_a_role_gets_another_key(rig: RestRig) -> None:
    made = await registered(rig, access_key_id="AKIDz8krbsJ5yKBZQpn74WFkmLPx39xQ2")
    assert made["role"]["key_changed_at"] is None
    key = {"access_key_id": "AKIA2", "secret_access_key": SECRET + "er"}
    answer = await rig.call("PUT", f"{place()}/key", by=ADMIN, json=key)
    assert answer.status_code == 200, answer.text
    changed = answer.json()
    details = made["role"]["provider_details"]
    assert details["access_key_id"] == "AKID…9xQ2"
    assert changed == made["role"] | {
        "key_changed_at": changed["key_changed_at"],
        "provider_details": details | {"access_key_id": "A…2"},
    }
    assert changed["key_changed_at"]
    assert (await rig.call("GET", place(), by=ADMIN)).json() == changed
    told = (await rig.told())[0]
    assert (told.action, told.actor, told.target, told.detail) == ("replace-role-key", ADMIN, ARN, "to AKIA2")
    assert SECRET not in answer.text + str(await rig.told()) + str(rig.logs)

    half = await rig.call("PUT", f"{place()}/key", by=ADMIN, json=key | {"secret_access_key": ""})
    assert faults(half) == {"key": "is incomplete"}
    assert refusal(await rig.call("PUT", f"{place()}/key", by=OPERATOR, json=key)) == (403, "AccessDenied")
    assert refusal(await rig.call("PUT", f"{place()}/key", by=STRANGER, json=key)) == (404, "NoSuchRole")


async def test_a_role_may_be_called_key(rig: RestRig) -> None:
    arn = "arn:aws:iam::123456789012:role/team/key"
    await registered(rig, role_arn=arn)
    key = {"access_key_id": "AKIA2", "secret_access_key": SECRET}
    assert (await rig.call("PUT", f"{place(arn)}/key", by=ADMIN, json=key)).json()["role_arn"] == arn
    assert (await rig.call("GET", place(arn), by=ADMIN)).json()["role_arn"] == arn


async def test_the_buckets_that_a_role_may_write(rig: RestRig) -> None:
    made = await registered(rig, writable_buckets=["cold-125", "warm-125"])
    assert made["role"]["writable_buckets"] == ["cold-125", "warm-125"]
    assert (await rig.call("GET", place(), by=VIEWER)).json()["writable_buckets"] == ["cold-125", "warm-125"]
    wrong = await rig.call("POST", "/roles", by=ADMIN, json=form(role_arn=ARN + "2", writable_buckets=["a/b"]))
    assert faults(wrong) == {"writable_buckets[0]": "is no name of a bucket"}


async def test_who_is_no_admin_sees_names_alone(rig: RestRig) -> None:
    made = await registered(rig)
    for who in (VIEWER, OPERATOR):
        answer = await rig.call("GET", place(), by=who)
        assert answer.json() == made["role"] | {"provider_details": None}


async def test_another_account_s_roles_are_not_there(rig: RestRig) -> None:
    await registered(rig)
    assert (await rig.call("GET", "/roles", by=STRANGER)).json()["items"] == []
    for method in ("GET", "DELETE"):
        assert refusal(await rig.call(method, place(), by=STRANGER)) == (404, "NoSuchRole")
    body = {"job": job_content()}
    assert refusal(await rig.call("POST", f"{place()}:test", by=STRANGER, json=body)) == (404, "NoSuchRole")


async def test_a_role_that_cannot_be_is_told_with_all_that_is_wrong(rig: RestRig) -> None:
    wrong = form(role_arn="batch", sts_endpoint="http://169.254.169.254", external_id="a b")
    answer = await rig.call("POST", "/roles", by=ADMIN, json=wrong)
    assert refusal(answer) == (400, "InvalidArgument")
    assert set(faults(answer)) == {"arn", "external_id", "sts_endpoint"}
    assert SECRET not in answer.text


async def test_a_role_is_deleted(rig: RestRig) -> None:
    await registered(rig)
    assert (await rig.call("DELETE", place(), by=ADMIN)).status_code == 204
    assert refusal(await rig.call("GET", place(), by=ADMIN)) == (404, "NoSuchRole")


async def test_the_policies_of_a_job(rig: RestRig) -> None:
    asked = {"role_arn": ARN, "provider": "aws-sts", "job": job_content(), "external_id": "cosbatch-7"}
    policies = (await rig.call("POST", "/roles:policies", json=asked)).json()
    assert policies["trust"]["Statement"][0]["Condition"] == {"StringEquals": {"sts:ExternalId": "cosbatch-7"}}
    assert policies["permission"]["Version"] == "2012-10-17"
    as_cam = (await rig.call("POST", "/roles:policies", json=asked | {"provider": "tencent-sts"})).json()
    assert as_cam["permission"]["version"] == "2.0"


@pytest.mark.parametrize("path", ["/roles:policies", f"{place()}:test"])
async def test_a_job_of_an_unknown_region_is_refused(rig: RestRig, path: str) -> None:
    await registered(rig)
    asked: dict[str, Any] = {"job": job_in("nowhere")}
    if path == "/roles:policies":
        asked |= {"role_arn": ARN, "provider": "aws-sts"}
    answer = await rig.call("POST", path, json=asked)
    assert refusal(answer) == (400, "InvalidArgument")
    assert "region" in faults(answer)


async def test_a_role_of_a_store_that_does_not_answer_cannot_be_tested(rig: RestRig) -> None:
    """Its region is at a port where nobody listens."""
    await registered(rig)
    answer = await rig.call("POST", f"{place()}:test", json={"job": job_content(region=HOME)})
    assert refusal(answer) == (503, "StoreUnavailable")
    assert SECRET not in answer.text
    assert "127.0.0.1" not in answer.text


async def test_who_may_not(rig: RestRig) -> None:
    await registered(rig)
    assert refusal(await rig.call("POST", "/roles", by=OPERATOR, json=form())) == (403, "AccessDenied")
    assert refusal(await rig.call("DELETE", place(), by=OPERATOR)) == (403, "AccessDenied")
    body = {"job": job_content()}
    assert refusal(await rig.call("POST", f"{place()}:test", by=VIEWER, json=body)) == (403, "AccessDenied")
