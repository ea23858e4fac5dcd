from __future__ import annotations

from collections.abc import Iterator

import pytest
from lxml import etree

from cosbatch.model.errors import (
    AuthenticationReason,
    Fault,
    InvalidArgument,
    LedgerUnavailable,
    NameTaken,
    NoSuchJob,
    NoSuchName,
    NoSuchResults,
    NoSuchRole,
    NotAuthenticated,
    RequestError,
    StorageError,
    StorageReason,
    TooManyAttempts,
    TooManyJobs,
)
from cosbatch.wire.cos_errors import (
    CODE_OF,
    CODE_OF_REASON,
    HTTP_STATUS,
    MESSAGE_MAX,
    CosCode,
    CosError,
    CosRefusal,
    cos_error,
    write_error,
)


def kinds(of: type[RequestError]) -> Iterator[type[RequestError]]:
    yield of
    for kind in of.__subclasses__():
        yield from kinds(kind)


def test_no_request_error_is_missed() -> None:
    """A new one needs a line in the table, as what the clients of this wire are told is a decision."""
    of_the_model = {kind for kind in kinds(RequestError) if kind.__module__ == RequestError.__module__}
    assert of_the_model - set(CODE_OF) == {NotAuthenticated}
    assert set(CODE_OF_REASON) == set(AuthenticationReason)
    assert set(HTTP_STATUS) == set(CosCode)


@pytest.mark.parametrize("kind", [kind for kind in CODE_OF if kind.code in set(CosCode)])
def test_code_and_status_are_those_of_the_model(kind: type[RequestError]) -> None:
    told = cos_error(kind("no"))
    assert (told.code, told.http_status) == (kind.code, kind.http_status)


@pytest.mark.parametrize(
    ("reason", "code", "status"),
    [
        (AuthenticationReason.MISSING, "AccessDenied", 403),
        (AuthenticationReason.REQUEST_EXPIRED, "AccessDenied", 403),
        (AuthenticationReason.CLOCK_SKEWED, "RequestTimeTooSkewed", 403),
        (AuthenticationReason.UNKNOWN_KEY, "InvalidAccessKeyId", 403),
        (AuthenticationReason.TOKEN_EXPIRED, "ExpiredToken", 400),
        (AuthenticationReason.TOKEN_INVALID, "InvalidToken", 400),
        (AuthenticationReason.SIGNATURE_WRONG, "SignatureDoesNotMatch", 403),
        (AuthenticationReason.MALFORMED, "InvalidArgument", 400),
    ],
)
def test_why_a_call_was_not_let_in(reason: AuthenticationReason, code: str, status: int) -> None:
    told = cos_error(NotAuthenticated(reason, "Request has expired"))
    assert (told.code, told.http_status, told.message) == (code, status, "Request has expired")


def test_errors_whose_codes_are_of_other_wires_get_one_of_this() -> None:
    assert {kind for kind in CODE_OF if kind.code not in set(CosCode)} == {
        NameTaken,
        NoSuchName,
        NoSuchResults,
        NoSuchRole,
        TooManyAttempts,
    }
    assert cos_error(NoSuchRole("none")).code is CosCode.INVALID_ARGUMENT
    assert cos_error(NoSuchName("none")).code is CosCode.INVALID_REQUEST
    assert cos_error(TooManyAttempts("slowly", retry_after_seconds=1.0)).http_status == 503


def test_a_kind_below_one_of_the_table_is_told_as_that_one() -> None:
    class NoSuchReport(NoSuchJob):
        pass

    assert cos_error(NoSuchReport("none")).code is CosCode.NO_SUCH_JOB


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (LedgerUnavailable("postgresql://user:secret@host"), CosCode.SERVICE_UNAVAILABLE),
        (StorageError(StorageReason.SERVER_ERROR, "secret"), CosCode.SERVICE_UNAVAILABLE),
        (RuntimeError("secret"), CosCode.INTERNAL_ERROR),
    ],
)
def test_of_other_errors_nothing_is_told_but_what_to_do(error: Exception, code: CosCode) -> None:
    told = cos_error(error)
    assert (told.code, told.http_status) == (code, 500)
    assert "secret" not in told.message


def test_faults_stand_in_the_message_in_the_words_of_the_wire() -> None:
    fault = Fault(path="manifest.spec.format", value="x", problem="is not known", way_out="write another")
    told = cos_error(InvalidArgument("no", faults=[fault, fault]))
    line = "Manifest.Spec.Format: is not known (it is 'x'); write another"
    assert told.message == f"no. {line}. {line}"
    told = cos_error(InvalidArgument("no", faults=[fault] * 1000))
    assert len(told.message) == MESSAGE_MAX


def test_what_the_wire_itself_refuses() -> None:
    told = cos_error(CosRefusal(CosCode.SLOW_DOWN, "slowly"))
    assert (told.code, told.http_status) == (CosCode.SLOW_DOWN, 503)


def test_the_body_of_an_error() -> None:
    told = CosError(code=CosCode.NO_SUCH_JOB, message='no job <"x">')
    body = write_error(told, resource="host/jobs/x", request_id="r", trace_id="t")
    assert body.startswith(b"<?xml version='1.0' encoding='utf-8'?>\n<Error>")
    assert [(element.tag, element.text) for element in etree.fromstring(body)] == [
        ("Code", "NoSuchJob"),
        ("Message", 'no job <"x">'),
        ("Resource", "host/jobs/x"),
        ("RequestId", "r"),
        ("TraceId", "t"),
    ]


def test_a_job_quota_is_500() -> None:
    assert cos_error(TooManyJobs("full")).http_status == 500
