"""``cosbatch admin create-account``, ``list-accounts``, ``disable-account`` and ``enable-account``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cosbatch.cli.admin.asking import ADMIN_SHARED, account_of, show_list, show_one, shown_time, tell
from cosbatch.cli.admin.desks import ask_people
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
        lambda people: people.create_account(name=name, uin=uin, appid=appid, aws_account_id=aws_account_id),
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
    found = ask_people(invocation, lambda people: people.list_accounts())
    rows = [
        (
            account.name,
            account.uin,
            account.appid,
            account.aws_account_id,
            "settings" if account.is_declared else "by hand",
            "disabled" if account.is_disabled else "enabled",
            shown_time(account.created_at),
        )
        for account in found
    ]
    header = ("ACCOUNT", "UIN", "APPID", "AWS ACCOUNT ID", "MADE", "STATE", "SINCE")
    return show_list(invocation, "accounts", [_document(account) for account in found], header, rows)


@verb("disable-account", shared=ADMIN_SHARED)
@click.argument("name")
def disable_account(invocation: Invocation, *, name: str) -> int:
    """Keep all users of an account out: sessions end, keys and tokens are refused. Its jobs go on."""
    return _set_disabled(invocation, name, is_disabled=True)


@verb("enable-account", shared=ADMIN_SHARED)
@click.argument("name")
def enable_account(invocation: Invocation, *, name: str) -> int:
    """Let the users of a disabled account in again, with the keys and tokens that they had."""
    return _set_disabled(invocation, name, is_disabled=False)


def _set_disabled(invocation: Invocation, name: str, *, is_disabled: bool) -> int:
    account = account_of(name)
    if account is None:
        raise click.BadParameter("is empty", param_hint="NAME")
    changed = ask_people(invocation, lambda people: people.set_account_disabled(account, is_disabled=is_disabled))
    return tell(invocation, _document(changed), f"Account {name} is {'disabled' if is_disabled else 'enabled'}")


def _document(account: Account) -> dict[str, Any]:
    return {
        "name": account.name,
        "uin": account.uin,
        "appid": account.appid,
        "aws_account_id": account.aws_account_id,
        "is_declared": account.is_declared,
        "is_disabled": account.is_disabled,
        "created_at": shown_time(account.created_at),
    }
