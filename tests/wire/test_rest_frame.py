"""What every call of the JSON API has: one shape of refusals, checks of what is sent, answers that can be kept."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cosbatch.model.errors import (
    AuthenticationReason,
    CosbatchError,
    LedgerUnavailable,
    NotAuthenticated,
    RequestError,
    StorageError,
    StorageReason,
)
from cosbatch.web.rest import errors
from cosbatch.web.rest.bodies import BODY_MAX_BYTES
from cosbatch.web.rest.errors import ERROR_CODES, told_of
from tests.unit.service.job_builders import job_content
from tests.wire.rest_rig import VIEWER, RestRig, faults, refusal, rest_rig


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[RestRig]:
    async with rest_rig(tmp_path) as made:
        yield made


async def send(rig: RestRig, body: bytes, content_type: str = "application/json", **headers: str) -> httpx.Response:
    sent = {"content-type": content_type, **headers}
    return await rig.call("POST", "/jobs", content=body, headers=sent)


# --- paths and methods


@pytest.mark.parametrize(
    "path", ["", "/", "/nothing", "/jobs/some/nothing", "/JOBS/some", "/session/", "/openapi.yaml"]
)
async def test_a_path_that_is_none_is_told_in_the_same_shape(rig: RestRig, path: str) -> None:
    assert refusal(await rig.call("GET", path)) == (404, "NoSuchPath")


async def test_a_method_that_is_none_is_told_with_those_that_are(rig: RestRig) -> None:
    answer = await rig.call("PATCH", "/session")
    assert refusal(answer) == (405, "MethodNotAllowed")
    assert answer.headers["allow"] == "DELETE, GET, POST"


async def test_pages_that_would_load_from_elsewhere_are_not_there(rig: RestRig) -> None:
    for path in ("/docs", "/redoc", "/docs/oauth2-redirect"):
        assert refusal(await rig.call("GET", path)) == (404, "NoSuchPath")


# --- what is sent


@pytest.mark.parametrize(
    ("body", "path", "problem"),
    [
        (b'{"region": }', "body:1:12", "is no JSON: Expecting value"),
        (b'{\n "region": "a"\n', "body:3:1", "is no JSON"),
        (b'{"region": "a", "region": "b"}', "region", "stands twice"),
        (b'{"priority": NaN}', "body", "has NaN, which is no JSON"),
        (b'{"priority": 1e999}', "body", "has the number 1e999"),
        (b'{"priority": ' + b"9" * 65 + b"}", "body", "has a number of 65 digits"),
        (b'{"description": "\\ud800"}', "body", "has half a character"),
        (b'{"description": "\xff"}', "body", "is not UTF-8 at byte 17"),
        (b"\xef\xbb\xbf{}", "body:1:1", "is no JSON"),
        ('{"region": "ä"}'.encode("utf-16"), "body", "is not UTF-8"),
        (b"[" * 33 + b"]" * 33, "body:1:33", "is more than 32 levels deep"),
        (b'{"a":\n ' + b'{"a":' * 200_000, "body:2:157", "is more than 32 levels deep"),
    ],
)
async def test_what_is_no_json_is_told_with_its_place(rig: RestRig, body: bytes, path: str, problem: str) -> None:
    answer = await send(rig, body[: BODY_MAX_BYTES - 1])
    assert refusal(answer) == (400, "MalformedDocument")
    (found,) = faults(answer)
    assert found == path
    assert faults(answer)[found].startswith(problem)


async def test_brackets_and_escapes_in_texts_are_texts(rig: RestRig) -> None:
    body = json.dumps(job_content(description='[{"' * 40 + "\\" + "😀")).encode()
    assert (await send(rig, body)).status_code == 201


@pytest.mark.parametrize("size", [BODY_MAX_BYTES + 1, 2**21])
async def test_a_body_that_is_too_long_is_refused(rig: RestRig, size: int) -> None:
    assert refusal(await send(rig, b" " * size)) == (413, "BodyTooLarge")


async def test_a_body_that_is_hard_to_read_is_quickly_refused(rig: RestRig) -> None:
    """The limit of the whole suite would notice one that takes a time that grows with the square of its length."""
    hard = [b'"\\' * 250_000, b'"' * 500_001, b"{" + b",".join(b'"%d":0' % n for n in range(40_000)) + b',"7":0}']
    for body in hard:
        assert refusal(await send(rig, body)) == (400, "MalformedDocument")


async def test_an_announced_length_is_believed(rig: RestRig) -> None:
    assert refusal(await send(rig, b"{}", **{"content-length": "9" * 30})) == (413, "BodyTooLarge")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
async def test_a_body_of_another_kind_is_refused(rig: RestRig, kind: str) -> None:
    """A form of another site could send these."""
    assert refusal(await send(rig, b"{}", kind)) == (415, "UnsupportedMediaType")


async def test_a_body_may_name_its_encoding(rig: RestRig) -> None:
    body = json.dumps(job_content()).encode()
    assert (await send(rig, body, "Application/JSON; charset=utf-8")).status_code == 201


async def test_a_body_that_is_missing_is_a_fault(rig: RestRig) -> None:
    answer = await rig.call("POST", "/jobs")
    assert refusal(answer) == (400, "InvalidArgument")
    assert list(faults(answer).values()) == ["is missing"]


async def test_a_parameter_that_nobody_knows_is_refused_with_one_that_may_be_meant(rig: RestRig) -> None:
    job_id = await rig.made()
    answer = await rig.call("GET", f"/jobs/{job_id}/events", params={"limt": "3", "cursor": "", "x": ""})
    assert refusal(answer) == (400, "InvalidArgument")
    told = {fault["path"]: fault["way_out"] for fault in answer.json()["error"]["faults"]}
    assert told == {"limt": 'did you mean "limit"?', "x": "known are cursor, limit"}
    assert refusal(await rig.call("GET", f"/jobs/{job_id}", params={"limit": "1"})) == (400, "InvalidArgument")


async def test_all_faults_are_told_at_once_with_their_paths(rig: RestRig) -> None:
    job_id = await rig.made()
    answer = await rig.call("PUT", f"/jobs/{job_id}/priority", json={"priority": -1, "colour": "red"})
    assert refusal(answer) == (400, "InvalidArgument")
    assert set(faults(answer)) == {"priority", "colour"}
    answer = await rig.call("GET", f"/jobs/{job_id}/events", params={"limit": "1001"})
    assert list(faults(answer)) == ["limit"]


async def test_who_may_not_learns_nothing_about_what_he_sent(rig: RestRig) -> None:
    assert refusal(await rig.call("POST", "/jobs", by=None, content=b"{")) == (401, "NotAuthenticated")
    answer = await rig.call("POST", "/jobs", by=VIEWER, content=b"{", params={"x": "1"})
    assert refusal(answer) == (403, "AccessDenied")
    message = answer.json()["error"]["message"]
    assert "takes the role operator" in message
    assert "scope jobs:write" in message


# --- answers


@pytest.mark.parametrize(("accepted", "encoding"), [("gzip", "gzip"), ("identity", None), ("gzip;q=0", None)])
async def test_a_long_answer_comes_as_small_as_its_reader_takes_it(
    rig: RestRig, accepted: str, encoding: str | None
) -> None:
    long = await rig.call("GET", "/capabilities", headers={"accept-encoding": accepted})
    assert long.headers.get("content-encoding") == encoding
    assert long.json()["version"]
    assert "accept-encoding" in long.headers["vary"]
    again = await rig.call("GET", "/capabilities", headers={"if-none-match": long.headers["etag"]})
    assert again.status_code == 304


async def test_a_session_is_never_told_smaller_than_it_is(rig: RestRig) -> None:
    """For its CSRF token may not be guessed by lengths."""
    told = await rig.call("GET", "/session", headers={"accept-encoding": "gzip"})
    assert (told.status_code, told.headers.get("content-encoding")) == (200, None)


async def test_an_answer_can_be_kept_for_as_long_as_it_holds(rig: RestRig) -> None:
    job_id = await rig.made()
    first = await rig.call("GET", f"/jobs/{job_id}")
    tag = first.headers["etag"]
    assert re.fullmatch(r'W/"[0-9a-f]{32}"', tag)
    assert first.headers["cache-control"] == "private, no-cache"
    for held in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        again = await rig.call("GET", f"/jobs/{job_id}", headers={"if-none-match": held})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert again.headers["x-request-id"]
    await rig.call("PUT", f"/jobs/{job_id}/priority", json={"priority": 11})
    changed = await rig.call("GET", f"/jobs/{job_id}", headers={"if-none-match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


async def test_writes_and_refusals_are_not_kept(rig: RestRig) -> None:
    made = await rig.call("POST", "/jobs", json=job_content(), headers={"if-none-match": "*"})
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    assert "etag" not in made.headers
    refused = await rig.call("GET", "/jobs/none", headers={"if-none-match": "*"})
    assert refusal(refused) == (404, "NoSuchJob")
    assert "etag" not in refused.headers


async def test_no_answer_is_taken_for_another_kind_of_file(rig: RestRig) -> None:
    for path in ("/session", "/nothing"):
        assert (await rig.call("GET", path)).headers["x-content-type-options"] == "nosniff"


# --- refusals


async def test_a_fault_of_the_service_tells_nothing_of_itself(rig: RestRig) -> None:
    rig.looks.refusal = ZeroDivisionError("/secret/path")
    answer = await rig.call("POST", "/jobs", json=job_content())
    assert refusal(answer) == (500, "InternalError")
    assert "secret" not in answer.text
    line = next(line for line in rig.logs if line["event"] == "internal-error")
    assert "/secret/path" in line["error"]


async def test_a_ledger_that_does_not_answer_is_trouble_that_passes(rig: RestRig) -> None:
    await rig.token("olga")
    await rig.ledger.close()
    answer = await rig.call("GET", "/session")
    assert refusal(answer) == (503, "ServiceUnavailable")
    assert answer.headers["retry-after"] == "5"
    assert str(rig.folder) not in answer.text


async def test_a_store_that_does_not_answer_is_named(rig: RestRig) -> None:
    rig.looks.refusal = StorageError(StorageReason.CONNECT_TIMEOUT, "no connection in 10 s")
    answer = await rig.call("POST", "/jobs", json=job_content())
    assert refusal(answer) == (503, "StoreUnavailable")


def test_every_code_is_on_the_list_with_its_status() -> None:
    known = {code: int(text.partition(":")[0]) for code, text in ERROR_CODES.items()}
    for kind in _below(RequestError):
        if kind.__module__.startswith("cosbatch.client"):
            continue  # made of what a service has told
        error = _built(kind)
        told = told_of(error)
        assert (told.code, known.get(told.code)) == (told.code, told.status), kind
    for reason in (
        AuthenticationReason.MISSING,
        AuthenticationReason.TOKEN_INVALID,
        AuthenticationReason.TOKEN_EXPIRED,
    ):
        told = told_of(NotAuthenticated(reason, "who?"))
        assert known[told.code] == told.status == 401
    assert known[told_of(LedgerUnavailable("no")).code] == 503
    assert known[told_of(CosbatchError("?")).code] == known[told_of(ValueError("?")).code] == 500


def test_every_refusal_of_the_api_has_a_code_of_the_list() -> None:
    folder = Path(errors.__file__).parent
    written = [
        code
        for page in folder.glob("*.py")
        for code in re.findall(r"RestRefusal\(\s*\"(\w+)\"", page.read_text(encoding="utf-8"))
    ]
    assert len(written) > 3
    assert set(written) <= set(ERROR_CODES)


def _below(kind: type[RequestError]) -> list[type[RequestError]]:
    """Of this program, without the wires' own."""
    found = [below for below in kind.__subclasses__() if ".wire." not in below.__module__]
    return [*found, *(deeper for below in found for deeper in _below(below))]


def _built(kind: type[RequestError]) -> RequestError:
    options: list[dict[str, Any]] = [{}, {"retry_after_seconds": 1.0}]
    if kind is errors.RestRefusal:
        return errors.RestRefusal("CsrfRefused", "no", http_status=403)
    if kind is NotAuthenticated:
        return NotAuthenticated(AuthenticationReason.MISSING, "who?")
    for chosen in options:
        try:
            return kind("no", **chosen)
        except TypeError:
            continue
    raise AssertionError(f"{kind} is built in a way that this test does not know")
