"""Who acts as the service's operator over the network, and lists that are short enough to be read whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from cosbatch.model.identifiers import AccountId
from cosbatch.model.principals import Caller, UserRole
from cosbatch.service.people import operator_of
from cosbatch.service.people_names import account_id
from cosbatch.web.rest.desks import Desks
from cosbatch.web.rest.shapes import read_cursor, write_cursor, wrong_cursor

ItemT = TypeVar("ItemT")
Place = tuple[str | float, ...]


def acting(caller: Caller, desks: Desks) -> Caller:
    """An admin of the operator's account acts as whoever runs ``cosbatch admin`` does: for people, regions and the
    audit log of the whole service. Everybody else stays within the own account."""
    if caller.role is UserRole.ADMIN and desks.operator_account and caller.account.name == desks.operator_account:
        return operator_of(caller)
    return caller


def named_account(name: str | None) -> AccountId | None:
    return account_id(name) if name else None


def page_of(
    found: Sequence[ItemT], *, place: Callable[[ItemT], Place], limit: int, cursor: str
) -> tuple[list[ItemT], str | None]:
    """A page of all that was ``found``, in the order of its ``place``, which is each item's own; and the cursor of the
    next one. What is made or goes meanwhile moves no other item to another page. Raises InvalidArgument."""
    ordered = sorted(found, key=place)
    if cursor:
        after = read_cursor(cursor)
        try:
            ordered = [item for item in ordered if place(item) > after]
        except TypeError:
            raise wrong_cursor(cursor) from None
    page = ordered[:limit]
    return page, write_cursor(*place(page[-1])) if len(ordered) > limit else None
