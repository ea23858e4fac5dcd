"""A refusal on the wire, made again into the error that the service raised."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from cosbatch.client.transport import ApiAnswer
from cosbatch.model.errors import (
    AuthenticationReason,
    CosbatchError,
    Fault,
    IllegalMove,
    InvalidArgument,
    MalformedDocument,
    ManifestFaulty,
    NameTaken,
    NoSuchJob,
    NoSuchName,
    NoSuchRole,
    NotAllowed,
    NotAuthenticated,
    RequestError,
    ServiceUnavailable,
    ServiceUnreachable,
    TokenReused,
    TooManyAttempts,
    TooManyJobs,
)

_OF_CODE: Final[Mapping[str, Callable[..., RequestError]]] = {
    "AccessDenied": NotAllowed,
    "EntityAlreadyExists": NameTaken,
    "IllegalMove": IllegalMove,
    "InvalidArgument": InvalidArgument,
    "MalformedDocument": MalformedDocument,
    "NoSuchEntity": NoSuchName,
    "NoSuchJob": NoSuchJob,
    "NoSuchRole": NoSuchRole,
    "ServiceUnavailable": ServiceUnavailable,
    "TokenReused": TokenReused,
    "TooManyJobs": TooManyJobs,
}
_UNKNOWN_CALLER: Final[Mapping[str, AuthenticationReason]] = {
    "NotAuthenticated": AuthenticationReason.MISSING,
    "ExpiredToken": AuthenticationReason.TOKEN_EXPIRED,
    "InvalidToken": AuthenticationReason.TOKEN_INVALID,
}
_TOO_OFTEN: Final = 429
RETRY_SECONDS: Final = 5.0
"""Where a service that wants to be left alone does not say for how long."""


class Refusal(RequestError):
    """Any other refusal of a service, with its code and status."""

    def __init__(self, code: str, message: str, *, http_status: int, faults: Sequence[Fault] = ()) -> None:
        super().__init__(message, faults=faults)
        self.code = code
        self.http_status = http_status


def error_of(answer: ApiAnswer) -> CosbatchError:
    """Of an answer that is no success."""
    try:
        error = json.loads(answer.body)["error"]
        code, message = str(error["code"]), str(error["message"])
        faults = [_fault(fault) for fault in error.get("faults", ())]
    except (ValueError, KeyError, TypeError, AttributeError):
        return no_api(answer)
    if answer.status == _TOO_OFTEN:
        return TooManyAttempts(message, retry_after_seconds=retry_after(answer))
    if code in _UNKNOWN_CALLER:
        return NotAuthenticated(_UNKNOWN_CALLER[code], message)
    if code == "ManifestFaulty" and faults:
        return ManifestFaulty(faults)
    if code in _OF_CODE:
        return _OF_CODE[code](message, faults=faults)
    return Refusal(code, message, http_status=answer.status, faults=faults)


def no_api(answer: ApiAnswer) -> ServiceUnreachable:
    """Whatever has answered is not the service, or not whole: a proxy, another program."""
    return ServiceUnreachable(
        f"something else than the API of cosbatch has answered, with status {answer.status};"
        " look at the address of the service, and at proxies on the way"
    )


def retry_after(answer: ApiAnswer) -> float:
    sent = answer.headers.get("retry-after", "")
    return float(sent) if sent.isdecimal() else RETRY_SECONDS


def _fault(content: Mapping[str, Any]) -> Fault:
    return Fault(
        path=str(content["path"]),
        value=str(content["value"]),
        problem=str(content["problem"]),
        way_out=str(content.get("way_out", "")),
    )
