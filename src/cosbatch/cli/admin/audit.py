"""``cosbatch admin audit``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cosbatch.cli.admin.asking import (
    ACCOUNT_OPTION,
    ADMIN_SHARED,
    account_of,
    show_list,
    shown_account,
    shown_time,
)
from cosbatch.cli.admin.desks import ask_people
from cosbatch.cli.invocation import Invocation, verb

if TYPE_CHECKING:
    from cosbatch.ledger.people_port import AuditLine


@verb("audit", shared=ADMIN_SHARED)
@ACCOUNT_OPTION
@click.option("--actor", default="", metavar="NAME", help="Only what this user did.")
@click.option("--action", default="", metavar="VERB", help="Only this, such as create-user.")
@click.option("--target", default="", metavar="NAME", help="Only what was done to this.")
@click.option("--outcome", type=click.Choice(("done", "refused")), help="Only what ended so.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="At most so many lines.")
@click.option("--before", type=int, help="Only lines before this one of an earlier list, by its id.")
def audit(
    invocation: Invocation, *, account: str, limit: int, before: int | None, outcome: str | None, **same: str
) -> int:
    """Show who changed what, newest first; also what was refused."""
    from cosbatch.ledger.people_port import AuditFilter, Outcome

    wanted = AuditFilter(
        actor=same["actor"],
        action=same["action"],
        target=same["target"],
        outcome=Outcome(outcome) if outcome else None,
    )
    found = ask_people(
        invocation,
        lambda people: people.audit(account=account_of(account), before=before, limit=limit, wanted=wanted),
    )
    rows = [
        (
            str(line.id),
            shown_time(line.at),
            f"{line.entry.actor} ({line.entry.via})",
            line.entry.action,
            line.entry.target,
            line.entry.outcome.value,
            line.entry.detail,
        )
        for line in found
    ]
    header = ("ID", "AT", "WHO", "DID", "ON", "OUTCOME", "DETAIL")
    return show_list(invocation, "audit", [_document(line) for line in found], header, rows)


def _document(line: AuditLine) -> dict[str, Any]:
    entry = line.entry
    return {
        "id": line.id,
        "at": shown_time(line.at),
        "account": shown_account(entry.account),
        "actor": entry.actor,
        "via": entry.via,
        "credential": entry.credential,
        "action": entry.action,
        "target": entry.target,
        "outcome": entry.outcome.value,
        "detail": entry.detail,
        "request_id": entry.request_id or None,
    }
