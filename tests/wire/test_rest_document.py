"""The OpenAPI document of the JSON API: it is one, its examples are true, and what is answered is what it says.

Schemathesis makes the calls, from the document alone, and looks at each answer; the same ones in every run.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

import httpx
import jsonschema_rs
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, CheckFunction, GenerationMode
from schemathesis.checks import CHECKS
from schemathesis.core.result import Ok
from schemathesis.generation.case import Case

from cosbatch.web.rest.app import all_calls, bare_app
from cosbatch.web.rest.calls import Call
from tests.unit.service.job_builders import job_content
from tests.wire.rest_ids import ASKS_A_STORE, ids_of_first_account
from tests.wire.rest_rig import ADMIN, RestRig, rest_rig, settings

Operation = APIOperation[Any, Any, Any, Any]
CALLS: Final = all_calls()
DOCUMENT: Final = bare_app(CALLS, version="1").openapi()


def operations() -> Iterator[tuple[Call, dict[str, Any]]]:
    for call in CALLS:
        yield call, DOCUMENT["paths"][call.shown_path][call.method.lower()]


def examples() -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Where it is, the example, and its schema."""
    for call, operation in operations():
        bodies = {"request": operation.get("requestBody", {}), **operation["responses"]}
        for place, body in bodies.items():
            content = body.get("content", {}).get("application/json", {})
            if "example" in content:
                yield f"{call.operation_id} {place}", content["example"], content["schema"]


# --- the document


def test_the_document_is_one_of_openapi_31() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    assert DOCUMENT["servers"] == [{"url": "/api/v1"}]
    for name, schema in DOCUMENT["components"]["schemas"].items():
        assert jsonschema_rs.meta.is_valid({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}), name
    named = set(re.findall(r'"#/components/(\w+)/([\w.-]+)"', json.dumps(DOCUMENT)))
    assert {(kind, name) for kind, name in named if name not in DOCUMENT["components"][kind]} == set()


def test_the_document_names_no_other_host() -> None:
    """Examples have addresses that nobody owns (RFC 2606), and this host's."""
    named = re.findall(r"https?://([\w.-]+|\[::1\])", json.dumps(DOCUMENT))
    assert {name for name in named if name != "[::1]" and not name.endswith("example.com")} == set()


def test_the_document_is_the_same_each_time() -> None:
    assert json.dumps(bare_app(all_calls(), version="1").openapi()) == json.dumps(DOCUMENT)


def test_every_call_says_what_it_is_and_shows_an_example() -> None:
    for call, operation in operations():
        assert operation["summary"], call
        assert not operation["summary"].endswith("."), call
        assert operation["description"], call
        assert operation["operationId"] == call.operation_id
        content = operation["responses"][str(call.status)].get("content", {})
        if "application/json" in content:
            assert "example" in content["application/json"], call
        if "requestBody" in operation:
            assert "example" in operation["requestBody"]["content"]["application/json"], call


@pytest.mark.parametrize(
    ("place", "example", "schema"), list(examples()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_example_is_of_its_schema(place: str, example: Any, schema: dict[str, Any]) -> None:
    whole = {**schema, "components": DOCUMENT["components"]}
    faults = [error.message for error in jsonschema_rs.Draft202012Validator(whole).iter_errors(example)]
    assert faults == [], place


async def test_the_service_answers_its_document(tmp_path: Path) -> None:
    async with rest_rig(tmp_path) as rig:
        answer = await rig.call("GET", "/openapi.json", by=None)
        assert answer.status_code == 200
        assert answer.json() == {**DOCUMENT, "info": answer.json()["info"]}
        assert answer.headers["etag"]


# --- what is answered

EXAMPLES_EACH: Final = 10
CHECKED: Final = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
)
"""Of schemathesis's. What it sends at random and the document allows may still be refused: rules between fields and the
state of a job stand in no schema."""


OPERATIONS: Final[tuple[dict[str, Any], ...]] = (
    {"cos_put_object_copy": {"target_resource": "qcs::cos:ap-guangzhou::cold-125"}},
    {
        "cos_put_object_copy": {
            "target_resource": "arn:aws:s3:::cold-125",
            "target_region": "ap-shanghai",
            "canned_access_control_list": "private",
            "prefix_replace": True,
            "resources_prefix": "in/",
            "target_key_prefix": "out/",
            "modified_since_constraint": 1_700_000_000,
            "un_modified_since_constraint": "2026-01-01T00:00:00Z",
            "metadata_directive": "Replaced",
            "new_object_metadata": {"content_type": "text/plain", "user_metadata": [{"key": "a", "value": "b"}]},
            "storage_class": "ARCHIVE",
            "tagging_directive": "Add",
            "new_object_tagging": [{"key": "a", "value": ""}],
        }
    },
    {"cos_initiate_restore_object": {"expiration_in_days": 3, "job_tier": "Bulk"}},
    {"cos_delete_object": {}},
    {"cos_put_object_tagging": {"tagging_directive": "Replaced", "tag_set": [{"key": "a", "value": "b"}]}},
)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: next(iter(operation)))
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"report": {"enabled": False}, "failure_threshold": "never", "priority": 0},
        {"dry_run": True, "windows": ["mon-fri 22:00-06:00 Asia/Shanghai"]},
    ],
    ids=str,
)
async def test_a_job_is_sent_and_answered_as_the_document_says(
    tmp_path: Path, operation: dict[str, Any], more: dict[str, Any]
) -> None:
    body = {**job_content(**more), "operation": operation}
    if "cos_delete_object" in operation:
        body["confirm_delete_count"] = 120
    assert faults_in(body, "JobForm") == []
    async with rest_rig(tmp_path, with_settings=settings(server={"deletes_allowed": True})) as rig:
        answer = await rig.call("POST", "/jobs", json=body)
    assert answer.status_code == 201, answer.text
    assert faults_in(answer.json(), "JobView") == []


