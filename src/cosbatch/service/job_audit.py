"""What users ask of jobs, in the audit log: who, what, of which job, and whether it was allowed.

A job's own events say what became of it; they go with the job. Whatever was not carried out for another reason than
that its caller may not do it has changed nothing, and is in the program's log alone.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Final, ParamSpec, Protocol, TypeVar, cast

import structlog

from cosbatch.ledger.people_port import AuditEntry, Outcome
from cosbatch.model.errors import LedgerError, NotAllowed
from cosbatch.model.principals import Caller

P = ParamSpec("P")
T = TypeVar("T")
_TOLD: Final = ("requested_job_status", "priority", "status_update_reason", "reason")
"""Parameters of verbs that say what was asked for."""


class AuditTrail(Protocol):
    async def record(self, entry: AuditEntry) -> None:
        """LedgerError where it cannot be written."""
        ...


class Audited(Protocol):
    """Whose verbs are told of. Without a trail nothing is."""

    audit: AuditTrail | None


def audited(
    action: str,
) -> Callable[[Callable[P, Coroutine[Any, Any, T]]], Callable[P, Coroutine[Any, Any, T]]]:
    """For verbs of an :class:`Audited`, whose first argument is a job's id, or else whose result is the job. What is
    done is done: a trail that cannot be written does not undo it, and the entry goes into the program's log instead."""

    def told_of(verb: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        @wraps(verb)
        async def told(*args: P.args, **named: P.kwargs) -> T:
            trail = cast(Audited, args[0]).audit
            job_id = args[1] if len(args) > 1 and isinstance(args[1], str) else ""
            caller = cast(Caller, named["caller"])
            detail = " ".join(str(named[name]) for name in _TOLD if named.get(name) not in (None, ""))
            try:
                result = await verb(*args, **named)
            except NotAllowed:
                await _record(trail, _entry(caller, action, job_id, detail, outcome=Outcome.REFUSED))
                raise
            target = job_id or str(getattr(result, "id", ""))
            await _record(trail, _entry(caller, action, target, detail, outcome=Outcome.DONE))
            return result

        return told

    return told_of


def _entry(caller: Caller, action: str, target: str, detail: str, *, outcome: Outcome) -> AuditEntry:
    return AuditEntry(
        account=caller.account.id,
        actor=caller.user,
        via=caller.via,
        credential=caller.credential,
        action=action,
        target=target,
        outcome=outcome,
        detail=detail,
    )


async def _record(trail: AuditTrail | None, entry: AuditEntry) -> None:
    if trail is None:
        return
    try:
        await trail.record(entry)
    except LedgerError as error:
        structlog.get_logger().error(
            "audit.not_written",
            actor=entry.actor,
            via=entry.via,
            action=entry.action,
            target=entry.target,
            outcome=entry.outcome,
            error=str(error),
        )
