"""What the verbs of ``cosbatch admin`` share: asking the book of people, and showing what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from cosbatch.cli.invocation import EXIT_SUCCEEDED, Invocation, run_async
from cosbatch.cli.output import pairs, print_json, table

if TYPE_CHECKING:  # --help imports neither pydantic nor SQLAlchemy
    from cosbatch.model.identifiers import AccountId
    from cosbatch.model.principals import Caller
    from cosbatch.service.people import People

Answer = TypeVar("Answer")
ADMIN_SHARED: Final = ("--json", "--data", "--config")
FILES_SHARED: Final = ("--json", "--data")
ACCOUNT_OPTION: Final = click.option("--account", default="", metavar="NAME", help="Only what belongs to this account.")
USER_OPTION: Final = click.option("--user", default="", metavar="NAME", help="Only what belongs to this user.")


def ask_people(
    invocation: Invocation, work: Callable[[People, Caller], Awaitable[Answer]], *, may_make: bool = False
) -> Answer:
    """``may_make``: a folder without a ledger gets one."""

    async def ask() -> Answer:
        settings = invocation.settings()
        async with invocation.wiring.open_people(settings, invocation.state_folder, may_make=may_make) as people:
            return await work(people, operator())

    return run_async(ask())


def operator() -> Caller:
    """Whoever runs this program, by the name that the system has for it."""
    from cosbatch.cli.callers import user_name
    from cosbatch.service.people import local_operator

    return local_operator(user_name())


def account_of(name: str) -> AccountId | None:
    from cosbatch.service.people_names import account_id

    return account_id(name) if name else None


def show_one(
    invocation: Invocation, document: Mapping[str, Any], rows: Sequence[tuple[str, str]], *, note: str = ""
) -> int:
    """A document for machines, pairs for people; ``note`` goes to standard error."""
    if invocation.as_json:
        print_json(document)
    else:
        click.echo(pairs(rows))
        if note:
            click.echo(note, err=True)
    return EXIT_SUCCEEDED


def show_list(
    invocation: Invocation,
    name: str,
    documents: Sequence[Mapping[str, Any]],
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
) -> int:
    if invocation.as_json:
        print_json({name: list(documents)})
    else:
        click.echo(table(header, rows) if rows else f"No {name.replace('_', ' ')}.")
    return EXIT_SUCCEEDED


def tell(invocation: Invocation, document: Mapping[str, Any], text: str) -> int:
    if invocation.as_json:
        print_json(document)
    else:
        click.echo(text)
    return EXIT_SUCCEEDED


def shown_time(at: float | None) -> str:
    from cosbatch.service.job_document import iso_time

    return iso_time(at) or ""


def shown_account(account: AccountId) -> str:
    """By the name that options take."""
    from cosbatch.service.people_names import account_name

    return account_name(account)
