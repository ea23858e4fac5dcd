"""Who asks, when somebody on the service's own host looks at jobs or changes them."""

from __future__ import annotations

import getpass

from cosbatch.model.principals import LOCAL_CALLER, Account, Caller, UserRole


def caller_in(account_name: str) -> Caller:
    """By the name that the system has for whoever runs the program; an empty account is that of ``cosbatch run``."""
    if not account_name:
        return LOCAL_CALLER
    from cosbatch.service.people_names import account_id

    account = Account(
        id=account_id(account_name), name=account_name, uin="", appid="", aws_account_id="", created_at=0.0
    )
    return Caller(account=account, user=user_name(), role=UserRole.ADMIN, via="cli")


def user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "(unnamed)"
