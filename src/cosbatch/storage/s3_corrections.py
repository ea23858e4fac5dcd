"""What a store refused before it did anything, put right: another host, the right time, fresh credentials.

All three are answers to a request that was not applied, so that the same one may go again, signed anew. What was put
right stays so for the requests that follow, but for the host: a redirect holds for one request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Final, TypeVar

from cosbatch.identity.credentials import Credentials, CredentialSource
from cosbatch.model.clock import Clock
from cosbatch.model.errors import StorageError, StorageReason
from cosbatch.storage import s3_errors
from cosbatch.storage.s3_requests import S3Request
from cosbatch.storage.s3_routes import Answer, Route, Routes, redirect_refused

MAX_HOPS: Final = 3
WRITE_AGAIN_SECONDS: Final = 5.0
"""A write is not sent again later than this after it was first sent: its lease may be over by then, and only whoever
sent it can tell."""
SKEW_SECONDS: Final = 900.0
"""What stores allow signatures to be off (Amazon S3, RequestTimeTooSkewed)."""

_REDIRECTS: Final = frozenset({301, 302, 307, 308})

_AnswerT = TypeVar("_AnswerT", bound=Answer)


class Flaw(StrEnum):
    """What can be put right."""

    PLACE = "place"
    TIME = "time"
    CREDENTIALS = "credentials"


def flaw_of(answer: Answer, request: S3Request, credentials: Credentials, *, signed_at: float) -> Flaw | None:
    """What a refusal is about, if it is one of these. ``signed_at``: by the clock of the signatures."""
    if answer.status in _REDIRECTS:
        return Flaw.PLACE
    date = date_of(answer)
    code, message = (s3_errors.text_between(answer.body, tag) for tag in (b"Code", b"Message"))
    match s3_errors.reason_of_code(code, message):
        case StorageReason.CLOCK_SKEWED:
            return Flaw.TIME if date is not None else None
        case StorageReason.CREDENTIALS_EXPIRED:
            return Flaw.CREDENTIALS
    return _silent_flaw(answer, credentials, date, signed_at=signed_at) if request.method == b"HEAD" else None


def _silent_flaw(answer: Answer, credentials: Credentials, date: float | None, *, signed_at: float) -> Flaw | None:
    """An answer to HEAD has no code. What is suspected is tried: at worst the same refusal comes again."""
    if answer.status not in (400, 403):
        return None
    if date is not None and abs(date - signed_at) > SKEW_SECONDS:
        return Flaw.TIME
    return Flaw.CREDENTIALS if answer.status == 400 and credentials.session_token else None


def date_of(answer: Answer) -> float | None:
    """The store's time, in Unix seconds."""
    try:
        return parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except ValueError:
        return None


class Corrections:
    """Puts right what one region's store complains of, and sends again."""

    def __init__(self, routes: Routes, *, credentials: CredentialSource, clock: Clock) -> None:
        self._routes = routes
        self._credentials = credentials
        self._clock = clock

    async def sent_again(
        self,
        answer: _AnswerT,
        request: S3Request,
        credentials: Credentials,
        send: Callable[[Route, Credentials], Awaitable[_AnswerT]],
        *,
        write_sent_at: float | None,
        follows: bool = True,
    ) -> tuple[_AnswerT, Credentials]:
        """The last answer, and the credentials that it is about; the first one where there is nothing to put right.

        ``write_sent_at``, on boottime, is None for a request that only reads; without ``follows`` a redirect is an
        answer like others. Raises StorageError WRONG_REGION for a redirect that leads out of the table or nowhere.
        """
        route, hops, tried = self._routes.home(request.bucket), 0, set[Flaw]()
        while flaw := flaw_of(answer, request, credentials, signed_at=route.signer.now()):
            if flaw in tried or (flaw is Flaw.PLACE and not follows):
                break
            if flaw is Flaw.PLACE:
                if hops == MAX_HOPS:
                    raise redirect_refused(f"the store has redirected {hops} times", answer, request)
                route, hops = self._routes.redirected(answer, request), hops + 1
            else:
                tried.add(flaw)
                stale = credentials
                credentials = await self._correct(flaw, answer, route, credentials)
                if flaw is Flaw.CREDENTIALS and credentials is stale:
                    break
            if self._is_late(write_sent_at):
                raise _too_late(answer, request)
            answer = await send(route, credentials)
        return answer, credentials

    async def _correct(self, flaw: Flaw, answer: Answer, route: Route, credentials: Credentials) -> Credentials:
        if flaw is Flaw.CREDENTIALS:
            return await self._credentials.renewed(credentials)
        date = date_of(answer)
        if date is not None:
            route.signer.set_clock(date)
        return credentials

    def _is_late(self, write_sent_at: float | None) -> bool:
        return write_sent_at is not None and self._clock.boottime() > write_sent_at + WRITE_AGAIN_SECONDS


def _too_late(answer: Answer, request: S3Request) -> StorageError:
    """Nothing was done, and the next attempt fares better."""
    return StorageError(
        StorageReason.SLOW_DOWN,
        "the store took too long to refuse the request for its place, its time or its credentials",
        code=s3_errors.text_between(answer.body, b"Code"),
        http_status=answer.status,
        target=request.target,
    )
