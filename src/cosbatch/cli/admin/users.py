"""``cosbatch admin create-user``, ``list-users``, ``disable-user``, ``delete-user`` and their like."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from cosbatch.cli.admin.asking import (
    ACCOUNT_OPTION,
    ADMIN_SHARED,
    account_of,
    show_list,
    show_one,
    shown_account,
    shown_time,
    tell,
)
from cosbatch.cli.admin.desks import ask_people
from cosbatch.cli.invocation import Invocation, verb
from cosbatch.model.principals import UserRole

if TYPE_CHECKING:
    from cosbatch.model.principals import User

_ONCE = "This password is shown once. It has to be changed at the next login."


@verb("create-user", shared=ADMIN_SHARED)
@click.argument("name")
@click.option("--account", default="", metavar="NAME", help="Needed where there are several.")
@click.option(
    "--role",
    type=click.Choice([role.value for role in UserRole]),
    default=UserRole.OPERATOR.value,
    show_default=True,
    help="What it may do.",
)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input. Default: a random one.")
def create_user(invocation: Invocation, *, name: str, account: str, role: str, password_stdin: bool) -> int:
    """Make a user: a person or a program. Its name is unique in the whole service."""
    password = _typed_password() if password_stdin else ""
    made = ask_people(
        invocation,
        lambda people: people.create_user(
            name=name, account=account_of(account), role=UserRole(role), password=password
        ),
    )
    rows = [
        ("User", made.user.name),
        ("Account", shown_account(made.user.account)),
        ("Role", made.user.role.value),
        ("Password", made.password),
    ]
    secret = {"password": made.password} if made.password else {}
    return show_one(invocation, _document(made.user) | secret, rows, note=_ONCE if made.password else "")


@verb("list-users", shared=ADMIN_SHARED)
@ACCOUNT_OPTION
def list_users(invocation: Invocation, *, account: str) -> int:
    """List users."""
    found = ask_people(invocation, lambda people: people.list_users(account=account_of(account)))
    rows = [
        (user.name, shown_account(user.account), user.role.value, _state(user), shown_time(user.created_at))
        for user in found
    ]
    header = ("USER", "ACCOUNT", "ROLE", "STATE", "SINCE")
    return show_list(invocation, "users", [_document(user) for user in found], header, rows)


@verb("disable-user", shared=ADMIN_SHARED)
@click.argument("name")
def disable_user(invocation: Invocation, *, name: str) -> int:
    """Keep a user out: its sessions end, and its keys and tokens are refused."""
    return _set_disabled(invocation, name, is_disabled=True)


@verb("enable-user", shared=ADMIN_SHARED)
@click.argument("name")
def enable_user(invocation: Invocation, *, name: str) -> int:
    """Let a disabled user in again, with the keys and tokens that it had."""
    return _set_disabled(invocation, name, is_disabled=False)


@verb("reset-password", shared=ADMIN_SHARED)
@click.argument("name")
def reset_password(invocation: Invocation, *, name: str) -> int:
    """Give a user a new random password. Its sessions end; its keys and tokens stay."""
    password = ask_people(invocation, lambda people: people.reset_password(name))
    document = {"name": name, "password": password}
    return show_one(invocation, document, [("User", name), ("Password", password)], note=_ONCE)


@verb("delete-user", shared=ADMIN_SHARED)
@click.argument("name")
def delete_user(invocation: Invocation, *, name: str) -> int:
    """Delete a disabled user, with its keys and tokens. Jobs and the audit log go on naming it."""
    ask_people(invocation, lambda people: people.delete_user(name))
    return tell(invocation, {"name": name}, f"User {name} is deleted")


def _set_disabled(invocation: Invocation, name: str, *, is_disabled: bool) -> int:
    user = ask_people(invocation, lambda people: people.set_user_disabled(name, is_disabled=is_disabled))
    return tell(invocation, _document(user), f"User {user.name} is {'disabled' if is_disabled else 'enabled'}")


def _typed_password() -> str:
    """The first line of standard input."""
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise click.BadParameter("standard input has no password", param_hint="--password-stdin")
    return password


def _state(user: User) -> str:
    words = [
        "disabled" if user.is_disabled else "enabled",
        *(["must change password"] if user.must_change_password else []),
        *(["in the settings"] if user.is_declared else []),
    ]
    return ", ".join(words)


def _document(user: User) -> dict[str, Any]:
    return {
        "name": user.name,
        "account": shown_account(user.account),
        "role": user.role.value,
        "must_change_password": user.must_change_password,
        "is_disabled": user.is_disabled,
        "is_declared": user.is_declared,
        "created_at": shown_time(user.created_at),
    }
