"""Errors as COS's wire tells them: code, HTTP status, and the ``<Error>`` body.

Source: COS Batch, error responses (436/38610), and the error codes of COS (436/7730). ServiceUnavailable and
TooManyJobs are 500 there, not 503.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cosbatch.model.errors import (
    AuthenticationReason,
    IllegalMove,
    InvalidArgument,
    LedgerError,
    MalformedDocument,
    NameTaken,
    NoSuchJob,
    NoSuchName,
    NoSuchResults,
    NoSuchRole,
    NotAllowed,
    NotAuthenticated,
    RequestError,
    ServiceUnavailable,
    StorageError,
    TokenReused,
    TooManyAttempts,
    TooManyJobs,
)
from cosbatch.wire.cos_requests import spell_fault
from cosbatch.wire.xml import branch, leaf, write

MESSAGE_MAX: Final = 4096


class CosCode(StrEnum):
    """The codes that this wire answers with."""

    ACCESS_DENIED = "AccessDenied"
    BAD_DIGEST = "BadDigest"
    EXPIRED_TOKEN = "ExpiredToken"  # noqa: S105  # a wire code
    INTERNAL_ERROR = "InternalError"
    INVALID_ACCESS_KEY_ID = "InvalidAccessKeyId"
    INVALID_ARGUMENT = "InvalidArgument"
    INVALID_DIGEST = "InvalidDigest"
    INVALID_REQUEST = "InvalidRequest"
    INVALID_TOKEN = "InvalidToken"  # noqa: S105  # a wire code
    MALFORMED_XML = "MalformedXML"
    METHOD_NOT_ALLOWED = "MethodNotAllowed"
    NO_SUCH_JOB = "NoSuchJob"
    REQUEST_TIME_TOO_SKEWED = "RequestTimeTooSkewed"
    SERVICE_UNAVAILABLE = "ServiceUnavailable"
    SIGNATURE_DOES_NOT_MATCH = "SignatureDoesNotMatch"
    SLOW_DOWN = "SlowDown"
    TOO_MANY_JOBS = "TooManyJobs"
    XML_SIZE_LIMIT = "XMLSizeLimit"


HTTP_STATUS: Final[Mapping[CosCode, int]] = {
    CosCode.ACCESS_DENIED: 403,
    CosCode.BAD_DIGEST: 400,
    CosCode.EXPIRED_TOKEN: 400,
    CosCode.INTERNAL_ERROR: 500,
    CosCode.INVALID_ACCESS_KEY_ID: 403,
    CosCode.INVALID_ARGUMENT: 400,
    CosCode.INVALID_DIGEST: 400,
    CosCode.INVALID_REQUEST: 400,
    CosCode.INVALID_TOKEN: 400,
    CosCode.MALFORMED_XML: 400,
    CosCode.METHOD_NOT_ALLOWED: 405,
    CosCode.NO_SUCH_JOB: 404,
    CosCode.REQUEST_TIME_TOO_SKEWED: 403,
    CosCode.SERVICE_UNAVAILABLE: 500,
    CosCode.SIGNATURE_DOES_NOT_MATCH: 403,
    CosCode.SLOW_DOWN: 503,
    CosCode.TOO_MANY_JOBS: 500,
    CosCode.XML_SIZE_LIMIT: 400,
}

CODE_OF: Final[Mapping[type[RequestError], CosCode]] = {
    RequestError: CosCode.INVALID_REQUEST,
    InvalidArgument: CosCode.INVALID_ARGUMENT,
    NoSuchJob: CosCode.NO_SUCH_JOB,
    IllegalMove: CosCode.INVALID_REQUEST,
    TokenReused: CosCode.INVALID_REQUEST,
    MalformedDocument: CosCode.MALFORMED_XML,
    NotAllowed: CosCode.ACCESS_DENIED,
    NoSuchResults: CosCode.INVALID_REQUEST,
    NoSuchRole: CosCode.INVALID_ARGUMENT,
    NoSuchName: CosCode.INVALID_REQUEST,
    NameTaken: CosCode.INVALID_REQUEST,
    TooManyAttempts: CosCode.SLOW_DOWN,
    TooManyJobs: CosCode.TOO_MANY_JOBS,
    ServiceUnavailable: CosCode.SERVICE_UNAVAILABLE,
}
"""NotAuthenticated has a table of its own. Calls of this wire do not deal with names and roles by themselves, so their
errors get the code that says most nearly what is wrong with the call."""

CODE_OF_REASON: Final[Mapping[AuthenticationReason, CosCode]] = {
    AuthenticationReason.MISSING: CosCode.ACCESS_DENIED,
    AuthenticationReason.REQUEST_EXPIRED: CosCode.ACCESS_DENIED,
    AuthenticationReason.CLOCK_SKEWED: CosCode.REQUEST_TIME_TOO_SKEWED,
    AuthenticationReason.UNKNOWN_KEY: CosCode.INVALID_ACCESS_KEY_ID,
    AuthenticationReason.TOKEN_EXPIRED: CosCode.EXPIRED_TOKEN,
    AuthenticationReason.TOKEN_INVALID: CosCode.INVALID_TOKEN,
    AuthenticationReason.SIGNATURE_WRONG: CosCode.SIGNATURE_DOES_NOT_MATCH,
    AuthenticationReason.MALFORMED: CosCode.INVALID_ARGUMENT,
}


class CosRefusal(RequestError):
    """What this wire itself refuses, with a code that the model has no error for."""

    def __init__(self, cos_code: CosCode, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        """``headers`` go with the answer."""
        super().__init__(message)
        self.cos_code = cos_code
        self.headers = dict(headers or {})
        self.code = str(cos_code)
        self.http_status = HTTP_STATUS[cos_code]


@dataclass(frozen=True, slots=True, kw_only=True)
class CosError:
    code: CosCode
    message: str

    @property
    def http_status(self) -> int:
        return HTTP_STATUS[self.code]


def cos_error(error: Exception) -> CosError:
    """What a client is told. Of an error that is not the caller's fault it learns no more than what to do."""
    match error:
        case CosRefusal():
            return CosError(code=error.cos_code, message=_message(error))
        case NotAuthenticated():
            return CosError(code=CODE_OF_REASON[error.reason], message=_message(error))
        case RequestError():
            return CosError(code=_code_of(type(error)), message=_message(error))
        case LedgerError():
            message = "the ledger does not answer now; a change may or may not have been made: look before you repeat"
            return CosError(code=CosCode.SERVICE_UNAVAILABLE, message=message)
        case StorageError():
            message = "the store does not answer now, so the manifest cannot be looked at; repeat it later"
            return CosError(code=CosCode.SERVICE_UNAVAILABLE, message=message)
        case _:
            message = "a fault of the service; its log has more under this request id"
            return CosError(code=CosCode.INTERNAL_ERROR, message=message)


def _code_of(kind: type[RequestError]) -> CosCode:
    """Of the nearest class that the table has."""
    return next(CODE_OF[base] for base in kind.__mro__ if base in CODE_OF)


def _message(error: RequestError) -> str:
    """All in one line: clients print it so."""
    faults = [str(spell_fault(fault)) for fault in error.faults]
    text = ". ".join([error.message, *faults])
    return text if len(text) <= MESSAGE_MAX else text[: MESSAGE_MAX - 3] + "..."


def write_error(error: CosError, *, resource: str, request_id: str, trace_id: str) -> bytes:
    return write(
        branch(
            "Error",
            leaf("Code", error.code),
            leaf("Message", error.message),
            leaf("Resource", resource),
            leaf("RequestId", request_id),
            leaf("TraceId", trace_id),
        ),
        with_declaration=True,
    )
