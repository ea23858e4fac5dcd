"""``cosbatch admin create-account`` and ``list-accounts``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cosbatch.cli.admin.asking import ADMIN_SHARED, ask_people, show_list, show_one, shown_time
from cosbatch.cli.invocation import Invocation, verb

if TYPE_CHECKING:
    from cosbatch.model.principals import Account


@verb("create-account", shared=ADMIN_SHARED)
@click.argument("name")
@click.option("--uin", default="", metavar="DIGITS", help="In hosts and in CAM role ARNs. Default: drawn.")
@click.option("--appid", default="", metavar="DIGITS", help="What clients send as x-cos-appid. Default: drawn.")
@click.option("--aws-account-id", default="", metavar="DIGITS", help="Twelve digits, for S3 clients. Default: drawn.")
def create_account(invocation: Invocation, *, name: str, uin: str, appid: str, aws_account_id: str) -> int:
    """Make an account: a wall around jobs, users, keys and roles."""
    made = ask_people(
        invocation,
        lambda people, caller: people.create_account(
            caller, name=name, uin=uin, appid=appid, aws_account_id=aws_account_id
        ),
        may_make=True,
    )
    rows = [
        ("Account", made.name),
        ("uin", made.uin),
        ("appid", made.appid),
        ("AWS account id", made.aws_account_id),
    ]
    return show_one(invocation, _document(made), rows)


@verb("list-accounts", shared=ADMIN_SHARED)
def list_accounts(invocation: Invocation) -> int:
    """List accounts."""
    found = ask_people(invocation, lambda people, caller: people.list_accounts(caller))
    rows = [
        (
            account.name,
            account.uin,
            account.appid,
            account.aws_account_id,
            "settings" if account.is_declared else "by hand",
            shown_time(account.created_at),
        )
        for account in found
    ]
    header = ("ACCOUNT", "UIN", "APPID", "AWS ACCOUNT ID", "MADE", "SINCE")
    return show_list(invocation, "accounts", [_document(account) for account in found], header, rows)


def _document(account: Account) -> dict[str, Any]:
    return {
        "name": account.name,
        "uin": account.uin,
        "appid": account.appid,
        "aws_account_id": account.aws_account_id,
        "is_declared": account.is_declared,
        "created_at": shown_time(account.created_at),
    }