def faults_in(content: Any, name: str) -> list[str]:
    whole = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    return [error.message for error in jsonschema_rs.Draft202012Validator(whole).iter_errors(content)]


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as made:
        yield made


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
@pytest.mark.parametrize("tag", sorted({call.tag for call in CALLS}))
def test_every_answer_is_as_the_document_says(
    runner: asyncio.Runner, tmp_path: Path, tag: str, mode: GenerationMode
) -> None:
    often = settings(server={"calls_per_minute": 10**6, "logins_per_minute": 10**6})
    opened = rest_rig(tmp_path, with_settings=often)
    rig = runner.run(opened.__aenter__())
    try:
        tried = {name: _tried(runner, rig, operation, mode) for name, operation in _operations_of(tag)}
    finally:
        runner.run(opened.__aexit__(None, None, None))
    assert set(tried) == {call.operation_id for call in CALLS if call.tag == tag}
    for name in ASKS_A_STORE & tried.keys():  # the stores of the rig answer nobody
        tried[name] = {200 if status == 503 else status for status in tried[name]}
    assert [status for statuses in tried.values() for status in statuses if status >= 500] == []
    if mode is GenerationMode.POSITIVE:
        assert [name for name, statuses in tried.items() if not statuses] == []


def _operations_of(tag: str) -> Iterator[tuple[str, Operation]]:
    for made in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations():
        assert isinstance(made, Ok)
        operation = made.ok()
        if operation.definition.raw["tags"] == [tag]:
            yield operation.definition.raw["operationId"], operation


def _tried(runner: asyncio.Runner, rig: RestRig, operation: Operation, mode: GenerationMode) -> set[int]:
    """The statuses that an operation has answered. Ids in its path are half of the time those of things that exist."""
    asks_a_store = operation.definition.raw["operationId"] in ASKS_A_STORE
    checks = [
        cast(CheckFunction, CHECKS.get_one(name))
        for name in CHECKED
        if not (asks_a_store and name == "not_a_server_error")
    ]
    mine = runner.run(ids_of_first_account(rig, re.findall(r"\{(\w+)", operation.path)))
    cases = operation.as_strategy(generation_mode=mode)
    known = operation.as_strategy(generation_mode=mode, path_parameters=mine) if mine else cases
    statuses = set()

    @hypothesis_settings(
        max_examples=EXAMPLES_EACH,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases | known)
    def ask(case: Case[Any]) -> None:
        answer = runner.run(_sent(rig, case))
        statuses.add(answer.status_code)
        case.validate_response(answer, checks=checks)

    try:
        ask()
    except Unsatisfiable:  # nothing wrong can be sent where nothing is taken
        assert mode is GenerationMode.NEGATIVE
    return statuses


async def _sent(rig: RestRig, case: Case[Any]) -> httpx.Response:
    prepared = requests.Request(**case.as_transport_kwargs(base_url="http://cosbatch.test/api/v1")).prepare()
    headers = [(str(name), str(value)) for name, value in prepared.headers.items() if name.lower() != "authorization"]
    headers.append(("authorization", f"Bearer {await rig.token(ADMIN)}"))
    assert prepared.method is not None
    assert prepared.url is not None
    body = prepared.body
    assert body is None or isinstance(body, str | bytes)
    request = rig.client.build_request(prepared.method, prepared.url, headers=headers, content=body)
    return await rig.client.send(request)
