"""When a call is made again, and when it is not."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from cosbatch.client import ApiAnswer, AsyncClient, Client, ServerAddress
from cosbatch.client.job_calls import LONG_CALL_SECONDS
from cosbatch.client.patience import Patience
from cosbatch.client.refusals import Refusal
from cosbatch.model.errors import (
    CosbatchError,
    IllegalMove,
    InvalidArgument,
    ManifestFaulty,
    NoSuchJob,
    NotAuthenticated,
    ServiceUnavailable,
    ServiceUnreachable,
    TokenReused,
    TooManyAttempts,
)
from cosbatch.model.jobs import Job
from cosbatch.model.states import JobStatus
from cosbatch.web.rest.job_examples import ASKED_JOB, JOB
from tests.unit.client.scripted_transport import SILENCE, AsyncScripted, Scripted, answer, refusal
from tests.unit.storage.virtual_time import VirtualClock, virtual_time

QUICK = Patience(first_pause_seconds=0.0, poll_seconds=0.0)
SOON = {"retry-after": "0"}


def asked(answers: list[ApiAnswer | Exception], call: Callable[[Client], Any], *, patience: Patience = QUICK) -> Any:
    """What the call comes to, and how many requests it took."""
    transport = Scripted(answers)
    client = Client(transport=transport, patience=patience)
    return call(client), len(transport.sent)


def describe(client: Client) -> Job:
    return client.describe_job("j")


def test_what_only_reads_is_asked_again_after_a_silence() -> None:
    job, sent = asked([SILENCE, SILENCE, answer(JOB)], describe)
    assert (job.id, sent) == (JOB["job_id"], 3)


def test_a_silence_that_lasts_is_told() -> None:
    with pytest.raises(ServiceUnreachable):
        asked([SILENCE] * 3, describe)


def test_a_create_without_a_token_is_made_once() -> None:
    with pytest.raises(ServiceUnreachable):
        asked([SILENCE], lambda client: client.create_job(ASKED_JOB | {"client_request_token": ""}))


def test_a_create_with_a_token_is_made_again() -> None:
    job, sent = asked(
        [SILENCE, refusal(503, "ServiceUnavailable", headers=SOON), answer(JOB, status=201)],
        lambda client: client.create_job(ASKED_JOB, client_request_token="t1"),  # no secret
    )
    assert (job.id, sent) == (JOB["job_id"], 3)


@pytest.mark.parametrize("away", [SILENCE, ApiAnswer(status=504, headers={}, body=b"<html>Gateway Time-out</html>")])
def test_a_retry_that_takes_long_is_asked_again_under_one_token(away: ApiAnswer | Exception) -> None:
    transport = Scripted([away, away, answer({"job": JOB, "manifest_changed": False}, status=200)])
    made = Client(transport=transport, patience=QUICK).retry_failed("j")
    tokens = {json.loads(request.body or b"")["client_request_token"] for request in transport.sent}
    assert (made.is_new, len(transport.sent), len(tokens)) == (False, 3, 1)
    assert {request.timeout_seconds for request in transport.sent} == {LONG_CALL_SECONDS}


def test_two_retries_are_two_jobs() -> None:
    told = answer({"job": JOB, "manifest_changed": False}, status=201)
    transport = Scripted([told, told])
    client = Client(transport=transport)
    client.retry_failed("j")
    client.clone_job("j")
    assert len({json.loads(request.body or b"")["client_request_token"] for request in transport.sent}) == 2


@pytest.mark.parametrize("away", [SILENCE, ApiAnswer(status=504, headers={}, body=b"<html>Gateway Time-out</html>")])
def test_a_retry_without_an_answer_says_how_to_find_its_job(away: ApiAnswer | Exception) -> None:
    transport = Scripted([away] * 3)
    with pytest.raises(ServiceUnreachable, match="not a second one") as caught:
        Client(transport=transport, patience=QUICK).retry_failed("j")
    assert json.loads(transport.sent[0].body or b"")["client_request_token"] in str(caught.value)


def test_a_change_that_may_have_been_made_is_not_repeated() -> None:
    with pytest.raises(ServiceUnavailable):
        asked([refusal(503, "ServiceUnavailable", headers=SOON)], lambda client: client.pause_job("j"))


def test_a_call_that_came_too_often_was_not_looked_at() -> None:
    _, sent = asked(
        [refusal(429, "TooManyCalls", headers={"retry-after": "1"}), answer(JOB)],
        lambda client: client.pause_job("j"),
        patience=replace(QUICK, longest_pause_seconds=1.0),
    )
    assert sent == 2


def test_a_service_that_wants_a_long_pause_is_told_of_at_once() -> None:
    with pytest.raises(TooManyAttempts) as caught:
        asked([refusal(429, "TooManyCalls", headers={"retry-after": "3600"})], describe)
    assert caught.value.retry_after_seconds == 3600


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (404, "NoSuchJob", NoSuchJob),
        (409, "IllegalMove", IllegalMove),
        (409, "TokenReused", TokenReused),
        (400, "InvalidArgument", InvalidArgument),
        (401, "InvalidToken", NotAuthenticated),
        (400, "ManifestFaulty", ManifestFaulty),
        (418, "SomethingNew", Refusal),
    ],
)
def test_a_refusal_is_the_error_that_the_service_raised(status: int, code: str, kind: type[CosbatchError]) -> None:
    fault = {"path": "priority", "value": "0", "problem": "is out of range", "way_out": "write 1"}
    with pytest.raises(kind) as caught:
        asked([refusal(status, code, faults=[fault])], describe)
    if code in ("InvalidArgument", "ManifestFaulty", "SomethingNew"):
        assert [fault.path for fault in caught.value.faults] == ["priority"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("body", [b"<html>502</html>", b"{}", b"[]", b'{"error": 1}', b""])
def test_a_refusal_of_another_program_is_no_answer(body: bytes) -> None:
    with pytest.raises(ServiceUnreachable, match="something else than the API"):
        asked([ApiAnswer(status=502, headers={}, body=body)] * 3, describe)


@pytest.mark.parametrize("content", [{}, [], JOB | {"status": "Dreaming"}, JOB | {"request": {"region": 1}}])
def test_an_answer_that_is_not_understood_says_so(content: Any) -> None:
    with pytest.raises(Refusal, match="client of the service's own version"):
        asked([answer(content)], describe)


def test_fields_of_a_newer_service_are_passed_over() -> None:
    job, _ = asked([answer(JOB | {"mood": "cheerful"})], describe)
    assert job.id == JOB["job_id"]


def test_both_clients_have_the_same_methods() -> None:
    def shown(kind: type) -> dict[str, list[str]]:
        return {
            name: list(inspect.signature(getattr(member, "call", member)).parameters)
            for name, member in vars(kind).items()
            if not name.startswith("_")
        }

    assert shown(Client) == shown(AsyncClient)


def test_the_words_of_a_method_are_those_of_its_call() -> None:
    method = Client(transport=Scripted([])).describe_role
    assert (list(inspect.signature(method).parameters), method.__name__) == (["role_arn"], "describe_role")


def test_a_call_without_a_method_of_its_own() -> None:
    transport = Scripted([answer({"items": []})])
    found = Client(transport=transport).call("GET", "/roles", query={"limit": 5, "statuses": ["a", "b"], "none": None})
    [sent] = transport.sent
    assert (found, sent.path, sent.query) == (
        {"items": []},
        "/roles",
        (("limit", "5"), ("statuses", "a"), ("statuses", "b")),
    )


def test_an_id_cannot_leave_its_place_in_the_path() -> None:
    transport = Scripted([answer(JOB)])
    Client(transport=transport).describe_job("../roles?x=1")
    assert transport.sent[0].path == "/jobs/..%2Froles%3Fx%3D1"


@pytest.mark.parametrize(
    "url", ["", "batch.example.com", "ftp://host", "http://", "https://host/?x=1", "https://a:b@host"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        ServerAddress(url=url)
    assert caught.value.faults[0].path == "server"


def test_a_token_stands_in_no_representation() -> None:
    assert "cosb_secret" not in repr(ServerAddress(url="https://host", token="cosb_secret"))


# --- waiting


def job_in(status: JobStatus, **changes: Any) -> ApiAnswer:
    return answer(JOB | {"status": str(status)} | changes)


@virtual_time
async def test_waiting_bears_a_service_that_is_away_for_a_while(clock: VirtualClock) -> None:
    away = [SILENCE] * 30
    transport = AsyncScripted([job_in(JobStatus.ACTIVE), *away, job_in(JobStatus.COMPLETE)])
    job = await AsyncClient(transport=transport).wait_for_job("j")
    assert job.status is JobStatus.COMPLETE


async def test_waiting_ends_where_the_job_does_not_exist() -> None:
    transport = AsyncScripted([job_in(JobStatus.ACTIVE), refusal(404, "NoSuchJob")])
    with pytest.raises(NoSuchJob):
        await AsyncClient(transport=transport, patience=QUICK).wait_for_job("j")


async def test_waiting_bears_no_silence_for_ever() -> None:
    transport = AsyncScripted([SILENCE] * 100)
    patience = replace(QUICK, silence_seconds=-1.0)
    with pytest.raises(ServiceUnreachable):
        await AsyncClient(transport=transport, patience=patience).wait_for_job("j")


async def test_waiting_has_an_end() -> None:
    transport = AsyncScripted([job_in(JobStatus.ACTIVE)] * 3)
    with pytest.raises(TimeoutError):
        await AsyncClient(transport=transport, patience=QUICK).wait_for_job("j", timeout_seconds=0.0)


def test_watching_tells_each_change_and_the_end() -> None:
    steps = [job_in(JobStatus.ACTIVE)] * 3 + [job_in(JobStatus.ACTIVE, priority=99), job_in(JobStatus.COMPLETE)]
    client = Client(transport=Scripted(list(steps)), patience=QUICK)
    seen = [(job.status, job.priority) for job in client.watch_job("j")]
    assert [status for status, _ in seen] == [JobStatus.ACTIVE, JobStatus.ACTIVE, JobStatus.COMPLETE]
    assert seen[1][1] == 99
