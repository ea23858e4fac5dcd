"""``cosbatch admin``: the list of its verbs."""

from __future__ import annotations

import click

from cosbatch.cli.admin.access_keys import (
    create_access_key,
    delete_access_key,
    disable_access_key,
    enable_access_key,
    list_access_keys,
)
from cosbatch.cli.admin.accounts import create_account, disable_account, enable_account, list_accounts
from cosbatch.cli.admin.audit import audit
from cosbatch.cli.admin.ledger_file import backup, restore, rotate_key
from cosbatch.cli.admin.regions import create_region, delete_region, describe_region, list_regions, update_region
from cosbatch.cli.admin.roles import create_role, delete_role, list_roles, replace_role_key, role_policies, test_role
from cosbatch.cli.admin.tokens import create_token, list_tokens, revoke_token
from cosbatch.cli.admin.users import create_user, delete_user, disable_user, enable_user, list_users, reset_password
from cosbatch.cli.admin.webhooks import (
    create_webhook,
    delete_webhook,
    disable_webhook,
    enable_webhook,
    list_webhooks,
    redeliver_message,
    rotate_webhook_secret,
    test_webhook,
    webhook_deliveries,
)


@click.group("admin")
def admin() -> None:
    """Accounts, users, keys, tokens, regions, roles, webhooks, the audit log, and the ledger's file.

    Works on the data folder itself, on the service's own host: whoever may write to the folder may do all of it, and a
    running service takes the changes at once. With --server or --profile it asks a service over the network, which lets
    an admin's token do all but what works on files. Secrets are printed once, when they are made.
    """


for _verb in (
    create_account,
    list_accounts,
    disable_account,
    enable_account,
    create_user,
    list_users,
    disable_user,
    enable_user,
    reset_password,
    delete_user,
    create_access_key,
    list_access_keys,
    disable_access_key,
    enable_access_key,
    delete_access_key,
    create_token,
    list_tokens,
    revoke_token,
    create_region,
    list_regions,
    describe_region,
    update_region,
    delete_region,
    create_role,
    list_roles,
    test_role,
    role_policies,
    replace_role_key,
    delete_role,
    create_webhook,
    list_webhooks,
    enable_webhook,
    disable_webhook,
    rotate_webhook_secret,
    test_webhook,
    webhook_deliveries,
    redeliver_message,
    delete_webhook,
    audit,
    backup,
    restore,
    rotate_key,
):
    admin.add_command(_verb)
