"""API tokens, which scripts send as ``authorization: Bearer``. Their texts are shown once."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Body, Path
from pydantic import Field

from cosbatch.identity.tokens import ApiToken, TokenScope
from cosbatch.model.principals import UserRole
from cosbatch.service.people_names import account_name
from cosbatch.web.rest.access_keys import DESCRIPTION_MAX, UNKNOWN_USER, OfUser
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

TAG: Final = "API tokens"
OneToken = Annotated[str, Path(max_length=128)]
_TOKEN: Final[dict[str, Any]] = {
    "id": "9f3b6c21d0ae",
    "user": "anna",
    "account": "team",
    "description": "nightly archive",
    "scopes": ["jobs:read", "jobs:write"],
    "created_at": "2026-11-26T08:00:00.000Z",
    "expires_at": "2026-12-26T08:00:00.000Z",
    "is_revoked": False,
    "last_used_at": None,
}


def token_calls() -> list[Call]:
    return [
        Call(
            method="GET",
            path="/tokens",
            answer=list_tokens,
            access=Access.VIEWER,
            tag=TAG,
            summary="List API tokens",
            shape=TokenPage,
            example={"items": [_TOKEN], "next_cursor": None},
            refusals={404: "No account has that name."},
        ),
        Call(
            method="POST",
            path="/tokens",
            answer=create_token,
            access=Access.ADMIN,
            tag=TAG,
            summary="Make an API token",
            shape=NewTokenView,
            status=201,
            asked={"user": "anna", "scopes": ["jobs:read", "jobs:write"], "lasts_days": 30},
            example={"token": _TOKEN, "text": "cosb_Xy7kQ0a5Zx9WcV7bN3mL1pO6iU4yT2h8dM2kQ0aZ5xW"},
            refusals=UNKNOWN_USER,
        ),
        Call(
            method="DELETE",
            path="/tokens/{token_id}",
            answer=revoke_token,
            access=Access.ADMIN,
            tag=TAG,
            summary="Revoke an API token",
            status=204,
        ),
    ]


class TokenForm(Form):
    user: str = Field(max_length=NAME_MAX)
    scopes: list[TokenScope] = Field(
        min_length=1, max_length=len(TokenScope), description="It may do so much, and no more than its user may."
    )
    lasts_days: float | None = Field(default=None, gt=0, le=3650, description="Null: until it is revoked.")
    description: str = Field(default="", max_length=DESCRIPTION_MAX, description="What it is for.")


class TokenView(View):
    id: str = Field(description="Says nothing about its text.")
    user: str
    account: str
    description: str
    scopes: list[TokenScope]
    created_at: Time
    expires_at: Time | None
    is_revoked: bool
    last_used_at: Time | None = Field(description="To the minute.")


class TokenPage(View):
    items: list[TokenView]
    next_cursor: str | None


class NewTokenView(View):
    token: TokenView
    text: str = Field(description="Shown this once.")


def token_view(token: ApiToken) -> TokenView:
    return TokenView(
        id=token.id,
        user=token.user,
        account=account_name(token.account),
        description=token.description,
        scopes=sorted(token.scopes),
        created_at=time_text(token.created_at),
        expires_at=time_or_none(token.expires_at),
        is_revoked=token.is_revoked,
        last_used_at=time_or_none(token.last_used_at),
    )


async def list_tokens(
    desks: AllDesks,
    caller: WhoCalls,
    account: OfAccount = "",
    user: OfUser = "",
    limit: PageLimit = PAGE_DEFAULT,
    cursor: PageCursor = "",
) -> TokenPage:
    """By creation, without their texts, also those that were revoked. Who is no admin sees the own ones."""
    if caller.role.may(UserRole.ADMIN):
        who = acting(caller, desks)
        found = await desks.people.list_tokens(who, account=named_account(account), user=user or None)
    else:
        found = await desks.people.own_tokens(caller, account=named_account(account), user=user or None)
    page, following = page_of(found, place=lambda token: (token.created_at, token.id), limit=limit, cursor=cursor)
    return TokenPage(items=[token_view(token) for token in page], next_cursor=following)


async def create_token(form: Annotated[TokenForm, Body()], desks: AllDesks, caller: WhoCalls) -> NewTokenView:
    """The answer is the only place where its text is ever shown."""
    made = await desks.people.create_token(
        acting(caller, desks),
        user=form.user,
        scopes=frozenset(form.scopes),
        lasts_days=form.lasts_days,
        description=form.description,
    )
    return NewTokenView(token=token_view(made.token), text=made.text)


async def revoke_token(token_id: OneToken, desks: AllDesks, caller: WhoCalls) -> None:
    """For good, and at once."""
    await desks.people.revoke_token(acting(caller, desks), token_id)
