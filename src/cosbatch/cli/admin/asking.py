"""What the verbs of ``cosbatch admin`` share: options, and showing what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from cosbatch.cli.invocation import EXIT_SUCCEEDED, Invocation
from cosbatch.cli.output import pairs, print_json, table

if TYPE_CHECKING:  # --help imports neither pydantic nor SQLAlchemy
    from cosbatch.model.identifiers import AccountId

ADMIN_SHARED: Final = ("--json", "--data", "--config", "--server", "--profile")
FILES_SHARED: Final = ("--json", "--data", "--server", "--profile")
"""Of verbs that work on files: a service that is named is refused, with the way out."""
ACCOUNT_OPTION: Final = click.option("--account", default="", metavar="NAME", help="Only what belongs to this account.")
USER_OPTION: Final = click.option("--user", default="", metavar="NAME", help="Only what belongs to this user.")


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
