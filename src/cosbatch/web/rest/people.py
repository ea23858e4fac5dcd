"""Accounts and users."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Body, Path, Query, Response
from pydantic import Field

from cosbatch.model.errors import Fault, InvalidArgument
from cosbatch.model.principals import Account, User, UserRole
from cosbatch.service.people_names import account_id, account_name
from cosbatch.web.rest.calls import PREFIX, Access, Call
from cosbatch.web.rest.desks import AllDesks, WhoCalls
from cosbatch.web.rest.operator import acting, named_account, page_of
from cosbatch.web.rest.shapes import PAGE_DEFAULT, Form, PageCursor, PageLimit, Time, View, time_text

TAG: Final = "people"
NAME_MAX: Final = 64
_TEXT_MAX: Final = 1024
OneName = Annotated[str, Path(max_length=NAME_MAX)]
OfAccount = Annotated[
    str,
    Query(
        max_length=NAME_MAX,
        description="Only what belongs to this account; without it, to the caller's own, for the operator to any.",
    ),
]
_ACCOUNT: Final[dict[str, Any]] = {
    "name": "team",
    "uin": "100000000042",
    "appid": "1250000042",
    "aws_account_id": "123456789012",
    "is_declared": False,
    "is_disabled": False,
    "created_at": "2026-11-26T08:00:00.000Z",
}
_USER: Final[dict[str, Any]] = {
    "name": "anna",
    "account": "team",
    "role": "operator",
    "must_change_password": True,
    "is_disabled": False,
    "is_declared": False,
    "created_at": "2026-11-26T08:00:00.000Z",
}
_UNKNOWN: Final = {404: "No account has that name."}


def people_calls() -> list[Call]:
    return [*_account_calls(), *_user_calls(), *_calls_on_a_user()]


def _account_calls() -> list[Call]:
    return [
        Call(
            method="GET",
            path="/accounts",
            answer=list_accounts,
            access=Access.ADMIN,
            tag=TAG,
            summary="List accounts",
            shape=AccountPage,
            example={"items": [_ACCOUNT], "next_cursor": None},
        ),
        Call(
            method="POST",
            path="/accounts",
            answer=create_account,
            access=Access.ADMIN,
            is_of_service_operator=True,
            tag=TAG,
            summary="Make an account",
            shape=AccountView,
            status=201,
            asked={"name": "team"},
            example=_ACCOUNT,
        ),
        Call(
            method="GET",
            path="/accounts/{account}",
            answer=describe_account,
            access=Access.ADMIN,
            tag=TAG,
            summary="Describe an account",
            shape=AccountView,
            example=_ACCOUNT,
        ),
        Call(
            method="PATCH",
            path="/accounts/{account}",
            answer=update_account,
            access=Access.ADMIN,
            is_of_service_operator=True,
            tag=TAG,
            summary="Disable an account, or enable it again",
            shape=AccountView,
            asked={"is_disabled": True},
            example=_ACCOUNT | {"is_disabled": True},
        ),
    ]


def _user_calls() -> list[Call]:
    return [
        Call(
            method="GET",
            path="/users",
            answer=list_users,
            access=Access.ADMIN,
            tag=TAG,
            summary="List users",
            shape=UserPage,
            example={"items": [_USER], "next_cursor": None},
            refusals=_UNKNOWN,
        ),
        Call(
            method="POST",
            path="/users",
            answer=create_user,
            access=Access.ADMIN,
            tag=TAG,
            summary="Make a user",
            shape=NewUserView,
            status=201,
            asked={"name": "anna", "role": "operator"},
            example={"user": _USER, "password": "pLg5-9sQe-x2Vb-Kd7m"},
            refusals=_UNKNOWN,
            has_secrets=True,
        ),
    ]


def _calls_on_a_user() -> list[Call]:
    return [
        Call(
            method="GET",
            path="/users/{user}",
            answer=describe_user,
            access=Access.ADMIN,
            tag=TAG,
            summary="Describe a user",
            shape=UserView,
            example=_USER,
        ),
        Call(
            method="PATCH",
            path="/users/{user}",
            answer=update_user,
            access=Access.ADMIN,
            tag=TAG,
            summary="Change a user's role, disable a user, or enable one again",
            shape=UserView,
            asked={"role": "admin"},
            example=_USER | {"role": "admin"},
        ),
        Call(
            method="DELETE",
            path="/users/{user}",
            answer=delete_user,
            access=Access.ADMIN,
            tag=TAG,
            summary="Delete a user that is disabled",
            status=204,
        ),
        Call(
            method="POST",
            path="/users/{user}/reset-password",
            answer=reset_password,
            access=Access.ADMIN,
            tag=TAG,
            summary="Give a user another password",
            shape=NewPasswordView,
            example={"password": "pLg5-9sQe-x2Vb-Kd7m"},
        ),
    ]


# --- shapes


class AccountForm(Form):
    name: str = Field(max_length=NAME_MAX)
    uin: str = Field(default="", max_length=NAME_MAX, description="Digits, in hosts and in CAM role ARNs. Else drawn.")
    appid: str = Field(default="", max_length=NAME_MAX, description="Digits, for `x-cos-appid`. Else drawn.")
    aws_account_id: str = Field(default="", max_length=NAME_MAX, description="Twelve digits. Else drawn.")


class AccountChange(Form):
    is_disabled: bool = Field(strict=True, description="Whether all of its users are kept out. Its jobs go on.")


class AccountView(View):
    name: str
    uin: str
    appid: str
    aws_account_id: str
    is_declared: bool = Field(description="It stands in the settings, and is changed there.")
    is_disabled: bool
    created_at: Time


class AccountPage(View):
    items: list[AccountView]
    next_cursor: str | None


class UserForm(Form):
    name: str = Field(max_length=NAME_MAX, description="Unique in the whole service.")
    account: str | None = Field(default=None, max_length=NAME_MAX, description="Default: the caller's own.")
    role: UserRole = UserRole.VIEWER
    password: str = Field(
        default="", max_length=_TEXT_MAX, description="Without it one is drawn, to be changed at the first login."
    )


class UserChange(Form):
    """What is left out stays as it is."""

    role: UserRole | None = None
    is_disabled: bool | None = Field(default=None, strict=True, description="Also ends the user's sessions.")


class UserView(View):
    name: str
    account: str
    role: UserRole
    must_change_password: bool
    is_disabled: bool
    is_declared: bool = Field(description="It stands in the settings, and is changed there.")
    created_at: Time


class UserPage(View):
    items: list[UserView]
    next_cursor: str | None


class NewUserView(View):
    user: UserView
    password: str | None = Field(description="Shown this once; null where the caller has given one.")


class NewPasswordView(View):
    password: str = Field(description="Shown this once; has to be changed at the next login.")


def account_view(account: Account) -> AccountView:
    return AccountView(
        name=account.name,
        uin=account.uin,
        appid=account.appid,
        aws_account_id=account.aws_account_id,
        is_declared=account.is_declared,
        is_disabled=account.is_disabled,
        created_at=time_text(account.created_at),
    )


def user_view(user: User) -> UserView:
    return UserView(
        name=user.name,
        account=account_name(user.account),
        role=user.role,
        must_change_password=user.must_change_password,
        is_disabled=user.is_disabled,
        is_declared=user.is_declared,
        created_at=time_text(user.created_at),
    )


# --- accounts


async def list_accounts(
    desks: AllDesks, caller: WhoCalls, limit: PageLimit = PAGE_DEFAULT, cursor: PageCursor = ""
) -> AccountPage:
    """For the operator all of them, else the caller's own. By name."""
    found = await desks.people.list_accounts(acting(caller, desks))
    page, following = page_of(found, place=lambda account: (account.name,), limit=limit, cursor=cursor)
    return AccountPage(items=[account_view(account) for account in page], next_cursor=following)


