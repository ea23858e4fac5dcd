"""``cosbatch admin create-token``, ``list-tokens`` and ``revoke-token``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cosbatch.cli.admin.asking import (
    ACCOUNT_OPTION,
    ADMIN_SHARED,
    USER_OPTION,
    account_of,
    show_list,
    show_one,
    shown_account,
    shown_time,
    tell,
)
from cosbatch.cli.admin.desks import ask_people
from cosbatch.cli.invocation import Invocation, verb
from cosbatch.identity.tokens import TokenScope

if TYPE_CHECKING:
    from cosbatch.identity.tokens import ApiToken


@verb("create-token", shared=ADMIN_SHARED)
@click.argument("user")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([scope.value for scope in TokenScope]),
    help="What it may be used for, at most; may be given several times.",
)
@click.option("--days", type=float, help="How long it is good. Default: until it is revoked.")
@click.option("--description", default="", help="What it is for.")
def create_token(
    invocation: Invocation, *, user: str, scopes: tuple[str, ...], days: float | None, description: str
) -> int:
    """Make an API token for a user's programs. It lets no more than its scopes and its user may do."""
    made = ask_people(
        invocation,
        lambda people: people.create_token(
            user=user,
            scopes=frozenset(TokenScope(scope) for scope in scopes),
            lasts_days=days,
            description=description,
        ),
    )
    rows = [
        ("User", made.token.user),
        ("Id", made.token.id),
        ("Scopes", ", ".join(sorted(made.token.scopes))),
        ("Until", shown_time(made.token.expires_at)),
        ("Token", made.text),
    ]
    return show_one(invocation, _document(made.token) | {"token": made.text}, rows, note="The token is shown once.")


@verb("list-tokens", shared=ADMIN_SHARED)
@ACCOUNT_OPTION
@USER_OPTION
def list_tokens(invocation: Invocation, *, account: str, user: str) -> int:
    """List API tokens, without their text."""
    found = ask_people(invocation, lambda people: people.list_tokens(account=account_of(account), user=user or None))
    rows = [
        (
            token.id,
            token.user,
            shown_account(token.account),
            ", ".join(sorted(token.scopes)),
            "revoked" if token.is_revoked else shown_time(token.expires_at) or "for ever",
            shown_time(token.last_used_at) or "never",
            token.description,
        )
        for token in found
    ]
    header = ("TOKEN", "USER", "ACCOUNT", "SCOPES", "GOOD UNTIL", "USED", "DESCRIPTION")
    return show_list(invocation, "tokens", [_document(token) for token in found], header, rows)


@verb("revoke-token", shared=ADMIN_SHARED)
@click.argument("token_id", metavar="ID")
def revoke_token(invocation: Invocation, *, token_id: str) -> int:
    """Refuse a token from now on, for ever. ID is what list-tokens shows, or the token itself."""
    revoked = ask_people(invocation, lambda people: people.revoke_token(token_id))
    return tell(invocation, _document(revoked), f"Token {revoked.id} is revoked")


def _document(token: ApiToken) -> dict[str, Any]:
    return {
        "id": token.id,
        "user": token.user,
        "account": shown_account(token.account),
        "scopes": sorted(token.scopes),
        "description": token.description,
        "is_revoked": token.is_revoked,
        "created_at": shown_time(token.created_at),
        "expires_at": shown_time(token.expires_at) or None,
        "last_used_at": shown_time(token.last_used_at) or None,
    }
