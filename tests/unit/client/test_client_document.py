"""The SDK has everything that the OpenAPI document has: each operation, each thing that it takes, each field told."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

import pytest

from cosbatch.client import AsyncClient, Client, people_calls
from cosbatch.client.methods import AsyncMethod, Method
from cosbatch.client.paging import Page
from cosbatch.client.region_shapes import RegionFields
from cosbatch.client.shape_reader import paths_of
from cosbatch.model.errors import Fault
from cosbatch.model.jobs import Job

DOCUMENT: Final = json.loads((Path(__file__).parents[3] / "docs/reference/openapi.json").read_text())
SCHEMAS: Final = DOCUMENT["components"]["schemas"]
OPERATIONS: Final = {
    operation["operationId"]: operation for path in DOCUMENT["paths"].values() for operation in path.values()
}
HELD_ELSEWHERE: Final = (Job,)
"""A job's fields are held by test_client_fields."""
WHOLE_DOCUMENT: Final = Mapping[str, Any]
UNWRAPPED: Final = {"job_estimate": "estimate"}
"""Operations of which the client gives the one field that they have."""
TAKES_A_JOB: Final = frozenset({"create_job", "check_job"})
"""The whole body is a job document."""
TAKEN_AS: Final[Mapping[str, str]] = {
    "status": "statuses",
    "group": "groups",
    "q": "search",
    "direction": "descending",
    "range": "last",
    "format": "form",
    "webhook_name": "webhook",
    "Idempotency-Key": "client_request_token",
}
"""What a method calls by another name than the document, wherever it has not that one."""
OF_A_MANIFEST: Final = frozenset({"object_arn", "etag", "object_version_id", "format", "fields", "key_encoding"})


def call_of(name: str) -> Any:
    member = vars(Client)[name]
    return member.call if isinstance(member, Method) else getattr(people_calls, name)


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_operation_has_a_method_in_both_clients(name: str) -> None:
    waits, later = vars(Client).get(name), vars(AsyncClient).get(name)
    assert waits is not None
    assert later is not None
    if isinstance(waits, Method):
        assert isinstance(later, AsyncMethod)
        assert waits.call == later.call


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_method_takes_what_its_operation_takes(name: str) -> None:
    has = set(inspect.signature(call_of(name)).parameters)
    lacking = {one for one in inputs_of(name) if one not in has and TAKEN_AS.get(one) not in has}
    assert lacking == set()


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_method_tells_what_its_operation_tells(name: str) -> None:
    [told] = get_args(get_type_hints(call_of(name), include_extras=True)["return"])
    schema = told_by(name)
    assert (schema is None) == (told is NoneType)
    if schema is not None:
        assert list(lacking_fields(schema, told, name)) == []


def test_the_walk_sees_what_lacks() -> None:
    """A schema with one field more on each level of a role."""
    longer = {**SCHEMAS, "RoleView": with_more(SCHEMAS["RoleView"])}
    longer["ProviderDetails"] = with_more(SCHEMAS["ProviderDetails"])
    [told] = get_args(get_type_hints(call_of("list_roles"), include_extras=True)["return"])
    found = lacking_fields(SCHEMAS["RolePage"], told, "list_roles", schemas=longer)
    assert set(found) == {"list_roles.items.mood", "list_roles.items.provider_details.mood"}


def with_more(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {**schema, "properties": {**schema["properties"], "mood": {"type": "string"}}}


def inputs_of(name: str) -> set[str]:
    operation = OPERATIONS[name]
    found = {one["name"] for one in operation.get("parameters", ())}
    if name in TAKES_A_JOB:
        return found
    for content in operation.get("requestBody", {}).get("content", {}).values():
        [schema] = (one for one in alternatives(content["schema"], SCHEMAS) if one.get("type") != "null")
        taken = set(schema.get("properties", ()))
        if name in ("create_region", "update_region"):
            taken = (taken - set(RegionFields.__annotations__)) | {"fields"}
        if name in ("inspect_manifest", "check_manifest"):
            taken = (taken - {"manifest"}) | OF_A_MANIFEST
        found |= taken
    return found


def told_by(name: str) -> Mapping[str, Any] | None:
    """The schema of a success in JSON; None where it is empty, or goes into a file."""
    successes = [answer for status, answer in OPERATIONS[name]["responses"].items() if status.startswith("2")]
    contents = [answer.get("content", {}) for answer in successes]
    if any(len(content) != 1 or "application/json" not in content for content in contents):
        return None
    [schema] = {json.dumps(content["application/json"]["schema"]) for content in contents}
    return dict(json.loads(schema))


def lacking_fields(
    schema: Mapping[str, Any], kind: Any, where: str, *, schemas: Mapping[str, Any] = SCHEMAS
) -> Iterator[str]:
    """Fields of ``schema`` that the type ``kind`` has no place for."""
    kind = without_notes(kind)
    if kind == WHOLE_DOCUMENT:
        return
    schema, *_ = (one for one in alternatives(schema, schemas) if one.get("type") != "null")
    if where in UNWRAPPED:
        schema = schema["properties"][UNWRAPPED[where]]
    if kind in HELD_ELSEWHERE or "properties" not in schema:
        if schema.get("type") == "array":
            yield from lacking_fields(schema["items"], get_args(kind)[0], where, schemas=schemas)
        elif isinstance(schema.get("additionalProperties"), dict) and get_origin(kind) is not None:
            yield from lacking_fields(schema["additionalProperties"], get_args(kind)[1], where, schemas=schemas)
        return
    places = places_of(kind)
    for name, below in schema["properties"].items():
        inside = [path for path in places if path[0] == name]
        if not inside:
            yield f"{where}.{name}"
        elif (name,) in places:
            yield from lacking_fields(below, places[name,], f"{where}.{name}", schemas=schemas)
        else:
            [resolved] = alternatives(below, schemas)
            yield from (f"{where}.{name}.{one}" for one in resolved["properties"] if (name, one) not in places)


def places_of(kind: Any) -> Mapping[tuple[str, ...], Any]:
    """Where a type takes its fields from, with their types."""
    if get_origin(kind) is Page:
        return {("items",): tuple.__class_getitem__((get_args(kind)[0], ...)), ("next_cursor",): str}
    if kind is Fault or isinstance(kind, type):
        kinds = get_type_hints(kind, include_extras=True)
        return {path: kinds[name] for name, path in paths_of(kind).items()}
    return {}


def without_notes(kind: Any) -> Any:
    while get_origin(kind) in (Annotated, Union, UnionType):
        kind = next(one for one in get_args(kind) if one is not NoneType)
    return kind


def alternatives(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "$ref" in schema:
        yield from alternatives(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    elif "anyOf" in schema:
        for one in schema["anyOf"]:
            yield from alternatives(one, schemas)
    else:
        yield schema