async def create_account(
    form: Annotated[AccountForm, Body()], desks: AllDesks, caller: WhoCalls, response: Response
) -> AccountView:
    """A wall around jobs, users, keys and roles. The operator's alone."""
    made = await desks.people.create_account(
        acting(caller, desks), name=form.name, uin=form.uin, appid=form.appid, aws_account_id=form.aws_account_id
    )
    response.headers["location"] = f"{PREFIX}/accounts/{made.name}"
    return account_view(made)


async def describe_account(account: OneName, desks: AllDesks, caller: WhoCalls) -> AccountView:
    """For the operator any account, else the caller's own."""
    return account_view(await desks.people.describe_account(acting(caller, desks), account_id(account)))


async def update_account(
    account: OneName, form: Annotated[AccountChange, Body()], desks: AllDesks, caller: WhoCalls
) -> AccountView:
    """The operator's alone. While it is disabled, sessions, keys and tokens of its users let nobody in."""
    changed = await desks.people.set_account_disabled(
        acting(caller, desks), account_id(account), is_disabled=form.is_disabled
    )
    return account_view(changed)


# --- users


async def list_users(
    desks: AllDesks,
    caller: WhoCalls,
    account: OfAccount = "",
    limit: PageLimit = PAGE_DEFAULT,
    cursor: PageCursor = "",
) -> UserPage:
    """By name."""
    found = await desks.people.list_users(acting(caller, desks), account=named_account(account))
    page, following = page_of(found, place=lambda user: (user.name,), limit=limit, cursor=cursor)
    return UserPage(items=[user_view(user) for user in page], next_cursor=following)


async def create_user(
    form: Annotated[UserForm, Body()], desks: AllDesks, caller: WhoCalls, response: Response
) -> NewUserView:
    """A person or a program. Its name is unique in the whole service."""
    made = await desks.people.create_user(
        acting(caller, desks),
        name=form.name,
        account=named_account(form.account) or caller.account.id,
        role=form.role,
        password=form.password,
    )
    response.headers["location"] = f"{PREFIX}/users/{made.user.name}"
    return NewUserView(user=user_view(made.user), password=made.password or None)


async def describe_user(user: OneName, desks: AllDesks, caller: WhoCalls) -> UserView:
    """One of the caller's account, for the operator any."""
    return user_view(await desks.people.describe_user(acting(caller, desks), user))


async def update_user(
    user: OneName, form: Annotated[UserChange, Body()], desks: AllDesks, caller: WhoCalls
) -> UserView:
    """Users that the settings declare are changed there."""
    if form.role is None and form.is_disabled is None:
        fault = Fault(path="", value="", problem="changes nothing", way_out="send role, is_disabled, or both")
        raise InvalidArgument("the user cannot be changed", faults=[fault])
    changed = await desks.people.change_user(acting(caller, desks), user, role=form.role, is_disabled=form.is_disabled)
    return user_view(changed)


async def delete_user(user: OneName, desks: AllDesks, caller: WhoCalls) -> None:
    """With its access keys and API tokens. Jobs and the audit log go on naming it."""
    await desks.people.delete_user(acting(caller, desks), user)


async def reset_password(user: OneName, desks: AllDesks, caller: WhoCalls) -> NewPasswordView:
    """A random one, which has to be changed at the next login. Ends the user's sessions."""
    return NewPasswordView(password=await desks.people.reset_password(acting(caller, desks), user))
