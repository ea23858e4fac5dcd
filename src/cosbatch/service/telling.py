"""The audit log's side of a verb: the entry for what is about to be done, and a line for a refusal."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from cosbatch.ledger.people_port import AuditEntry, Outcome
from cosbatch.model.errors import RequestError
from cosbatch.model.principals import Caller

_SHOWN: Final = 500
"""Characters of a refusal in the audit log."""

Record = Callable[[AuditEntry], Awaitable[None]]
"""Writes a line of the audit log."""


@asynccontextmanager
async def telling(record: Record, caller: Caller, *, action: str, target: str) -> AsyncIterator[AuditEntry]:
    """The entry for whoever does it to write, in one transaction with the change; a refusal is told where the caller's
    own admins see it."""
    entry = AuditEntry(
        account=caller.account.id,
        actor=caller.user,
        via=caller.via,
        credential=caller.credential,
        action=action,
        target=target[:_SHOWN],
    )
    try:
        yield entry
    except RequestError as refusal:
        await record(replace(entry, outcome=Outcome.REFUSED, detail=str(refusal)[:_SHOWN]))
        raise
