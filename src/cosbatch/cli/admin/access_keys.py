"""``cosbatch admin create-access-key``, ``list-access-keys``, ``disable-access-key`` and their like."""

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

if TYPE_CHECKING:
    from cosbatch.model.principals import AccessKey


@verb("create-access-key", shared=ADMIN_SHARED)
@click.argument("user")
@click.option("--description", default="", help="What it is for.")
def create_access_key(invocation: Invocation, *, user: str, description: str) -> int:
    """Make an access key, with which a user's programs sign calls of the wires."""
    made = ask_people(invocation, lambda people: people.create_access_key(user=user, description=description))
    rows = [
        ("User", made.key.user),
        ("SecretId", made.key.access_key_id),
        ("SecretKey", made.secret_access_key),
    ]
    document = _document(made.key) | {"secret_access_key": made.secret_access_key}
    return show_one(invocation, document, rows, note="The SecretKey is shown once.")


@verb("list-access-keys", shared=ADMIN_SHARED)
@ACCOUNT_OPTION
@USER_OPTION
def list_access_keys(invocation: Invocation, *, account: str, user: str) -> int:
    """List access keys, without their secrets."""
    found = ask_people(
        invocation,
        lambda people: people.list_access_keys(account=account_of(account), user=user or None),
    )
    rows = [
        (
            key.access_key_id,
            key.user,
            shown_account(key.account),
            "disabled" if key.is_disabled else "enabled",
            shown_time(key.created_at),
            shown_time(key.last_used_at) or "never",
            key.description,
        )
        for key in found
    ]
    header = ("ACCESS KEY", "USER", "ACCOUNT", "STATE", "SINCE", "USED", "DESCRIPTION")
    return show_list(invocation, "access_keys", [_document(key) for key in found], header, rows)


@verb("disable-access-key", shared=ADMIN_SHARED)
@click.argument("access_key_id")
def disable_access_key(invocation: Invocation, *, access_key_id: str) -> int:
    """Refuse calls that are signed with a key, from now on."""
    return _set_disabled(invocation, access_key_id, is_disabled=True)


@verb("enable-access-key", shared=ADMIN_SHARED)
@click.argument("access_key_id")
def enable_access_key(invocation: Invocation, *, access_key_id: str) -> int:
    """Let a disabled key in again."""
    return _set_disabled(invocation, access_key_id, is_disabled=False)


@verb("delete-access-key", shared=ADMIN_SHARED)
@click.argument("access_key_id")
def delete_access_key(invocation: Invocation, *, access_key_id: str) -> int:
    """Delete a disabled key. Disable it first: that shows who still uses it, and can be undone."""
    ask_people(invocation, lambda people: people.delete_access_key(access_key_id))
    return tell(invocation, {"access_key_id": access_key_id}, f"Access key {access_key_id} is deleted")


def _set_disabled(invocation: Invocation, access_key_id: str, *, is_disabled: bool) -> int:
    ask_people(
        invocation,
        lambda people: people.set_access_key_disabled(access_key_id, is_disabled=is_disabled),
    )
    document = {"access_key_id": access_key_id, "is_disabled": is_disabled}
    return tell(invocation, document, f"Access key {access_key_id} is {'disabled' if is_disabled else 'enabled'}")


def _document(key: AccessKey) -> dict[str, Any]:
    return {
        "access_key_id": key.access_key_id,
        "user": key.user,
        "account": shown_account(key.account),
        "description": key.description,
        "is_disabled": key.is_disabled,
        "created_at": shown_time(key.created_at),
        "last_used_at": shown_time(key.last_used_at) or None,
    }
