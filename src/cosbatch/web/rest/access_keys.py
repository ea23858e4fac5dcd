"""Access keys, with which programs sign calls of the wires. Their secrets are shown once."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Body, Path, Query
from pydantic import Field

from cosbatch.model.principals import AccessKey, UserRole
from cosbatch.service.people_names import account_name
from cosbatch.web.rest.calls import Access, Call
from cosbatch.web.rest.desks import AllDesks, WhoCalls
from cosbatch.web.rest.operator import acting, named_account, page_of
from cosbatch.web.rest.people import NAME_MAX, OfAccount
from cosbatch.web.rest.shapes import (
    PAGE_DEFAULT,
    Form,
    PageCursor,
    PageLimit,
    Time,
    View,
    time_or_none,
    time_text,
)

TAG: Final = "access keys"
DESCRIPTION_MAX: Final = 256
OneKey = Annotated[str, Path(max_length=128)]
OfUser = Annotated[str, Query(max_length=NAME_MAX, description="Only what belongs to this user.")]
UNKNOWN_USER: Final = {404: "No user of the account has that name."}
_KEY: Final[dict[str, Any]] = {
    "access_key_id": "AKIDh8dM2kQ0aZ5xW9cV7bN3mL1pO6iU4yT2",
    "user": "anna",
    "account": "team",
    "description": "nightly archive",
    "is_disabled": False,
    "created_at": "2026-11-26T08:00:00.000Z",
    "last_used_at": None,
}


def access_key_calls() -> list[Call]:
    return [
        Call(
            method="GET",
            path="/access-keys",
            answer=list_access_keys,
            access=Access.VIEWER,
            tag=TAG,
            summary="List access keys",
            shape=AccessKeyPage,
            example={"items": [_KEY], "next_cursor": None},
            refusals={404: "No account has that name."},
        ),
        Call(
            method="POST",
            path="/access-keys",
            answer=create_access_key,
            access=Access.ADMIN,
            tag=TAG,
            summary="Make an access key",
            shape=NewAccessKeyView,
            status=201,
            asked={"user": "anna", "description": "nightly archive"},
            example={"access_key": _KEY, "secret_access_key": "x8Kd0Zq3mPw7Lc5Tb1Vn9Rj4Hs6Gf2Ya"},
            refusals=UNKNOWN_USER,
        ),
        Call(
            method="PATCH",
            path="/access-keys/{access_key_id}",
            answer=update_access_key,
            access=Access.ADMIN,
            tag=TAG,
            summary="Disable an access key, or enable it again",
            status=204,
            asked={"is_disabled": True},
        ),
        Call(
            method="DELETE",
            path="/access-keys/{access_key_id}",
            answer=delete_access_key,
            access=Access.ADMIN,
            tag=TAG,
            summary="Delete an access key that is disabled",
            status=204,
        ),
    ]


class AccessKeyForm(Form):
    user: str = Field(max_length=NAME_MAX)
    description: str = Field(default="", max_length=DESCRIPTION_MAX, description="What it is for.")


class AccessKeyChange(Form):
    is_disabled: bool = Field(strict=True, description="Calls that are signed with a disabled key are refused.")


class AccessKeyView(View):
    access_key_id: str = Field(description="COS: SecretId.")
    user: str
    account: str
    description: str
    is_disabled: bool
    created_at: Time
    last_used_at: Time | None = Field(description="To the minute.")


class AccessKeyPage(View):
    items: list[AccessKeyView]
    next_cursor: str | None


class NewAccessKeyView(View):
    access_key: AccessKeyView
    secret_access_key: str = Field(description="Shown this once. COS: SecretKey.")


def access_key_view(key: AccessKey) -> AccessKeyView:
    return AccessKeyView(
        access_key_id=key.access_key_id,
        user=key.user,
        account=account_name(key.account),
        description=key.description,
        is_disabled=key.is_disabled,
        created_at=time_text(key.created_at),
        last_used_at=time_or_none(key.last_used_at),
    )


async def list_access_keys(
    desks: AllDesks,
    caller: WhoCalls,
    account: OfAccount = "",
    user: OfUser = "",
    limit: PageLimit = PAGE_DEFAULT,
    cursor: PageCursor = "",
) -> AccessKeyPage:
    """By creation, without their secrets. Who is no admin sees the own ones."""
    if caller.role.may(UserRole.ADMIN):
        who = acting(caller, desks)
        found = await desks.people.list_access_keys(who, account=named_account(account), user=user or None)
    else:
        found = await desks.people.own_access_keys(caller, account=named_account(account), user=user or None)
    page, following = page_of(found, place=lambda key: (key.created_at, key.access_key_id), limit=limit, cursor=cursor)
    return AccessKeyPage(items=[access_key_view(key) for key in page], next_cursor=following)


async def create_access_key(
    form: Annotated[AccessKeyForm, Body()], desks: AllDesks, caller: WhoCalls
) -> NewAccessKeyView:
    """The answer is the only place where its secret is ever shown."""
    made = await desks.people.create_access_key(acting(caller, desks), user=form.user, description=form.description)
    return NewAccessKeyView(access_key=access_key_view(made.key), secret_access_key=made.secret_access_key)


async def update_access_key(
    access_key_id: OneKey, form: Annotated[AccessKeyChange, Body()], desks: AllDesks, caller: WhoCalls
) -> None:
    """It takes effect at once."""
    await desks.people.set_access_key_disabled(acting(caller, desks), access_key_id, is_disabled=form.is_disabled)


async def delete_access_key(access_key_id: OneKey, desks: AllDesks, caller: WhoCalls) -> None:
    """To change a key for another one: make that, give it to whoever signs with the old one, disable the old one, and
    delete it when nobody misses it."""
    await desks.people.delete_access_key(acting(caller, desks), access_key_id)
