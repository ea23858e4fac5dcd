"""Writes of the service stand in the audit log, also those that were refused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

import structlog

from cosbatch.ledger.people_port import AuditEntry, Outcome
from cosbatch.model.errors import RequestError
from cosbatch.model.principals import Caller

Record = Callable[[AuditEntry], Awaitable[None]]
"""Writes a line of the audit log."""
SHOWN: Final = 500
"""Characters of a refusal or a target that are kept."""


@dataclass(slots=True, kw_only=True)
class Write:
    """What is known of a write while it is made."""

    target: str
    """Of something new it is known only afterwards."""
    detail: str = ""


@asynccontextmanager
async def audited(record: Record | None, caller: Caller, action: str, *, target: str = "") -> AsyncIterator[Write]:
    """Tells of a write once it was made or refused; without ``record`` nobody keeps a log.

    The entry is a change of its own: where it cannot be made, the caller hears that the ledger does not answer, though
    the write stands. Only a process that dies in between leaves a write without its entry.
    """
    write = Write(target=target)
    try:
        yield write
    except RequestError as refusal:
        if record is not None:
            await record(_entry(caller, action, write.target, outcome=Outcome.REFUSED, detail=str(refusal)))
        raise
    if record is not None:
        await record(_entry(caller, action, write.target, outcome=Outcome.DONE, detail=write.detail))


@asynccontextmanager
async def telling(record: Record, caller: Caller, action: str, *, target: str) -> AsyncIterator[AuditEntry]:
    """The entry, for whoever writes it in one transaction with the change that it tells of. A refusal is told here,
    where the caller's own admins see it."""
    entry = _entry(caller, action, target, outcome=Outcome.DONE, detail="")
    try:
        yield entry
    except RequestError as refusal:
        await record(replace(entry, outcome=Outcome.REFUSED, detail=str(refusal)[:SHOWN]))
        raise


def _entry(caller: Caller, action: str, target: str, *, outcome: Outcome, detail: str) -> AuditEntry:
    return AuditEntry(
        account=caller.account.id,
        actor=caller.user,
        via=caller.via,
        credential=caller.credential,
        action=action,
        target=target[:SHOWN],
        outcome=outcome,
        detail=detail[:SHOWN],
        request_id=current_request_id(),
    )


def current_request_id() -> str:
    """Of the call that is being answered, as it is bound to the log; empty where it is none."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))
