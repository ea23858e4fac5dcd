"""The audit log: who changed what, and what was refused."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, Query
from pydantic import AwareDatetime, BeforeValidator, Field
from starlette.responses import Response, StreamingResponse

from cosbatch.ledger.people_port import AuditFilter, AuditLine, Outcome
from cosbatch.model.identifiers import AccountId
from cosbatch.model.principals import Caller
from cosbatch.service.faults import refused
from cosbatch.service.people import People
from cosbatch.service.people_names import account_name
from cosbatch.web.rest.calls import Access, Call
from cosbatch.web.rest.desks import AllDesks, WhoCalls
from cosbatch.web.rest.operator import acting, named_account
from cosbatch.web.rest.people import NAME_MAX, OfAccount
from cosbatch.web.rest.shapes import (
    PAGE_DEFAULT,
    PAGE_MAX,
    PageCursor,
    PageLimit,
    Time,
    View,
    read_cursor,
    time_text,
    write_cursor,
    wrong_cursor,
)

TAG: Final = "audit log"
CSV_LINES_MAX: Final = 100_000
"""Of one file: whoever wants more asks for one month after the other."""
_ID_MAX: Final = 2**63 - 1
_TEXT_MAX: Final = 1024
_MOMENT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:]{8}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})")
"""RFC 3339."""
_LINE: Final[dict[str, Any]] = {
    "id": 42,
    "at": "2026-11-26T08:00:00.000Z",
    "account": "team",
    "actor": "anna",
    "via": "rest",
    "credential": "9f3b6c21d0ae",
    "action": "create-user",
    "target": "carla",
    "outcome": "done",
    "detail": "role operator",
    "request_id": "a71a6ec4541d3eeb6be3b9fe",
}
_COLUMNS: Final = tuple(_LINE)
_FORMULA_BEGINNINGS: Final = ("=", "+", "-", "@", "\t", "\r")
_UNKNOWN: Final = {404: "No account has that name."}


def audit_calls() -> list[Call]:
    return [
        Call(
            method="GET",
            path="/audit",
            answer=list_audit,
            access=Access.ADMIN,
            tag=TAG,
            summary="Search the audit log",
            shape=AuditPage,
            example={"items": [_LINE], "next_cursor": None},
            refusals=_UNKNOWN,
        ),
        Call(
            method="GET",
            path="/audit.csv",
            answer=download_audit,
            access=Access.ADMIN,
            tag=TAG,
            summary="Download the audit log",
            media_types=("text/csv",),
            refusals=_UNKNOWN,
        ),
    ]


class AuditLineView(View):
    id: int
    at: Time
    account: str = Field(description="That of what was changed; empty: the service's own.")
    actor: str
    via: str = Field(description="`cos`, `rest`, `console`, `cli`, or `service` for its own doing.")
    credential: str = Field(description="Id of the access key, token or session; never a secret.")
    action: str
    target: str
    outcome: Outcome
    detail: str
    request_id: str = Field(description="Of the call, as in the service's log; empty where it was none.")


class AuditPage(View):
    items: list[AuditLineView]
    next_cursor: str | None


def _written_out(text: Any) -> Any:
    """Numbers and days alone could be meant in several ways."""
    if isinstance(text, str) and not _MOMENT.fullmatch(text):
        raise refused("is no time", way_out="write one such as 2026-11-26T08:00:00Z")
    return text


Moment = Annotated[AwareDatetime, BeforeValidator(_written_out)]


async def _filter(
    actor: Annotated[str, Query(max_length=NAME_MAX)] = "",
    action: Annotated[str, Query(max_length=NAME_MAX, description="Such as `create-user`.")] = "",
    target: Annotated[str, Query(max_length=_TEXT_MAX)] = "",
    outcome: Outcome | None = None,
    since: Annotated[Moment | None, Query(description="At this time or later.")] = None,
    until: Annotated[Moment | None, Query(description="Before this time.")] = None,
) -> AuditFilter:
    return AuditFilter(
        actor=actor,
        action=action,
        target=target,
        outcome=outcome,
        since=since.timestamp() if since else None,
        until=until.timestamp() if until else None,
    )


Wanted = Annotated[AuditFilter, Depends(_filter)]


async def list_audit(
    desks: AllDesks,
    caller: WhoCalls,
    wanted: Wanted,
    account: OfAccount = "",
    limit: PageLimit = PAGE_DEFAULT,
    cursor: PageCursor = "",
) -> AuditPage:
    """Newest first. Texts have to be the same as those that are asked for."""
    found = await desks.people.audit(
        acting(caller, desks),
        account=named_account(account),
        before=_before(cursor),
        limit=limit + 1,
        wanted=wanted,
    )
    page = found[:limit]
    following = write_cursor(page[-1].id) if len(found) > limit else None
    return AuditPage(items=[_view(line) for line in page], next_cursor=following)


async def download_audit(desks: AllDesks, caller: WhoCalls, wanted: Wanted, account: OfAccount = "") -> Response:
    """As CSV, newest first: at most 100,000 lines of those that are wanted. A text that spreadsheets would take for a
    formula begins with an apostrophe."""
    pages = _Pages(people=desks.people, caller=acting(caller, desks), account=named_account(account), wanted=wanted)
    first = await pages.before(None)  # what is refused is refused before the file begins
    headers = {"content-disposition": 'attachment; filename="audit.csv"'}
    return StreamingResponse(_file(pages, first), media_type="text/csv", headers=headers)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pages:
    people: People
    caller: Caller
    account: AccountId | None
    wanted: AuditFilter

    async def before(self, line: int | None) -> list[AuditLine]:
        return await self.people.audit(
            self.caller, account=self.account, before=line, limit=PAGE_MAX, wanted=self.wanted
        )


async def _file(pages: _Pages, first: list[AuditLine]) -> AsyncIterator[str]:
    yield _rows([_COLUMNS])
    page, written = first, 0
    while page and written < CSV_LINES_MAX:
        yield _rows(tuple(map(_told, _view(line).model_dump(mode="json").values())) for line in page)
        written += len(page)
        page = await pages.before(page[-1].id) if len(page) == PAGE_MAX else []


def _told(value: Any) -> Any:
    """Whoever may call at all chooses some of the texts, and whoever opens the file is an admin."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_BEGINNINGS) else value


def _rows(rows: Iterable[tuple[Any, ...]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _before(cursor: str) -> int | None:
    if not cursor:
        return None
    match read_cursor(cursor):
        case (int() as line,) if 0 <= line <= _ID_MAX:
            return line
        case _:
            raise wrong_cursor(cursor)


def _view(line: AuditLine) -> AuditLineView:
    entry = line.entry
    return AuditLineView(
        id=line.id,
        at=time_text(line.at),
        account=account_name(entry.account),
        actor=entry.actor,
        via=entry.via,
        credential=entry.credential,
        action=entry.action,
        target=entry.target,
        outcome=entry.outcome,
        detail=entry.detail,
        request_id=entry.request_id,
    )
