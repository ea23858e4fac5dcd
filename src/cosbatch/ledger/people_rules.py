"""Decisions that both adapters of the book make the same way, and their refusals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cosbatch.ledger.people_port import AuditFilter, AuditLine
from cosbatch.model.errors import NameTaken, NoSuchName
from cosbatch.model.principals import Account, User


def no_such(kind: str, name: str) -> NoSuchName:
    return NoSuchName(f"there is no {kind} {name!r}")


def name_taken(kind: str, name: str) -> NameTaken:
    return NameTaken(f"there is another {kind} {name!r}; take another name")


def account_taken(wanted: Account, other: Account) -> NameTaken:
    pairs = {
        "name": (wanted.name, other.name),
        "uin": (wanted.uin, other.uin),
        "appid": (wanted.appid, other.appid),
        "AWS account id": (wanted.aws_account_id, other.aws_account_id),
        "id": (wanted.id, other.id),
    }
    what, value = next((what, mine) for what, (mine, its) in pairs.items() if mine == its)
    return NameTaken(f"the account {other.name!r} has the {what} {value!r} already; take another")


def declared_users(wanted: Sequence[User], *, there: Sequence[User]) -> list[User]:
    """Those to write, as they shall stand: what is declared and differs, and what is declared no longer, disabled."""
    known = {user.name: user for user in there}
    named = {user.name for user in wanted}
    declared = [_as_declared(user, known.get(user.name)) for user in wanted]
    gone = [
        replace(user, is_declared=False, is_disabled=True)
        for user in there
        if user.is_declared and user.name not in named
    ]
    return [user for user in [*declared, *gone] if user != known.get(user.name)]


def _as_declared(user: User, known: User | None) -> User:
    if known is None:
        return replace(user, is_declared=True)
    if known.account != user.account:  # its keys and tokens would let it in there
        raise NameTaken(f"the user {user.name!r} is one of another account; take another name")
    return replace(user, is_declared=True, created_at=known.created_at, must_change_password=known.must_change_password)


def is_wanted(line: AuditLine, wanted: AuditFilter) -> bool:
    entry = line.entry
    return (
        wanted.actor in ("", entry.actor)
        and wanted.action in ("", entry.action)
        and wanted.target in ("", entry.target)
        and wanted.outcome in (None, entry.outcome)
        and (wanted.since is None or line.at >= wanted.since)
        and (wanted.until is None or line.at < wanted.until)
    )
